/* What the proposer's files share; nobody else includes it. */
#ifndef ORDEM_PAXOS_PROPOSER_PARTS_H
#define ORDEM_PAXOS_PROPOSER_PARTS_H

#include "paxos/proposer.h"

/* proposer.c */
void proposer_step_down(struct proposer *proposer, uint64_t draw, struct paxos_actions *out);
void proposer_prepare(struct proposer *proposer, uint64_t draw, struct paxos_actions *out);

/* proposer_lead.c */
void leader_begin(struct proposer *proposer, struct paxos_actions *out);
void leader_accepted(struct proposer *proposer, const struct paxos_message *message,
                     struct paxos_actions *out);
void leader_beat(struct proposer *proposer, struct paxos_actions *out);
void leader_end(struct proposer *proposer, struct paxos_actions *out);

/* proposer_read.c */
void reads_flush(struct proposer *proposer, struct paxos_actions *out);
void reads_ask(struct proposer *proposer, struct paxos_actions *out);
void reads_confirmed(struct proposer *proposer, const struct paxos_message *message,
                     struct paxos_actions *out);
void reads_refuse(struct proposer *proposer, struct paxos_actions *out);

#endif
