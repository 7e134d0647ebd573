/* What silence means. Where nobody has anything to do no log grows; but a member that stands still is just as silent, and
 * so are all while a broker waits for a slow disk. Before a run ends, the lab therefore looks for what is still to come. */
#include "common/lab/run_state.h"

/* If nobody dies and the network is whole, nothing that a node took is gone. */
static bool is_undisturbed(const struct run *run)
{
    const struct schedule *schedule = &run->options->schedule;

    for (size_t i = 0; i < schedule->count; i++) {
        enum schedule_action action = schedule->events[i].action;
        if (action != SCHEDULE_PAUSE && action != SCHEDULE_RESUME) {
            return false;
        }
    }
    return true;
}

static bool somebody_is_dead(const struct run *run)
{
    for (size_t i = 0; i < run->group.count; i++) {
        if (run->group.members[i].killed) {
            return true;
        }
    }
    return false;
}

/* Users see no answer that says a node took their line, and the network may lose it from there on. */
static bool was_all_taken(const struct run *run)
{
    for (unsigned writer = 0; writer < run->options->writers; writer++) {
        if (run->group.members[writer].sends < run->typed[writer]) {
            return false;
        }
    }
    return true;
}

static unsigned sends_of_replicas(const struct run *run)
{
    unsigned sends = 0;

    for (size_t i = 0; i < run->group.count; i++) {
        const struct member *member = &run->group.members[i];
        sends += member->kind == run->plan->applies ? member->sends : 0;
    }
    return sends;
}

/* How many commands every replica must have delivered in the end, at least: those that were acknowledged and, as long as
 * nobody could lose any, those that were sent. */
static unsigned owed(const struct run *run)
{
    unsigned acknowledged = run->clients.sets_done;
    unsigned sent = is_undisturbed(run) ? sends_of_replicas(run) : 0;

    return sent > acknowledged ? sent : acknowledged;
}

static bool have_all(const struct run *run)
{
    const struct part_plan *plan = run->plan;
    /* Who is dead for good may be the only one who had what it acknowledged. */
    bool keeps = is_undisturbed(run) || (plan->agrees && !somebody_is_dead(run));

    if (plan->agrees && !group_agrees(&run->group, plan->applies, plan->tells_leads)) {
        return false;
    }
    switch (plan->users) {
    case USERS_TYPE:
        return !is_undisturbed(run) || was_all_taken(run);
    case USERS_GRPC:
    case USERS_HTTP:
        return !keeps || group_last_seq(&run->group, plan->applies) >= owed(run);
    case USERS_ZMQ:
        break; /* a server's numbers also count what no client asked for */
    }
    return true;
}

bool run_is_idle(struct run *run)
{
    /* Without a broker nothing will come any more. */
    if (run_broker_is_lost(run)) {
        return true;
    }
    if (group_is_held_up(&run->group)) {
        return false;
    }
    group_read_on(&run->group);
    return have_all(run);
}
