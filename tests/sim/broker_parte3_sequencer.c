#include "tests/sim/broker_parte3.h"
#include "tests/sim/broker_seeds.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- numbered commands go out ---- */

static void publish(struct parte3_world *world, struct parte3_ordering ordering, unsigned to)
{
    struct parte3_sequencer *sequencer = &world->sequencer;

    sequencer->orderings = memory_grow(sequencer->orderings, &sequencer->capacity, sequencer->count + 1,
                                       sizeof *sequencer->orderings);
    message_ref(ordering.message);
    sequencer->orderings[sequencer->count++] = ordering;
    broker_publish(&world->broker, sequencer->channel, ordering.message, to);
}

/* The broker has it. */
static void remember(struct parte3_sequencer *sequencer, struct message *message)
{
    struct message **place = &sequencer->last[message->seq];

    message_unref(*place);
    *place = message_ref(message);
    sequencer->confirmed_seq =
        message->seq > sequencer->confirmed_seq ? message->seq : sequencer->confirmed_seq;
}

static void perform(struct parte3_world *world, struct actions *actions, uint64_t tag)
{
    const unsigned everybody = (BROKER_TO(PARTE3_NODES) - 1) | BROKER_TO(PARTE3_HISTORY);
    bool acks_early = world->options->variant == PARTE3_ACKS_EARLY;

    for (size_t i = 0; i < actions->count; i++) {
        struct action *action = &actions->items[i];
        if (action->type == ACTION_SEND && action->message->seq >= PARTE3_SEQS - 1) {
            finding_add(&world->commands.finding, "one number per command: there are more than any run has");
        } else if (action->type == ACTION_SEND) {
            seeds_show("the sequencer numbers command %u: %lld", command_number(action->message),
                       (long long)action->message->seq);
            broker_log_send(world->options->log, "sequencer", action->message);
            publish(world, (struct parte3_ordering){.message = action->message, .tag = tag}, everybody);
        }
        if (action->type == ACTION_DISCARD || acks_early) {
            broker_ack(&world->broker, PARTE3_INPUT, tag);
        }
    }
    actions_free(actions);
}

void parte3_sequencer_confirm(struct parte3_world *world)
{
    struct parte3_sequencer *sequencer = &world->sequencer;
    struct parte3_ordering done = sequencer->orderings[0];

    broker_confirm(&world->broker, sequencer->channel);
    sequencer->count--;
    memmove(sequencer->orderings, sequencer->orderings + 1, sequencer->count * sizeof *sequencer->orderings);
    if (!done.sent_again) {
        remember(sequencer, done.message);
        broker_ack(&world->broker, PARTE3_INPUT, done.tag);
    }
    message_unref(done.message);
}

/* ---- commands come in ---- */

void parte3_sequencer_process(struct parte3_world *world, unsigned delivery)
{
    struct sequencer *rule = &world->sequencer.rule;
    struct actions actions = {0};
    uint64_t tag;
    struct message *command = broker_take(&world->broker, PARTE3_INPUT, delivery, &tag);

    if (world->options->variant == PARTE3_ORDERS_REPEATS) {
        recent_free(&rule->ordered);
    }
    sequencer_receive(rule, command, &actions);
    perform(world, &actions, tag);
}

/* ---- what nodes lack ---- */

/* The ordered command of that number, if it is among the last. */
static struct message *find_last(const struct parte3_world *world, int64_t seq)
{
    return seq > world->sequencer.confirmed_seq - world->options->history ? world->sequencer.last[seq] : NULL;
}

void parte3_sequencer_hear(struct parte3_world *world, const struct note *note)
{
    struct parte3_sequencer *sequencer = &world->sequencer;

    if (note->type != NOTE_ASK) {
        return;
    }
    bool again = note->seq == sequencer->asked_seq[note->from];
    if (world->options->variant == PARTE3_KNOWS_ONE_ASKER) {
        again = again && note->from == sequencer->asker;
    }
    sequencer->asked_seq[note->from] = again ? 0 : note->seq;
    sequencer->asker = note->from;
    if (!again || find_last(world, note->seq) == NULL) {
        return;
    }
    seeds_show("the sequencer sends again from %lld on", (long long)note->seq);
    for (int64_t seq = note->seq; seq <= sequencer->confirmed_seq; seq++) {
        struct message *message = find_last(world, seq);
        if (message != NULL) {
            publish(world, (struct parte3_ordering){.message = message, .sent_again = true},
                    BROKER_TO(note->from));
        }
    }
}

void parte3_sequencer_announce(struct parte3_world *world)
{
    struct note note = {.type = NOTE_LEADER,
                        .from = PARTE3_SEQUENCER,
                        .seq = world->sequencer.rule.next_seq - 1};

    notes_broadcast(&world->notes, note, PARTE3_NODES);
}

/* ---- its life ---- */

bool parte3_sequencer_may_connect(const struct parte3_world *world)
{
    return world->options->variant == PARTE3_TAKES_NO_LOCK ||
           !broker_drains_into(&world->broker, PARTE3_HISTORY);
}

static void read_history(struct parte3_world *world)
{
    const struct broker_queue *history = &world->broker.queues[PARTE3_HISTORY];

    for (size_t i = 0; i < history->waiting_count; i++) {
        sequencer_remember(&world->sequencer.rule, history->waiting[i]);
        remember(&world->sequencer, history->waiting[i]);
    }
}

void parte3_sequencer_connect(struct parte3_world *world)
{
    struct parte3_sequencer *sequencer = &world->sequencer;

    if (!sequencer->up) {
        sequencer_init(&sequencer->rule);
        sequencer->up = true;
        broker_log_start(world->options->log, "sequencer", "parte3", "sequencer");
    }
    sequencer->connected = true;
    sequencer->channel = broker_connect(&world->broker);
    if (world->options->variant != PARTE3_READS_NO_HISTORY) {
        read_history(world);
    }
    seeds_show("the sequencer goes on with %lld", (long long)sequencer->rule.next_seq);
    broker_consume(&world->broker, PARTE3_INPUT);
}

void parte3_sequencer_lose(struct parte3_world *world)
{
    struct parte3_sequencer *sequencer = &world->sequencer;

    if (sequencer->connected) {
        sequencer->connected = false;
        broker_disconnect(&world->broker, sequencer->channel);
        broker_cancel(&world->broker, PARTE3_INPUT);
    }
    while (sequencer->count > 0) {
        message_unref(sequencer->orderings[--sequencer->count].message);
    }
    sequencer_free(&sequencer->rule);
    sequencer_init(&sequencer->rule);
    sequencer->rule.next_seq = sequencer->confirmed_seq + 1;
}

void parte3_sequencer_crash(struct parte3_world *world)
{
    struct parte3_sequencer *sequencer = &world->sequencer;

    parte3_sequencer_lose(world);
    sequencer_free(&sequencer->rule);
    for (size_t seq = 0; seq < PARTE3_SEQS; seq++) {
        message_unref(sequencer->last[seq]);
    }
    free(sequencer->orderings);
    *sequencer = (struct parte3_sequencer){0};
}
