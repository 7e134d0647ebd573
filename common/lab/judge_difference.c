/* Why two replicas end differently on a key. */
#include "common/lab/judge_parts.h"

struct converging {
    struct judging *judging;
    const struct final_state *states; /* by replica */
};

/* ---- looking for a reason ---- */

/* What made two replicas end differently on a key, the most instructive first. */
enum cause { CAUSE_ORDER, CAUSE_REPEATED, CAUSE_LOSS, CAUSE_RESTART };

struct example {
    enum cause cause;
    const struct difference *difference;
    size_t other; /* the replica that differs from the first */
};

static const struct life *last_life(const struct judging *judging, uint32_t process)
{
    return &judging
                ->lives[history_last_incarnation(judging->history, process) - judging->history->incarnations];
}

/* Has the replica lost what it had, and begun anew? */
static bool began_anew(const struct converging *converging, size_t replica)
{
    uint32_t process = converging->judging->judgement->replicas[replica];
    return converging->states[replica].install == HISTORY_NONE &&
           history_last_incarnation(converging->judging->history, process)->number > 1;
}

/* Is the command not part of what made the replica's state? */
static bool lacks(const struct converging *converging, size_t replica, uint32_t command)
{
    const struct history *history = converging->judging->history;
    const struct command_record *record = &history->commands[command];
    uint32_t install = converging->states[replica].install;
    uint32_t process = converging->judging->judgement->replicas[replica];
    bool installed = install != HISTORY_NONE && record->seq != LOG_RECORD_NO_NUMBER &&
                     record->seq <= history->events[install].seq;

    return !installed && life_position(last_life(converging->judging, process), command) == NOT_DELIVERED;
}

static enum cause find_cause(const struct converging *converging, size_t p, uint32_t last_p, size_t q,
                             uint32_t last_q)
{
    const struct judging *judging = converging->judging;
    const struct event *events = judging->history->events;

    if (began_anew(converging, p) || began_anew(converging, q)) {
        return CAUSE_RESTART;
    }
    if (last_p == HISTORY_NONE || last_q == HISTORY_NONE || lacks(converging, q, events[last_p].command) ||
        lacks(converging, p, events[last_q].command)) {
        return CAUSE_LOSS;
    }
    const struct life *life_p = last_life(judging, judging->judgement->replicas[p]);
    const struct life *life_q = last_life(judging, judging->judgement->replicas[q]);
    uint32_t command_p = events[last_p].command;
    uint32_t command_q = events[last_q].command;
    bool by_order = life_position(life_p, command_q) <= life_position(life_p, command_p) &&
                    life_position(life_q, command_p) <= life_position(life_q, command_q);
    return by_order ? CAUSE_ORDER : CAUSE_REPEATED;
}

static struct example find_example(const struct converging *converging)
{
    const struct history *history = converging->judging->history;
    const struct judgement *judgement = converging->judging->judgement;
    struct example best = {.difference = NULL};

    for (size_t d = 0; d < judgement->difference_count; d++) {
        const struct difference *difference = &judgement->differences[d];
        uint32_t first_value = history_value_set_by(history, difference->last_set[0]);
        for (size_t r = 1; r < judgement->replica_count; r++) {
            if (history_value_set_by(history, difference->last_set[r]) == first_value) {
                continue;
            }
            enum cause cause = find_cause(converging, 0, difference->last_set[0], r, difference->last_set[r]);
            if (best.difference == NULL || cause < best.cause) {
                best = (struct example){cause, difference, r};
            }
        }
    }
    return best;
}

/* ---- the story ---- */

/* Of two replicas, with what the first ends and the second. */
static void tell_ends(struct verdict *verdict, const struct history *history, struct text key,
                      const uint32_t processes[2], const uint32_t last_sets[2])
{
    if (last_sets[0] == HISTORY_NONE) {
        tell_that(&verdict->story, history, "{1} ends not set at {2}", the_text(key),
                  the_process(processes[0]));
    } else {
        tell_that(&verdict->story, history, "{1} ends as {2} at {3}", the_text(key),
                  the_value(history_value_set_by(history, last_sets[0])), the_process(processes[0]));
        verdict_add_evidence(verdict, last_sets[0]);
    }
    if (last_sets[1] == HISTORY_NONE) {
        tell_that(&verdict->story, history, " and not set at {1}", the_process(processes[1]));
    } else {
        tell_that(&verdict->story, history, " and as {1} at {2}",
                  the_value(history_value_set_by(history, last_sets[1])), the_process(processes[1]));
        verdict_add_evidence(verdict, last_sets[1]);
    }
}

/* One of the two never delivered what the other applied last. */
static void tell_missing(struct verdict *verdict, const struct judging *judging, uint32_t process,
                         uint32_t command)
{
    tell_that(&verdict->story, judging->history, "; {1} never delivered {2}", the_process(process),
              the_command(command));
    tell_loss(verdict, judging->history, process, command);
}

static void tell_restart(struct verdict *verdict, const struct history *history, uint32_t process)
{
    buffer_add_string(&verdict->story, "; ");
    tell_crash(verdict, history, history_last_incarnation(history, process) - 1);
    buffer_add_string(&verdict->story, _(", with an empty store"));
}

static void add_delivery(struct verdict *verdict, const struct life *life, uint32_t command)
{
    uint32_t position = life_position(life, command);

    if (position != NOT_DELIVERED) {
        verdict_add_evidence(verdict, life_event(life, position));
    }
}

static void tell_example(const struct converging *converging, struct example example)
{
    struct judging *judging = converging->judging;
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_CONVERGENCE];
    uint32_t p = judging->judgement->replicas[0];
    uint32_t q = judging->judgement->replicas[example.other];
    uint32_t last_p = example.difference->last_set[0];
    uint32_t last_q = example.difference->last_set[example.other];
    struct text key = names_text(&history->texts, example.difference->key);

    tell_ends(verdict, history, key, (uint32_t[]){p, q}, (uint32_t[]){last_p, last_q});
    if (example.cause == CAUSE_LOSS) {
        bool at_p = last_q != HISTORY_NONE && lacks(converging, 0, history->events[last_q].command);
        tell_missing(verdict, judging, at_p ? p : q, history->events[at_p ? last_q : last_p].command);
    } else if (example.cause == CAUSE_RESTART) {
        tell_restart(verdict, history, began_anew(converging, 0) ? p : q);
    } else if (example.cause == CAUSE_REPEATED) {
        buffer_add_string(&verdict->story, _(": a command that arrived once more, late, undid a newer one"));
    } else {
        add_delivery(verdict, last_life(judging, p), history->events[last_q].command);
        add_delivery(verdict, last_life(judging, q), history->events[last_p].command);
        buffer_add_string(&verdict->story,
                          _(": both applied both commands, in opposite orders, and the last one wins"));
    }
}

void tell_difference(struct judging *judging, const struct final_state *states)
{
    struct converging converging = {judging, states};

    struct example example = find_example(&converging);

    if (example.difference != NULL) {
        tell_example(&converging, example);
    }
}
