/* Where a link's loop and its thread hand each other what they have: whole lists, under one lock, and nobody is woken
 * who is awake. It outlives the link where the thread hangs inside a library and the loop does not wait for it. */
#ifndef ORDEM_AMQP_MAILBOX_H
#define ORDEM_AMQP_MAILBOX_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/net/amqp_acks.h"
#include "common/net/amqp_window.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct amqp_mailbox {
    int bell; /* an eventfd, which the thread watches together with its socket */

    pthread_mutex_t mutex;          /* for what follows */
    struct amqp_job_list submitted; /* to the thread */
    struct amqp_ack_list acks;
    uint64_t closing_ms;  /* since when the link is to close (clock_monotonic_ms); 0: it is not */
    bool asleep;          /* the thread waits for the bell */
    bool wants_room;      /* it waits until the loop has taken the events */
    struct buffer events; /* to the loop; see amqp_event.h */
    struct amqp_job_list done;
    int socket;     /* a duplicate of the connection's, by which it can be broken; -1 for none */
    bool ended;     /* the thread's last word */
    bool abandoned; /* the loop's last word: the thread frees everything */

    pthread_mutex_t wake_mutex; /* for this alone: the loop that is woken finds the other one free */
    uv_async_t *wake;           /* NULL where nobody is to be woken */
};

/* ERROR_PROCESS: no descriptor to be had. */
int amqp_mailbox_open(struct amqp_mailbox *mailbox, struct error *error);
void amqp_mailbox_close(struct amqp_mailbox *mailbox);

/* ---- called by the loop ---- */

/* Whom to wake from now on; what came before that counts. */
void amqp_mailbox_set_wake(struct amqp_mailbox *mailbox, uv_async_t *wake);

/* Hands over what was published and acknowledged; both lists are empty afterwards. */
void amqp_mailbox_submit(struct amqp_mailbox *mailbox, struct amqp_job_list *jobs,
                         struct amqp_ack_list *acks);

/* Takes what there is; `events` and `done` are empty before. True if the thread has ended. */
bool amqp_mailbox_collect(struct amqp_mailbox *mailbox, struct buffer *events, struct amqp_job_list *done);

/* Asks the thread to end. */
void amqp_mailbox_ask_to_close(struct amqp_mailbox *mailbox);

/* Breaks the connection, so that whoever waits for it returns. */
void amqp_mailbox_cut(struct amqp_mailbox *mailbox);

/* Leaves everything, the mailbox too, to the thread; false if that has ended already. */
bool amqp_mailbox_abandon(struct amqp_mailbox *mailbox);

/* ---- called by the thread ---- */

/* Takes what was submitted, behind what is in the lists already. Since when the link is to close, or 0. */
uint64_t amqp_mailbox_take(struct amqp_mailbox *mailbox, struct amqp_job_list *jobs,
                           struct amqp_ack_list *acks);

/* Hands over the first `length` bytes of `events`, and all of `done`. */
void amqp_mailbox_post(struct amqp_mailbox *mailbox, struct buffer *events, size_t length,
                       struct amqp_job_list *done);

/* To be called before the thread watches the bell; false if there is something to take. */
bool amqp_mailbox_fall_asleep(struct amqp_mailbox *mailbox);

/* The bell has rung. */
void amqp_mailbox_silence(struct amqp_mailbox *mailbox);

/* Waits while the loop has too much to do already, unless the link is to close. */
void amqp_mailbox_wait_for_room(struct amqp_mailbox *mailbox);

/* The connection's socket, or -1: none any more. */
void amqp_mailbox_set_socket(struct amqp_mailbox *mailbox, int socket_fd);

/* The thread's last call. True if it was abandoned, and is to free everything. */
bool amqp_mailbox_end(struct amqp_mailbox *mailbox);

#endif
