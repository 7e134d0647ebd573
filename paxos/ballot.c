#include "paxos/ballot.h"

#include "paxos/limits.h"

int ballot_compare(struct ballot a, struct ballot b)
{
    if (a.round != b.round) {
        return a.round < b.round ? -1 : 1;
    }
    return (a.proposer > b.proposer) - (a.proposer < b.proposer);
}

bool ballot_is_valid(struct ballot ballot)
{
    return ballot.round >= 1 && ballot.round <= BALLOT_ROUND_MAX && ballot.proposer >= 1 &&
           ballot.proposer <= PAXOS_MEMBERS_MAX;
}

bool ballot_may_follow(struct ballot ballot, uint64_t seen)
{
    return ballot_is_valid(ballot) && (ballot.round <= seen || ballot.round - seen <= BALLOT_STEP_MAX);
}
