#include "common/net/amqp_window.h"

#include "common/error.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

struct amqp_job *amqp_job_new(struct amqp_publish *publish, uint64_t connection, struct text exchange,
                              struct text routing_key, struct text reply_to, struct text body)
{
    const struct text parts[] = {exchange, routing_key, reply_to, body};
    struct amqp_job *job =
        memory_new(sizeof *job + exchange.length + routing_key.length + reply_to.length + body.length);
    size_t length = 0;

    job->publish = publish;
    job->connection = connection;
    job->exchange_length = (uint8_t)exchange.length;
    job->routing_key_length = (uint8_t)routing_key.length;
    job->reply_to_length = (uint8_t)reply_to.length;
    job->body_length = body.length;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].length > 0) {
            memcpy(&job->bytes[length], parts[i].bytes, parts[i].length);
            length += parts[i].length;
        }
    }
    return job;
}

void amqp_job_list_free(struct amqp_job_list *list)
{
    while (list->first != NULL) {
        struct amqp_job *job = list->first;
        list->first = job->next;
        free(job);
    }
    list->last = NULL;
}

void amqp_window_init(struct amqp_window *window, unsigned size)
{
    *window = (struct amqp_window){.size = size, .first_tag = 1, .next_tag = 1};
    window->sent = memory_new_zeroed(size, sizeof(struct amqp_job *));
}

static struct amqp_job **slot_of(const struct amqp_window *window, uint64_t tag)
{
    return &window->sent[tag % window->size];
}

struct amqp_job *amqp_window_next(const struct amqp_window *window)
{
    uint64_t limit = window->suspects > 0 ? 1 : window->size;
    return window->next_tag - window->first_tag < limit ? window->waiting.first : NULL;
}

void amqp_window_sent(struct amqp_window *window)
{
    struct amqp_job *job = window->waiting.first;

    window->waiting.first = job->next;
    if (job->next == NULL) {
        window->waiting.last = NULL;
    }
    *slot_of(window, window->next_tag++) = job;
}

static void end(struct amqp_window *window, uint64_t tag, int code)
{
    struct amqp_job **slot = slot_of(window, tag);

    if (*slot == NULL) {
        return;
    }
    (*slot)->code = code;
    amqp_job_list_add(&window->done, *slot);
    *slot = NULL;
    if (window->suspects > 0) {
        window->suspects--;
    }
}

void amqp_window_confirm(struct amqp_window *window, uint64_t tag, bool multiple, int code)
{
    if (multiple && (tag == 0 || tag >= window->next_tag)) {
        tag =
            window->next_tag - 1; /* 0 means all; a broker that confirms what was never sent means no more */
    }
    if (multiple) {
        while (window->first_tag <= tag) {
            end(window, window->first_tag++, code);
        }
    } else if (tag >= window->first_tag && tag < window->next_tag) {
        end(window, tag, code);
    }
    while (window->first_tag < window->next_tag && *slot_of(window, window->first_tag) == NULL) {
        window->first_tag++;
    }
}

void amqp_window_rewind(struct amqp_window *window, bool blamed)
{
    struct amqp_job_list again = {0};
    size_t count = 0;
    struct amqp_job *last = NULL;

    for (uint64_t tag = window->first_tag; tag < window->next_tag; tag++) {
        if (*slot_of(window, tag) != NULL) {
            last = *slot_of(window, tag);
            amqp_job_list_add(&again, last);
            *slot_of(window, tag) = NULL;
            count++;
        }
    }
    window->first_tag = window->next_tag = 1;
    if (blamed && window->suspects > 0 && count == 1) {
        last->code = ERROR_BROKER;
        amqp_job_list_move(&window->done, &again);
        window->suspects--;
    } else if (blamed && window->suspects == 0) {
        window->suspects = count;
    }
    amqp_job_list_move(&again, &window->waiting);
    window->waiting = again;
}

void amqp_window_forget(struct amqp_window *window, struct amqp_job_list *jobs)
{
    for (struct amqp_job *job = jobs->first; job != NULL; job = job->next) {
        job->publish = NULL;
    }
    amqp_job_list_move(&window->done, jobs);
}

bool amqp_window_is_empty(const struct amqp_window *window)
{
    return window->waiting.first == NULL && window->first_tag == window->next_tag;
}

void amqp_window_free(struct amqp_window *window)
{
    amqp_window_rewind(window, false);
    amqp_job_list_free(&window->waiting);
    amqp_job_list_free(&window->done);
    free(window->sent);
    window->sent = NULL;
}
