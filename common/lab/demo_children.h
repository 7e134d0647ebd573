/* The runs of a demonstration as children of this program: several at once, stage by stage. */
#ifndef ORDEM_DEMO_CHILDREN_H
#define ORDEM_DEMO_CHILDREN_H

#include "common/lab/demo_plan.h"
#include "common/lab/environment.h"
#include "common/lab/guard.h"
#include "common/lab/run_host.h"

#include <stdbool.h>
#include <stddef.h>

enum child_state { CHILD_WAITS, CHILD_RUNS, CHILD_ENDED };

struct demo_child {
    struct guard guard;
    struct demo_children *children;
    const struct demo_run *run;
    enum child_state state;
    struct environment environment;
};

/* Zeroed to start with; `host`, `runs` and on_end are set by the owner. */
struct demo_children {
    struct run_host *host;
    const struct demo_run *runs;
    size_t count, running, ended;
    struct demo_child items[DEMO_RUNS_MAX];
    bool finished;      /* nobody runs, and nobody will */
    struct error error; /* the first that could not be started; ERROR_NONE */

    void (*on_end)(struct demo_children *, size_t number); /* that run has ended, well or not */
};

/* Starts the first ones; from then on the host's loop carries them on, until `finished`. An interrupt of the host ends
 * all of them, once it is told by demo_children_interrupt. */
void demo_children_begin(struct demo_children *children);

/* The host's broker is ready: those that waited for it may start. */
void demo_children_go_on(struct demo_children *children);

/* There will be no broker: all are interrupted, and `error` tells why. */
void demo_children_fail(struct demo_children *children, const struct error *error);

/* Those of one row that wait for the shared broker, or need none, are not started any more; `on_end` is not called for
 * them. Returns how many. */
unsigned demo_children_give_up_row(struct demo_children *children, size_t row);

void demo_children_interrupt(struct demo_children *children);

/* The last line that a child left behind where it did not leave a whole run, fit to be shown; "" if there is none. */
void demo_child_last_words(const struct demo_run *run, char *out, size_t size);

void demo_children_free(struct demo_children *children);

#endif
