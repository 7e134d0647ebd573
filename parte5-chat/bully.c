/* The question: who takes the writes, when the one who took them is gone?
 *
 * The rule: the strongest live server, which is the one with the lowest rank. Who is alive, the reference server says,
 * and a stronger leader that is heard, whatever the list says (one that just started is not yet on older lists);
 * while that is silent, a server that misses its leader asks all stronger ones, and leads if none answers ("bully
 * algorithm": Garcia-Molina 1982). Every leader begins a new epoch, higher than all that it has heard of.
 *
 * It guarantees: that somebody leads, some time-outs after the last failure; and that no two servers use one epoch.
 *
 * It does not guarantee that only one leads. A leader that is cut off from the reference server and from the next in
 * rank hears of nobody stronger and goes on, while the reference server, which misses it, says that the next is the
 * strongest: two primaries, each with its clients, until they hear of each other; then the lower epoch gives way, and
 * what it had answered OK to meanwhile is lost. Where the reference server is down, any cut between servers does the
 * same. No time-out mends that: it takes a majority (paxos), or a place that both must pass (lease.c).
 *
 * To break it: in begin_reign, leave the epoch as it is. Nobody obeys a successor with an epoch that was used before: when
 * the primary dies, that is the end of the service. */
#include "parte5-chat/bully.h"

void bully_init(struct bully *bully, const struct bully_options *options, uint64_t now_ms)
{
    *bully = (struct bully){.options = *options, .epoch = options->epoch, .last_tick_ms = now_ms};
}

static uint64_t stronger_than(unsigned server)
{
    return SERVER_BIT(server) - 1;
}

static bool is_another(const struct bully *bully, unsigned server)
{
    return server <= SERVERS_MAX && server != bully->options.self &&
           (bully->options.servers & SERVER_BIT(server));
}

static void send(struct coordinations *out, enum notice_type type, unsigned to, const struct bully *bully)
{
    coordination_add(out, &(struct coordination){
                              .type = COORDINATION_SEND,
                              .to = to,
                              .notice = {.type = type, .from = bully->options.self, .epoch = bully->epoch}});
}

static void begin_reign(struct bully *bully, struct coordinations *out)
{
    bully->epoch = (bully->epoch / EPOCHS_APART + 1) * EPOCHS_APART + bully->options.self;
    bully->leading = true;
    bully->electing = false;
    coordination_add(out, &(struct coordination){.type = COORDINATION_LEAD, .epoch = bully->epoch});
}

static void end_reign(struct bully *bully, struct coordinations *out)
{
    if (bully->leading) {
        bully->leading = false;
        coordination_add(out, &(struct coordination){.type = COORDINATION_STEP_DOWN});
    }
}

/* Garcia-Molina's election: P asks all processes that are stronger than itself. */
static void begin_election(struct bully *bully, struct coordinations *out)
{
    uint64_t stronger = bully->options.servers & stronger_than(bully->options.self);

    bully->electing = true;
    bully->answered = false;
    bully->electing_ms = 0;
    for (unsigned server = 1; server < bully->options.self; server++) {
        if (stronger & SERVER_BIT(server)) {
            send(out, NOTICE_ELECTION, server, bully);
        }
    }
    if (stronger == 0) {
        begin_reign(bully, out);
    }
}

/* A stronger process answers a weaker one that holds an election, and holds its own. */
static void hear_election(struct bully *bully, unsigned from, struct coordinations *out)
{
    send(out, NOTICE_ELECTION_OK, from, bully);
    if (bully->leading) {
        send(out, NOTICE_COORDINATOR, from, bully);
    } else if (!bully->electing && bully->reference_quiet_ms >= bully->options.timeout_ms) {
        begin_election(bully, out);
    }
}

/* Of two that say that they lead, the later epoch is right. */
static void hear_coordinator(struct bully *bully, const struct notice *notice, struct coordinations *out)
{
    if (notice->epoch < bully->epoch || !epoch_is_credible(bully->epoch, notice->epoch) ||
        !is_another(bully, notice->from)) {
        return;
    }
    bully->epoch = notice->epoch;
    bully->coordinator = notice->from;
    bully->coordinator_quiet_ms = 0;
    end_reign(bully, out);
}

void bully_hear(struct bully *bully, const struct notice *notice, uint64_t now_ms, struct coordinations *out)
{
    (void)now_ms;
    switch (notice->type) {
    case NOTICE_LIST:
        bully->alive = notice->servers;
        bully->reference_quiet_ms = 0;
        break;
    case NOTICE_ELECTION:
        if (notice->from > bully->options.self && is_another(bully, notice->from)) {
            hear_election(bully, notice->from, out);
        }
        break;
    case NOTICE_ELECTION_OK:
        if (notice->from < bully->options.self && is_another(bully, notice->from)) {
            bully->answered = true;
            bully->electing_ms = 0;
        }
        break;
    case NOTICE_COORDINATOR:
        hear_coordinator(bully, notice, out);
        break;
    case NOTICE_DEPOSED:
        if (notice->epoch > bully->epoch && notice->epoch <= EPOCH_MAX) {
            bully->epoch = notice->epoch;
        }
        end_reign(bully, out);
        break;
    default: /* the lease's */
        break;
    }
}

static void count_time(struct bully *bully, uint64_t now_ms)
{
    uint64_t passed = now_ms - bully->last_tick_ms;

    passed = passed < TICK_MAX_MS ? passed : TICK_MAX_MS;
    bully->last_tick_ms = now_ms;
    bully->reference_quiet_ms += passed;
    bully->coordinator_quiet_ms += passed;
    bully->electing_ms += passed;
}

/* A stronger one that says that it leads is alive, whatever an older list says. */
static bool has_stronger_leader(const struct bully *bully)
{
    return bully->coordinator != NO_SERVER && bully->coordinator < bully->options.self &&
           bully->coordinator_quiet_ms < bully->options.timeout_ms;
}

/* The rule while the reference server speaks: the lowest live rank leads. */
static void follow_reference(struct bully *bully, struct coordinations *out)
{
    bool alive = bully->alive & SERVER_BIT(bully->options.self);

    bully->electing = false;
    if (alive && !(bully->alive & stronger_than(bully->options.self)) && !has_stronger_leader(bully)) {
        begin_reign(bully, out);
    }
}

/* The rule while it is silent: who misses a stronger leader holds an election, and goes on with it till it knows. */
static void elect(struct bully *bully, struct coordinations *out)
{
    const struct bully_options *options = &bully->options;

    if (has_stronger_leader(bully)) {
        bully->electing = false;
    } else if (!bully->electing || (bully->answered && bully->electing_ms >= options->timeout_ms)) {
        begin_election(bully, out);
    } else if (!bully->answered && bully->electing_ms >= options->answer_ms) {
        begin_reign(bully, out);
    }
}

void bully_tick(struct bully *bully, uint64_t now_ms, struct coordinations *out)
{
    count_time(bully, now_ms);
    if (bully->leading) {
        return;
    }
    if (bully->reference_quiet_ms < bully->options.timeout_ms) {
        follow_reference(bully, out);
    } else {
        elect(bully, out);
    }
}

bool bully_may_serve(const struct bully *bully, uint64_t now_ms)
{
    (void)now_ms;
    return bully->leading;
}

void bully_leave(struct bully *bully, uint64_t now_ms, struct coordinations *out)
{
    (void)now_ms;
    end_reign(bully, out);
}
