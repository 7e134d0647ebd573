#include "common/net/replica.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- leaving ---- */

static void finish(struct replica *replica)
{
    event_discard_summary(&replica->log, &replica->discards, clock_monotonic_ms(), true);
    if (log_begin(&replica->log, LOG_INFO, "stop")) {
        log_int(&replica->log, "ordem_local", (int64_t)replica->store.ordem_local);
        log_int(&replica->log, "keys", (int64_t)kv_store_count(&replica->store));
        log_end(&replica->log);
    }
    fault_link_close(&replica->faults);
    runtime_close(&replica->runtime);
}

static void close_links(struct replica *replica)
{
    if (replica->closing) {
        return;
    }
    replica->closing = true;
    requests_abandon(&replica->requests);
    if (replica->links == 0) {
        finish(replica);
        return;
    }
    amqp_link_close(&replica->consumer);
    if (replica->links > 1) {
        amqp_link_close(&replica->publisher);
    }
}

static void on_signal(struct runtime *runtime, const char *name)
{
    struct replica *replica = container_of(runtime, struct replica, runtime);

    if (replica->leaving) {
        close_links(replica); /* asked twice */
        return;
    }
    log_say(&replica->log, LOG_INFO, "disconnect", "%s: leaving", name);
    replica->leaving = true;
    replica->leave_by_ms = clock_monotonic_ms() + REPLICA_LEAVE_MS;
    if (replica->port != 0) {
        kv_service_close(&replica->service);
    }
}

static void on_tick(struct runtime *runtime, uint64_t now_ms)
{
    struct replica *replica = container_of(runtime, struct replica, runtime);

    event_discard_summary(&replica->log, &replica->discards, now_ms, false);
    requests_expire(&replica->requests, now_ms);
    replica->on_tick(replica, now_ms);
    if (replica->leaving && (replica->requests.count == 0 || now_ms >= replica->leave_by_ms)) {
        close_links(replica);
    }
}

static void link_closed(struct replica *replica)
{
    if (--replica->links == 0) {
        finish(replica);
    }
}

static void on_publisher_closed(struct amqp_link *link)
{
    link_closed(container_of(link, struct replica, publisher));
}

static void on_consumer_closed(struct amqp_link *link)
{
    link_closed(container_of(link, struct replica, consumer));
}

/* ---- starting ---- */

static int put_together(char out[REPLICA_NAME_MAX], const char *variable, const char *name,
                        const char *ending, struct error *error)
{
    int length = snprintf(out, REPLICA_NAME_MAX, "%s%s%s", name, ending, config_text("QUEUE_SUFFIX", ""));

    if (length >= REPLICA_NAME_MAX || !text_is_utf8(text_of(out)) || text_has_control(text_of(out))) {
        return error_set(error, ERROR_CONFIG,
                         "%s is \"%.60s\": together with QUEUE_SUFFIX at most %d bytes of text are allowed",
                         variable, name, REPLICA_NAME_MAX - 1);
    }
    return 0;
}

int replica_name(char out[REPLICA_NAME_MAX], const char *variable, const char *standard, struct error *error)
{
    return put_together(out, variable, config_text(variable, standard), "", error);
}

int replica_queue(char out[REPLICA_NAME_MAX], const char *node_id, const char *ending, struct error *error)
{
    return put_together(out, "NODE_ID", node_id, ending, error);
}

static int read_settings(struct replica *replica, const char *standard_id, struct log_options *log_options,
                         struct error *error)
{
    int code = 0;

    if (standard_id != NULL && config_text("NODE_ID", NULL) == NULL) {
        snprintf(replica->id, sizeof replica->id, "%s", standard_id);
    } else {
        code = config_node_id("NODE_ID", replica->id, error);
    }
    if (code == 0) {
        code = log_options_read(log_options, replica->id, error);
    }
    return code == 0 ? amqp_options_read(&replica->amqp, "amqp://guest:guest@127.0.0.1:5672", error) : code;
}

int replica_open(struct replica *replica, const char *standard_id, struct error *error)
{
    struct log_options log_options;
    int code = read_settings(replica, standard_id, &log_options, error);

    if (code == 0) {
        code = log_open(&replica->log, &log_options, error);
    }
    if (code != 0) {
        return code;
    }
    if (log_begin(&replica->log, LOG_INFO, "start")) {
        log_text(&replica->log, "part", text_of(replica->part));
        log_text(&replica->log, "role", text_of(replica->role));
        log_int(&replica->log, "pid", getpid());
        log_end(&replica->log);
    }
    kv_store_init(&replica->store);
    replica->runtime.on_signal = on_signal;
    replica->runtime.on_tick = on_tick;
    code = runtime_open(&replica->runtime, &replica->log, error);
    if (code == 0) {
        code = fault_link_open(&replica->faults, FAULT_STREAMS, &replica->runtime.loop, &replica->log,
                               text_of(replica->id), error);
    }
    if (code == 0 && replica->port != 0) {
        code = kv_service_open(&replica->service, &replica->runtime.loop, &replica->log, text_of(replica->id),
                               replica->port, error);
    }
    return code;
}

static void announce_when_ready(struct replica *replica)
{
    bool connected = replica->consumer.connected && (replica->links < 2 || replica->publisher.connected);

    if (replica->ready || replica->not_ready_yet || !connected) {
        return;
    }
    replica->ready = true;
    if (log_begin(&replica->log, LOG_INFO, "ready")) {
        if (replica->port != 0) {
            log_int(&replica->log, "port", replica->service.server.port);
        }
        log_end(&replica->log);
    }
}

void replica_make_ready(struct replica *replica)
{
    replica->not_ready_yet = false;
    announce_when_ready(replica);
}

static void on_publisher_state(struct amqp_link *link, const struct amqp_connection_state *state)
{
    (void)state;
    announce_when_ready(container_of(link, struct replica, publisher));
}

static void on_consumer_state(struct amqp_link *link, const struct amqp_connection_state *state)
{
    struct replica *replica = container_of(link, struct replica, consumer);

    if (state->connected && state->queue_made) {
        log_say(&replica->log, LOG_INFO, "connect", "the queue is new: what was sent until now is not in it");
    }
    announce_when_ready(replica);
    if (state->connected && replica->on_connected != NULL) {
        replica->on_connected(replica, state->queue_made);
    } else if (!state->connected && replica->on_disconnected != NULL) {
        replica->on_disconnected(replica);
    }
}

int replica_open_links(struct replica *replica, const struct amqp_step *publisher, size_t publisher_count,
                       const struct amqp_step *consumer, size_t consumer_count, struct error *error)
{
    int code = 0;

    replica->steps = memory_new_zeroed(publisher_count + consumer_count, sizeof *replica->steps);
    for (size_t i = 0; i < publisher_count; i++) {
        replica->steps[i] = publisher[i];
    }
    for (size_t i = 0; i < consumer_count; i++) {
        replica->steps[publisher_count + i] = consumer[i];
    }
    replica->publisher.on_state = on_publisher_state;
    replica->publisher.on_closed = on_publisher_closed;
    replica->consumer.on_state = on_consumer_state;
    replica->consumer.on_closed = on_consumer_closed;
    replica->links = publisher_count > 0 ? 2 : 1;
    if (publisher_count > 0) {
        code = amqp_link_open(&replica->publisher, &replica->runtime.loop, &replica->log, "publisher",
                              &replica->amqp, replica->steps, publisher_count, error);
    }
    return code == 0 ? amqp_link_open(&replica->consumer, &replica->runtime.loop, &replica->log, "consumer",
                                      &replica->amqp, replica->steps + publisher_count, consumer_count, error)
                     : code;
}

int replica_refuse_start(struct replica *replica, const struct error *error)
{
    fprintf(stderr, "%s: %s\n", replica->part, error->words);
    return 1;
}

/* ---- what comes from peers ---- */

void replica_install(struct replica *replica, const struct recovery_note *note)
{
    struct error error;

    if (kv_store_restore(&replica->store, note->snapshot, &error) != 0) {
        replica_die(replica,
                    &error); /* the rule has counted on it, and a peer that makes such a state is broken */
    }
    if (log_begin(&replica->log, LOG_INFO, "recover")) {
        log_int(&replica->log, "installed_seq", note->seq);
        if (note->epoch != MESSAGE_NO_EPOCH) {
            log_int(&replica->log, "epoch", note->epoch);
        }
        log_text(&replica->log, "from", note->node);
        log_int(&replica->log, "keys", (int64_t)kv_store_count(&replica->store));
        log_int(&replica->log, "ordem_local", (int64_t)replica->store.ordem_local);
        log_end(&replica->log);
    }
}

struct message *replica_decode_ordered(struct text body, struct error *error)
{
    struct message *message = message_decode(body, MESSAGE_STREAM_MAX, error);

    if (message != NULL && message->seq < 1) {
        error_set(error, message->seq == MESSAGE_NO_SEQ ? ERROR_FIELD_MISSING : ERROR_FIELD_VALUE,
                  "seq is missing or 0: an ordered command counts from 1");
        message_unref(message);
        message = NULL;
    }
    return message;
}

void replica_discard(struct replica *replica, const struct error *error, const char *from)
{
    event_discard(&replica->log, &replica->discards, error, from, clock_monotonic_ms());
}

/* ---- running ---- */

void replica_run(struct replica *replica)
{
    runtime_run(&replica->runtime);
    if (replica->port != 0) {
        kv_service_free(&replica->service);
    }
    kv_store_free(&replica->store);
    recent_free(&replica->applied);
    free(replica->steps);
    buffer_free(&replica->snapshot);
    log_close(&replica->log);
}

void replica_die(struct replica *replica, const struct error *error)
{
    log_say(&replica->log, LOG_ERROR, "stop", "%s", error->text);
    log_close(&replica->log);
    _exit(1); /* the links' threads are still at work */
}
