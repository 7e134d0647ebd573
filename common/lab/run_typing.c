#include "common/lab/run_state.h"

#define FULL_SPEED_BURST 50 /* lines that each writer types in a turn */

/* How many lines a writer should have typed by now. */
static unsigned due_lines(const struct run *run, unsigned writer, uint64_t elapsed_ms)
{
    unsigned share = workload_share(&run->workload, writer);
    /* At full speed all writers type a burst in every turn, so that they race, and none is done before the next starts. */
    uint64_t due = run->options->rate == 0 ? run->typed[writer] + FULL_SPEED_BURST
                                           : 1 + elapsed_ms * run->options->rate / 1000;
    return due < share ? (unsigned)due : share;
}

unsigned run_type_lines(struct run *run, uint64_t elapsed_ms)
{
    unsigned done = 0;

    for (unsigned writer = 0; writer < run->options->writers; writer++) {
        buffer_clear(&run->lines);
        for (unsigned due = due_lines(run, writer, elapsed_ms); run->typed[writer] < due;) {
            workload_line(&run->workload, writer, ++run->typed[writer], &run->lines);
        }
        group_type(&run->group, writer, run->lines.bytes, run->lines.length);
        done += run->typed[writer];
    }
    return done;
}
