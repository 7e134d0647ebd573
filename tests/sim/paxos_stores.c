/* The store's side: what its process does with store.h, and its disk, which keeps the calls that changed something. */
#include "common/memory.h"
#include "tests/sim/paxos_world.h"

static const char *const names[WORLD_RESOURCES] = {"x", "y"};

static struct store_write write_of(uint64_t number, const uint32_t *value)
{
    return (struct store_write){.number = number,
                                .timestamp = number,
                                .data = (const char *)value,
                                .length = sizeof *value};
}

/* Carries a call out: when it comes, and again when the disk is read. */
static enum store_answer call_store(struct world *world, struct member *member, const struct store_call *call)
{
    struct store *store = &member->store;
    const struct store_write write = write_of(call->number, &call->value);
    enum store_answer answer = STORE_DONE;

    switch (call->type) {
    case CALL_PREPARE:
        answer = store_prepare(store, names[call->resource], &write, world->clock_ms);
        break;
    case CALL_COMMIT:
        answer = store_commit(store, names[call->resource], call->number);
        break;
    case CALL_ABORT:
        answer = store_abort(store, names[call->resource], call->number);
        break;
    case CALL_FETCH:
        store_synchronize(store, names[call->resource], &write);
        break;
    case CALL_COMPLETED:
        store_completed(store, call->first, call->number);
        break;
    }
    return answer;
}

/* The call, and its record. */
static enum store_answer change(struct world *world, struct member *member, const struct store_call *call)
{
    size_t pending = member->store.pending_count;
    uint64_t complete = member->store.complete;
    uint64_t version = resources_version(&member->store.resources);
    enum store_answer answer = call_store(world, member, call);

    if (pending != member->store.pending_count || complete != member->store.complete ||
        version != resources_version(&member->store.resources) || call->type == CALL_FETCH) {
        member->calls =
            memory_grow(member->calls, &member->calls_capacity, member->written + 1, sizeof *member->calls);
        member->calls[member->written++] = *call;
        check_store(world, member);
    }
    return answer;
}

/* Of a resource that a batch writes more than once, only the last write is named: nobody may read the others any more. */
static bool is_last(const struct world *world, uint64_t number, uint64_t last)
{
    unsigned resource = world->operations[world->applied[number - 1]].resource;

    for (uint64_t i = number + 1; i <= last; i++) {
        if (world->operations[world->applied[i - 1]].resource == resource) {
            return false;
        }
    }
    return true;
}

/* Pending, or committed though perhaps not counted as complete: the crash may have come between the two. */
static bool keeps(const struct world *world, const struct store *store, uint64_t number)
{
    const struct resource *resource =
        store_find(store, names[world->operations[world->applied[number - 1]].resource]);

    return number <= store->complete || store_find_pending(store, number) != NULL ||
           (resource != NULL && resource->version >= number);
}

void site_start(struct world *world, struct member *member)
{
    store_init(&member->store);
    for (size_t i = 0; i < member->written; i++) {
        call_store(world, member, &member->calls[i]);
    }
    for (uint64_t i = 1; i <= member->told_ready; i++) {
        if (is_last(world, i, member->told_ready) && !keeps(world, &member->store, i)) {
            world_find(world, "ready is kept: %s was ready for write %llu, and knows nothing of it",
                       world_name(member), (unsigned long long)i);
        }
    }
}

/* It asks of one of the writes that it is in doubt about; of the others the next time. */
void site_tick(struct world *world, struct member *member)
{
    size_t from = member->store.pending_count > 0 ? world->step % member->store.pending_count : 0;
    const struct store_pending *doubt =
        store_in_doubt(&member->store, from, world->clock_ms, WORLD_TIMEOUT / 4);

    for (uint32_t i = 1; i <= WORLD_LEARNERS && doubt != NULL; i++) {
        network_talk(world, member, world_member(world, TO_LEARNERS, i),
                     &(struct talk){.type = TALK_DOUBT, .last = doubt->number});
    }
}

/* ---- what coordinators ask ---- */

static enum store_answer change_write(struct world *world, struct member *member, enum store_call_type type,
                                      uint64_t number)
{
    const struct world_operation *operation = &world->operations[world->applied[number - 1]];

    return change(world, member,
                  &(struct store_call){.type = type,
                                       .resource = operation->resource,
                                       .number = number,
                                       .value = operation->judged.value});
}

static enum store_answer each_write(struct world *world, struct member *member, const struct talk *talk)
{
    enum store_answer wanted = talk->type == TALK_PREPARE ? STORE_READY : STORE_DONE;
    enum store_answer answer = wanted;

    for (uint64_t i = talk->first; i <= talk->last && answer == wanted; i++) {
        if (is_last(world, i, talk->last)) {
            answer = change_write(world, member, talk->type == TALK_PREPARE ? CALL_PREPARE : CALL_COMMIT, i);
        }
    }
    return answer;
}

static void count_complete(struct world *world, struct member *member, uint64_t first, uint64_t last)
{
    change(world, member, &(struct store_call){.type = CALL_COMPLETED, .first = first, .number = last});
}

static enum store_answer hear_phase(struct world *world, struct member *member, const struct talk *talk)
{
    if (!store_follows(&member->store, talk->first)) {
        return STORE_UNKNOWN;
    }
    enum store_answer answer = each_write(world, member, talk);
    if (answer == STORE_DONE) {
        count_complete(world, member, talk->first, talk->last);
    }
    return answer;
}

/* A write that it was in doubt about, and nothing of those before it. */
static void hear_outcome(struct world *world, struct member *member, uint64_t number)
{
    if (store_find_pending(&member->store, number) != NULL) {
        change_write(world, member, CALL_COMMIT, number);
        if (world->options.variant == STORE_COUNTS_GAPS) {
            count_complete(world, member, 1, number);
        }
    }
}

static void hear_state(struct world *world, struct member *member, const struct talk *talk)
{
    for (unsigned i = 0; i < WORLD_RESOURCES && talk->last > member->store.complete; i++) {
        if (talk->cells[i].version > 0) {
            change(world, member,
                   &(struct store_call){.type = CALL_FETCH,
                                        .resource = i,
                                        .number = talk->cells[i].version,
                                        .value = (uint32_t)talk->cells[i].value});
        }
    }
    count_complete(world, member, 1, talk->last);
}

static void hear_read(struct world *world, const struct member *member, const struct talk *talk,
                      struct talk *answer)
{
    const struct resource *resource = store_find(&member->store, names[talk->resource]);

    answer->type = TALK_VALUE;
    answer->token = talk->token;
    answer->answer =
        store_may_read(&member->store, talk->last) || world->options.variant == STORE_READS_ANYHOW
            ? STORE_DONE
            : STORE_UNKNOWN;
    answer->cells[0].value =
        resource == NULL ? 0 : world->operations[world->applied[resource->version - 1]].judged.value;
}

static void tell_state(const struct world *world, const struct member *member, struct talk *answer)
{
    answer->type = TALK_STATE;
    answer->last = member->store.complete;
    for (unsigned i = 0; i < WORLD_RESOURCES; i++) {
        const struct resource *resource = store_find(&member->store, names[i]);
        if (resource != NULL) {
            answer->cells[i].version = resource->version;
            answer->cells[i].value = world->operations[world->applied[resource->version - 1]].judged.value;
        }
    }
}

/* What it answers; false if that is nothing. */
static bool hear(struct world *world, struct member *member, const struct member *from,
                 const struct talk *talk, struct talk *answer)
{
    switch (talk->type) {
    case TALK_PREPARE:
    case TALK_COMMIT:
        answer->type = TALK_ANSWER;
        answer->answer = hear_phase(world, member, talk);
        return true;
    case TALK_COMPARE:
        store_compare(&member->store, talk->last);
        break;
    case TALK_STATE:
        hear_state(world, member, talk);
        answer->first = 1;
        break;
    case TALK_COPY:
        network_talk(world, member, world_member(world, STORE_ROLE, (uint32_t)talk->last),
                     &(struct talk){.type = TALK_WANT});
        return false;
    case TALK_WANT:
        tell_state(world, member, answer);
        return member->store.serves;
    case TALK_OUTCOME:
        hear_outcome(world, member, talk->last);
        return false;
    default:
        hear_read(world, member, talk, answer);
        return true;
    }
    answer->type = TALK_HAS;
    answer->last = member->store.complete;
    return from->role == TO_LEARNERS;
}

/* The answer leaves when all that it speaks of is on the disk. */
void site_hear(struct world *world, struct member *member, const struct member *from, const struct talk *talk)
{
    struct talk answer = {.last = talk->last};

    if (!hear(world, member, from, talk, &answer)) {
        return;
    }
    if (member->durable == member->written || distort_sends_early(world, member)) {
        network_talk(world, member, from, &answer);
    } else {
        member_wait(member, &(struct waiting){.talks = true, .talk = answer, .to = world_place(world, from)});
    }
}

/* Somebody aborts by hand what waits: whatever a store is told, no other store suffers. */
void site_abort(struct world *world, struct member *member, uint64_t draw)
{
    const struct store *store = &member->store;

    member_sync(world, member);
    if (store->pending_count > 0) {
        uint64_t number = store->pendings[draw % store->pending_count].number;
        world_tell(world, "%s is told to abort write %llu", world_name(member), (unsigned long long)number);
        change(world, member,
               &(struct store_call){.type = CALL_ABORT,
                                    .resource = world->operations[world->applied[number - 1]].resource,
                                    .number = number});
        member->told_ready = 0; /* that was its word; now it is free of it */
    }
}
