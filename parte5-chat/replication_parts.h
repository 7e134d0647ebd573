/* What the files of the replication share; see replication.c. */
#ifndef ORDEM_REPLICATION_PARTS_H
#define ORDEM_REPLICATION_PARTS_H

#include "parte5-chat/replication.h"

void replication_add(struct replication_actions *out, enum replication_action_type type,
                     struct change *change);

/* From now on this is the epoch; the disk knows it before anybody is told. */
void replication_enter_epoch(struct replication *replication, int64_t epoch, struct replication_actions *out);

/* To peer `to`; `type`, and what is not said of every note, is in `note`. Takes its changes over. */
void replication_send(struct replication *replication, unsigned to, struct replication_note note,
                      struct replication_actions *out);

/* What follows on the place that a peer named in its FETCH. True if the peer is on our line; false if it must forget
 * what it has. */
bool replication_send_what_follows(struct replication *replication, const struct replication_note *fetch,
                                   struct replication_actions *out);

/* `change` is next, on disk and in the state. */
void replication_append(struct replication *replication, struct change *change,
                        struct replication_actions *out);

/* Puts a note's changes behind what there is, if they belong there; true if all of them are there now. */
bool replication_install(struct replication *replication, const struct replication_note *note,
                         struct replication_actions *out);

/* replication_primary.c */
void replication_hear_as_candidate(struct replication *replication, const struct replication_note *note,
                                   struct replication_actions *out);
void replication_hear_as_primary(struct replication *replication, const struct replication_note *note,
                                 struct replication_actions *out);
/* `slept_ms`: so long ago was the last tick that we, and perhaps the whole machine, must have been stopped; else 0. What the
 * others said meanwhile has come, and has not been heard yet: so that time does not count (`passed_ms` is 0), and nobody
 * is given up at this tick. After a long sleep, which breaks connections, the others get all their time again; after a
 * short one, what they were waited for before counts: else where all stands still for a moment now and then, nobody would
 * ever be given up. */
void replication_tick_primary(struct replication *replication, uint64_t passed_ms, uint64_t slept_ms,
                              struct replication_actions *out);
void replication_tick_candidate(struct replication *replication, uint64_t passed_ms, uint64_t slept_ms,
                                struct replication_actions *out);

#endif
