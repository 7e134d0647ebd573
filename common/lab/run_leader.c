/* Who leads, as far as the lab can find out: by asking, or by what the members' logs tell. */
#include "common/lab/run_state.h"

int run_open_leader(struct run *run, struct error *error)
{
    if (run->plan->leader_alias == NULL || run->plan->tells_leads) {
        return 0;
    }
    run->finder_open = true;
    return leader_finder_open(&run->finder, &run->host->loop, run->asked_ports, run->asked_count, error);
}

bool run_is_led(struct run *run)
{
    return run->plan->leader_alias == NULL || run_find_leader(run) != NULL;
}

const char *run_find_leader(struct run *run)
{
    unsigned number;

    if (!run->plan->tells_leads) {
        return leader_finder_poll(&run->finder, &number) ? run->asked[number] : NULL;
    }
    const struct member *leader = group_leader(&run->group, run->plan->elects);
    return leader != NULL ? leader->name : NULL;
}

const char *run_find_follower(const struct run *run)
{
    const struct member *follower = group_follower(&run->group, run->plan->elects);

    return follower != NULL ? follower->name : NULL;
}
