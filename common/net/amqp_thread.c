#include "common/net/amqp_thread.h"

#include "common/clock.h"
#include "common/memory.h"
#include "common/net/amqp_connect.h"
#include "common/net/amqp_serve.h"
#include "common/net/amqp_setup.h"
#include "common/uuid.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define STABLE_MS      1000  /* a connection that held for so long is tried again at once */
#define REPEAT_MS      10000 /* a reason that stays the same is told again after that */

/* Why a broker could not be reached, when that was told last. */
struct failure {
    char text[320];
    uint64_t told_ms;
};

/* ---- for what runs in the thread ---- */

/* Drops what was published on a connection that is no more, before its publisher could know. */
static void drop_stale(struct amqp_thread *thread, struct amqp_job_list *jobs)
{
    struct amqp_job_list all = *jobs;
    struct amqp_job_list stale = {0};

    *jobs = (struct amqp_job_list){0};
    while (all.first != NULL) {
        struct amqp_job *job = all.first;
        all.first = job->next;
        amqp_job_list_add(thread->connection > (job->connection | 1) ? &stale : jobs, job);
    }
    amqp_window_forget(&thread->window, &stale);
}

void amqp_thread_take(struct amqp_thread *thread)
{
    struct amqp_job_list jobs = {0};
    struct amqp_ack_list *acks = &thread->pending_acks;
    size_t kept = 0;

    thread->closing_ms = amqp_mailbox_take(&thread->mailbox, &jobs, acks);
    if (thread->forget) {
        drop_stale(thread, &jobs);
    }
    amqp_job_list_move(&thread->window.waiting, &jobs);
    for (size_t i = 0; i < acks->count; i++) {
        if (acks->items[i].connection == thread->connection) {
            acks->items[kept++] = acks->items[i];
        }
    }
    acks->count = kept;
}

bool amqp_thread_is_over(const struct amqp_thread *thread, uint64_t now_ms)
{
    bool idle = amqp_window_is_empty(&thread->window) && thread->pending_acks.count == 0;
    return thread->closing_ms != 0 && (idle || now_ms >= thread->closing_ms + AMQP_CLOSE_MS);
}

void amqp_thread_post(struct amqp_thread *thread, size_t unfinished)
{
    amqp_mailbox_post(&thread->mailbox, &thread->batch, thread->batch.length - unfinished,
                      &thread->window.done);
}

void amqp_thread_note(struct amqp_thread *thread, enum log_level level, const char *format, ...)
{
    char text[320];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_make_printable(text);
    amqp_event_add(&thread->batch, (struct amqp_event){.type = AMQP_EVENT_NOTE, .level = level}, text_of(""),
                   text_of(text));
}

/* Until what is left to do may take no longer. */
static uint64_t time_to_close(const struct amqp_thread *thread)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t then_ms = thread->closing_ms + AMQP_CLOSE_MS;

    if (thread->closing_ms == 0) {
        return UINT64_MAX;
    }
    return then_ms > now_ms ? then_ms - now_ms : 0;
}

short amqp_thread_wait(struct amqp_thread *thread, int socket_fd, short events, uint64_t timeout_ms)
{
    struct pollfd watched[] = {{.fd = thread->mailbox.bell, .events = POLLIN},
                               {.fd = socket_fd, .events = events}};
    uint64_t left_ms = time_to_close(thread);
    uint64_t wait_ms = timeout_ms < left_ms ? timeout_ms : left_ms;
    int count = poll(watched, socket_fd >= 0 ? 2 : 1, wait_ms < INT_MAX ? (int)wait_ms : INT_MAX);

    if (count > 0 && watched[0].revents != 0) {
        amqp_mailbox_silence(&thread->mailbox);
    }
    return count > 0 ? watched[1].revents : 0;
}

/* ---- one connection after the other ---- */

static void tell_failure(struct amqp_thread *thread, const struct amqp_url *url, struct failure *failure,
                         bool was_connected, const struct error *error)
{
    uint64_t now_ms = clock_monotonic_ms();
    bool repeated = strcmp(failure->text, error->text) == 0 && now_ms < failure->told_ms + REPEAT_MS;

    if (!was_connected && (repeated || thread->closing_ms != 0)) {
        amqp_thread_post(thread, 0);
        return;
    }
    snprintf(failure->text, sizeof failure->text, "%s", was_connected ? "" : error->text);
    failure->told_ms = now_ms;
    amqp_event_add(&thread->batch,
                   (struct amqp_event){.type = AMQP_EVENT_DISCONNECTED,
                                       .connection = thread->connection,
                                       .was_connected = was_connected},
                   text_of(url->broker), text_of(error->text));
    amqp_thread_post(thread, 0);
}

/* Connects and serves until that ends. False if no connection came about, or it did not hold. */
static bool use_broker(struct amqp_thread *thread, const struct amqp_url *url, struct failure *failure)
{
    struct error error = {0};
    bool blamed;
    amqp_connection_state_t connection = amqp_connect(thread, url, &error);

    if (connection == NULL) {
        tell_failure(thread, url, failure, false, &error);
        return false;
    }
    if (amqp_setup(thread, connection, &error) != 0) {
        amqp_disconnect(thread, connection);
        tell_failure(thread, url, failure, false, &error);
        return false;
    }
    uint64_t since_ms = clock_monotonic_ms();
    thread->connection++;
    amqp_event_add(&thread->batch,
                   (struct amqp_event){.type = AMQP_EVENT_CONNECTED,
                                       .connection = thread->connection,
                                       .queue_made = thread->queue_made},
                   text_of(url->broker), text_of(""));
    thread->queue_made = false;
    int code = amqp_serve(thread, connection, &blamed, &error);
    amqp_disconnect(thread, connection);
    thread->connection++; /* what is acknowledged on the old one comes to nothing */
    amqp_window_rewind(&thread->window, blamed && !thread->forget);
    if (thread->forget) {
        amqp_window_forget(&thread->window, &thread->window.waiting);
    }
    if (code == 0) {
        error_set(&error, ERROR_NONE, "closed");
    }
    tell_failure(thread, url, failure, true, &error);
    return clock_monotonic_ms() - since_ms >= STABLE_MS;
}

static bool is_over(struct amqp_thread *thread)
{
    amqp_thread_take(thread);
    return amqp_thread_is_over(thread, clock_monotonic_ms());
}

/* Waits for `delay_ms`, and up to a fifth more, so that nodes that lost their broker together come back one by one. */
static void pause_for(struct amqp_thread *thread, uint64_t delay_ms)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t until_ms = now_ms + delay_ms + random_below(&thread->random, delay_ms / 5 + 1);

    while (!is_over(thread) && now_ms < until_ms) {
        amqp_thread_wait(thread, -1, 0, until_ms - now_ms);
        now_ms = clock_monotonic_ms();
    }
}

/* All brokers in turn, starting with the one behind that which was lost; a pause when none of them was of use. */
static void work(struct amqp_thread *thread)
{
    size_t count = thread->brokers.count;
    struct failure *failures = memory_new_zeroed(count, sizeof *failures);
    uint64_t backoff_ms = BACKOFF_MIN_MS;
    size_t failed = 0;

    for (size_t turn = 0; !is_over(thread); turn++) {
        if (use_broker(thread, &thread->brokers.urls[turn % count], &failures[turn % count])) {
            backoff_ms = BACKOFF_MIN_MS;
            failed = 0;
        } else if (++failed % count == 0) {
            pause_for(thread, backoff_ms);
            backoff_ms = 2 * backoff_ms < BACKOFF_MAX_MS ? 2 * backoff_ms : BACKOFF_MAX_MS;
        }
    }
    free(failures);
}

static void *run(void *argument)
{
    struct amqp_thread *thread = argument;

    work(thread);
    if (amqp_mailbox_end(&thread->mailbox)) { /* nobody waits for it */
        pthread_detach(pthread_self());
        amqp_thread_free(thread);
    }
    return NULL;
}

/* ---- starting and ending ---- */

static int start(struct amqp_thread *thread, struct error *error)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&thread->id, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != 0) {
        error_set(error, ERROR_PROCESS, "no thread to be had");
        error_because_errno(error, status);
        return ERROR_PROCESS;
    }
    return 0;
}

static char *copy(const char *text)
{
    return text != NULL ? memory_copy_text(text, strlen(text)) : NULL;
}

static void copy_steps(struct amqp_thread *thread, const struct amqp_step *steps, size_t count)
{
    thread->steps = memory_new_zeroed(count + 1, sizeof *steps);
    thread->names = memory_new_zeroed(2 * count + 1, sizeof *thread->names);
    thread->step_count = count;
    for (size_t i = 0; i < count; i++) {
        thread->steps[i] = steps[i];
        thread->steps[i].name = thread->names[2 * i] = copy(steps[i].name);
        thread->steps[i].exchange = thread->names[2 * i + 1] = copy(steps[i].exchange);
    }
}

int amqp_thread_start(struct amqp_thread **thread, const char *connection_name,
                      const struct amqp_options *options, const struct amqp_step *steps, size_t step_count,
                      bool forget, struct error *error)
{
    struct amqp_thread *new = memory_new_zeroed(1, sizeof *new);
    int code = amqp_url_list_read(&new->brokers, options->urls, error);

    if (code == 0) {
        code = amqp_mailbox_open(&new->mailbox, error);
    }
    if (code != 0) {
        amqp_url_list_free(&new->brokers);
        free(new);
        return code;
    }
    new->options = *options;
    new->forget = forget;
    new->ca_file = copy(options->ca_file);
    new->connection_name = copy(connection_name);
    copy_steps(new, steps, step_count);
    amqp_window_init(&new->window, options->window);
    new->random.state = random_hash(text_of(uuid_new().text));
    *thread = new;
    code = start(new, error);
    if (code != 0) {
        amqp_thread_free(new);
    }
    return code;
}

void amqp_thread_free(struct amqp_thread *thread)
{
    amqp_mailbox_close(&thread->mailbox);
    buffer_free(&thread->collected);
    amqp_job_list_free(&thread->submitting);
    amqp_acks_free(&thread->acks);
    amqp_url_list_free(&thread->brokers);
    free(thread->ca_file);
    free(thread->connection_name);
    for (size_t i = 0; i < 2 * thread->step_count; i++) {
        free(thread->names[i]);
    }
    free(thread->names);
    free(thread->steps);
    amqp_window_free(&thread->window);
    free(thread->pending_acks.items);
    buffer_free(&thread->batch);
    free(thread);
}
