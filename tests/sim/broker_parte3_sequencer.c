#include "tests/sim/broker_parte3.h"
#include "tests/sim/broker_seeds.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

static struct parte3_sequencer *find(struct parte3_world *world, unsigned number)
{
    return &world->sequencers[number - PARTE3_NODES];
}

/* The one that is connected: the lock lets in one. */
static struct parte3_sequencer *find_at_work(struct parte3_world *world)
{
    unsigned number = PARTE3_NODES;

    while (!find(world, number)->connected) {
        number++;
    }
    return find(world, number);
}

/* ---- numbered commands go out, as in sequencer_send.c ---- */

static void publish(struct parte3_world *world, const struct parte3_sequencer *sequencer,
                    const struct parte3_ordering *ordering, unsigned to)
{
    const unsigned everybody = (BROKER_TO(PARTE3_NODES) - 1) | BROKER_TO(PARTE3_HISTORY);

    broker_publish(&world->broker, sequencer->channel, ordering->message,
                   ordering->sent_again ? BROKER_TO(to) : everybody);
}

static struct parte3_ordering *add(struct parte3_sequencer *sequencer, struct parte3_ordering ordering)
{
    sequencer->orderings = memory_grow(sequencer->orderings, &sequencer->capacity, sequencer->count + 1,
                                       sizeof *sequencer->orderings);
    message_ref(ordering.message);
    sequencer->orderings[sequencer->count] = ordering;
    return &sequencer->orderings[sequencer->count++];
}

static void number(struct parte3_world *world, struct parte3_sequencer *sequencer, struct message *message,
                   uint64_t tag)
{
    if (message->seq >= PARTE3_SEQS - 1) {
        finding_add(&world->commands.finding, "one number per command: there are more than any run has");
        return;
    }
    seeds_show("%s numbers command %u: %lld", sequencer->name, command_number(message),
               (long long)message->seq);
    broker_log_send(world->options->log, sequencer->name, message);
    sequencer->known_seq = message->seq;
    publish(world, sequencer, add(sequencer, (struct parte3_ordering){.message = message, .tag = tag}), 0);
}

/* The command's number that is not confirmed, if there is one. */
static struct parte3_ordering *find_own(struct parte3_sequencer *sequencer, const struct message *command)
{
    struct parte3_ordering *own = NULL;

    for (size_t i = 0; i < sequencer->count && own == NULL; i++) {
        struct parte3_ordering *ordering = &sequencer->orderings[i];
        bool same = text_equal(ordering->message->message_uuid, command->message_uuid);
        own = same && !ordering->sent_again ? ordering : NULL;
    }
    return own;
}

/* The command came again: while its number is not safe, the first of its deliveries stays in the input queue. */
static void repeat(struct parte3_world *world, struct parte3_sequencer *sequencer,
                   const struct message *command, uint64_t tag)
{
    struct message *unsafe =
        sequence_find_unsafe(&sequencer->sequence, &sequencer->rule, command->message_uuid);
    struct parte3_ordering *own = find_own(sequencer, command);

    if (own == NULL && unsafe != NULL && world->options->variant != PARTE3_TRUSTS_HISTORY) {
        publish(world, sequencer, add(sequencer, (struct parte3_ordering){.message = unsafe, .tag = tag}), 0);
    } else if (own != NULL && own->tag == 0) {
        own->tag = tag;
    } else {
        broker_ack(&world->broker, PARTE3_INPUT, tag);
    }
}

void parte3_sequencer_process(struct parte3_world *world, unsigned delivery)
{
    struct parte3_sequencer *sequencer = find_at_work(world);
    struct actions actions = {0};
    uint64_t tag;
    struct message *command = broker_take(&world->broker, PARTE3_INPUT, delivery, &tag);

    if (world->options->variant == PARTE3_ORDERS_REPEATS) {
        recent_free(&sequencer->rule.ordered);
    }
    sequencer_receive(&sequencer->rule, command, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        if (actions.items[i].type == ACTION_SEND) {
            number(world, sequencer, actions.items[i].message, tag);
        } else {
            repeat(world, sequencer, command, tag);
        }
    }
    if (world->options->variant == PARTE3_ACKS_EARLY) {
        broker_ack(&world->broker, PARTE3_INPUT, tag);
    }
    actions_free(&actions);
}

void parte3_sequencer_confirm(struct parte3_world *world, unsigned process)
{
    struct parte3_sequencer *sequencer = find(world, process);
    struct parte3_ordering done = sequencer->orderings[0];

    broker_confirm(&world->broker, sequencer->channel);
    sequencer->count--;
    memmove(sequencer->orderings, sequencer->orderings + 1, sequencer->count * sizeof *sequencer->orderings);
    if (!done.sent_again) {
        sequence_add(&sequencer->sequence, done.message, true);
        broker_ack(&world->broker, PARTE3_INPUT, done.tag);
    }
    message_unref(done.message);
}

/* ---- what nodes lack, as in sequencer_replay.c ---- */

/* The ordered command of that number, if it is among the last. */
static struct message *find_last(const struct parte3_world *world, const struct sequence *sequence,
                                 int64_t seq)
{
    return seq > sequence->last_seq - world->options->history ? sequence_find(sequence, seq) : NULL;
}

void parte3_sequencer_hear(struct parte3_world *world, const struct note *note)
{
    struct parte3_sequencer *sequencer = find(world, note->to);

    if (note->type != NOTE_ASK) {
        return;
    }
    bool again = note->seq == sequencer->asked_seq[note->from];
    if (world->options->variant == PARTE3_KNOWS_ONE_ASKER) {
        again = again && note->from == sequencer->asker;
    }
    sequencer->asked_seq[note->from] = again ? 0 : note->seq;
    sequencer->asker = note->from;
    if (!again || find_last(world, &sequencer->sequence, note->seq) == NULL) {
        return;
    }
    seeds_show("%s sends again from %lld on", sequencer->name, (long long)note->seq);
    for (int64_t seq = note->seq; seq <= sequencer->sequence.last_seq; seq++) {
        struct message *message = find_last(world, &sequencer->sequence, seq);
        if (message != NULL) {
            publish(world, sequencer,
                    add(sequencer, (struct parte3_ordering){.message = message, .sent_again = true}),
                    note->from);
        }
    }
}

void parte3_sequencer_announce(struct parte3_world *world, unsigned process)
{
    struct note note = {.type = NOTE_LEADER, .from = process, .seq = find(world, process)->rule.next_seq - 1};

    notes_broadcast(&world->notes, note, PARTE3_NODES);
}

/* ---- on every connection, as in sequencer_rebuild.c ---- */

/* The lock is free, and the history can be read: who took the lock before has nothing more on its way into it, and it
 * has a leader, without whose word it is not taken for empty. */
bool parte3_sequencer_may_connect(const struct parte3_world *world, unsigned process)
{
    const struct parte3_sequencer *sequencer = &world->sequencers[process - PARTE3_NODES];
    enum parte3_variant variant = world->options->variant;
    bool leaderless = world->broker.queues[PARTE3_HISTORY].leaderless;
    bool free = !broker_drains_into(&world->broker, PARTE3_HISTORY) || variant == PARTE3_TAKES_NO_LOCK;

    for (unsigned i = 0; i < PARTE3_SEQUENCERS; i++) {
        free = free && !world->sequencers[i].connected;
    }
    return free && (!leaderless || variant == PARTE3_BELIEVES_EMPTY) &&
           (sequencer == world->latest || parte3_history_tells(world));
}

static void look(struct parte3_world *world, struct parte3_sequencer *sequencer)
{
    const struct broker_queue *history = &world->broker.queues[PARTE3_HISTORY];

    if (world->options->variant == PARTE3_READS_NO_HISTORY || history->leaderless) {
        return;
    }
    for (size_t i = 0; i < history->waiting_count; i++) {
        sequencer_remember(&sequencer->rule, history->waiting[i]);
        sequence_add(&sequencer->sequence, history->waiting[i], false);
    }
}

static bool another_went_on(const struct parte3_sequencer *sequencer)
{
    bool another = sequencer->rule.next_seq - 1 > sequencer->known_seq;

    for (size_t i = 0; i < sequencer->count && !another; i++) {
        another =
            sequence_contradicts(&sequencer->sequence, &sequencer->rule, sequencer->orderings[i].message);
    }
    return another;
}

static void drop_orderings(struct parte3_sequencer *sequencer)
{
    while (sequencer->count > 0) {
        message_unref(sequencer->orderings[--sequencer->count].message);
    }
}

static void finish(struct parte3_world *world, struct parte3_sequencer *sequencer)
{
    if (another_went_on(sequencer) && world->options->variant != PARTE3_GOES_ON_ANYWAY) {
        drop_orderings(sequencer);
        sequence_restore(&sequencer->sequence, &sequencer->rule);
    }
    sequencer->known_seq = sequencer->rule.next_seq - 1;
    for (size_t i = 0; i < sequencer->count; i++) {
        publish(world, sequencer, &sequencer->orderings[i], 0);
    }
}

/* ---- its life ---- */

void parte3_sequencer_connect(struct parte3_world *world, unsigned process)
{
    struct parte3_sequencer *sequencer = find(world, process);

    if (!sequencer->up) {
        sequencer_init(&sequencer->rule);
        sequencer->up = true;
        broker_log_start(world->options->log, sequencer->name, "parte3", "sequencer");
    }
    sequencer->connected = true;
    sequencer->channel = broker_connect(&world->broker);
    world->latest = sequencer;
    look(world, sequencer);
    finish(world, sequencer);
    seeds_show("%s goes on with %lld", sequencer->name, (long long)sequencer->rule.next_seq);
    broker_consume(&world->broker, PARTE3_INPUT);
}

/* What was not confirmed stays, but for what was sent again to a node: if that still lacks it, it asks. */
static void keep_unconfirmed(struct parte3_sequencer *sequencer)
{
    size_t kept = 0;

    for (size_t i = 0; i < sequencer->count; i++) {
        if (sequencer->orderings[i].sent_again) {
            message_unref(sequencer->orderings[i].message);
        } else {
            sequencer->orderings[kept] = sequencer->orderings[i];
            sequencer->orderings[kept++].tag = 0;
        }
    }
    sequencer->count = kept;
}

void parte3_sequencer_lose(struct parte3_world *world, unsigned process, bool broker_dies)
{
    struct parte3_sequencer *sequencer = find(world, process);

    if (sequencer->connected) {
        sequencer->connected = false;
        (broker_dies ? broker_kill : broker_disconnect)(&world->broker, sequencer->channel);
        broker_cancel(&world->broker, PARTE3_INPUT);
    }
    keep_unconfirmed(sequencer);
    if (world->options->variant == PARTE3_NUMBERS_ANEW) {
        drop_orderings(sequencer);
        sequencer_free(&sequencer->rule);
        sequencer_init(&sequencer->rule);
        sequencer->rule.next_seq = sequencer->sequence.last_seq + 1;
    }
}

void parte3_sequencer_crash(struct parte3_world *world, unsigned process)
{
    struct parte3_sequencer *sequencer = find(world, process);

    parte3_sequencer_lose(world, process, false);
    drop_orderings(sequencer);
    sequencer_free(&sequencer->rule);
    sequence_free(&sequencer->sequence);
    free(sequencer->orderings);
    world->latest = world->latest == sequencer ? NULL : world->latest;
    *sequencer = (struct parte3_sequencer){.name = sequencer->name};
}
