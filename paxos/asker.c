#include "paxos/asker.h"

#include "common/container_of.h"
#include "common/net/http_status.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

static void on_timer(uv_timer_t *timer);

/* ---- whom to ask ---- */

/* The proposer at an address; SIZE_MAX if it is not known yet. */
static size_t find_target(const struct asker *asker, const char *authority)
{
    for (size_t i = 0; i < asker->count; i++) {
        if (strcmp(asker->targets[i].target.authority, authority) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* One more; `authority` may be "http://host:port". */
static int add_target(struct asker *asker, const char *authority, struct error *error)
{
    int code =
        http_client_init(&asker->targets[asker->count], asker->loop, authority, ASKER_CONNECTIONS, error);

    asker->count += code == 0;
    return code;
}

/* Out of a redirect, "http://host:port/propose?…", the one that leads: SIZE_MAX if that is none. */
static size_t target_of_location(struct asker *asker, struct text location)
{
    static const char scheme[] = "http://";
    const size_t skipped = sizeof scheme - 1;
    char authority[TARGET_HOST_MAX + 10];
    size_t length = 0;

    if (location.length <= skipped || memcmp(location.bytes, scheme, skipped) != 0) {
        return SIZE_MAX;
    }
    while (skipped + length < location.length && location.bytes[skipped + length] != '/' &&
           length < sizeof authority - 1) {
        authority[length] = location.bytes[skipped + length];
        length++;
    }
    authority[length] = '\0';
    size_t found = find_target(asker, authority);
    if (found == SIZE_MAX && asker->count < ASKER_TARGETS_MAX && add_target(asker, authority, NULL) == 0) {
        found = asker->count - 1;
    }
    return found;
}

/* The one that was asked is of no use now: whoever else asks it must not move on a second time. */
static void turn_away(struct asker *asker, size_t target)
{
    if (asker->leader == target) {
        asker->turn = (asker->turn + 1) % asker->given;
        asker->leader = asker->turn;
    }
}

const char *asker_leader(const struct asker *asker)
{
    return asker->targets[asker->leader].target.authority;
}

/* ---- one command ---- */

static void finish(struct ask *ask, struct ask_answer answer)
{
    deadlines_remove(&ask->asker->pauses, &ask->pause);
    DL_DELETE(ask->asker->asks, ask);
    answer.tries = ask->tries;
    answer.latency_us = (uv_hrtime() - ask->started_ns) / 1000;
    ask->on_done(ask, &answer);
}

static void give_up(struct ask *ask)
{
    double seconds = (double)ask->timeout_ms / 1000;
    struct error error;

    if (ask->asker->closing && ask->maybe_done) {
        error_set(&error, ERROR_NETWORK, "the client is leaving: it may or may not have been done");
    } else if (ask->asker->closing) {
        error_set(&error, ERROR_NETWORK, "the client is leaving: it was not done");
    } else if (ask->maybe_done) {
        error_set(&error, ERROR_NETWORK, "no proposer answered within %g s: it may or may not have been done",
                  seconds);
    } else {
        error_set(&error, ERROR_NETWORK, "no proposer took it within %g s: it was not done", seconds);
    }
    if (ask->trouble.code != ERROR_NONE) {
        error_because_of(&error, &ask->trouble);
    }
    finish(ask, (struct ask_answer){.status = ask->maybe_done ? HTTP_GATEWAY_TIMEOUT : HTTP_UNAVAILABLE,
                                    .error = &error});
}

static void set_timer(struct asker *asker)
{
    const struct deadline *first = deadlines_first(&asker->pauses);
    uint64_t now_ms = uv_now(asker->loop);

    if (first != NULL && !asker->closing) {
        uv_timer_start(&asker->timer, on_timer, first->at_ms > now_ms ? first->at_ms - now_ms : 0, 0);
    }
}

/* A try that begins too late for an answer would only make of what was surely not done something that may have been. */
static uint64_t last_try_ms(const struct ask *ask)
{
    uint64_t needed_ms = ask->timeout_ms / 5 < ASKER_LAST_MS ? ask->timeout_ms / 5 : ASKER_LAST_MS;
    return ask->deadline_ms - needed_ms;
}

/* The next try, if there is time for it. (A Retry-After is told in whole seconds and mostly an election is over sooner; it is the
 * next one that is asked.) */
static void pause_ask(struct ask *ask)
{
    struct asker *asker = ask->asker;
    uint64_t now_ms = uv_now(asker->loop);

    if (asker->closing || now_ms >= last_try_ms(ask)) {
        give_up(ask);
        return;
    }
    uint64_t left_ms = last_try_ms(ask) - now_ms;
    uint64_t pause_ms = ask->pause_ms < left_ms ? ask->pause_ms : left_ms;
    deadlines_add(&asker->pauses, &ask->pause, now_ms + pause_ms);
    ask->pause_ms = ask->pause_ms * 2 < ASKER_PAUSE_MAX_MS ? ask->pause_ms * 2 : ASKER_PAUSE_MAX_MS;
    ask->redirects = 0;
    set_timer(asker);
}

/* What is no answer to the command: a proposer's words are quoted, cut to a bearable length. */
static void tell_trouble(struct ask *ask, const struct http_response *response)
{
    char sentence[161];

    snprintf(sentence, sizeof sentence, "%.*s", (int)response->body.length, response->body.bytes);
    if (response->status > 0) {
        error_set(&ask->trouble, ERROR_NETWORK, "%s answered %d",
                  ask->asker->targets[ask->target].target.authority, response->status);
        if (response->body.length > 0) {
            error_because(&ask->trouble, sentence);
        }
    } else {
        error_set(&ask->trouble, ERROR_NETWORK, "%s", sentence);
    }
}

static void send_ask(struct ask *ask, size_t target);

static void follow(struct ask *ask, const struct http_response *response)
{
    size_t leader = target_of_location(ask->asker, response->location);

    if (leader == SIZE_MAX || ++ask->redirects > ASKER_REDIRECTS_MAX ||
        uv_now(ask->asker->loop) >= last_try_ms(ask)) {
        tell_trouble(ask, response);
        turn_away(ask->asker, ask->target);
        pause_ask(ask);
        return;
    }
    ask->asker->leader = leader;
    send_ask(ask, leader);
}

static void on_call_done(struct http_call *call, const struct http_response *response)
{
    struct ask *ask = container_of(call, struct ask, call);
    struct asker *asker = ask->asker;
    int status = response->status;

    if (status == HTTP_TEMPORARY_REDIRECT && !asker->closing) {
        follow(ask, response);
    } else if (status > 0 && status < 500 && status != HTTP_TEMPORARY_REDIRECT) {
        asker->leader = status < 300 && !ask->anybody ? ask->target : asker->leader;
        finish(ask, (struct ask_answer){.status = status,
                                        .body = response->body,
                                        .proposer = asker->targets[ask->target].target.authority});
    } else { /* with 503 a proposer says that it has not taken it; of anything else that was sent nobody knows */
        ask->maybe_done = ask->maybe_done || (status != HTTP_UNAVAILABLE &&
                                              status != HTTP_TEMPORARY_REDIRECT && http_call_seen(call));
        tell_trouble(ask, response);
        turn_away(asker, ask->target);
        pause_ask(ask);
    }
}

static void send_ask(struct ask *ask, size_t target)
{
    struct asker *asker = ask->asker;
    uint64_t now_ms = uv_now(asker->loop);
    uint64_t left_ms = ask->deadline_ms > now_ms ? ask->deadline_ms - now_ms : 1;

    ask->target = target;
    ask->tries++;
    ask->call.on_done = on_call_done;
    http_client_call(&asker->targets[target], &ask->call, "POST", ask->path, buffer_text(&ask->body),
                     left_ms < ASKER_TRY_MS ? left_ms : ASKER_TRY_MS);
}

void asker_ask(struct asker *asker, struct ask *ask, const char *path, struct text body, uint64_t timeout_ms)
{
    ask->asker = asker;
    ask->path = path;
    ask->tries = ask->redirects = 0;
    ask->maybe_done = false;
    ask->trouble = (struct error){0};
    ask->started_ns = uv_hrtime();
    ask->timeout_ms = timeout_ms;
    ask->deadline_ms = uv_now(asker->loop) + timeout_ms;
    ask->pause_ms = ASKER_PAUSE_MIN_MS;
    buffer_clear(&ask->body);
    buffer_add(&ask->body, body.bytes, body.length);
    DL_APPEND(asker->asks, ask);
    send_ask(ask, asker->leader);
}

void ask_free(struct ask *ask)
{
    http_call_free(&ask->call);
    buffer_free(&ask->body);
}

static void on_timer(uv_timer_t *timer)
{
    struct asker *asker = container_of(timer, struct asker, timer);
    struct deadline *first;

    while ((first = deadlines_first(&asker->pauses)) != NULL && first->at_ms <= uv_now(asker->loop)) {
        struct ask *ask = container_of(first, struct ask, pause);
        deadlines_remove(&asker->pauses, first);
        if (uv_now(asker->loop) >= ask->deadline_ms) { /* this process, or its machine, stood still */
            give_up(ask);
        } else {
            send_ask(ask, asker->leader);
        }
    }
    set_timer(asker);
}

/* ---- opening and closing ---- */

static int add_targets(struct asker *asker, const char *targets, const char *variable, struct error *error)
{
    struct error cause;
    char one[TARGET_HOST_MAX + 20];

    for (const char *at = targets;; at++) {
        size_t length = strcspn(at, ",");
        snprintf(one, sizeof one, "%.*s", (int)length, at);
        if (asker->count == PAXOS_MEMBERS_MAX) {
            return error_set(error, ERROR_CONFIG, "%s names more than %d proposers", variable,
                             PAXOS_MEMBERS_MAX);
        }
        if (add_target(asker, one, &cause) != 0) {
            error_set(error, ERROR_CONFIG, "%s is \"%.60s\"", variable, targets);
            error_because_of(error, &cause);
            return ERROR_CONFIG;
        }
        at += length;
        if (*at == '\0') {
            return 0;
        }
    }
}

int asker_open(struct asker *asker, uv_loop_t *loop, const char *targets, const char *variable,
               struct error *error)
{
    *asker = (struct asker){.loop = loop};
    uv_timer_init(loop, &asker->timer);
    int code = add_targets(asker, targets, variable, error);
    asker->given = asker->count;
    return code;
}

void asker_close(struct asker *asker)
{
    struct deadline *paused;

    asker->closing = true;
    while ((paused = deadlines_first(&asker->pauses)) != NULL) {
        give_up(container_of(paused, struct ask, pause));
    }
    for (size_t i = 0; i < asker->count; i++) {
        http_client_close(&asker->targets[i]);
    }
    uv_close((uv_handle_t *)&asker->timer, NULL);
}

void asker_free(struct asker *asker)
{
    deadlines_free(&asker->pauses);
}
