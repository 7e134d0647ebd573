/* Line by line into a history. */
#include "common/lab/history_parts.h"
#include "common/memory.h"

#include <inttypes.h>

/* ---- processes, commands, events ---- */

static struct process *find_process(struct history *history, struct text name, struct line_place place)
{
    uint32_t number = names_number(&history->process_names, name);

    if (number == history->process_count) {
        history->processes = memory_grow(history->processes, &history->process_capacity,
                                         history->process_count + 1, sizeof *history->processes);
        history->processes[history->process_count++] =
            (struct process){.name = names_number(&history->texts, name),
                             .part = NAMES_NONE,
                             .role_name = NAMES_NONE,
                             .source = place.source};
    }
    return &history->processes[number];
}

static uint32_t add_event(struct history *history, struct process *process, enum event_kind kind,
                          uint32_t command, const struct log_record *record, struct line_place place)
{
    uint32_t number = (uint32_t)history->event_count;

    history->events = memory_grow(history->events, &history->event_capacity, history->event_count + 1,
                                  sizeof *history->events);
    history->events[history->event_count++] =
        (struct event){.kind = kind,
                       .process = (uint32_t)(process - history->processes),
                       .command = command,
                       .wall_us = record->wall_us,
                       .ordem_local = record->ordem_local,
                       .seq = record->seq,
                       .epoch = record->epoch,
                       .place = place};
    process->events = memory_grow(process->events, &process->event_capacity, process->event_count + 1,
                                  sizeof *process->events);
    process->events[process->event_count++] = number;
    return number;
}

static uint32_t number_or_none(struct names *names, struct text text)
{
    return text.bytes != NULL ? names_number(names, text) : NAMES_NONE;
}

static int8_t type_of(struct text name)
{
    for (int type = COMMAND_SET; type <= COMMAND_PRINT; type++) {
        if (text_equal(name, text_of(command_type_name((enum command_type)type)))) {
            return (int8_t)type;
        }
    }
    return -1;
}

static void add_contradiction(struct contradiction **list, size_t *count, size_t *capacity, uint32_t command,
                              uint32_t first, uint32_t second)
{
    *list = memory_grow(*list, capacity, *count + 1, sizeof **list);
    (*list)[(*count)++] = (struct contradiction){command, first, second};
}

/* The command that a line is about; the first line that mentions it makes it known. The line's event comes next. */
static uint32_t find_command(struct history *history, const struct log_record *record)
{
    uint32_t uuid = names_number(&history->uuids, record->message_uuid);
    struct command_record told = {.uuid = uuid,
                                  .sender = number_or_none(&history->texts, record->sender_id),
                                  .key = number_or_none(&history->texts, record->key),
                                  .value = number_or_none(&history->texts, record->value),
                                  .first_event = (uint32_t)history->event_count,
                                  .sender_process = HISTORY_NONE,
                                  .send_event = HISTORY_NONE,
                                  .number_event = HISTORY_NONE,
                                  .seq_event = HISTORY_NONE,
                                  .seq = LOG_RECORD_NO_NUMBER,
                                  .epoch = LOG_RECORD_NO_NUMBER,
                                  .operation = HISTORY_NONE,
                                  .type = type_of(record->command_type),
                                  .type_name = number_or_none(&history->texts, record->command_type)};

    if (uuid == history->command_count) {
        history->commands = memory_grow(history->commands, &history->command_capacity,
                                        history->command_count + 1, sizeof *history->commands);
        history->commands[history->command_count++] = told;
        return uuid;
    }
    const struct command_record *known = &history->commands[uuid];
    if (known->sender != told.sender || known->key != told.key || known->value != told.value ||
        known->type_name != told.type_name) {
        add_contradiction(&history->contradictions, &history->contradiction_count,
                          &history->contradiction_capacity, uuid, known->first_event, told.first_event);
    }
    return uuid;
}

/* A command's place in the total order, from whatever line tells it first. */
static void note_seq(struct history *history, uint32_t command, uint32_t event)
{
    struct command_record *record = &history->commands[command];
    const struct event *line = &history->events[event];

    if (line->seq == LOG_RECORD_NO_NUMBER) {
        return;
    }
    if (record->seq_event == HISTORY_NONE) {
        record->seq_event = event;
        record->seq = line->seq;
        record->epoch = line->epoch;
    } else if (record->seq != line->seq) {
        add_contradiction(&history->renumberings, &history->renumbering_count, &history->renumbering_capacity,
                          command, record->seq_event, event);
    }
}

/* ---- lines ---- */

static void add_fault(struct history *history, const struct log_record *record, uint32_t event)
{
    history->faults = memory_grow(history->faults, &history->fault_capacity, history->fault_count + 1,
                                  sizeof *history->faults);
    history->faults[history->fault_count++] =
        (struct fault_record){event, names_number(&history->texts, record->fault), record->delay_ms};
}

/* The roles that have a part in the order of commands, keep what others know, or ask for them, and deliver nothing
 * themselves. */
static bool is_coordinator(struct text role)
{
    static const char *const roles[] = {"sequencer", "proposer",  "acceptor", "store", "client",
                                        "broker",    "reference", "proxy",    "bot"};

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (text_equal(role, text_of(roles[i]))) {
            return true;
        }
    }
    return false;
}

static void add_start(struct history *history, struct process *process, const struct log_record *record)
{
    process->starts++;
    process->stopped = process->ready = false;
    process->last_ordem_local = 0;
    process->part = number_or_none(&history->texts, record->part);
    process->role_name = number_or_none(&history->texts, record->role);
    if (is_coordinator(record->role) && process->delivery_count == 0) {
        process->role = ROLE_COORDINATOR;
    } else if (text_equal(record->role, text_of("listener")) && process->delivery_count == 0) {
        process->role = ROLE_CLIENT;
        process->listens = true;
    }
}

static void add_store(struct history *history, const struct log_record *record, uint32_t event)
{
    history->stores = memory_grow(history->stores, &history->store_capacity, history->store_count + 1,
                                  sizeof *history->stores);
    history->stores[history->store_count++] =
        (struct store_record){event, number_or_none(&history->texts, record->from), record->keys,
                              record->messages, record->reason.bytes != NULL};
}

static void add_stop(struct history *history, struct process *process, const struct log_record *record,
                     uint32_t event)
{
    process->stopped = true;
    process->stopped_us = record->wall_us;
    add_store(history, record, event);
    history_check_end(history, process, record->ordem_local, history->events[event].place);
}

/* A server of the chat says how far it was by its `seq`. */
static void add_recover(struct history *history, struct process *process, const struct log_record *record,
                        uint32_t event)
{
    process->shares |= text_equal(record->from, text_of("volume"));
    bool installed = record->installed_seq != LOG_RECORD_NO_NUMBER;
    history->events[event].seq = installed || !history_is_chat(history) ? record->installed_seq : record->seq;
    history->events[event].ordem_local = LOG_RECORD_NO_NUMBER;
    if (record->installed_seq != LOG_RECORD_NO_NUMBER) {
        add_store(history, record, event);
    }
}

static void add_intervention(struct history *history, const struct log_record *record, uint32_t event)
{
    history->interventions = memory_grow(history->interventions, &history->intervention_capacity,
                                         history->intervention_count + 1, sizeof *history->interventions);
    history->interventions[history->intervention_count++] =
        (struct intervention){event, names_number(&history->texts, record->target), HISTORY_NONE};
}

static void add_discard(struct process *process, const struct log_record *record, struct line_place place)
{
    if (text_equal(record->reason, text_of("receive_buffer_full")) && record->count > 0) {
        process->dropped += (uint64_t)record->count;
        process->dropped_place = place;
    }
}

/* ---- the lines of a log ---- */

static uint32_t command_of(struct history *history, const struct log_record *record, enum event_kind kind)
{
    if (kind == EVENT_REPLY && history_is_chat(history)) {
        uint32_t uuid = record->message_uuid.bytes != NULL ? names_find(&history->uuids, record->message_uuid)
                                                           : NAMES_NONE;
        return uuid == NAMES_NONE ? HISTORY_NONE : uuid;
    }
    if (!history_is_about_command(kind)) {
        return HISTORY_NONE;
    }
    if (kind == EVENT_COMPLETE) { /* its value is what was read, not what was asked for */
        uint32_t uuid = names_find(&history->uuids, record->message_uuid);
        return uuid == NAMES_NONE ? HISTORY_NONE : uuid;
    }
    return find_command(history, record);
}

/* False if the line is not to be taken any further. */
static bool check_source(struct history *history, struct process *process, const struct log_record *record,
                         struct line_place place)
{
    if (process->source == place.source) {
        return true;
    }
    if (process->source != HISTORY_NONE) { /* once */
        history_add_problem(history, (uint32_t)(process - history->processes), true,
                            "%.*s's lines stand in two files: give one of them", (int)record->node.length,
                            record->node.bytes);
        history->operations_unclear |= process->role == ROLE_CLIENT;
        process->source = HISTORY_NONE;
    }
    return false;
}

static void add_line(struct history *history, struct process *process, const struct log_record *record,
                     enum event_kind kind, struct line_place place)
{
    uint32_t command = command_of(history, record, kind);
    uint32_t event = add_event(history, process, kind, command, record, place);

    if (command != HISTORY_NONE && kind != EVENT_SEND &&
        kind != EVENT_REPLY) { /* what is sent may never leave: who gets it counts */
        note_seq(history, command, event);
    }
    switch (kind) {
    case EVENT_START:
        add_start(history, process, record);
        break;
    case EVENT_READY:
        process->ready = true;
        process->ready_us = record->wall_us;
        break;
    case EVENT_DELIVER:
        process->delivery_count++;
        history_check_ordem_local(history, process, record->ordem_local, place);
        break;
    case EVENT_FAULT:
        add_fault(history, record, event);
        break;
    case EVENT_STOP:
        add_stop(history, process, record, event);
        break;
    case EVENT_RECOVER:
        add_recover(history, process, record, event);
        break;
    case EVENT_ELECT:
        history_add_reign(history, record, event);
        break;
    case EVENT_CLOCK:
        history_add_clock(history, record, event);
        break;
    case EVENT_SAY:
    case EVENT_HEAR:
        history_add_talk(history, record, event);
        break;
    case EVENT_INVOKE:
        history_add_invocation(history, command, event);
        break;
    case EVENT_COMPLETE:
        history_add_completion(history, record, command, event);
        break;
    case EVENT_KILL:
    case EVENT_RESTART:
    case EVENT_PAUSE:
    case EVENT_RESUME:
    case EVENT_PARTITION:
    case EVENT_HEAL:
        add_intervention(history, record, event);
        break;
    default: /* it is enough that it happened */
        break;
    }
}

void history_add(struct history *history, const struct log_record *record, struct line_place place)
{
    struct process *process = find_process(history, record->node, place);
    enum event_kind kind = history_kind_of(record);

    history->lines++;
    process->last_us = record->wall_us;
    if (!check_source(history, process, record, place)) {
        return;
    }
    if (text_equal(record->event, text_of("discard"))) {
        add_discard(process, record, place);
    }
    if (text_equal(record->fault, text_of("log_gap"))) {
        history_add_problem(history, (uint32_t)(process - history->processes), true,
                            "%.*s's log has a gap at line %" PRIu32 ": its disk was full",
                            (int)record->node.length, record->node.bytes, place.number);
        history->operations_unclear |= process->role == ROLE_CLIENT;
    }
    if (kind != EVENT_KIND_COUNT && history_fits_role(process, kind)) {
        add_line(history, process, record, kind, place);
    }
}
