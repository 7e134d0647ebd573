/* Delivery: does every correct process deliver what is owed to it? */
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

/* A command that was sent less than this before a log ends may still have been on its way: nothing follows. */
#define ON_ITS_WAY_US 300000

/* ---- what is owed ---- */

struct delivering {
    struct judging *judging;
    uint32_t *highest;     /* by life and process: the highest send_index of it that was delivered there */
    bool *at_correct;      /* by command: a correct process has delivered it */
    uint64_t due, unclear; /* deliveries */
};

static uint32_t *highest_of(const struct delivering *delivering, size_t life, uint32_t sender)
{
    return &delivering->highest[life * delivering->judging->history->process_count + sender];
}

static void look_through_lives(struct delivering *delivering)
{
    struct judging *judging = delivering->judging;
    const struct history *history = judging->history;

    for (size_t i = 0; i < history->incarnation_count; i++) {
        const struct life *life = &judging->lives[i];
        bool correct = judging_is_correct(judging, life->incarnation->process);
        for (uint32_t position = 1; position <= life->length; position++) {
            uint32_t number = history->events[life_event(life, position)].command;
            const struct command_record *command = &history->commands[number];
            delivering->at_correct[number] |= correct;
            if (command->send_index > 0) {
                uint32_t *highest = highest_of(delivering, i, command->sender_process);
                *highest = command->send_index > *highest ? command->send_index : *highest;
            }
        }
    }
}

/* A GET may be answered before it is sent anywhere; a SET that was answered "ok" is safe. */
static bool is_promised(const struct history *history, uint32_t command)
{
    const struct operation *operation = history_operation_of(history, command);
    return operation != NULL && operation->status == OPERATION_OK &&
           history->commands[command].type == COMMAND_SET;
}

/* Is its sender the client, and no node? */
static bool is_by_client(const struct history *history, uint32_t command)
{
    uint32_t send = history->commands[command].send_event;
    return send != HISTORY_NONE && history->events[send].kind == EVENT_INVOKE;
}

static bool is_owed(const struct delivering *delivering, uint32_t command)
{
    const struct history *history = delivering->judging->history;
    const struct operation *operation = history_operation_of(history, command);
    uint32_t send = history->commands[command].send_event;

    if (delivering->at_correct[command] || is_promised(history, command)) {
        return true;
    }
    if (is_by_client(history, command)) { /* what it asks for is not on its way yet */
        return false;
    }
    bool refused = operation != NULL && operation->status != OPERATION_OK;
    return !refused && send != HISTORY_NONE && !history_incarnation_of(history, send)->crashed;
}

/* When the command was there to be delivered, as well as the logs tell. */
static int64_t time_of(const struct delivering *delivering, uint32_t command)
{
    const struct history *history = delivering->judging->history;
    const struct operation *operation = history_operation_of(history, command);
    uint32_t send = history->commands[command].send_event;

    if (send == HISTORY_NONE && operation != NULL) {
        send = operation->invoke;
    }
    return history->events[send != HISTORY_NONE ? send : delivering->judging->delivered[command]].wall_us;
}

/* ---- to whom ---- */

enum duty { DUTY_NONE, DUTY_UNCLEAR, DUTY_DELIVER };

/* Could the process have delivered it in the last instants of that life, of which its log need not tell? Not if it was
 * sent later, nor if it had delivered what its sender sent later. */
static bool may_be_untold(const struct delivering *delivering, const struct process *process, uint32_t life,
                          uint32_t number, int64_t sent_us)
{
    const struct command_record *command = &delivering->judging->history->commands[number];
    const struct incarnation *incarnation = delivering->judging->lives[life].incarnation;

    if (!incarnation->crashed || sent_us > incarnation->crashed_us) {
        return false;
    }
    for (uint32_t i = process->first_incarnation; i <= life && command->send_index > 0; i++) {
        if (*highest_of(delivering, i, command->sender_process) > command->send_index) {
            return false;
        }
    }
    return true;
}

/* Had the process left properly at that moment, and not come back yet? */
static bool was_away(const struct history *history, const struct process *process, int64_t at_us)
{
    for (uint32_t i = 0; i < process->incarnation_count; i++) {
        const struct incarnation *incarnation = &history->incarnations[process->first_incarnation + i];
        bool last = i + 1 == process->incarnation_count;
        if (incarnation->left && at_us > incarnation->last_us && (last || at_us < incarnation[1].ready_us)) {
            return true;
        }
    }
    return false;
}

/* Has a correct process to deliver that command? Not one from before it joined; unclear near the end of its log. */
static enum duty duty_of(const struct delivering *delivering, uint32_t number, uint32_t command)
{
    const struct history *history = delivering->judging->history;
    const struct process *process = &history->processes[number];
    int64_t sent_us = time_of(delivering, command);
    int64_t joined_us = INT64_MAX;

    for (uint32_t i = process->first_incarnation; i < process->first_incarnation + process->incarnation_count;
         i++) {
        const struct incarnation *incarnation = &history->incarnations[i];
        joined_us = incarnation->ready_us < joined_us ? incarnation->ready_us : joined_us;
    }
    if (sent_us < joined_us || was_away(history, process, sent_us)) {
        return DUTY_NONE;
    }
    for (uint32_t i = process->first_incarnation; i < process->first_incarnation + process->incarnation_count;
         i++) {
        const struct incarnation *incarnation = &history->incarnations[i];
        bool ending = incarnation->left && sent_us <= incarnation->last_us &&
                      sent_us + ON_ITS_WAY_US > incarnation->last_us;
        if (ending || may_be_untold(delivering, process, i, command, sent_us)) {
            return DUTY_UNCLEAR;
        }
    }
    return sent_us + ON_ITS_WAY_US > process->last_us ? DUTY_UNCLEAR : DUTY_DELIVER;
}

/* Is the command part of a state that the process installed? */
static bool is_covered(const struct delivering *delivering, int64_t installed, uint32_t command)
{
    const struct command_record *record = &delivering->judging->history->commands[command];
    return record->seq != LOG_RECORD_NO_NUMBER && record->seq <= installed;
}

/* ---- the story ---- */

/* The life that had crashed when the command was sent, before the next one was ready; NULL if the process was up. */
static const struct incarnation *find_absence(const struct history *history, const struct process *process,
                                              int64_t sent_us)
{
    for (uint32_t i = 0; i + 1 < process->incarnation_count; i++) {
        const struct incarnation *incarnation = &history->incarnations[process->first_incarnation + i];
        if (incarnation->crashed && sent_us > incarnation->last_us && sent_us < incarnation[1].ready_us) {
            return incarnation;
        }
    }
    return NULL;
}

static void tell_missing(const struct delivering *delivering, uint32_t process, uint32_t command)
{
    const struct history *history = delivering->judging->history;
    const struct command_record *record = &history->commands[command];
    const struct process *log = &history->processes[process];
    const struct incarnation *absence = find_absence(history, log, time_of(delivering, command));
    struct verdict *verdict = &delivering->judging->judgement->verdicts[GUARANTEE_DELIVERY];

    verdict->outcome = OUTCOME_VIOLATED;
    tell_that(&verdict->story, history, "{1} never delivered {2}", the_process(process),
              the_command(command));
    if (record->send_event != HISTORY_NONE) {
        tell_that(&verdict->story, history, ", which {1} sent",
                  the_process(history->events[record->send_event].process));
        verdict_add_evidence(verdict, record->send_event);
    }
    if (is_promised(history, command)) {
        const struct operation *operation = history_operation_of(history, command);
        tell_that(&verdict->story, history,
                  record->send_event != HISTORY_NONE ? N_(", and {1} was told that it is safe")
                                                     : N_(", though {1} was told that it is safe"),
                  the_process(operation->client));
        verdict_add_evidence(verdict, operation->complete);
    } else if (record->send_event == HISTORY_NONE || is_by_client(history, command) ||
               history_incarnation_of(history, record->send_event)->crashed) {
        uint32_t delivery = delivering->judging->delivered[command];
        tell_that(&verdict->story, history, ", though {1} did",
                  the_process(history->events[delivery].process));
        verdict_add_evidence(verdict, delivery);
    }
    if (absence != NULL) {
        buffer_add_string(&verdict->story, ": ");
        tell_crash(verdict, history, absence);
        buffer_add_string(&verdict->story, _(" only after it had been sent, and nothing had kept it"));
    } else {
        tell_loss(verdict, history, process, command);
    }
    verdict_add_evidence(verdict,
                         log->events[log->event_count - 1]); /* the last, with all that it delivered */
}

/* ---- the check ---- */

static void judge_process(struct delivering *delivering, uint32_t process)
{
    struct judging *judging = delivering->judging;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_DELIVERY];
    bool correct = judging_is_correct(judging, process);
    int64_t installed = judging_installed(judging, process);

    for (uint32_t c = 0; c < judging->history->command_count; c++) {
        if (judging_delivery(judging, process, c) != HISTORY_NONE) {
            delivering->due++;
            continue;
        }
        if (!correct || is_covered(delivering, installed, c) || !is_owed(delivering, c)) {
            continue;
        }
        enum duty duty = duty_of(delivering, process, c);
        delivering->due += duty == DUTY_DELIVER;
        delivering->unclear += duty == DUTY_UNCLEAR;
        if (duty == DUTY_DELIVER && verdict->count++ == 0) {
            tell_missing(delivering, process, c);
        }
    }
}

void judge_delivery(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_DELIVERY];
    struct delivering delivering = {.judging = judging};

    delivering.highest =
        memory_new_zeroed(history->incarnation_count * history->process_count, sizeof *delivering.highest);
    delivering.at_correct = memory_new_zeroed(history->command_count, sizeof *delivering.at_correct);
    look_through_lives(&delivering);
    for (uint32_t p = 0; p < history->process_count; p++) {
        if (history->processes[p].role == ROLE_REPLICA) {
            judge_process(&delivering, p);
        }
    }
    free(delivering.highest);
    free(delivering.at_correct);
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " of %" PRIu64 " deliveries is missing",
                                   "%" PRIu64 " of %" PRIu64 " deliveries are missing", verdict->count),
                          verdict->count, delivering.due);
    } else if (delivering.unclear > 0) {
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " delivery is missing where a log ends too early to tell",
                                   "%" PRIu64 " deliveries are missing where a log ends too early to tell",
                                   delivering.unclear),
                          delivering.unclear);
    } else {
        buffer_add_format(&verdict->finding, _("all %" PRIu64 " deliveries happened"), delivering.due);
    }
}
