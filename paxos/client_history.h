/* The last operations of a client, and what became of them: numbered from 1, each as the JSON that tells of it. Pure. */
#ifndef ORDEM_PAXOS_CLIENT_HISTORY_H
#define ORDEM_PAXOS_CLIENT_HISTORY_H

#include "common/buffer.h"
#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

#define HISTORY_KEPT 512

/* Zeroed to start with. Something else that comes in order and is told by number may be kept in one, too. */
struct client_history {
    struct buffer items[HISTORY_KEPT]; /* a ring, by number */
    uint64_t count;                    /* that there ever were: the number of the last one */
};

/* One more, JSON (copied). */
void client_history_add(struct client_history *history, struct text json);

/* Adds {"next":…,"items":[…]}: those after number `after`, at most the last `most`; `next` is what to give as `after` to be
 * told the following ones. A number that was never given, from before a restart, is as 0. */
void client_history_write(const struct client_history *history, uint64_t after, size_t most,
                          struct buffer *out);

void client_history_free(struct client_history *history);

#endif
