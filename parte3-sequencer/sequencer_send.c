/* Numbered commands go out to all, and are known to be safe.
 *
 * A command stays in the input queue until the broker has confirmed the numbered one: whatever dies before, it comes
 * again. What a lost connection leaves unconfirmed waits for the next, and goes out under the same number: it may be in
 * some queues and not in others. Nodes discard what they have. */
#include "sequencer_process.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <stdlib.h>
#include <utlist.h>

void ordering_end(struct ordering *ordering)
{
    message_unref(ordering->message);
    free(ordering);
}

/* False if the link has no room now. */
static bool publish(struct ordering *ordering)
{
    struct sequencer_process *process = ordering->process;
    struct error error;

    buffer_clear(&process->encoded);
    message_encode(ordering->message, &process->encoded);
    return amqp_link_publish(&process->replica.consumer, &ordering->publish, process->exchange, "",
                             (struct text){0}, buffer_text(&process->encoded), &error) == 0;
}

/* In the order of their numbers. */
void orderings_publish(struct sequencer_process *process)
{
    while (process->waiting != NULL && process->replica.consumer.connected && publish(process->waiting)) {
        struct ordering *published = process->waiting;
        DL_DELETE(process->waiting, published);
    }
}

static int compare_numbers(const struct ordering *first, const struct ordering *second)
{
    return first->message->seq < second->message->seq ? -1 : first->message->seq > second->message->seq;
}

static void on_done(struct amqp_publish *publish_done, int code)
{
    struct ordering *ordering = container_of(publish_done, struct ordering, publish);
    struct sequencer_process *process = ordering->process;

    if (code == 0) {
        history_add(&process->history, ordering->message);
        amqp_link_ack(&process->replica.consumer, ordering->receipt.connection, ordering->receipt.tag);
        HASH_DEL(process->by_uuid, ordering);
        ordering_end(ordering);
    } else { /* a queue refused it, or the connection was lost: the number is given, so it must get there */
        DL_INSERT_INORDER(process->waiting, ordering, compare_numbers);
    }
    orderings_publish(process);
}

void ordering_begin(struct sequencer_process *process, struct message *message, struct receipt receipt)
{
    struct ordering *ordering = memory_new_zeroed(1, sizeof *ordering);

    ordering->publish.on_done = on_done;
    ordering->process = process;
    ordering->message = message_ref(message);
    ordering->receipt = receipt;
    HASH_ADD_KEYPTR(hh, process->by_uuid, ordering->message->message_uuid.bytes,
                    (unsigned)ordering->message->message_uuid.length, ordering);
    process->known_seq = message->seq;
    event_send(&process->replica.log, message);
    DL_APPEND(process->waiting, ordering);
    orderings_publish(process);
}

/* While its number is not safe, one of its deliveries stays in the input queue: this one. */
void ordering_repeat(struct sequencer_process *process, struct message *command, struct receipt receipt)
{
    struct receipt done = receipt;
    struct ordering *ordering;

    HASH_FIND(hh, process->by_uuid, command->message_uuid.bytes, command->message_uuid.length, ordering);
    if (ordering != NULL) {
        done = ordering->receipt;
        ordering->receipt = receipt;
    }
    event_repeat(&process->replica.log, command);
    amqp_link_ack(&process->replica.consumer, done.connection, done.tag);
}

void orderings_drop(struct sequencer_process *process)
{
    while (process->waiting != NULL && process->by_uuid != NULL) { /* what waits is in both */
        struct ordering *ordering = process->waiting;
        DL_DELETE(process->waiting, ordering);
        HASH_DEL(process->by_uuid, ordering);
        ordering_end(ordering);
    }
}
