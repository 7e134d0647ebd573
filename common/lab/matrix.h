/* The guarantee matrix: for every part which guarantees it gave, what it survived, and what that costs. Made from the
 * directories of runs alone (their run.json and their logs), each judged by itself and added to its part's row.
 *
 * Which run fills which cells:
 *
 *   - a bad network and nobody killed: the guarantees. A cell holds if it held in every such run.
 *   - a node killed: "survives a node". It does if while the node is down the clients of the others are answered, and if
 *     after its return nothing acknowledged is missing anywhere and its replica is equal to the others'.
 *   - the coordinator killed (parte2's broker, parte3's sequencer, parte4's leader; parte1 has none): "survives the
 *     coordinator". It does if clients are answered again before anybody starts it again, and if nothing acknowledged is
 *     lost.
 *   - neither: the price.
 *
 * Where nobody is told "ok" (parte1), a command counts as answered when the node at which it was typed has delivered
 * it, and as acknowledged when it was sent. */
#ifndef ORDEM_MATRIX_H
#define ORDEM_MATRIX_H

#include "common/error.h"
#include "common/lab/judge.h"
#include "common/lab/report.h"
#include "common/lab/run.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum matrix_column {
    MATRIX_DELIVERY,
    MATRIX_NO_DUPLICATES,
    MATRIX_FIFO,
    MATRIX_CAUSAL,
    MATRIX_TOTAL,
    MATRIX_CONVERGENCE,
    MATRIX_LINEARIZABLE,
    MATRIX_NODE,        /* survives a node's crash */
    MATRIX_COORDINATOR, /* survives the coordinator's */
    MATRIX_TABLE_COUNT, /* so many columns has the table; the rest stands in a line below it: */
    MATRIX_NO_CREATION = MATRIX_TABLE_COUNT, /* every part gives it, */
    MATRIX_GAP_FREE,                         /* and this is how a part orders, not what its users get */
    MATRIX_COLUMN_COUNT
};

enum cell_outcome {
    CELL_UNKNOWN, /* not measured, or it could not be told: `why` says why */
    CELL_HOLDS,
    CELL_VIOLATED,
    CELL_NOT_APPLICABLE /* there is nothing that it could be said of */
};

/* A line of a log that a counterexample quotes. */
struct proof_line {
    char file[64];       /* its name in the run's directory */
    uint32_t number;     /* from 1 */
    struct buffer text;  /* the line as it stands there, fit to be shown */
    struct buffer words; /* the same in few words: "06:14:26.708732  node2    deliver  SET x="1"" */
};

/* A counterexample, and where to look further. */
struct proof {
    char *directory; /* of the run; owned; NULL where there is none */
    uint64_t seed;
    struct buffer story; /* a sentence or two, no full stop at the end */
    struct proof_line lines[EVIDENCE_MAX];
    size_t line_count;
};

struct matrix_cell {
    enum cell_outcome outcome;
    unsigned runs;          /* that could tell; and in how many of them */
    unsigned violated_runs; /* it was violated */
    unsigned unknown_runs;  /* that could not tell */
    uint64_t
        count; /* violations in all of them; where somebody was killed the commands that were not answered,
                             * the deliveries that are missing and the keys that differ */
    struct buffer why;  /* CELL_UNKNOWN: why; where somebody was killed what happened; else empty */
    struct proof proof; /* of the first run in which it was violated */
};

/* What one command costs where nothing is wrong. What was not measured is below 0. */
struct matrix_price {
    double messages;        /* that the network carried for a command, copies to each receiver counted */
    int64_t p50_us, p99_us; /* from a command's call to its effect at the node that was called */
    double rate;            /* commands a second, as fast as they are taken */
};

struct matrix_row {
    const char *part;      /* "parte1" */
    const char *title;     /* "UDP multicast"; to be translated by _() */
    bool is_built;         /* its program is there, and the lab knows how to run it */
    char **directories;    /* of the runs; owned */
    size_t runs, capacity; /* how many */
    struct matrix_cell cells[MATRIX_COLUMN_COUNT];
    struct matrix_price price;
};

#define MATRIX_ROWS 5

struct matrix {
    struct matrix_row rows[MATRIX_ROWS]; /* from weak to strong */
};

/* Empty rows; what is built is looked up beside this program. */
void matrix_init(struct matrix *matrix);

/* Judges the run in that directory and adds it to its row. Errors: those of run_read_description and
 * log_sources_read; the matrix is unchanged then. */
int matrix_add_run(struct matrix *matrix, const char *directory, struct error *error);

/* The same for a run that has been read and judged already. */
void matrix_add(struct matrix *matrix, const struct run_options *run, const struct report *report);

/* A run that did not come to its end: what it was to tell is unknown, for that reason. */
void matrix_add_failure(struct matrix *matrix, const struct run_options *run, const char *reason);

/* The row of a part, NULL if it has none. */
struct matrix_row *matrix_find_row(struct matrix *matrix, const char *part);

/* "no duplicates", for people and to be translated by _(); "no_duplicates", for programs. */
const char *matrix_column_title(enum matrix_column column);
const char *matrix_column_name(enum matrix_column column);

/* "rows":[…], the members of a JSON object without its braces, behind what `out` holds. */
void matrix_json(const struct matrix *matrix, struct buffer *out);

/* The table on a terminal, as its rows become known; then what the marks mean, and below that for each ✗ its
 * counterexample and for each ? the reason. */
void matrix_print_head(FILE *out, bool colour);
void matrix_print_row(const struct matrix_row *row, FILE *out, bool colour);
void matrix_print_foot(const struct matrix *matrix, FILE *out, bool colour);

void matrix_free(struct matrix *matrix);

#endif
