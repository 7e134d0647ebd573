/* Who leads?
 *
 * Rule: whoever a majority of acceptors has promised, in instance 0, to accept nothing below its ballot; the promise holds
 * for every instance that follows, so phase 1 is done once for all of them (Lamport 2001, section 3: the leader "executes
 * phase 1 for infinitely many instances"; van Renesse and Altinbuken 2015, section 3: scouts).
 *
 * Guarantees: no two proposers own one ballot, and none owns it twice, also over a crash, for the round is on disk before
 * it is used. Does not guarantee: that only one believes that it leads, or that anybody does. Two may duel; random
 * time-outs make it unlikely that they do so for long, and safety needs neither (Fischer, Lynch and Paterson 1985: no
 * rule could promise more).
 *
 * To break it: drop the paxos_record in proposer_prepare, and restart a leader. */
#include "paxos/proposer_parts.h"

#include <stdlib.h>

#define UNHEARD_MAX     4 /* that make it wait longer: up to eight times as long */
#define REPAIR_TIMEOUTS 8 /* between two times that a learner's question ends a leadership */

void proposer_init(struct proposer *proposer, const struct proposer_options *options)
{
    *proposer = (struct proposer){.options = *options, .first = 1, .next = 1};
}

void proposer_restore(struct proposer *proposer, const struct paxos_record *record)
{
    if (record->type == RECORD_ROUND && record->ballot.round > proposer->round) {
        proposer->round = record->ballot.round;
    }
}

void proposer_resume(struct proposer *proposer, uint64_t first)
{
    proposer->first = first;
    proposer->next = first;
}

void proposer_free(struct proposer *proposer)
{
    for (uint64_t i = proposer->first; i < proposer->next; i++) {
        value_release(proposer_slot(proposer, i)->value);
    }
    for (size_t i = proposer->queue_first; i < proposer->queue_count; i++) {
        free((char *)proposer->queue[i].bytes);
    }
    free(proposer->slots);
    free(proposer->queue);
    free(proposer->reads);
    kept_free(&proposer->found);
}

/* Between one and two time-outs, so that those who lost a leader together do not all stand up together. Who is cut off from
 * another proposer, but not from the acceptors, never hears it lead: the two would take the lead from one another again and
 * again, and do so less and less often. */
static void wait_for_leader(struct proposer *proposer, uint64_t draw)
{
    unsigned times = proposer->unheard > UNHEARD_MAX ? UNHEARD_MAX : proposer->unheard;
    uint64_t timeout_ms = (uint64_t)proposer->options.timeout_ms << (times > 0 ? times - 1 : 0);

    proposer->deadline_ms = proposer->now_ms + timeout_ms + draw % (timeout_ms + 1);
}

void proposer_step_down(struct proposer *proposer, uint64_t draw, struct paxos_actions *out)
{
    enum proposer_phase phase = proposer->phase;

    proposer->phase = PROPOSER_FOLLOWS;
    proposer->leader_in_sight = false;
    wait_for_leader(proposer, draw);
    if (phase == PROPOSER_LEADS) {
        paxos_actions_add(out, (struct paxos_action){.type = PAXOS_STEP_DOWN, .ballot = proposer->ballot});
        leader_end(proposer, out);
    }
}

/* A higher ballot exists: whoever owns it leads, or tries to. */
static void see_ballot(struct proposer *proposer, struct ballot ballot, uint64_t draw,
                       struct paxos_actions *out)
{
    if (ballot_compare(ballot, proposer->highest) > 0) {
        proposer->highest = ballot;
        proposer->leader_in_sight = false;
    }
    if (proposer->phase != PROPOSER_FOLLOWS && ballot_compare(ballot, proposer->ballot) > 0) {
        proposer->unheard++;
        proposer_step_down(proposer, draw, out);
    }
}

/* That it has seen or used. */
static uint64_t highest_round(const struct proposer *proposer)
{
    return proposer->highest.round > proposer->round ? proposer->highest.round : proposer->round;
}

/* Phase 1a: "A proposer selects a proposal number n and sends a prepare request with number n to a majority of acceptors."
 * To all of them: the first majority to answer will do. */
void proposer_prepare(struct proposer *proposer, uint64_t draw, struct paxos_actions *out)
{
    uint64_t seen = highest_round(proposer);

    wait_for_leader(proposer, draw);
    if (seen >= BALLOT_ROUND_MAX) {
        return; /* nobody who is well has come so far; going round to 1 would reuse ballots */
    }
    proposer->round = seen + 1;
    proposer->ballot = (struct ballot){proposer->round, proposer->options.id};
    proposer->highest = proposer->ballot;
    proposer->leader_in_sight = false;
    proposer->phase = PROPOSER_PREPARES;
    proposer->promises = 0;
    kept_free(&proposer->found);
    proposer->found.forgotten = proposer->first - 1;
    proposer->first_is_known = proposer->first == 1;
    paxos_record(out, RECORD_ROUND, proposer->ballot, 0, NULL);
    paxos_send(out, TO_ACCEPTORS, 0,
               paxos_message_create(PAXOS_PREPARE, proposer->options.id, proposer->ballot,
                                    proposer->first > 1 ? proposer->first - 1 : 1));
}

/* P2c: if the value is to be v, then either no acceptor of some majority has accepted below n, "or v is the value of the
 * highest-numbered proposal among all proposals numbered less than n accepted by the acceptors" of that majority. Kept
 * here per instance. What an acceptor has forgotten is decided, and nobody needs it from here any more. */
static void note_promise(struct proposer *proposer, const struct paxos_message *message)
{
    kept_forget(&proposer->found, message->instance);
    proposer->first_is_known |= message->count > 0 || message->instance + 1 >= proposer->first;
    for (size_t i = 0; i < message->count; i++) {
        const struct proposal *proposal = &message->proposals[i];
        const struct proposal *found = kept_find(&proposer->found, proposal->instance);
        if (found == NULL || ballot_compare(proposal->ballot, found->ballot) > 0) {
            kept_put(&proposer->found, proposal->instance, proposal->ballot, proposal->value);
        }
    }
    proposer->promises |= members_bit(message->from);
}

/* The instance before the first one is decided: of any majority somebody has accepted it, or forgotten it. Where nobody
 * has, what a heartbeat said of it was not true, and all that there is must be asked for. */
static void receive_promise(struct proposer *proposer, const struct paxos_message *message, uint64_t draw,
                            struct paxos_actions *out)
{
    if (proposer->phase != PROPOSER_PREPARES || ballot_compare(message->ballot, proposer->ballot) != 0) {
        return;
    }
    note_promise(proposer, message);
    if (members_count(proposer->promises) < members_majority(proposer->options.acceptors)) {
        return;
    }
    if (proposer->first_is_known) {
        leader_begin(proposer, out);
    } else {
        proposer_resume(proposer, 1);
        proposer_prepare(proposer, draw, out);
    }
}

/* The leader is there; all before its first instance is decided, so it needs no more of us. */
static void receive_heartbeat(struct proposer *proposer, const struct paxos_message *message, uint64_t draw)
{
    if (proposer->phase == PROPOSER_FOLLOWS && ballot_compare(message->ballot, proposer->highest) == 0) {
        proposer->leader_in_sight = true;
        proposer->unheard = 0;
        wait_for_leader(proposer, draw);
        if (message->instance > proposer->first) {
            proposer->first = message->instance;
            proposer->next = message->instance;
        }
    }
}

/* A learner finds no majority for what was decided long ago: later ballots reached some of its acceptors and then their
 * proposer died. Phase 1 from there on and the instance is proposed once more, with the value that it has (P2c). This
 * costs a change of leader, so that nobody, however often he asks, gets it twice in a few time-outs. */
static void receive_fetch(struct proposer *proposer, const struct paxos_message *message, uint64_t draw,
                          struct paxos_actions *out)
{
    if (proposer->phase == PROPOSER_LEADS && message->instance >= 1 && message->instance < proposer->first &&
        proposer->now_ms >= proposer->repair_at_ms) {
        proposer->repair_at_ms = proposer->now_ms + (uint64_t)REPAIR_TIMEOUTS * proposer->options.timeout_ms;
        proposer_step_down(proposer, draw, out);
        proposer->first = message->instance;
        proposer->next = message->instance;
        proposer_prepare(proposer, draw, out);
    }
}

void proposer_receive(struct proposer *proposer, const struct paxos_message *message, uint64_t draw,
                      struct paxos_actions *out)
{
    if (message->from == 0 || message->from > PAXOS_MEMBERS_MAX || message->instance > PAXOS_INSTANCE_MAX) {
        return;
    }
    if (message->type == PAXOS_FETCH) {
        receive_fetch(proposer, message, draw, out);
        return;
    }
    if (!ballot_may_follow(message->ballot, highest_round(proposer)) ||
        (message->type != PAXOS_HEARTBEAT && message->from > proposer->options.acceptors)) {
        return;
    }
    see_ballot(proposer, message->ballot, draw, out);
    if (message->type == PAXOS_PROMISE) {
        receive_promise(proposer, message, draw, out);
    } else if (message->type == PAXOS_ACCEPTED) {
        leader_accepted(proposer, message, out);
    } else if (message->type == PAXOS_CONFIRMED) {
        reads_confirmed(proposer, message, out);
    } else if (message->type == PAXOS_HEARTBEAT) {
        receive_heartbeat(proposer, message, draw);
    }
}

static void let_time_pass(struct proposer *proposer, uint64_t clock_ms, uint64_t draw)
{
    uint64_t most = proposer->options.timeout_ms;

    if (!proposer->has_clock) {
        proposer->has_clock = true;
        wait_for_leader(proposer, draw);
    } else if (clock_ms > proposer->clock_ms) {
        uint64_t passed = clock_ms - proposer->clock_ms;
        proposer->now_ms += passed < most ? passed : most;
    }
    proposer->clock_ms = clock_ms;
}

/* A leader that no majority hears would only keep clients waiting. Two time-outs: by then others try, too. */
void proposer_tick(struct proposer *proposer, uint64_t clock_ms, uint64_t draw, struct paxos_actions *out)
{
    let_time_pass(proposer, clock_ms, draw);
    if (proposer->phase == PROPOSER_LEADS &&
        proposer->now_ms - proposer->confirmed_ms > 2 * (uint64_t)proposer->options.timeout_ms) {
        proposer_step_down(proposer, draw, out);
    } else if (proposer->phase == PROPOSER_LEADS && proposer->now_ms >= proposer->heartbeat_at_ms) {
        leader_beat(proposer, out);
    } else if (proposer->phase != PROPOSER_LEADS && proposer->now_ms >= proposer->deadline_ms) {
        proposer_prepare(proposer, draw, out);
    }
}
