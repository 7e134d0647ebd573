/* The acceptor's process: the rule stands in acceptor.c. Here it is asked over HTTP, its records go to the disk
 * (acceptor_log.c), and once they are there it answers (acceptor_answer.c). */
#include "common/container_of.h"
#include "common/memory.h"
#include "common/words.h"
#include "paxos/acceptor_node.h"
#include "paxos/message_json.h"
#include "paxos/roles.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

/* ---- what it is asked ---- */

/* A heap stays as large as it ever was, unless somebody asks. */
static void give_back_memory(struct acceptor_node *node)
{
    uint64_t now = uv_now(&node->process.runtime.loop);

    if (now >= node->give_back_ms) {
        node->give_back_ms = now + ACCEPTOR_GIVE_BACK_MS;
        memory_give_back();
    }
}

/* Can it be answered at all? What only reads can, whatever the disk says. */
static bool may_record(struct acceptor_node *node, struct http_exchange *exchange)
{
    if (acceptor_log_waiting(&node->log) > ACCEPTOR_WAITING_BYTES) {
        http_fail(exchange, HTTP_UNAVAILABLE, "too much waits for the disk of this acceptor");
        return false;
    }
    if (node->full && uv_now(&node->process.runtime.loop) < node->full_until_ms) {
        http_fail(exchange, HTTP_INSUFFICIENT_STORAGE, "the disk of this acceptor is full");
        return false;
    }
    return true;
}

static void say_promise(struct acceptor_node *node)
{
    if (log_begin(&node->process.log, LOG_INFO, "promise")) {
        log_int(&node->process.log, "proposal_number", (int64_t)node->acceptor.promised.round);
        log_int(&node->process.log, "proposer_id", node->acceptor.promised.proposer);
        log_end(&node->process.log);
    }
}

static void receive(struct process *process, struct http_exchange *exchange,
                    const struct http_request *request, enum paxos_type type)
{
    struct acceptor_node *node = container_of(process, struct acceptor_node, process);
    struct ballot promised = node->acceptor.promised;
    uint64_t forgotten = node->acceptor.accepted.forgotten;
    struct error error;

    if (type != PAXOS_CONFIRM && type != PAXOS_FETCH && !may_record(node, exchange)) {
        return;
    }
    struct paxos_message *message = message_json_read(type, request->body, &error);
    if (message == NULL) {
        process_refuse(exchange, &error);
        return;
    }
    if (type != PAXOS_CHECKPOINT && type != PAXOS_FETCH &&
        !ballot_may_follow(message->ballot, promised.round)) {
        http_fail(exchange, HTTP_BAD_REQUEST, "proposalNumber is too far above all that were promised here");
        paxos_message_release(message);
        return;
    }
    node->prepares += type == PAXOS_PREPARE;
    node->accepts += type == PAXOS_ACCEPT;
    node->proposals += message->count;
    acceptor_receive(&node->acceptor, message, &node->actions);
    if (ballot_compare(node->acceptor.promised, promised) != 0) {
        say_promise(node);
    }
    paxos_message_release(message);
    acceptor_carry_out(node, exchange, &node->actions);
    if (node->acceptor.accepted.forgotten > forgotten) {
        give_back_memory(node);
    }
    if (type == PAXOS_CONFIRM) { /* somebody reads */
        acceptor_tell_learners(node);
    }
}

static void post_prepare(struct process *process, struct http_exchange *exchange,
                         const struct http_request *request, struct text id)
{
    (void)id;
    receive(process, exchange, request, PAXOS_PREPARE);
}

static void post_accept(struct process *process, struct http_exchange *exchange,
                        const struct http_request *request, struct text id)
{
    (void)id;
    receive(process, exchange, request, PAXOS_ACCEPT);
}

static void post_confirm(struct process *process, struct http_exchange *exchange,
                         const struct http_request *request, struct text id)
{
    (void)id;
    receive(process, exchange, request, PAXOS_CONFIRM);
}

static void post_checkpoint(struct process *process, struct http_exchange *exchange,
                            const struct http_request *request, struct text id)
{
    (void)id;
    receive(process, exchange, request, PAXOS_CHECKPOINT);
}

static void post_fetch(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    (void)id;
    receive(process, exchange, request, PAXOS_FETCH);
}

static const struct process_route routes[] = {
    {"POST", "/accept", post_accept},
    {"POST", "/prepare", post_prepare},
    {"POST", "/confirm", post_confirm},
    {"POST", "/checkpoint", post_checkpoint},
    {"POST", "/fetch", post_fetch},
    {"GET", "/instance/{id}", acceptor_get_instance},
    {"GET", "/instances", acceptor_get_instances},
};

/* ---- the disk ---- */

static void on_record(struct acceptor_log *log, const struct paxos_record *record)
{
    acceptor_restore(&container_of(log, struct acceptor_node, log)->acceptor, record);
}

/* Makes the acceptor what its disk says that it is. */
static int restore(struct acceptor_node *node, struct error *error)
{
    acceptor_free(&node->acceptor);
    acceptor_init(&node->acceptor, node->process.id, node->learners.count);
    return acceptor_log_read(&node->log, on_record, error);
}

static void on_recorded(struct acceptor_log *log)
{
    struct acceptor_node *node = container_of(log, struct acceptor_node, log);

    if (node->full) {
        node->full = false;
        log_say(&node->process.log, LOG_INFO, "recover", "the disk takes records again");
    }
    acceptor_go_on(node);
}

/* What could not be recorded must not be remembered either: the acceptor would tell others of it after all. */
static void on_failed(struct acceptor_log *log, const struct error *error, bool fatal)
{
    struct acceptor_node *node = container_of(log, struct acceptor_node, log);
    struct error again;

    if (fatal) {
        process_die(&node->process, error);
    }
    if (!node->full) {
        log_say(&node->process.log, LOG_ERROR, "fault", "nothing can be promised or accepted: %s",
                error->text);
    }
    node->full = true;
    node->full_until_ms = uv_now(&node->process.runtime.loop) + ACCEPTOR_PAUSE_MS;
    acceptor_give_up(node, "the disk of this acceptor is full");
    if (restore(node, &again) != 0) {
        process_die(&node->process, &again);
    }
}

/* ---- starting and leaving ---- */

/* What a learner answers to /learn is of no consequence: it asks for what it misses. */
static void on_learner_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply)
{
    (void)peers, (void)peer, (void)reply;
}

static int open_node(struct acceptor_node *node, struct error *error)
{
    int code = process_open(&node->process, error);

    if (code == 0) {
        uv_timer_init(&node->process.runtime.loop, &node->learn_due);
        code = peers_open(&node->learners, &node->process, "learner", "LEARNERS", false, error);
    }
    if (code == 0) {
        code = acceptor_log_open(&node->log, &node->process.runtime.loop, node->process.folder,
                                 node->process.id, error);
    }
    if (code == 0) {
        code = restore(node, error);
    }
    if (code == 0) {
        acceptor_log_make_room(&node->log);
    }
    return code;
}

static void on_closed(struct process *process)
{
    struct acceptor_node *node = container_of(process, struct acceptor_node, process);

    acceptor_log_leave(&node->log);
    uv_close((uv_handle_t *)&node->learn_due, NULL);
}

static void say_recovered(struct acceptor_node *node)
{
    struct log *log = &node->process.log;

    if (log_begin(log, LOG_INFO, "recover")) {
        log_int(log, "proposal_number", (int64_t)node->acceptor.promised.round);
        log_int(log, "proposer_id", node->acceptor.promised.proposer);
        log_int(log, "forgotten", (int64_t)node->acceptor.accepted.forgotten);
        log_int(log, "held", (int64_t)node->acceptor.accepted.count);
        log_end(log);
    }
}

int acceptor_main(void)
{
    static struct acceptor_node node = {
        .process = {.role = "acceptor",
                    .routes = routes,
                    .route_count = sizeof routes / sizeof *routes,
                    .write_status = acceptor_write_status,
                    .write_stats = acceptor_write_stats,
                    .on_closed = on_closed},
        .log = {.on_recorded = on_recorded, .on_failed = on_failed},
        .learners = {.on_reply = on_learner_reply},
    };
    struct error error;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is as good as a full disk */
    if (open_node(&node, &error) != 0) {
        return process_refuse_start(&node.process, &error);
    }
    say_recovered(&node);
    process_make_ready(&node.process);
    int status = process_run(&node.process);
    acceptor_answer_free(&node);
    acceptor_log_close(&node.log);
    acceptor_free(&node.acceptor);
    paxos_actions_free(&node.actions);
    peers_free(&node.learners);
    return status;
}
