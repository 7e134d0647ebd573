/* What the parts of the judge share; nobody else includes it. */
#ifndef ORDEM_JUDGE_PARTS_H
#define ORDEM_JUDGE_PARTS_H

#include "common/lab/judge.h"
#include "common/lab/tell.h"

/* A command that was delivered nowhere at that process. */
#define NOT_DELIVERED 0

struct judging {
    const struct history *history;
    struct judgement *judgement;
    uint32_t **sequence; /* by process: the first delivery of each command, as events, in their order */
    uint32_t *sequence_length;
    uint32_t **position;     /* by process and command: its place in the sequence from 1, or NOT_DELIVERED */
    bool sender_log_missing; /* some sender's log is not there */
};

/* One for each guarantee, or for several that go together. Each fills its verdicts' counts, findings and evidence. */
void judge_delivery(struct judging *judging);
void judge_no_duplicates(struct judging *judging);
void judge_no_creation(struct judging *judging);
void judge_fifo(struct judging *judging);
void judge_causal(struct judging *judging);
void judge_total(struct judging *judging);
void judge_convergence(struct judging *judging);

/* Adds a line to a verdict's evidence. */
void verdict_add_evidence(struct verdict *verdict, uint32_t event);

/* The end of a story: why `overtaken` came to `process` too late, or a command not at all (": the network held it
 * back for 27 ms"). Where a line of the log says so, it becomes evidence too. */
void tell_overtaking(struct verdict *verdict, const struct history *history, uint32_t process,
                     uint32_t overtaken);
void tell_loss(struct verdict *verdict, const struct history *history, uint32_t process, uint32_t command);

/* How many pairs of `values` stand in descending order; sorts them. `scratch` has room for as many. n log n. */
uint64_t count_inversions(uint32_t *values, uint32_t *scratch, size_t count);

#endif
