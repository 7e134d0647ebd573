#include "common/net/amqp_mailbox.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOMY                                                                                                \
    (8 * 1024 * 1024) /* bytes of events that the loop has not taken; above that the thread waits if it can */
#define KEPT (4 * 1024 * 1024) /* a larger buffer is given back */

int amqp_mailbox_open(struct amqp_mailbox *mailbox, struct error *error)
{
    *mailbox = (struct amqp_mailbox){.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .socket = -1};
    if (mailbox->bell < 0) {
        error_set(error, ERROR_PROCESS, "no eventfd to be had");
        error_because_errno(error, errno);
        return ERROR_PROCESS;
    }
    pthread_mutex_init(&mailbox->mutex, NULL);
    pthread_mutex_init(&mailbox->wake_mutex, NULL);
    return 0;
}

void amqp_mailbox_close(struct amqp_mailbox *mailbox)
{
    amqp_job_list_free(&mailbox->submitted);
    amqp_job_list_free(&mailbox->done);
    free(mailbox->acks.items);
    buffer_free(&mailbox->events);
    if (mailbox->socket >= 0) {
        close(mailbox->socket);
    }
    close(mailbox->bell);
    pthread_mutex_destroy(&mailbox->mutex);
    pthread_mutex_destroy(&mailbox->wake_mutex);
}

static void ring(struct amqp_mailbox *mailbox)
{
    ssize_t length;

    do {
        length = eventfd_write(mailbox->bell, 1); /* EAGAIN: it has been ringing for 2^64 - 2 times */
    } while (length < 0 && errno == EINTR);
}

static void wake(struct amqp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->wake_mutex);
    if (mailbox->wake != NULL) {
        uv_async_send(mailbox->wake);
    }
    pthread_mutex_unlock(&mailbox->wake_mutex);
}

/* ---- called by the loop ---- */

void amqp_mailbox_set_wake(struct amqp_mailbox *mailbox, uv_async_t *handle)
{
    pthread_mutex_lock(&mailbox->wake_mutex);
    mailbox->wake = handle;
    pthread_mutex_unlock(&mailbox->wake_mutex);
    wake(mailbox);
}

void amqp_mailbox_submit(struct amqp_mailbox *mailbox, struct amqp_job_list *jobs, struct amqp_ack_list *acks)
{
    pthread_mutex_lock(&mailbox->mutex);
    amqp_job_list_move(&mailbox->submitted, jobs);
    amqp_ack_list_move(&mailbox->acks, acks);
    bool asleep = mailbox->asleep;
    mailbox->asleep = false;
    pthread_mutex_unlock(&mailbox->mutex);
    if (asleep) {
        ring(mailbox);
    }
}

bool amqp_mailbox_collect(struct amqp_mailbox *mailbox, struct buffer *events, struct amqp_job_list *done)
{
    if (events->capacity > KEPT) {
        buffer_free(events);
    }
    pthread_mutex_lock(&mailbox->mutex);
    struct buffer empty = *events;
    *events = mailbox->events;
    mailbox->events = empty;
    amqp_job_list_move(done, &mailbox->done);
    bool wanted_room = mailbox->wants_room;
    mailbox->wants_room = false;
    bool ended = mailbox->ended;
    pthread_mutex_unlock(&mailbox->mutex);
    if (wanted_room) {
        ring(mailbox);
    }
    return ended;
}

void amqp_mailbox_ask_to_close(struct amqp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->closing_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&mailbox->mutex);
    ring(mailbox);
}

void amqp_mailbox_cut(struct amqp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    if (mailbox->socket >= 0) {
        (void)shutdown(mailbox->socket, SHUT_RDWR); /* fails where the other side was faster */
    }
    pthread_mutex_unlock(&mailbox->mutex);
}

bool amqp_mailbox_abandon(struct amqp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->wake_mutex);
    mailbox->wake = NULL;
    pthread_mutex_unlock(&mailbox->wake_mutex);
    pthread_mutex_lock(&mailbox->mutex);
    bool ended = mailbox->ended;
    mailbox->abandoned = !ended;
    pthread_mutex_unlock(&mailbox->mutex);
    return !ended;
}

/* ---- called by the thread ---- */

uint64_t amqp_mailbox_take(struct amqp_mailbox *mailbox, struct amqp_job_list *jobs,
                           struct amqp_ack_list *acks)
{
    pthread_mutex_lock(&mailbox->mutex);
    amqp_job_list_move(jobs, &mailbox->submitted);
    amqp_ack_list_move(acks, &mailbox->acks);
    mailbox->asleep = false;
    uint64_t closing_ms = mailbox->closing_ms;
    pthread_mutex_unlock(&mailbox->mutex);
    return closing_ms;
}

/* The first bytes of `events` go behind those that the loop has not taken yet. */
static void move_events(struct amqp_mailbox *mailbox, struct buffer *events, size_t length)
{
    if (mailbox->events.length == 0 && length == events->length) {
        struct buffer empty = mailbox->events;
        mailbox->events = *events;
        *events = empty;
        return;
    }
    buffer_add(&mailbox->events, events->bytes, length);
    if (length > 0) {
        memmove(events->bytes, events->bytes + length, events->length - length);
        events->length -= length;
    }
}

void amqp_mailbox_post(struct amqp_mailbox *mailbox, struct buffer *events, size_t length,
                       struct amqp_job_list *done)
{
    if (length == 0 && done->first == NULL) {
        return;
    }
    pthread_mutex_lock(&mailbox->mutex);
    bool waiting =
        mailbox->events.length > 0 || mailbox->done.first != NULL; /* and the loop was woken for it */
    move_events(mailbox, events, length);
    amqp_job_list_move(&mailbox->done, done);
    pthread_mutex_unlock(&mailbox->mutex);
    if (!waiting) {
        wake(mailbox);
    }
}

bool amqp_mailbox_fall_asleep(struct amqp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool asleep = mailbox->submitted.first == NULL && mailbox->acks.count == 0;
    mailbox->asleep = asleep;
    pthread_mutex_unlock(&mailbox->mutex);
    return asleep;
}

void amqp_mailbox_silence(struct amqp_mailbox *mailbox)
{
    eventfd_t count;
    (void)eventfd_read(mailbox->bell, &count); /* EAGAIN: it is silent already */
}

void amqp_mailbox_wait_for_room(struct amqp_mailbox *mailbox)
{
    for (;;) {
        pthread_mutex_lock(&mailbox->mutex);
        bool waits = mailbox->events.length > ROOMY && mailbox->closing_ms == 0;
        mailbox->wants_room = waits;
        pthread_mutex_unlock(&mailbox->mutex);
        if (!waits) {
            return;
        }
        struct pollfd bell = {.fd = mailbox->bell, .events = POLLIN};
        (void)poll(&bell, 1, -1);
        amqp_mailbox_silence(mailbox);
    }
}

void amqp_mailbox_set_socket(struct amqp_mailbox *mailbox, int socket_fd)
{
    int copy = socket_fd >= 0 ? fcntl(socket_fd, F_DUPFD_CLOEXEC, 0) : -1;

    pthread_mutex_lock(&mailbox->mutex);
    if (mailbox->socket >= 0) {
        close(mailbox->socket);
    }
    mailbox->socket = copy;
    pthread_mutex_unlock(&mailbox->mutex);
}

bool amqp_mailbox_end(struct amqp_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->ended = true;
    bool abandoned = mailbox->abandoned;
    pthread_mutex_unlock(&mailbox->mutex);
    if (!abandoned) {
        wake(mailbox);
    }
    return abandoned;
}
