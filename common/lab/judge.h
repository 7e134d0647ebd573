/* The judge: which guarantees a history keeps, and for each one that it breaks the lines that prove it.
 *
 * Definitions: Hadzilacos and Toueg 1994, "A Modular Approach to Fault-Tolerant Broadcasts"; "no creation" as in
 * Cachin, Guerraoui and Rodrigues 2011. The three orders are judged among the commands that were delivered: that one
 * is missing is the business of delivery alone.
 *
 * Time and memory: n log n in the deliveries, times the number of pairs of nodes for total order. */
#ifndef ORDEM_JUDGE_H
#define ORDEM_JUDGE_H

#include "common/buffer.h"
#include "common/lab/history.h"

#include <stddef.h>
#include <stdint.h>

enum guarantee {
    GUARANTEE_DELIVERY,      /* every correct node delivers every command sent */
    GUARANTEE_NO_DUPLICATES, /* no node delivers a command twice */
    GUARANTEE_NO_CREATION,   /* what is delivered was sent, and is what was sent */
    GUARANTEE_FIFO,          /* one sender's commands are delivered in the order in which it sent them */
    GUARANTEE_CAUSAL,        /* what a sender knew when it sent a command is delivered before that command */
    GUARANTEE_TOTAL,         /* any two nodes deliver any two commands in the same order */
    GUARANTEE_CONVERGENCE,   /* all replicas end equal */
    GUARANTEE_COUNT
};

enum outcome { OUTCOME_HOLDS, OUTCOME_VIOLATED, OUTCOME_UNKNOWN };

#define EVIDENCE_MAX 6

struct verdict {
    enum outcome outcome;
    uint64_t count;                  /* violations; of what, `finding` says */
    struct buffer finding;           /* "8 of 900 deliveries are missing"; where unknown, why */
    struct buffer story;             /* of the counterexample: one sentence that says what happened and why */
    uint32_t evidence[EVIDENCE_MAX]; /* events whose lines prove it, in the order of the story */
    size_t evidence_count;
};

/* A key that replicas disagree on. */
struct difference {
    uint32_t key;       /* in `texts` */
    uint32_t *last_set; /* by replica: the delivery that set it last, HISTORY_NONE if none did; owned */
};

struct judgement {
    struct verdict verdicts[GUARANTEE_COUNT];
    uint32_t *replicas; /* the processes that count for convergence; owned */
    size_t replica_count;
    struct difference *differences; /* by key, bytewise; owned */
    size_t difference_count;
    uint64_t keys;       /* keys at any replica */
    uint64_t commands;   /* that were sent or delivered */
    uint64_t deliveries; /* at all nodes */
};

/* Judges; the judgement refers to the history and lives no longer than it. */
void judge(const struct history *history, struct judgement *judgement);

void judgement_free(struct judgement *judgement);

/* OUTCOME_VIOLATED if anything is, else OUTCOME_UNKNOWN if anything is, else OUTCOME_HOLDS. */
enum outcome judgement_outcome(const struct judgement *judgement);

/* "total order", for people; "total_order", for programs. */
const char *guarantee_title(enum guarantee guarantee);
const char *guarantee_name(enum guarantee guarantee);

#endif
