/* The thread behind a link, in which rabbitmq-c may wait: connects, carries out the steps, serves the connection until
 * it breaks, and starts anew. */
#ifndef ORDEM_AMQP_THREAD_H
#define ORDEM_AMQP_THREAD_H

#include "common/net/amqp_acks.h"
#include "common/net/amqp_event.h"
#include "common/net/amqp_link.h"
#include "common/net/amqp_mailbox.h"
#include "common/net/amqp_url.h"
#include "common/net/amqp_window.h"
#include "common/random.h"

#include <pthread.h>

struct amqp_thread {
    struct amqp_mailbox mailbox;

    /* the loop's alone */
    pthread_t id;
    struct buffer collected;         /* events, while they are handled */
    struct amqp_job_list submitting; /* in this turn of the loop */
    struct amqp_acks acks;           /* that the thread does not know of yet */
    unsigned ack_count;              /* for so many deliveries */
    uint64_t seen;                   /* the connection that on_state told of last */

    /* what it was started with; nobody changes it */
    struct amqp_options options; /* whose texts are not used: */
    struct amqp_url_list brokers;
    char *ca_file;
    char *connection_name; /* what the broker's operator sees */
    struct amqp_step *steps;
    char **names; /* in the steps: two for each */
    size_t step_count;
    bool forget; /* see amqp_link.h */

    /* the thread's alone */
    struct amqp_window window;
    struct amqp_ack_list pending_acks;
    struct buffer batch; /* events to be posted */
    uint64_t connection; /* counts connects and losses: odd while there is one */
    bool queue_made;     /* since the last one that held: a queue that is consumed was not there before */
    uint64_t closing_ms; /* since when the link is to close, 0 if it is not */
    struct random random;
};

/* Copies of everything, and the thread runs. ERROR_CONFIG, ERROR_PROCESS: nothing is left then. */
int amqp_thread_start(struct amqp_thread **thread, const char *connection_name,
                      const struct amqp_options *options, const struct amqp_step *steps, size_t step_count,
                      bool forget, struct error *error);

/* The thread has ended, or never ran: frees everything. */
void amqp_thread_free(struct amqp_thread *thread);

/* ---- for what runs in the thread ---- */

#define AMQP_CLOSE_MS 1000 /* what is not confirmed by then, once the link is to close, never will be */

/* Takes what the loop submitted. */
void amqp_thread_take(struct amqp_thread *thread);

/* Is the link to close, and is nothing left to do, or no time to do it? */
bool amqp_thread_is_over(const struct amqp_thread *thread, uint64_t now_ms);

/* Hands the loop what there is for it, but for the last `unfinished` bytes of events. */
void amqp_thread_post(struct amqp_thread *thread, size_t unfinished);

/* A line for the log. */
void amqp_thread_note(struct amqp_thread *thread, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Waits for `events` (as poll() names them) of `socket_fd`, if it is not negative, or for the bell, for at most
 * `timeout_ms`, and no longer than a link that is to close has. Returns what came of the socket's events, 0 for the rest. */
short amqp_thread_wait(struct amqp_thread *thread, int socket_fd, short events, uint64_t timeout_ms);

#endif
