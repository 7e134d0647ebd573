/* Could one copy of a value, which is read and written by one at a time, have given these answers? (Herlihy and Wing
 * 1990.) Pure: operations in, a verdict out. One register at a time is enough: a history is linearizable if it is so for
 * each key (they call it locality; Horn and Kroening 2015, P-compositionality).
 *
 * Three ways, the first that fits:
 *
 *   by seq     Where every reply told its place in a total order, that order is tried. If each read fits the write
 *              before it, and nothing stands before what had ended before it began, it is a linearization. n log n.
 *   by zones   Where no value was written twice, each read tells which write it saw. That write and its reads must stand
 *              together, so any two such groups must stand one before the other; the history is linearizable if and only
 *              if no two groups must each stand before the other (Gibbons and Korach 1997). n log n.
 *   by search  Otherwise: try every order that real time allows, and never the same configuration twice (Wing and Gong
 *              1993; Lowe 2017; Athalye's Porcupine). The problem is NP-complete: it stops at a bound. A read that fits
 *              the value of the moment is taken at once: it changes nothing, so nothing is lost. */
#ifndef ORDEM_LINEARIZABILITY_H
#define ORDEM_LINEARIZABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTER_NEVER  UINT32_MAX
#define REGISTER_NO_SEQ INT64_MIN

/* A configuration of the search takes 32 bytes at most. */
#define REGISTER_CONFIGURATIONS_MAX 2000000

struct register_operation {
    uint32_t invoked; /* when, in any unit: what ended before another began came before it */
    uint32_t
        completed; /* later than `invoked`, and of no two operations the same; REGISTER_NEVER for one that nobody
                         * knows the end of: a write may then have taken effect at any time since, or not at all */
    int64_t seq;    /* its place in the total order; REGISTER_NO_SEQ where it is not known */
    uint32_t value; /* that was read or written, as a number: equal numbers are equal values */
    bool is_write;
};

enum register_outcome { REGISTER_LINEARIZABLE, REGISTER_NOT_LINEARIZABLE, REGISTER_GAVE_UP };

enum register_method { REGISTER_BY_SEQ, REGISTER_BY_ZONES, REGISTER_BY_SEARCH };

#define REGISTER_NONE SIZE_MAX

struct register_verdict {
    enum register_outcome outcome;
    enum register_method method;
    uint64_t configurations; /* that the search visited */

    /* Where it is not linearizable: the operations up to the end of this read fit no order, those before do. */
    size_t read;

    /* And why, where it is known: the value that was read must be older than another one, as `older` ended before
     * `newer_begun` began, and newer, as `newer_ended` ended before the read began. The three are an operation on that
     * value (REGISTER_NONE for the initial one) and two, perhaps the same, on the other; all are REGISTER_NONE if nobody
     * had written the value that was read, or if it was the search that found out. */
    size_t older, newer_begun, newer_ended;
};

/* Judges `operations`, which are sorted by `invoked`; the register holds `initial` at first. The search gives up at more
 * than `configurations_max` configurations. */
void register_judge(const struct register_operation *operations, size_t count, uint32_t initial,
                    uint64_t configurations_max, struct register_verdict *verdict);

#endif
