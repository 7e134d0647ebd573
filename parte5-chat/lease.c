/* The question: how can there never be two who take writes, whoever is paused, and for how long?
 *
 * The rule: the leader holds a lease, leader.lock on the volume that all share, and renews it; it stops by itself when
 * a renewal has not come through in time, and only after that another may take the lease (Gray and Cheriton 1989).
 * Each owner gets a fencing number, one higher than the last; every write bears it, and the volume refuses what bears
 * a lower one than it has seen: for a leader may have been stopped between looking at the clock and writing.
 *
 * It guarantees: at most one server that may serve, at any instant; and, however clocks behave, no write of an earlier
 * leader after a later one has begun.
 *
 * It needs: that leader.lock is replaced in one step and only if it holds what was expected; and that clocks run alike
 * within drift_ppm. Their readings need not agree: no time of day is compared, each looks only at its own clock. A
 * leader counts lease_ms from *before* it asked for the renewal; a follower counts somewhat more, enough for the slowest
 * leader and the fastest follower, from when it *heard* of that renewal. The second begins later and takes longer.
 *
 * It does not guarantee service: while the volume is away nobody leads, and after a crash nobody does for a lease.
 *
 * To break it: in lease_may_serve, return lease->leading. A leader that wakes late serves beside its successor until
 * its next tick; then only the fencing number saves the files. In lease_admits return true (in the real server, whose
 * volume has its numbers as names of folders, in `keeps` of server_shared.c), and nothing does. */
#include "parte5-chat/lease.h"

#define MILLION 1000000

void lease_init(struct lease *lease, const struct lease_options *options, uint64_t now_ms)
{
    *lease = (struct lease){.options = *options, .asked_ms = now_ms};
}

static bool lock_equal(const struct lock *a, const struct lock *b)
{
    return a->owner == b->owner && a->fence == b->fence && a->beat == b->beat;
}

static void ask_to_read(struct lease *lease, uint64_t now_ms, struct coordinations *out)
{
    lease->asked = LEASE_READ;
    lease->asked_ms = now_ms;
    coordination_add(out, &(struct coordination){.type = COORDINATION_READ_LOCK});
}

static void ask_to_swap(struct lease *lease, struct lock wanted, uint64_t now_ms, struct coordinations *out)
{
    lease->asked = LEASE_SWAP;
    lease->asked_ms = now_ms;
    lease->wanted = wanted;
    coordination_add(out, &(struct coordination){.type = COORDINATION_SWAP_LOCK,
                                                 .found = lease->lock,
                                                 .wanted = wanted});
}

static void begin_reign(struct lease *lease, struct coordinations *out)
{
    lease->leading = true;
    coordination_add(out, &(struct coordination){.type = COORDINATION_LEAD, .epoch = lease->lock.fence});
}

static void end_reign(struct lease *lease, struct coordinations *out)
{
    if (lease->leading) {
        lease->leading = false;
        coordination_add(out, &(struct coordination){.type = COORDINATION_STEP_DOWN});
    }
}

/* So long must a follower see one and the same renewal: longer, by any clock within the drift, than its writer takes it
 * to last; and two more for what milliseconds leave out. */
static uint64_t patience_ms(const struct lease_options *options)
{
    return options->lease_ms * (MILLION + options->drift_ppm) / (MILLION - options->drift_ppm) + 2;
}

/* A renewal that came through lasts from the moment before it was asked for; one that comes through too late is none. A
 * reign once ended does not go on: the next one needs the next number. */
static void hear_swapped(struct lease *lease, uint64_t now_ms, struct coordinations *out)
{
    bool taken = !lease->leading && lease->wanted.owner == lease->options.self;
    uint64_t valid_until_ms = lease->asked_ms + lease->options.lease_ms;

    if (taken && lease->wanted.beat == 0 && now_ms < valid_until_ms) {
        lease->valid_until_ms = valid_until_ms;
        begin_reign(lease, out);
    } else if (lease->leading && now_ms < lease->valid_until_ms) {
        lease->valid_until_ms = valid_until_ms;
    } else {
        end_reign(lease, out);
    }
}

static void hear_lock(struct lease *lease, const struct lock *lock, uint64_t now_ms,
                      struct coordinations *out)
{
    enum lease_question asked = lease->asked;

    lease->asked = LEASE_NOTHING;
    if (!lease->seen || !lock_equal(&lease->lock, lock)) {
        lease->seen = true;
        lease->lock = *lock;
        lease->seen_ms = now_ms;
    }
    if (asked == LEASE_SWAP && lock_equal(lock, &lease->wanted)) {
        hear_swapped(lease, now_ms, out);
    } else if (lock->owner != lease->options.self || lock->fence != lease->wanted.fence) {
        end_reign(lease, out);
    }
}

void lease_hear(struct lease *lease, const struct notice *notice, uint64_t now_ms, struct coordinations *out)
{
    switch (notice->type) {
    case NOTICE_LOCK:
        if (lease->asked != LEASE_NOTHING) {
            hear_lock(lease, &notice->lock, now_ms, out);
        }
        break;
    case NOTICE_DEPOSED:
        end_reign(lease, out);
        break;
    default: /* the election's */
        break;
    }
}

/* The leader's rule: stop in time; renew well before. */
static void renew(struct lease *lease, uint64_t now_ms, struct coordinations *out)
{
    if (now_ms >= lease->valid_until_ms) {
        end_reign(lease, out);
    } else if (lease->asked == LEASE_NOTHING && now_ms - lease->asked_ms >= lease->options.lease_ms / 3) {
        struct lock wanted = lease->lock;
        wanted.beat++;
        ask_to_swap(lease, wanted, now_ms, out);
    }
}

/* The followers' rule: look, and take what is free or has run out. */
static void watch(struct lease *lease, uint64_t now_ms, struct coordinations *out)
{
    bool free = lease->lock.owner == NO_SERVER || now_ms - lease->seen_ms >= patience_ms(&lease->options);

    if (lease->asked != LEASE_NOTHING) {
        return;
    }
    if (lease->seen && free && lease->lock.fence < EPOCH_MAX) {
        ask_to_swap(lease, (struct lock){lease->options.self, lease->lock.fence + 1, 0}, now_ms, out);
    } else {
        ask_to_read(lease, now_ms, out);
    }
}

void lease_tick(struct lease *lease, uint64_t now_ms, struct coordinations *out)
{
    if (lease->leading) {
        renew(lease, now_ms, out);
    } else {
        watch(lease, now_ms, out);
    }
}

bool lease_may_serve(const struct lease *lease, uint64_t now_ms)
{
    return lease->leading && now_ms < lease->valid_until_ms;
}

/* Leaves the file without an owner: the next need not wait. */
void lease_leave(struct lease *lease, uint64_t now_ms, struct coordinations *out)
{
    if (lease->leading && lease->asked == LEASE_NOTHING) {
        end_reign(lease, out);
        ask_to_swap(lease, (struct lock){NO_SERVER, lease->lock.fence, lease->lock.beat + 1}, now_ms, out);
    }
    end_reign(lease, out);
}

bool lease_admits(int64_t *highest, int64_t fence)
{
    if (fence < *highest) {
        return false;
    }
    *highest = fence;
    return true;
}
