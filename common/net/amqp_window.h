/* Publishes on their way, in the order in which they were asked for: some wait, and up to `size` of them have been sent
 * and wait for the broker's confirm. When the connection breaks, those sent go back in front of those that wait.
 *
 * The broker answers a publish that it will not take by closing the channel, and does not say which one it was. Then
 * those that were under way are sent again one by one, until the culprit is found. Pure. */
#ifndef ORDEM_AMQP_WINDOW_H
#define ORDEM_AMQP_WINDOW_H

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amqp_publish;

/* One publish, with a copy of its bytes. */
struct amqp_job {
    struct amqp_job *next;
    /* Its user's: never looked into outside the loop's thread. NULL: its user has been told already. */
    struct amqp_publish *publish;
    uint64_t connection; /* as the loop saw it; see amqp_thread.h */
    int code;            /* once it is done */
    uint8_t exchange_length, routing_key_length, reply_to_length;
    size_t body_length;
    char bytes[]; /* exchange, routing key, reply_to, body */
};

struct amqp_job_list {
    struct amqp_job *first, *last;
};

/* A job for the caller to free. The first three texts are at most 255 bytes long. */
struct amqp_job *amqp_job_new(struct amqp_publish *publish, uint64_t connection, struct text exchange,
                              struct text routing_key, struct text reply_to, struct text body);

/* What it takes in memory. */
static inline size_t amqp_job_size(const struct amqp_job *job)
{
    return sizeof *job + job->exchange_length + job->routing_key_length + job->reply_to_length +
           job->body_length;
}

static inline void amqp_job_list_add(struct amqp_job_list *list, struct amqp_job *job)
{
    job->next = NULL;
    if (list->last != NULL) {
        list->last->next = job;
    } else {
        list->first = job;
    }
    list->last = job;
}

/* Moves all of `more` behind `list`. */
static inline void amqp_job_list_move(struct amqp_job_list *list, struct amqp_job_list *more)
{
    if (list->last != NULL) {
        list->last->next = more->first;
    } else {
        list->first = more->first;
    }
    list->last = more->last != NULL ? more->last : list->last;
    *more = (struct amqp_job_list){0};
}

void amqp_job_list_free(struct amqp_job_list *list);

struct amqp_window {
    struct amqp_job **sent; /* by tag, a ring; NULL where it is confirmed; owned */
    unsigned size;
    uint64_t first_tag,
        next_tag; /* of the connection's channel: the oldest not confirmed, the next to be sent */
    struct amqp_job_list waiting, done;
    size_t suspects; /* so many of the next ones are sent one by one */
};

void amqp_window_init(struct amqp_window *window, unsigned size);
void amqp_window_free(struct amqp_window *window);

/* What is to be sent now, or NULL: nothing waits, or too much is not confirmed. */
struct amqp_job *amqp_window_next(const struct amqp_window *window);

/* It was sent. */
void amqp_window_sent(struct amqp_window *window);

/* The broker confirmed (`code` 0) or refused the one with that tag, or, `multiple`, all up to it. */
void amqp_window_confirm(struct amqp_window *window, uint64_t tag, bool multiple, int code);

/* The connection is no more. `blamed`: because of one of those that were sent. */
void amqp_window_rewind(struct amqp_window *window, bool blamed);

/* These are done, and their users need not hear of it. */
void amqp_window_forget(struct amqp_window *window, struct amqp_job_list *jobs);

/* Is nothing under way? */
bool amqp_window_is_empty(const struct amqp_window *window);

#endif
