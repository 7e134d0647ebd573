/* When the next instance begins.
 *
 * Clients that were just answered mostly ask again at once. If the next instance began without them, two halves of the
 * clients would take turns for ever, each with a wait for the disk of its own. So it waits until as many commands are there
 * as waited before and were answered, GATHER_MS at most. Where that was in vain, because clients take their time, the
 * next GATHER_REST instances do not wait. */
#include "paxos/proposer_process.h"

#include "common/container_of.h"

#define GATHER_MS   2
#define GATHER_REST 64

static size_t waiting(const struct proposer_process *proposer)
{
    return proposer->proposer.queue_count - proposer->proposer.queue_first;
}

static void on_due(uv_timer_t *timer)
{
    struct proposer_process *proposer = container_of(timer, struct proposer_process, gather_due);

    proposer->gathers = false;
    proposer->gather_rest = GATHER_REST;
}

void gather_open(struct proposer_process *proposer)
{
    uv_timer_init(&proposer->process.runtime.loop, &proposer->gather_due);
}

void gather_begin(struct proposer_process *proposer, size_t answered)
{
    if (proposer->gather_rest > 0) {
        proposer->gather_rest--;
        return;
    }
    if (!proposer->gathers) {
        proposer->gathers = true;
        proposer->gather_wanted = waiting(proposer);
        uv_timer_start(&proposer->gather_due, on_due, GATHER_MS, 0);
    }
    proposer->gather_wanted += answered;
}

bool gather_is_over(struct proposer_process *proposer)
{
    const struct proposer *role = &proposer->proposer;

    if (proposer->gathers && (waiting(proposer) >= proposer->gather_wanted ||
                              waiting(proposer) >= PAXOS_BATCH || role->phase != PROPOSER_LEADS)) {
        proposer->gathers = false;
        uv_timer_stop(&proposer->gather_due);
    }
    return !proposer->gathers;
}

void gather_close(struct proposer_process *proposer)
{
    proposer->gathers = false;
    uv_close((uv_handle_t *)&proposer->gather_due, NULL);
}
