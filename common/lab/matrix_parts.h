/* What the files matrix*.c share; nobody else includes it. */
#ifndef ORDEM_MATRIX_PARTS_H
#define ORDEM_MATRIX_PARTS_H

#include "common/lab/matrix.h"

/* ---- matrix_service.c: how clients fared while somebody was down ---- */

struct service {
    uint32_t kill, restart; /* the lab's lines; HISTORY_NONE if it was not done */
    uint32_t process;       /* who was killed; HISTORY_NONE if it has no log: a broker */
    struct text target;     /* its name */
    uint64_t sent;          /* commands, in that time */
    uint64_t answered;      /* of them before anybody was started again */
    int64_t
        back_us; /* after the kill until the first command was sent from which on all were answered; -1: never */
    int64_t silence_us;  /* in that time, the longest without any answer; -1 where it cannot be told */
    uint32_t unanswered; /* the line with which the first one was sent that was not answered, */
    uint32_t refusal;    /* and the one that tells how it ended; HISTORY_NONE if there is none */
};

/* Looks at the first kill of the history. What was sent to the killed process itself counts only where `whole`: where
 * all clients depend on it. What was sent in the last instants before the restart and answered after it counts for
 * neither. */
void service_measure(const struct history *history, bool whole, struct service *service);

/* ---- matrix_loss.c ---- */

struct loss {
    uint64_t count;     /* what clients were told is safe, and a replica that is up in the end never got */
    uint32_t operation; /* the first; HISTORY_NONE if there is none, */
    uint32_t process;   /* and who lacks it */
};

struct loss loss_measure(const struct history *history);

/* ---- matrix_price.c ---- */

/* Of a run in which nothing was wrong. */
struct matrix_price price_measure(const struct history *history, const struct clients_summary *clients);

/* ---- matrix_cells.c ---- */

/* By column; GUARANTEE_COUNT for those that are no guarantee of the judge's. */
extern const enum guarantee matrix_guarantees[MATRIX_COLUMN_COUNT];

/* A run on a bad network, into its cells. */
void cells_add_guarantees(struct matrix_row *row, const struct run_options *run, const struct report *report);

/* A run that cannot tell, and why. */
void cells_add_failure(struct matrix_cell *cell, const char *reason);

void cell_add_outcome(struct matrix_cell *cell, enum outcome outcome, uint64_t count);

/* A cell's first counterexample: where it is and its story; then the lines that prove it, each once. */
void proof_begin(struct proof *proof, const struct run_options *run, const struct buffer *story);
void proof_quote_line(struct proof *proof, const struct report *report, uint32_t event);
void proof_quote_verdict(struct proof *proof, const struct report *report, const struct verdict *verdict);

/* ---- matrix_drill.c ---- */

/* A run in which a node or the coordinator was killed, into its cell. */
void cells_add_survival(struct matrix_cell *cell, const struct run_options *run, const struct report *report,
                        bool coordinator);

#endif
