/* What others say to a learner: requests that are messages of Paxos, and answers to what it asked. */
#include "paxos/learner_process.h"

#include "common/container_of.h"
#include "paxos/message_json.h"

#include <string.h>

static struct learner_process *self(struct process *process)
{
    return container_of(process, struct learner_process, process);
}

static void receive(struct process *shared, struct http_exchange *exchange, struct paxos_message *message,
                    const struct error *error)
{
    struct learner_process *process = self(shared);
    uint64_t before = process->learner.applied;

    if (message == NULL) {
        process_refuse(exchange, error);
        return;
    }
    if (!process->fetch.saving) {
        learner_receive(&process->learner, message, &process->actions);
        learner_remember(process, before);
        learner_perform(process);
    }
    paxos_message_release(message);
    http_reply(exchange, HTTP_OK, "application/json", text_of("{}"));
}

void learner_post_learn(struct process *process, struct http_exchange *exchange,
                        const struct http_request *request, struct text id)
{
    struct error error;

    (void)id;
    receive(process, exchange, message_json_read_learn(request->body, &error), &error);
}

void learner_post_heartbeat(struct process *process, struct http_exchange *exchange,
                            const struct http_request *request, struct text id)
{
    struct error error;

    (void)id;
    receive(process, exchange, message_json_read(PAXOS_HEARTBEAT, request->body, &error), &error);
}

/* Another learner misses something: is it in this one's checkpoint? Then it may fetch the state. */
void learner_post_fetch(struct process *shared, struct http_exchange *exchange,
                        const struct http_request *request, struct text id)
{
    struct learner_process *process = self(shared);
    bool snapshot = false;
    struct error error;
    struct paxos_message *message = message_json_read(PAXOS_FETCH, request->body, &error);

    (void)id;
    if (message == NULL) {
        process_refuse(exchange, &error);
        return;
    }
    learner_receive(&process->learner, message, &process->actions);
    paxos_message_release(message);
    for (size_t i = 0; i < process->actions.count; i++) {
        snapshot = snapshot || process->actions.items[i].type == PAXOS_SNAPSHOT;
    }
    paxos_actions_clear(&process->actions);
    http_reply(exchange, HTTP_OK, "application/json",
               text_of(snapshot ? "{\"snapshot\":true}" : "{\"snapshot\":false}"));
}

void learner_on_learner_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply)
{
    struct learner_process *process = container_of(peers, struct learner_process, learners);

    if (process->process.leaving) {
        return;
    }
    if (strcmp(reply->path, "/snapshot") == 0) {
        learner_fetch_page(process, reply);
    } else if (reply->status == HTTP_OK && process->learner.forgotten > process->learner.applied &&
               text_equal(reply->body, text_of("{\"snapshot\":true}"))) {
        learner_fetch_begin(process, peer->number);
    }
}

void learner_on_store_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply)
{
    struct learner_process *process = container_of(peers, struct learner_process, stores);

    if (process->process.leaving) {
        return;
    }
    if (strcmp(reply->path, "/read") == 0) {
        learner_reads_answered(process, reply);
    } else {
        learner_stores_answered(process, peer, reply);
    }
}

/* Nothing hangs on these answers: what is lost is asked again by the next beat, or was a courtesy. */
void learner_on_other_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply)
{
    (void)peers, (void)peer, (void)reply;
}
