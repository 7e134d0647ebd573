/* The judge: which guarantees a history keeps, and for each one that it breaks the lines that prove it.
 *
 * Definitions: Hadzilacos and Toueg 1994, "A Modular Approach to Fault-Tolerant Broadcasts"; "no creation" as in
 * Cachin, Guerraoui and Rodrigues 2011. The three orders are judged among the commands that were delivered: that one
 * is missing is the business of delivery alone.
 *
 * Processes crash and come back (Rodrigues and Raynal 2003, "Atomic Broadcast in Asynchronous Crash-Recovery
 * Distributed Systems"; the fail-recovery model of Cachin, Guerraoui and Rodrigues):
 *
 *   - A process is *correct* if it is up in the end: its last life (from one start to the next) was not ended by a
 *     kill or an error.
 *   - A command is *owed* to the correct processes if its client was told "ok"; without a client's word, if its sender
 *     logged the send and did not crash in that life (validity); and if a correct process has delivered it (agreement).
 *     What a sender took with it in a crash, and what a client was told "error" or nothing about, may be delivered or
 *     not: but then everywhere or nowhere.
 *   - What is owed is delivered in any life, or is part of a state that the process installed up to the command's seq.
 *     A process is owed what was sent since it was first ready, also while it was down, unless it had left properly.
 *   - Duplicates, orders and seq are judged within one life: what comes again after a crash comes to a process that has
 *     forgotten it, unless it has installed a state that holds it.
 *
 * The last instants before a crash may be missing in a log, as lines are written a few at a time. What could have
 * happened there is neither held against a process nor counted in its favour: the verdict is then unknown.
 *
 * Time and memory: n log n in the deliveries, times the number of pairs of lives for total order. */
#ifndef ORDEM_JUDGE_H
#define ORDEM_JUDGE_H

#include "common/buffer.h"
#include "common/lab/history.h"

#include <stddef.h>
#include <stdint.h>

enum guarantee {
    GUARANTEE_DELIVERY,      /* every correct process delivers every command that is owed to it */
    GUARANTEE_NO_DUPLICATES, /* no process delivers a command twice */
    GUARANTEE_NO_CREATION,   /* what is delivered was sent, and is what was sent */
    GUARANTEE_FIFO,          /* one sender's commands are delivered in the order in which it sent them */
    GUARANTEE_CAUSAL,        /* what a sender knew when it sent a command is delivered before that command */
    GUARANTEE_TOTAL,         /* any two processes deliver any two commands in the same order */
    GUARANTEE_CONVERGENCE,   /* all replicas end equal */
    GUARANTEE_GAP_FREE, /* one seq for each command and one command for each seq; delivered 1, 2, 3, … */
    GUARANTEE_LINEARIZABLE, /* what clients read is what one copy of the store would have told them */
    GUARANTEE_STORE_END,    /* so far those of the replicated store; what follows is the chat's: */

    GUARANTEE_KEPT = GUARANTEE_STORE_END, /* what a client was told OK for, every server has in the end */
    GUARANTEE_EQUAL,                      /* all servers end with the same changes in the same places */
    GUARANTEE_ONCE,                       /* what is asked for again takes effect once */
    GUARANTEE_IN_ORDER,  /* a subscriber hears what one sender says in the order in which it was said */
    GUARANTEE_ONE_LEADS, /* nobody says OK to a write that it took after a later reign had begun to */
    GUARANTEE_CLOCKS,  /* right after a round, the servers' clocks are as near to each other as it promises */
    GUARANTEE_LAMPORT, /* every message is heard later than it was said, by the logical clocks */
    GUARANTEE_COUNT
};

enum outcome { OUTCOME_HOLDS, OUTCOME_VIOLATED, OUTCOME_UNKNOWN };

#define EVIDENCE_MAX 8

struct verdict {
    enum outcome outcome;
    bool not_applicable;   /* there is nothing that it could be said of: it holds, of nothing */
    uint64_t count;        /* violations; of what, `finding` says */
    struct buffer finding; /* "8 of 900 deliveries are missing"; where unknown, why; in the user's language */
    struct buffer story;   /* of the counterexample: one sentence that says what happened and why */
    uint32_t evidence[EVIDENCE_MAX]; /* events whose lines prove it, in the order of the story */
    size_t evidence_count;
};

/* A key that replicas disagree on, or agree on. */
struct difference {
    uint32_t key; /* in `texts` */
    uint32_t *
        last_set; /* by replica: a line about the command that set it last (a delivery there, or where it came
                         * with an installed state, any), HISTORY_NONE if none did; owned */
};

/* The longest time without service: from one answer "ok" to the next, whichever clients they are for. */
struct silence {
    int64_t longest_us; /* -1 where it cannot be told */
    uint32_t before,
        after; /* the lines with which it begins and ends; HISTORY_NONE for the end of the clients' log */
};

/* How clients fared. */
struct clients_summary {
    uint64_t operations, ok, errors, unknown; /* those that never ended are unknown */
    int64_t p50_us, p99_us;                   /* latency of what was ok; -1 if nothing was */
    struct silence
        silence; /* since the lab first killed somebody, or did the like; not told where it never did */
};

struct judgement {
    enum guarantee first, end; /* what was judged: from the first to the one before the end */
    struct verdict verdicts[GUARANTEE_COUNT];
    uint32_t *replicas; /* the processes that count for convergence; owned */
    size_t replica_count;
    struct difference *differences; /* by key, bytewise; owned */
    size_t difference_count;
    struct difference
        *agreements; /* likewise the keys that they agree on; none if the differences are not known */
    size_t agreement_count;
    uint64_t nodes, coordinators; /* replicas with a log, and those that only order */
    uint64_t keys;                /* keys at any replica */
    uint64_t commands;            /* that were sent or delivered */
    uint64_t deliveries;          /* at all nodes */
    struct clients_summary clients;
};

/* The longest silence between two moments, with both of their ends. Where the clients' lines are in no certain order it
 * cannot be told. */
struct silence history_find_silence(const struct history *history, int64_t from_us, int64_t to_us);

/* Judges; the judgement refers to the history and lives no longer than it. */
void judge(const struct history *history, struct judgement *judgement);

void judgement_free(struct judgement *judgement);

/* OUTCOME_VIOLATED if anything is, else OUTCOME_UNKNOWN if anything is, else OUTCOME_HOLDS. */
enum outcome judgement_outcome(const struct judgement *judgement);

/* "total order", for people, in their language; "total_order", for programs. */
const char *guarantee_title(enum guarantee guarantee);
const char *guarantee_name(enum guarantee guarantee);

#endif
