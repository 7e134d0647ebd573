/* Causal order, within one life of a process. */
#include "common/lab/causality.h"
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

/* An effect that stands before its cause. */
struct example {
    const struct life *life;
    uint32_t cause, effect; /* commands; HISTORY_NONE while there is none */
};

struct causal {
    struct judging *judging;
    struct causality causality;
    uint32_t *latest;         /* of one life and one sender: see latest_positions */
    uint32_t *latest_command; /* likewise */
    struct example example;
};

/* How the effect's sender came to know the cause: by sending it, by delivering it, or through what it delivered. */
static void tell_knowledge(struct judging *judging, uint32_t cause, uint32_t effect)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_CAUSAL];
    uint32_t sender = history->commands[effect].sender_process;
    uint32_t delivery = judging_delivery(judging, sender, cause);

    const char *knowledge;
    if (history->commands[cause].sender_process == sender) {
        knowledge = N_("{1} had itself sent {2} when it sent {3}");
        verdict_add_evidence(verdict, history->commands[cause].send_event);
    } else if (delivery != HISTORY_NONE && delivery < history->commands[effect].send_event) {
        knowledge = N_("{1} had delivered {2} when it sent {3}");
        verdict_add_evidence(verdict, delivery);
    } else if (history->processes[sender].role == ROLE_CLIENT) {
        knowledge = N_("{1} knew, through what it had read, of {2} when it sent {3}");
        verdict_add_evidence(verdict, history->commands[cause].send_event);
    } else {
        knowledge = N_("{1} knew, through what it had delivered, of {2} when it sent {3}");
        verdict_add_evidence(verdict, history->commands[cause].send_event);
    }
    tell_that(&verdict->story, history, knowledge, the_process(sender), the_command(cause),
              the_command(effect));
}

static void tell_example(struct judging *judging, const struct example *example)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_CAUSAL];

    verdict->outcome = OUTCOME_VIOLATED;
    tell_knowledge(judging, example->cause, example->effect);
    buffer_add_string(&verdict->story, _(", but "));
    verdict_add_evidence(verdict, history->commands[example->effect].send_event);
    tell_order_at(verdict, judging, example->life, example->effect, example->cause);
    tell_overtaking(verdict, history, example->life->incarnation->process, example->cause);
}

/* For one life and one sender: latest[k] is the last position at which one of the sender's first k commands was
 * delivered. An effect that knows k of them and stands before latest[k] came too early. */
static void latest_positions(struct causal *causal, const struct life *life, uint32_t sender)
{
    const uint32_t *sent_by = causal->causality.sent_by[sender];
    uint32_t send_count = causal->judging->history->processes[sender].send_count;

    causal->latest[0] = 0;
    causal->latest_command[0] = HISTORY_NONE;
    for (uint32_t k = 1; k <= send_count; k++) {
        uint32_t position = life_position(life, sent_by[k]);
        bool later = position > causal->latest[k - 1];
        causal->latest[k] = later ? position : causal->latest[k - 1];
        causal->latest_command[k] = later ? sent_by[k] : causal->latest_command[k - 1];
    }
}

/* Is the cause another sender's? That says more than what FIFO alone would rule out. */
static bool is_across(const struct history *history, uint32_t cause, uint32_t effect)
{
    return history->commands[cause].sender_process != history->commands[effect].sender_process;
}

static void consider(struct causal *causal, const struct life *life, uint32_t cause, uint32_t effect)
{
    const struct history *history = causal->judging->history;
    const struct example *example = &causal->example;

    if (example->effect == HISTORY_NONE ||
        (is_across(history, cause, effect) && !is_across(history, example->cause, example->effect))) {
        causal->example = (struct example){life, cause, effect};
    }
}

static uint64_t count_in(struct causal *causal, const struct life *life, uint32_t sender)
{
    const struct history *history = causal->judging->history;
    uint64_t count = 0;

    latest_positions(causal, life, sender);
    for (uint32_t i = 1; i <= life->length; i++) {
        uint32_t effect = history->events[life_event(life, i)].command;
        uint32_t known = causality_known(&causal->causality, effect, sender);
        if (causal->latest[known] > i) {
            count++;
            consider(causal, life, causal->latest_command[known], effect);
        }
    }
    return count;
}

void judge_causal(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_CAUSAL];
    struct causal causal = {.judging = judging, .example = {NULL, HISTORY_NONE, HISTORY_NONE}};

    causal.latest = memory_new((history->command_count + 1) * sizeof *causal.latest);
    causal.latest_command = memory_new((history->command_count + 1) * sizeof *causal.latest_command);
    causality_init(&causal.causality, history);
    for (size_t i = 0; i < history->incarnation_count; i++) {
        for (uint32_t sender = 0; sender < history->process_count; sender++) {
            if (history->processes[sender].send_count > 0) {
                verdict->count += count_in(&causal, &judging->lives[i], sender);
            }
        }
    }
    causality_free(&causal.causality);
    free(causal.latest);
    free(causal.latest_command);
    if (verdict->count > 0) {
        tell_example(judging, &causal.example);
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " delivery came before something that it depends on",
                                   "%" PRIu64 " deliveries came before something that they depend on",
                                   verdict->count),
                          verdict->count);
    } else {
        buffer_add_string(&verdict->finding, _("nothing was delivered before what it depends on"));
    }
}
