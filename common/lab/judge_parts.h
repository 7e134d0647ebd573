/* What the parts of the judge share; nobody else includes it. */
#ifndef ORDEM_JUDGE_PARTS_H
#define ORDEM_JUDGE_PARTS_H

#include "common/lab/judge.h"
#include "common/lab/linearizability.h"
#include "common/lab/tell.h"
#include "common/words.h"

/* A command that was not delivered in that life. */
#define NOT_DELIVERED 0

/* What a process delivered in one life: each command once, where it came first. */
struct life {
    const struct incarnation *incarnation;
    uint32_t *sequence; /* events, in their order; owned */
    uint32_t length;
    uint32_t *positions; /* by command, from `first_command` on: its place in `sequence`, from 1; owned */
    uint32_t first_command, span; /* commands before and behind were not delivered */
};

/* A command with its place in the total order. */
struct numbered {
    int64_t seq;
    uint32_t command;
};

struct judging {
    const struct history *history;
    struct judgement *judgement;
    struct life *lives;        /* as the history's incarnations */
    uint32_t *delivered;       /* by command: a delivery of it, HISTORY_NONE if there is none */
    struct numbered *numbered; /* the commands that have a seq, by it */
    size_t numbered_count;
    bool sender_log_missing; /* some sender's log is not there */
};

/* Where the command stands in the life's order, or NOT_DELIVERED. */
static inline uint32_t life_position(const struct life *life, uint32_t command)
{
    uint32_t at = command - life->first_command; /* wraps around for what is below */
    return at < life->span ? life->positions[at] : NOT_DELIVERED;
}

/* The delivery at a position from 1. */
static inline uint32_t life_event(const struct life *life, uint32_t position)
{
    return life->sequence[position - 1];
}

/* The process's first delivery of a command, in any life; HISTORY_NONE if there is none. */
uint32_t judging_delivery(const struct judging *judging, uint32_t process, uint32_t command);

/* The highest seq up to which the process has installed a state, in any life; -1 if it never has. */
int64_t judging_installed(const struct judging *judging, uint32_t process);

/* Up in the end, and with a whole log that tells that it was ready once. */
bool judging_is_correct(const struct judging *judging, uint32_t process);

/* The store of a replica in the end: for each text of the history the line about the SET that gave it, as a key, its
 * last value; HISTORY_NONE for what was not set. Owned by the caller. */
struct final_state {
    uint32_t *last_set;
    uint32_t install; /* the line that tells of the state that it began with; HISTORY_NONE for an empty one */
    int64_t unknown;  /* a seq within that state that is in no log, the highest; 0 if there is none */
    uint64_t keys;
    int64_t keys_told; /* by the process itself as it stopped; LOG_RECORD_NO_NUMBER */
};

/* The value that a line's command sets, a number in `texts`; NAMES_NONE for HISTORY_NONE. */
static inline uint32_t history_value_set_by(const struct history *history, uint32_t event)
{
    return event != HISTORY_NONE ? history->commands[history->events[event].command].value : NAMES_NONE;
}

/* Into the verdict of convergence: the most instructive of the judgement's differences, of which there are some.
 * `states` are those of the judgement's replicas. */
void tell_difference(struct judging *judging, const struct final_state *states);

void judging_final_state(const struct judging *judging, uint32_t process, struct final_state *state);

void judging_line_up(struct judging *judging);
void judging_free(struct judging *judging);

/* An operation on a key; `command` tells which. */
struct access {
    uint32_t key, command;
    struct register_operation operation;
};

/* Into the verdict of linearizable reads: which of the accesses, all of one key, were found to fit no order. */
void tell_stale_read(struct judging *judging, const struct access *accesses, size_t count,
                     const struct register_verdict *found);

/* What a client did to have that command; NULL if no log tells of one. */
static inline const struct operation *history_operation_of(const struct history *history, uint32_t command)
{
    uint32_t operation = history->commands[command].operation;
    return operation != HISTORY_NONE ? &history->operations[operation] : NULL;
}

/* One for each guarantee, or for several that go together. Each fills its verdicts' counts, findings and evidence. */
void judge_delivery(struct judging *judging);
void judge_no_duplicates(struct judging *judging);
void judge_no_creation(struct judging *judging);
void judge_fifo(struct judging *judging);
void judge_causal(struct judging *judging);
void judge_total(struct judging *judging);
void judge_convergence(struct judging *judging);
void judge_gap_free(struct judging *judging);
void judge_linearizable(struct judging *judging);
void judge_clients(struct judging *judging);

/* All of the chat's; see judge_chat.h. */
void judge_chat(struct judging *judging);

void judgement_forget_differences(struct judgement *judgement);

/* Adds a line to a verdict's evidence, unless it stands there already. */
void verdict_add_evidence(struct verdict *verdict, uint32_t event);

/* "node3 delivered B before A" with both lines: the earlier delivery first. */
void tell_order_at(struct verdict *verdict, const struct judging *judging, const struct life *life,
                   uint32_t earlier, uint32_t later);

/* The end of a story: why `overtaken` came to `process` too late, or a command not at all (": the network held it
 * back for 27 ms"). Where a line of the log says so, it becomes evidence too. */
void tell_overtaking(struct verdict *verdict, const struct history *history, uint32_t process,
                     uint32_t overtaken);
void tell_loss(struct verdict *verdict, const struct history *history, uint32_t process, uint32_t command);

/* "node2 was killed and started again, with an empty store": the end of that life, with its lines. */
void tell_crash(struct verdict *verdict, const struct history *history,
                const struct incarnation *incarnation);

/* How many pairs of `values` stand in descending order; sorts them. `scratch` has room for as many. n log n. */
uint64_t count_inversions(uint32_t *values, uint32_t *scratch, size_t count);

#endif
