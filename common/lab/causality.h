/* Happened-before (Lamport 1978), worked out from the logs: how much of every sender a command's sender knew when it
 * sent the command. The wire carries no vector clocks; sends and deliveries tell the same, and where clients are the
 * senders, who deliver nothing, what they read: a value that one SET alone has given tells of that SET. A process that
 * starts again has forgotten what it had delivered; what it comes to know with an installed state is not counted. */
#ifndef ORDEM_CAUSALITY_H
#define ORDEM_CAUSALITY_H

#include "common/lab/history.h"

#include <stdint.h>

struct causality {
    const struct history *history;
    uint32_t **sent_by; /* by process: its commands by send_index, from 1 */
    uint32_t
        *columns; /* by process: its place among those that sent something; HISTORY_NONE for the others */
    size_t column_count;
    uint32_t *known; /* by command and column: how many of the process's commands precede it */
};

void causality_init(struct causality *causality, const struct history *history);

void causality_free(struct causality *causality);

/* `sender` has sent something. The first so many commands of `sender` happened before `command` was sent (its own predecessors, not itself). */
uint32_t causality_known(const struct causality *causality, uint32_t command, uint32_t sender);

#endif
