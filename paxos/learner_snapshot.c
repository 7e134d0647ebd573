/* A learner that is too far behind: what it misses, the acceptors have forgotten. It fetches the state of another, page by
 * page (snapshot.h). Then the state goes onto the disk in one transaction, and only then into memory: nothing is applied in
 * between. */
#include "paxos/learner_process.h"

#include "common/container_of.h"

/* ---- giving ---- */

static void reply_page(struct learner_process *process, struct http_exchange *exchange,
                       const struct json_object *question)
{
    struct buffer *out = process_body(&process->process);
    struct error error;

    if (snapshot_put_page(out, process->process.id, process->learner.applied, &process->state,
                          &process->learner.sessions, question, &error) == 0) {
        process_reply(exchange, HTTP_OK, out);
    } else {
        process_refuse(exchange, &error);
    }
}

/* The first page: for curl. */
void learner_get_snapshot(struct process *shared, struct http_exchange *exchange,
                          const struct http_request *request, struct text id)
{
    (void)request, (void)id;
    reply_page(container_of(shared, struct learner_process, process), exchange, &(struct json_object){0});
}

void learner_post_snapshot(struct process *shared, struct http_exchange *exchange,
                           const struct http_request *request, struct text id)
{
    const struct json_object *question = process_read(shared, exchange, request);

    (void)id;
    if (question != NULL) {
        reply_page(container_of(shared, struct learner_process, process), exchange, question);
    }
}

/* ---- taking ---- */

void learner_fetch_drop(struct learner_process *process)
{
    snapshot_free(&process->fetch.snapshot);
    process->fetch = (struct learner_fetch){0};
}

static void ask_for_page(struct learner_process *process)
{
    struct buffer *body = &process->scratch;

    buffer_clear(body);
    snapshot_put_question(body, &process->fetch.snapshot);
    if (!peers_post(&process->learners, process->fetch.from, "/snapshot", buffer_text(body), 0)) {
        learner_fetch_drop(process);
    }
}

void learner_fetch_begin(struct learner_process *process, uint32_t from)
{
    if (process->fetch.from == 0) {
        log_say(&process->process.log, LOG_INFO, "recover",
                "what it misses is forgotten: fetching the state of learner-%u", from);
        process->fetch.from = from;
        ask_for_page(process);
    }
}

/* Where a page is lost or no good, the next beat asks for the state anew, perhaps of another. */
void learner_fetch_page(struct learner_process *process, const struct peer_reply *reply)
{
    struct snapshot *snapshot = &process->fetch.snapshot;
    struct error error;

    if (process->fetch.from == 0 || snapshot->whole) {
        return;
    }
    if (reply->status != HTTP_OK) {
        learner_fetch_drop(process);
        return;
    }
    int code = json_object_read(&process->body, reply->body, &error);
    if (code == 0) {
        code = snapshot_take_page(snapshot, &process->body, &error);
    }
    if (code != 0) {
        log_say(&process->process.log, LOG_WARNING, "discard", "%s", error.text);
        learner_fetch_drop(process);
    } else if (snapshot->whole) {
        learner_fetch_go_on(process);
    } else {
        ask_for_page(process);
    }
}

/* Nothing is applied while it is being written: what comes is fetched again afterwards. */
void learner_fetch_go_on(struct learner_process *process)
{
    struct learner_fetch *fetch = &process->fetch;
    const struct snapshot *snapshot = &fetch->snapshot;

    if (!snapshot->whole || fetch->saving) {
        return;
    }
    if (snapshot->instance <= process->learner.applied) {
        learner_fetch_drop(process);
        return;
    }
    fetch->saving =
        learner_disk_save(&process->disk, snapshot->instance, &snapshot->state, &snapshot->sessions, true);
}

void learner_fetch_saved(struct learner_process *process)
{
    struct snapshot *snapshot = &process->fetch.snapshot;

    learner_install(&process->learner, snapshot->instance, &snapshot->sessions);
    learner_state_free(&process->state);
    process->state = snapshot->state;
    snapshot->state = (struct learner_state){0};
    learner_forget_decided(process);
    if (log_begin(&process->process.log, LOG_INFO, "recover")) {
        log_text(&process->process.log, "message", text_of("has the state of another learner"));
        log_int(&process->process.log, "instance", (int64_t)snapshot->instance);
        log_int(&process->process.log, "seq", (int64_t)process->state.commands);
        log_end(&process->process.log);
    }
    learner_fetch_drop(process);
}
