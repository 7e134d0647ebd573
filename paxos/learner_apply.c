/* What a learner does with a command whose turn it is: the state, the log, and whoever wants to be told. */
#include "paxos/learner_process.h"

#include "common/event.h"
#include "paxos/reads.h"

/* ---- telling ---- */

void learner_say_recovered(struct learner_process *process, const char *from)
{
    struct log *log = &process->process.log;

    if (log_begin(log, LOG_INFO, "recover")) {
        log_int(log, "installed_seq", (int64_t)process->state.commands);
        log_text(log, "from", text_of(from));
        log_int(log, "keys", (int64_t)process->state.resources.count);
        log_end(log);
    }
}

/* Only a client that is configured is told anything, whatever address a command names. */
static uint32_t find_client(const struct learner_process *process, struct text address)
{
    for (uint32_t i = 1; address.length > 0 && i <= process->clients.count; i++) {
        if (text_equal(text_of(process->clients.items[i - 1].client.target.authority), address)) {
            return i;
        }
    }
    return 0;
}

static void notify(struct learner_process *process, const struct operation *operation, uint64_t instance,
                   uint64_t version)
{
    uint32_t client = find_client(process, operation->notify);
    struct buffer *body = &process->scratch;

    if (client == 0) {
        return;
    }
    buffer_clear(body);
    buffer_add_format(body, "{\"learnerId\":%u,\"instanceId\":%llu,\"clientId\":", process->process.id,
                      (unsigned long long)instance);
    json_write_string(body, operation->client);
    buffer_add_string(body, ",\"timestamp\":");
    buffer_add(body, operation->timestamp.bytes, operation->timestamp.length);
    buffer_add_format(body, ",\"operation\":\"%s\"", command_type_name(operation->type));
    if (operation->type != COMMAND_PRINT) {
        buffer_add_string(body, ",\"resource\":");
        json_write_string(body, operation->resource);
    }
    buffer_add_format(body, ",\"version\":%llu}", (unsigned long long)version);
    peers_post(&process->clients, client, "/notification", buffer_text(body), 0);
}

static void tell(struct learner_process *process, const struct operation *operation,
                 const struct client_command *command, bool again)
{
    struct log *log = &process->process.log;
    struct text snapshot = {0};
    struct uuid uuid;

    if (!log_wants(log, LOG_INFO)) {
        return;
    }
    struct message message = command_json_message(operation, command, &uuid);
    if (again) {
        event_repeat(log, &message);
        return;
    }
    if (operation->type == COMMAND_PRINT) {
        buffer_clear(&process->scratch);
        reads_snapshot(&process->state.resources, &process->scratch);
        snapshot = buffer_text(&process->scratch);
    }
    message.seq = (int64_t)process->state.commands;
    event_deliver(log, &message, process->delivered, snapshot);
}

/* ---- applying ---- */

/* A command that cannot be read was let through by every proposer and acceptor, which nobody of ours would: it changes
 * nothing, and takes its place in the order, at every learner alike. */
static bool read_command(struct learner_process *process, const struct client_command *given,
                         struct operation *operation, struct client_command *command)
{
    struct text text = {given->bytes, given->length};
    size_t plain = command_json_read_plain(text, operation, command);
    struct error error;

    if (plain > 0 && plain == text.length) {
        return true;
    }
    int code = json_object_read(&process->item, text, &error);

    *operation = (struct operation){.type = COMMAND_GET};
    if (code == 0) {
        code = command_json_read(&process->item, &process->canonical, operation, command, &error);
    }
    if (code != 0) {
        *operation = (struct operation){.type = COMMAND_GET};
        log_say(&process->process.log, LOG_WARNING, "discard", "a decided command: %s", error.text);
    }
    return code == 0;
}

void learner_apply(struct learner_process *process, const struct paxos_action *action)
{
    bool again = action->type == PAXOS_REPEATED;
    struct client_command command;
    struct operation operation;
    bool good = read_command(process, &action->value->commands[action->command], &operation, &command);
    uint64_t version = 0;

    if (again) {
        process->repeated++;
    } else {
        version = learner_state_apply(&process->state, &operation);
        process->delivered++;
    }
    if (good) {
        tell(process, &operation, &command, again);
        notify(process, &operation, action->instance, version);
    }
}

/* ---- what was decided of late ---- */

static void forget(struct learner_process *process, struct decided *decided)
{
    process->decided_bytes -= decided->bytes;
    value_release(decided->value);
    *decided = (struct decided){0};
}

void learner_forget_decided(struct learner_process *process)
{
    for (size_t i = 0; i < DECIDED_KEPT; i++) {
        forget(process, &process->decided[i]);
    }
}

static void remember_value(struct learner_process *process, uint64_t instance, struct value *value)
{
    struct decided *decided = &process->decided[instance % DECIDED_KEPT];

    if (decided->instance == instance && decided->value == NULL) {
        decided->value = value_keep(value);
        decided->bytes = value_bytes(value);
        process->decided_bytes += decided->bytes;
    }
}

void learner_remember(struct learner_process *process, uint64_t before)
{
    uint64_t first = before + 1;
    uint64_t applied = process->learner.applied;

    if (applied - before > DECIDED_KEPT) {
        first = applied - DECIDED_KEPT + 1;
    }
    for (uint64_t i = first; i <= applied; i++) {
        forget(process, &process->decided[i % DECIDED_KEPT]);
        process->decided[i % DECIDED_KEPT].instance = i;
    }
    for (size_t i = 0; i < process->actions.count; i++) {
        const struct paxos_action *action = &process->actions.items[i];
        if (action->type == PAXOS_APPLY || action->type == PAXOS_REPEATED) {
            remember_value(process, action->instance, action->value);
        }
    }
    if (process->decided_bytes > DECIDED_BYTES) {
        learner_forget_decided(process);
    }
}
