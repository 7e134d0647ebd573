/* What a proposer keeps on disk, in DATA_DIR:
 *
 *     proposer_2_state.json              {"nodeId":2,"proposalNumber":17}
 *     checkpoints/proposer_2_0000000042.json    {"nodeId":2,"proposalNumber":17,"firstUndecided":42001}
 *
 * The state is written before its round is used (paxos/proposer.c), in place of the old one as a whole. A checkpoint is
 * written now and then by a thread; it only saves a proposer that starts from asking for what was decided long ago. A
 * state that is hurt, or gone where there are checkpoints, ends the program: which rounds were used nobody else knows. */
#ifndef ORDEM_PAXOS_PROPOSER_STATE_H
#define ORDEM_PAXOS_PROPOSER_STATE_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define PROPOSER_CHECKPOINTS 5 /* that are kept */

/* One checkpoint, while it is written. */
struct proposer_checkpoint {
    uv_work_t work;
    uint64_t number, round, first;
    struct error error;
};

struct proposer_state {
    const char *folder; /* DATA_DIR; not owned */
    uint32_t id;
    uint64_t round; /* the highest that may have been used; 0: none */
    uint64_t first; /* all before this instance is decided; 1 if that is not known */

    void (*on_checkpoint)(struct proposer_state *, const struct error *); /* NULL: it is written */

    /* What follows is the implementation's. */

    uint64_t checkpoint_number; /* of the last one */
    bool writing;
    struct proposer_checkpoint checkpoint;
};

/* Reads what is there. on_checkpoint is set already. Errors: ERROR_FILE. */
int proposer_state_open(struct proposer_state *state, const char *folder, uint32_t id, struct error *error);

/* The round is on disk when it returns 0. Errors: ERROR_FILE; then the old state is. */
int proposer_state_save(struct proposer_state *state, uint64_t round, struct error *error);

/* Writes a checkpoint, unless one is being written or nothing has changed since the last one. */
void proposer_state_checkpoint(struct proposer_state *state, uv_loop_t *loop, uint64_t first);

#endif
