#include "common/net/amqp_outbox.h"

#include "common/container_of.h"
#include "common/net/amqp_thread.h"

#include <stdlib.h>
#include <utlist.h>

#define ACK_DELAY_MS 5 /* that an acknowledgement waits for others */
#define ACK_SHARE    8 /* or until that part of the prefetch is acknowledged */

/* ---- handing over ---- */

void amqp_outbox_empty(struct amqp_link *link)
{
    struct amqp_thread *thread = link->thread;

    thread->ack_count = 0;
    amqp_mailbox_submit(&thread->mailbox, &thread->submitting, &thread->acks.ready);
}

static void on_acks_due(uv_timer_t *timer)
{
    amqp_outbox_empty(container_of(timer, struct amqp_link, patience));
}

/* Publishes go at once. Acknowledgements wait for more of them: each costs the broker nearly as much as a delivery. */
void amqp_outbox_flush(struct amqp_link *link)
{
    struct amqp_thread *thread = link->thread;
    struct amqp_ack_list none = {0};

    if (thread->ack_count > thread->options.prefetch / ACK_SHARE) {
        amqp_outbox_empty(link);
    } else if (thread->submitting.first != NULL) {
        amqp_mailbox_submit(&thread->mailbox, &thread->submitting, &none);
    }
    if (thread->ack_count > 0 && !uv_is_active((uv_handle_t *)&link->patience)) {
        uv_timer_start(&link->patience, on_acks_due, ACK_DELAY_MS, 0);
    }
}

/* ---- publishing and acknowledging ---- */

int amqp_link_publish(struct amqp_link *link, struct amqp_publish *publish, const char *exchange,
                      const char *routing_key, struct text reply_to, struct text body, struct error *error)
{
    struct text exchange_text = text_of(exchange);
    struct text key_text = text_of(routing_key);
    size_t size =
        sizeof(struct amqp_job) + exchange_text.length + key_text.length + reply_to.length + body.length;

    if (exchange_text.length > AMQP_NAME_MAX || key_text.length > AMQP_NAME_MAX ||
        reply_to.length > AMQP_NAME_MAX) {
        return error_set(error, ERROR_TOO_LONG, "the name of an exchange or a queue is longer than %d bytes",
                         AMQP_NAME_MAX);
    }
    if (size > AMQP_PENDING_BYTES_MAX) {
        return error_set(error, ERROR_TOO_LONG, "the message is longer than %d bytes",
                         AMQP_PENDING_BYTES_MAX);
    }
    if (link->closing) {
        return error_set(error, ERROR_FULL, "nothing is published any more: this node is leaving");
    }
    if (link->pending >= AMQP_PENDING_MAX || link->pending_bytes + size > AMQP_PENDING_BYTES_MAX) {
        error_set(error, ERROR_FULL, "%zu messages wait for the broker already", link->pending);
        if (!link->connected) {
            error_because(error, "it cannot be reached");
        }
        return ERROR_FULL;
    }
    struct amqp_job *job = amqp_job_new(publish, link->thread->seen, exchange_text, key_text, reply_to, body);
    amqp_job_list_add(&link->thread->submitting, job);
    DL_APPEND(link->publishes, publish);
    link->pending++;
    link->pending_bytes += size;
    return 0;
}

void amqp_link_ack(struct amqp_link *link, uint64_t connection, uint64_t tag)
{
    if (connection != 0 && !link->closing) { /* 0: it was only looked at */
        amqp_acks_add(&link->thread->acks, connection, tag);
        link->thread->ack_count++;
    }
}

/* ---- being done ---- */

static void finish(struct amqp_link *link, struct amqp_publish *publish, int code)
{
    DL_DELETE(link->publishes, publish);
    link->pending--;
    publish->on_done(publish, code);
}

void amqp_outbox_give_up(struct amqp_link *link)
{
    struct amqp_publish *last = link->publishes != NULL ? link->publishes->prev : NULL;
    bool more = last != NULL;

    link->pending_bytes = 0;
    while (more) { /* on_done may publish anew, behind the last */
        more = link->publishes != last;
        finish(link, link->publishes, ERROR_BROKER);
    }
}

void amqp_outbox_finish(struct amqp_link *link, struct amqp_job_list *done)
{
    while (done->first != NULL) {
        struct amqp_job *job = done->first;
        done->first = job->next;
        if (job->publish != NULL) {
            link->pending_bytes -= amqp_job_size(job);
            finish(link, job->publish, job->code);
        }
        free(job);
    }
}
