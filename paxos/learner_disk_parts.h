/* What the two halves of a learner's disk share: learner_disk.c writes, learner_disk_read.c reads it again. */
#ifndef ORDEM_PAXOS_LEARNER_DISK_PARTS_H
#define ORDEM_PAXOS_LEARNER_DISK_PARTS_H

#include "paxos/learner_disk.h"

#define SESSION_BYTES    16   /* of one: client and timestamp, the lowest byte first */
#define SESSIONS_PER_ROW 1024 /* numbers 1 to 1024, 1025 to 2048, … */
#define SESSION_ROWS     (SESSIONS_KEPT / SESSIONS_PER_ROW + 1) /* then the oldest row is written over */

/* "the learner's checkpoint: <what it was doing>: <what SQLite says>"; returns ERROR_FILE. */
int learner_disk_refuse(const struct learner_disk *disk, const char *doing, struct error *error);

int learner_disk_prepare(struct learner_disk *disk, const char *sql, struct sqlite3_stmt **statement,
                         struct error *error);

/* Puts all that is on the disk into the empty `state` and `sessions`. ERROR_FILE. */
int learner_disk_read(struct learner_disk *disk, struct learner_state *state, struct sessions *sessions,
                      struct error *error);

#endif
