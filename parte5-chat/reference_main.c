/* The reference server as a process: takes questions (REQ), has the rule (reference.c) answer them, and keeps the ranks.
 *
 *     rank {user}       -> {rank}
 *     list {}           -> {list: [{name, rank}]}, the live ones
 *     heartbeat {user}  -> {}, or erro: ask for a rank first
 *
 * The record of ranks is a file, ranks.txt in DATA_DIR: a name on each line, in the order of their ranks. A new one is on
 * the disk before it is told to anybody. */
#include "parte5-chat/reference_main.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "parte5-chat/bad_network.h"
#include "parte5-chat/envelope.h"
#include "parte5-chat/members.h"
#include "parte5-chat/process.h"
#include "parte5-chat/reference.h"
#include "parte5-chat/reference_record.h"
#include "parte5-chat/trace.h"

#include <signal.h>
#include <stdlib.h>

struct reference_process {
    struct process process;
    struct zmq_socket servers;
    struct bad_network network; /* on the way from the servers */
    struct reference rule;
    struct reference_record record;
    struct chat_message question, answer;
    struct buffer encoded;
};

/* ---- the record ---- */

/* The newest rank has to be on the disk. */
static int record_newest(struct reference_process *reference, struct error *error)
{
    struct text name = reference_name(&reference->rule, reference->rule.count);

    return reference_record_add(&reference->record, name, error);
}

/* The servers that all are told of have the ranks of their places there. */
static int rank_members(struct reference_process *reference, struct error *error)
{
    struct chat_members members;
    bool told = config_text("SERVERS", NULL) != NULL;
    int code = told ? members_read(&members, NULL, error) : 0;

    for (unsigned i = 0; code == 0 && told && i < members.count; i++) {
        unsigned before = reference->rule.count;
        int rank = reference_rank(&reference->rule, text_of(members.items[i].name), error);
        code = rank < 0 ? rank : reference->rule.count > before ? record_newest(reference, error) : 0;
        if (code == 0 && rank != (int)i + 1) {
            code = error_set(error, ERROR_CONFIG, "SERVERS has %s in place %u, %.200s has it in place %d",
                             members.items[i].name, i + 1, reference->record.path, rank);
        }
    }
    return code;
}

/* ---- questions ---- */

static int answer_rank(struct reference_process *reference, struct error *error)
{
    unsigned before = reference->rule.count;
    int rank = reference_rank(&reference->rule, reference->question.user, error);

    if (rank < 0) {
        return rank;
    }
    if (reference->rule.count > before) {
        if (record_newest(reference, error) != 0) { /* the next who asks must not find it */
            reference->rule.count = before;
            return ERROR_FILE;
        }
        if (log_begin(&reference->process.log, LOG_INFO, "connect")) {
            log_text(&reference->process.log, "server", reference->question.user);
            log_int(&reference->process.log, "rank", rank);
            log_end(&reference->process.log);
        }
    }
    reference->answer.rank = rank;
    return 0;
}

static void answer_list(struct reference_process *reference)
{
    struct chat_ranks *list = &reference->answer.list;
    uint64_t alive = reference_list(&reference->rule);

    for (unsigned rank = 1; rank <= reference->rule.count; rank++) {
        if (alive & SERVER_BIT(rank)) {
            list->items = memory_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
            list->items[list->count++] =
                (struct chat_rank){.name = reference_name(&reference->rule, rank), .rank = rank};
        }
    }
}

static int answer_question(struct reference_process *reference, struct error *error)
{
    switch (reference->question.service) {
    case SERVICE_RANK:
        return answer_rank(reference, error);
    case SERVICE_LIST:
        answer_list(reference);
        return 0;
    case SERVICE_HEARTBEAT:
        return reference_heartbeat(&reference->rule, reference->question.user)
                   ? 0
                   : error_set(error, ERROR_FIELD_VALUE, "user: has no rank yet");
    default:
        return error_set(error, ERROR_FIELD_VALUE, "service: not one of the reference server's");
    }
}

/* What comes back is one frame, behind those that lead back to who asks. */
static void on_frames(struct bad_network *network, struct zmq_socket *socket, const struct text *frames,
                      size_t count)
{
    struct reference_process *reference = container_of(network, struct reference_process, network);
    struct chat_message *question = &reference->question;
    struct text answer[ZMQ_FRAMES_MAX];
    struct error error;
    size_t envelope = envelope_length(frames, count);
    int code = chat_message_decode(question, CHAT_REQUEST, frames[count - 1], CHAT_MESSAGE_MAX, &error);

    if (code == 0) {
        code = envelope_check(frames, count, &error);
    }
    if (code == 0) {
        process_follow(&reference->process, question, frames[count - 1]);
    } else {
        process_discard(&reference->process, &error, "a server");
    }
    chat_message_clear(&reference->answer);
    reference->answer.service = question->service;
    reference->answer.request_id = question->request_id;
    reference->answer.status = STATUS_OK;
    if (code == 0) {
        code = answer_question(reference, &error);
    }
    if (code != 0) {
        chat_message_refuse(&reference->answer, question, text_of(error.text));
    }
    process_stamp(&reference->process, &reference->answer);
    buffer_clear(&reference->encoded);
    (void)chat_message_encode(&reference->answer, CHAT_ANSWER, question->encoding, CHAT_MESSAGE_MAX,
                              &reference->encoded, NULL); /* never so long */
    for (size_t i = 0; i < envelope; i++) {
        answer[i] = frames[i];
    }
    answer[envelope] = buffer_text(&reference->encoded);
    trace_said(&reference->process.log, &reference->answer, answer[envelope]);
    (void)zmq_socket_send(socket, answer, envelope + 1, NULL); /* who is gone needs none */
}

/* Who asks for the list does not say who it is: what keeps its heartbeats away is enough. */
static void on_question(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct reference_process *reference = container_of(socket, struct reference_process, servers);
    struct chat_message *question = &reference->question;

    if (bad_network_is_bad(&reference->network) &&
        chat_message_decode(question, CHAT_REQUEST, frames[count - 1], CHAT_MESSAGE_MAX, NULL) == 0 &&
        question->user.length > 0) {
        bad_network_receive(&reference->network, question->user, socket, frames, count);
    } else {
        on_frames(&reference->network, socket, frames, count);
    }
}

/* ---- living ---- */

static void on_tick(struct process *process, uint64_t now_ms)
{
    struct reference_process *reference = container_of(process, struct reference_process, process);
    uint64_t before = reference_list(&reference->rule);

    reference_tick(&reference->rule, now_ms);
    uint64_t gone = before & ~reference_list(&reference->rule);
    for (unsigned rank = 1; rank <= reference->rule.count; rank++) {
        if ((gone & SERVER_BIT(rank)) && log_begin(&process->log, LOG_WARNING, "disconnect")) {
            log_text(&process->log, "server", reference_name(&reference->rule, rank));
            log_int(&process->log, "rank", rank);
            log_text(&process->log, "reason", text_of("no heartbeat"));
            log_end(&process->log);
        }
    }
}

static void on_leave(struct process *process)
{
    struct reference_process *reference = container_of(process, struct reference_process, process);

    bad_network_close(&reference->network);
    zmq_socket_close(&reference->servers);
}

int reference_main(void)
{
    static struct reference_process reference = {
        .process = {.role = "reference", .on_tick = on_tick, .on_leave = on_leave},
        .servers = {.on_message = on_question, .on_malformed = on_question},
        .network = {.on_frames = on_frames},
        .record = {.descriptor = -1}};
    const struct zmq_options servers = {.type = ZMQ_ROUTER, .linger_ms = PROCESS_LINGER_MS};
    struct process *process = &reference.process;
    struct error error;
    int64_t timeout_ms;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is as good as a full disk */
    if (config_int("HEARTBEAT_TIMEOUT_MS", 100, 3600000, 3000, &timeout_ms, &error) != 0 ||
        process_open(process, &error) != 0) {
        return process_refuse_start(process, &error);
    }
    reference_init(&reference.rule, (uint64_t)timeout_ms, clock_monotonic_ms());
    if (reference_record_open(&reference.record, config_text("DATA_DIR", "data/reference"), &reference.rule,
                              &error) != 0 ||
        rank_members(&reference, &error) != 0 ||
        bad_network_open(&reference.network, &process->runtime.loop, &process->log,
                         text_of(NAME_OF_REFERENCE), &error) != 0 ||
        process_listen(process, &reference.servers, &servers, "REFERENCE_PORT", PORT_REFERENCE, &error) !=
            0) {
        return process_refuse_start(process, &error);
    }
    process_run(process);
    reference_record_close(&reference.record);
    chat_message_free(&reference.question);
    chat_message_free(&reference.answer);
    buffer_free(&reference.encoded);
    return EXIT_SUCCESS;
}
