/* What may be asked about a proposer, and what may be changed in one that was started with DEBUG=true. */
#include "paxos/proposer_process.h"

#include <inttypes.h>
#include <string.h>

/* ---- telling ---- */

static const char *const phase_names[] = {
    [PROPOSER_FOLLOWS] = "following", [PROPOSER_PREPARES] = "preparing", [PROPOSER_LEADS] = "leading"};

static void write_ballot(struct buffer *out, const char *name, struct ballot ballot)
{
    buffer_add_format(out, ",\"%s\":", name);
    if (ballot.round == 0) {
        buffer_add_string(out, "null");
        return;
    }
    buffer_add_format(out, "{\"proposalNumber\":%" PRIu64 ",\"proposerId\":%" PRIu32 "}", ballot.round,
                      ballot.proposer);
}

static void write_work(const struct proposer_process *proposer, struct buffer *out)
{
    const struct proposer *role = &proposer->proposer;

    buffer_add_format(out,
                      ",\"firstUndecided\":%" PRIu64 ",\"nextInstance\":%" PRIu64
                      ",\"queued\":%zu,\"inFlight\":%" PRIu64,
                      role->first, role->next, role->queue_count - role->queue_first,
                      role->next - role->first);
}

void proposer_write_status(struct process *process, struct buffer *out)
{
    const struct proposer_process *proposer = proposer_of(process);
    const struct proposer *role = &proposer->proposer;

    buffer_add_format(out, ",\"state\":\"%s\",\"leaderId\":", phase_names[role->phase]);
    if (role->leader_in_sight) {
        buffer_add_int(out, role->highest.proposer);
    } else {
        buffer_add_string(out, "null");
    }
    write_ballot(out, "ballot", role->phase != PROPOSER_FOLLOWS ? role->ballot : (struct ballot){0});
    write_ballot(out, "highest", role->highest);
    write_work(proposer, out);
}

void proposer_write_stats(struct process *process, struct buffer *out)
{
    const struct proposer_process *proposer = proposer_of(process);
    const struct proposer_stats *stats = &proposer->stats;
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {{"submitted", stats->submitted},
                  {"joined", stats->joined},
                  {"decided", stats->decided},
                  {"unknown", stats->unknown},
                  {"refused", stats->refused},
                  {"redirected", stats->redirected},
                  {"late", stats->late},
                  {"instances", stats->instances},
                  {"reads", stats->reads},
                  {"staleReads", stats->reads_stale},
                  {"failedReads", stats->reads_failed},
                  {"elections", stats->elections},
                  {"stepDowns", stats->step_downs},
                  {"badReplies", stats->bad_replies}};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        buffer_add_format(out, ",\"%s\":%" PRIu64, counts[i].name, counts[i].count);
    }
    buffer_add_format(out, ",\"underWay\":%u", HASH_COUNT(proposer->asked));
}

void get_leader_status(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    const struct proposer_process *proposer = proposer_of(process);
    const struct proposer *role = &proposer->proposer;

    (void)request, (void)id;
    if (role->phase != PROPOSER_LEADS) {
        http_fail(exchange, HTTP_NOT_FOUND, "this proposer does not lead");
        return;
    }
    struct buffer *out = process_body(process);
    buffer_add_format(out, "{\"proposerId\":%" PRIu32, process->id);
    write_ballot(out, "ballot", role->ballot);
    write_work(proposer, out);
    buffer_add_format(out, ",\"confirmedMs\":%" PRIu64 "}", role->now_ms - role->confirmed_ms);
    process_reply(exchange, HTTP_OK, out);
}

/* ---- changing ---- */

/* What a request asks for; where it says nothing, what is. */
struct settings {
    uint64_t heartbeat_ms, timeout_ms;
    int level;
    struct fault_settings faults;
};

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};

static int read_level(const struct json_object *object, int *level, struct error *error)
{
    const struct json_member *member = json_object_get(object, "logLevel");

    for (int i = 0; member != NULL && levels[i] != NULL; i++) {
        if (member->kind == JSON_STRING && text_equal(member->text, text_of(levels[i]))) {
            *level = i;
            return 0;
        }
    }
    return member == NULL
               ? 0
               : error_set(error, ERROR_FIELD_VALUE, "logLevel must be debug, info, warning or error");
}

/* What is there must be a whole number of milliseconds. */
static int read_ms(const struct json_object *object, const char *name, uint64_t *ms, struct error *error)
{
    const struct json_member *member = json_object_get(object, name);

    if (member == NULL) {
        return 0;
    }
    return process_read_number(member->kind == JSON_NUMBER ? member->text : text_of("no number"), name, 1,
                               PROPOSER_TIME_MAX_MS, ms, error);
}

static int check_names(const struct json_object *object, struct error *error)
{
    static const char *const names[] = {"logLevel", "heartbeatMs", "timeoutMs", "faults"};

    for (size_t i = 0; i < object->count; i++) {
        bool known = false;
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
            known = known || text_equal(object->members[i].name, text_of(names[j]));
        }
        if (!known) {
            return error_set(error, ERROR_FIELD_VALUE,
                             "\"%.*s\" cannot be set here: logLevel, heartbeatMs, timeoutMs and faults can",
                             (int)(object->members[i].name.length < 40 ? object->members[i].name.length : 40),
                             object->members[i].name.bytes);
        }
    }
    return 0;
}

static int read_settings(const struct json_object *object, struct settings *settings, struct error *error)
{
    const struct json_member *faults = json_object_get(object, "faults");
    int code = check_names(object, error);

    if (code == 0) {
        code = read_level(object, &settings->level, error);
    }
    if (code == 0) {
        code = read_ms(object, "heartbeatMs", &settings->heartbeat_ms, error);
    }
    if (code == 0) {
        code = read_ms(object, "timeoutMs", &settings->timeout_ms, error);
    }
    if (code == 0 && settings->timeout_ms < 2 * settings->heartbeat_ms) {
        code = error_set(error, ERROR_FIELD_VALUE,
                         "timeoutMs is %" PRIu64 " and heartbeatMs %" PRIu64
                         ": a time-out of at least two heartbeats is allowed",
                         settings->timeout_ms, settings->heartbeat_ms);
    }
    if (code == 0 && faults != NULL && faults->kind != JSON_OBJECT) {
        code = error_set(error, ERROR_FIELD_TYPE, "faults must be an object with the names of NET_…");
    } else if (code == 0 && faults != NULL) {
        code = fault_settings_read_json(&settings->faults, faults->text, error);
    }
    return code;
}

static void write_faults(struct buffer *out, const struct fault_settings *faults)
{
    buffer_add_format(out, ",\"faults\":{\"NET_DELAY_MS\":\"%" PRIu32 "-%" PRIu32 "\",\"NET_LOSS\":",
                      faults->delay_min_ms, faults->delay_max_ms);
    json_write_double(out, faults->loss);
    buffer_add_string(out, ",\"NET_DUPLICATE\":");
    json_write_double(out, faults->duplicate);
    buffer_add_string(out, ",\"NET_PARTITION\":");
    json_write_string(out, text_of(faults->partition));
    buffer_add_format(out, ",\"NET_SEED\":%" PRIu64 "}", faults->seed);
}

static void apply(struct proposer_process *proposer, const struct settings *settings)
{
    struct process *process = &proposer->process;
    struct fault_watch *watch = &process->faults.watch;

    process->log.options.level = (enum log_level)settings->level;
    process->heartbeat_ms = proposer->proposer.options.heartbeat_ms = (unsigned)settings->heartbeat_ms;
    process->timeout_ms = proposer->proposer.options.timeout_ms = (unsigned)settings->timeout_ms;
    proposer_set_clock(proposer);
    if (!fault_settings_equal(&watch->settings, &settings->faults)) {
        watch->settings = settings->faults;
        watch->active = fault_settings_active(&watch->settings);
        watch->on_change(watch);
    }
    log_say(&process->log, LOG_WARNING, "recover", "settings were changed by /debug/config");
}

void post_debug_config(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    struct proposer_process *proposer = proposer_of(process);
    struct settings settings = {process->heartbeat_ms, process->timeout_ms, (int)process->log.options.level,
                                process->faults.watch.settings};
    struct error error;

    (void)id;
    if (!process->debug) {
        http_fail(exchange, HTTP_FORBIDDEN, "only a process started with DEBUG=true can be changed");
        return;
    }
    const struct json_object *object = process_read(process, exchange, request);
    if (object == NULL) {
        return;
    }
    if (read_settings(object, &settings, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    apply(proposer, &settings);
    struct buffer *out = process_body(process);
    buffer_add_format(out, "{\"logLevel\":\"%s\",\"heartbeatMs\":%u,\"timeoutMs\":%u", levels[settings.level],
                      process->heartbeat_ms, process->timeout_ms);
    write_faults(out, &process->faults.watch.settings);
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
}
