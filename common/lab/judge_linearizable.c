/* Linearizable reads: each key's operations, as the clients' log tells them, go through linearizability.h. Real time is
 * the order of the lines of that log: one process writes it. */
#include "common/lab/judge_parts.h"
#include "common/lab/linearizability.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

struct reading {
    struct judging *judging;
    struct access *accesses; /* by key, then by time; owned */
    size_t count, reads, keys;
    struct register_operation *operations; /* of one key, in the order of `accesses`; owned */

    /* The counterexample: of all keys' the one that ends first. */
    const struct access *key_accesses; /* its key's; NULL while there is none */
    size_t key_count;
    struct register_verdict verdict;
    size_t violated, gave_up; /* keys */
    uint32_t gave_up_key;     /* the first */
};

/* ---- what clients did ---- */

/* A moment for every line of the log, from 1. */
static uint32_t moment_of(uint32_t event)
{
    return event + 1;
}

static int64_t seq_of(const struct history *history, const struct operation *operation, uint32_t command)
{
    int64_t seq = LOG_RECORD_NO_NUMBER;

    if (operation != NULL && operation->complete != HISTORY_NONE) {
        seq = history->events[operation->complete].seq;
    }
    seq = seq != LOG_RECORD_NO_NUMBER ? seq : history->commands[command].seq;
    return seq != LOG_RECORD_NO_NUMBER ? seq : REGISTER_NO_SEQ;
}

/* False for what has no effect and tells nothing: a read without an answer, a write that was refused. But who was told
 * "error" of a write that was delivered was told wrong; and of a write by somebody else only that it was delivered is
 * known. Both may have taken effect at any time, or not. */
static bool read_access(const struct judging *judging, uint32_t command, struct access *access)
{
    const struct history *history = judging->history;
    const struct command_record *record = &history->commands[command];
    const struct operation *operation = history_operation_of(history, command);
    bool ok = operation != NULL && operation->status == OPERATION_OK;
    bool is_write = record->type == COMMAND_SET;
    bool has_happened = ok || judging->delivered[command] != HISTORY_NONE;
    bool may_happen = has_happened || (operation != NULL && operation->status == OPERATION_UNKNOWN);

    if (record->key == NAMES_NONE || (is_write ? !may_happen : record->type != COMMAND_GET || !ok)) {
        return false;
    }
    *access = (struct access){.key = record->key,
                              .command = command,
                              .operation = {.invoked = operation != NULL ? moment_of(operation->invoke) : 0,
                                            .completed = ok ? moment_of(operation->complete) : REGISTER_NEVER,
                                            .seq = seq_of(history, operation, command),
                                            .value = is_write ? record->value : operation->value,
                                            .is_write = is_write}};
    return is_write || operation->value != NAMES_NONE;
}

static int compare_accesses(const void *a, const void *b)
{
    const struct access *first = a;
    const struct access *second = b;

    if (first->key != second->key) {
        return first->key < second->key ? -1 : 1;
    }
    if (first->operation.invoked != second->operation.invoked) {
        return first->operation.invoked < second->operation.invoked ? -1 : 1;
    }
    return first->command < second->command ? -1 : first->command > second->command;
}

static void gather(struct reading *reading)
{
    const struct history *history = reading->judging->history;

    reading->accesses = memory_new(history->command_count * sizeof *reading->accesses);
    reading->operations = memory_new(history->command_count * sizeof *reading->operations);
    for (uint32_t c = 0; c < history->command_count; c++) {
        struct access *access = &reading->accesses[reading->count];
        if (read_access(reading->judging, c, access)) {
            reading->count++;
            reading->reads += !access->operation.is_write;
        }
    }
    qsort(reading->accesses, reading->count, sizeof *reading->accesses, compare_accesses);
}

/* ---- key by key ---- */

static bool is_earlier(const struct reading *reading, const struct access *accesses,
                       const struct register_verdict *verdict)
{
    return reading->key_accesses == NULL ||
           accesses[verdict->read].operation.completed <
               reading->key_accesses[reading->verdict.read].operation.completed;
}

static void judge_key(struct reading *reading, const struct access *accesses, size_t count)
{
    const struct history *history = reading->judging->history;
    uint32_t initial = names_find(&history->texts, text_of("null"));
    struct register_verdict verdict;

    for (size_t i = 0; i < count; i++) {
        reading->operations[i] = accesses[i].operation;
    }
    reading->keys++;
    register_judge(reading->operations, count, initial, REGISTER_CONFIGURATIONS_MAX, &verdict);
    if (verdict.outcome == REGISTER_GAVE_UP && reading->gave_up++ == 0) {
        reading->gave_up_key = accesses->key;
    }
    if (verdict.outcome == REGISTER_NOT_LINEARIZABLE) {
        reading->violated++;
        if (is_earlier(reading, accesses, &verdict)) {
            reading->key_accesses = accesses;
            reading->key_count = count;
            reading->verdict = verdict;
        }
    }
}

static void judge_keys(struct reading *reading)
{
    size_t first = 0;

    for (size_t i = 1; i <= reading->count; i++) {
        if (i == reading->count || reading->accesses[i].key != reading->accesses[first].key) {
            judge_key(reading, &reading->accesses[first], i - first);
            first = i;
        }
    }
}

/* ---- the check ---- */

static void tell_outcome(struct reading *reading, struct verdict *verdict)
{
    if (reading->violated > 0) {
        verdict->outcome = OUTCOME_VIOLATED;
        verdict->count = reading->violated;
        buffer_add_format(&verdict->finding,
                          _("%zu of %zu keys: no order of the operations explains what was read"),
                          reading->violated, reading->keys);
        tell_stale_read(reading->judging, reading->key_accesses, reading->key_count, &reading->verdict);
    } else if (reading->gave_up > 0) {
        struct text key = names_text(&reading->judging->history->texts, reading->gave_up_key);
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_format(
            &verdict->finding,
            _("the search gave up on %zu of %zu keys: %.*s has more than %d configurations, which is "
              "the bound"),
            reading->gave_up, reading->keys, (int)key.length, key.bytes, REGISTER_CONFIGURATIONS_MAX);
    } else {
        buffer_add_format(&verdict->finding,
                          ngettext("the one read fits an order of the operations on its key",
                                   "all %zu reads fit one order of the operations on their key",
                                   reading->reads),
                          reading->reads);
    }
}

void judge_linearizable(struct judging *judging)
{
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_LINEARIZABLE];
    struct reading reading = {.judging = judging};

    gather(&reading);
    if (reading.reads == 0) {
        verdict->not_applicable = true;
        buffer_add_string(&verdict->finding, _("no log tells what a client read"));
    } else if (judging->history->operations_unclear) {
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_string(&verdict->finding, _("the clients' log is incomplete, or in several files"));
    } else {
        judge_keys(&reading);
        tell_outcome(&reading, verdict);
    }
    free(reading.accesses);
    free(reading.operations);
}
