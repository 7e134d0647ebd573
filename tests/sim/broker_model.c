#include "tests/sim/broker_model.h"

#include "common/memory.h"

#include <stdlib.h>

/* ---- publishers ---- */

/* Passes over what is not for that queue. */
static void skip(struct broker_channel *channel, unsigned queue)
{
    while (channel->queued[queue] < channel->arrived &&
           (channel->published[channel->queued[queue]].to & BROKER_TO(queue)) == 0) {
        channel->queued[queue]++;
    }
}

/* So many of its messages are in all queues that they are for. */
static size_t safe(const struct broker_channel *channel)
{
    size_t least = channel->arrived;

    for (unsigned queue = 0; queue < BROKER_QUEUES_MAX; queue++) {
        least = channel->queued[queue] < least ? channel->queued[queue] : least;
    }
    return least;
}

static void free_channel(struct broker_channel *channel)
{
    for (size_t i = 0; i < channel->count; i++) {
        message_unref(channel->published[i].message);
    }
    free(channel->published);
    *channel = (struct broker_channel){0};
}

unsigned broker_connect(struct broker *broker)
{
    static const unsigned hastes[] = {1, 8, 32};

    for (unsigned i = 0; i < BROKER_CHANNELS_MAX; i++) {
        struct broker_channel *channel = &broker->channels[i];
        if (!channel->used) {
            channel->used = channel->open = true;
            for (unsigned queue = 0; queue < BROKER_QUEUES_MAX; queue++) {
                channel->haste[queue] = hastes[schedule_below(broker->schedule, 3)];
            }
            return i;
        }
    }
    abort(); /* the simulation reconnects no more while so many drain */
}

void broker_publish(struct broker *broker, unsigned channel, struct message *message, unsigned to)
{
    struct broker_channel *through = &broker->channels[channel];

    through->published =
        memory_grow(through->published, &through->capacity, through->count + 1, sizeof *through->published);
    through->published[through->count++] = (struct broker_publish){message_ref(message), to};
}

static void arrive(struct broker *broker, struct broker_channel *channel)
{
    struct broker_publish *publish = &channel->published[channel->arrived++];

    for (unsigned queue = 0; queue < BROKER_QUEUES_MAX; queue++) {
        if (!broker->queues[queue].exists) {
            publish->to &= ~BROKER_TO(queue);
        }
        skip(channel, queue);
    }
}

static void free_if_drained(struct broker_channel *channel)
{
    if (channel->used && !channel->open && safe(channel) == channel->count) {
        free_channel(channel);
    }
}

void broker_disconnect(struct broker *broker, unsigned channel)
{
    struct broker_channel *lost = &broker->channels[channel];
    unsigned more = schedule_below(broker->schedule, (unsigned)(lost->count - lost->arrived) + 1);

    for (; more > 0; more--) {
        arrive(broker, lost);
    }
    while (lost->count > lost->arrived) {
        message_unref(lost->published[--lost->count].message);
    }
    lost->open = false;
    free_if_drained(lost);
}

void broker_kill(struct broker *broker, unsigned channel)
{
    struct broker_channel *lost = &broker->channels[channel];

    broker_disconnect(broker, channel);
    for (unsigned queue = 0; queue < BROKER_QUEUES_MAX; queue++) {
        unsigned on_their_way = (unsigned)(lost->arrived - lost->queued[queue]);
        size_t end = lost->queued[queue] + schedule_below(broker->schedule, on_their_way + 1);
        for (size_t at = end; at < lost->arrived; at++) {
            lost->published[at].to &= ~BROKER_TO(queue);
        }
        skip(lost, queue);
        if (broker->queues[queue].exists && schedule_once_in(broker->schedule, 3)) {
            broker->queues[queue].leaderless = true;
        }
    }
    free_if_drained(lost);
}

bool broker_has_confirm(const struct broker *broker, unsigned channel)
{
    return safe(&broker->channels[channel]) > broker->channels[channel].confirmed;
}

void broker_confirm(struct broker *broker, unsigned channel)
{
    broker->channels[channel].confirmed++;
}

bool broker_drains_into(const struct broker *broker, unsigned queue)
{
    for (unsigned i = 0; i < BROKER_CHANNELS_MAX; i++) {
        const struct broker_channel *channel = &broker->channels[i];
        if (channel->used && !channel->open && channel->queued[queue] < channel->arrived) {
            return true;
        }
    }
    return false;
}

/* ---- consumers ---- */

bool broker_declare(struct broker *broker, unsigned queue, size_t keeps)
{
    bool made = !broker->queues[queue].exists;

    broker->queues[queue].exists = true;
    broker->queues[queue].keeps = keeps;
    return made;
}

void broker_delete(struct broker *broker, unsigned queue)
{
    queue_clear(&broker->queues[queue]);
    for (unsigned i = 0; i < BROKER_CHANNELS_MAX; i++) {
        struct broker_channel *channel = &broker->channels[i];
        for (size_t at = channel->queued[queue]; at < channel->arrived; at++) {
            channel->published[at].to &= ~BROKER_TO(queue);
        }
        skip(channel, queue);
        free_if_drained(channel);
    }
}

void broker_consume(struct broker *broker, unsigned queue)
{
    broker->queues[queue].consumed = true;
}

void broker_cancel(struct broker *broker, unsigned queue)
{
    queue_return(&broker->queues[queue]);
}

void broker_offer_deliveries(struct broker *broker, unsigned queue, bool by_sender, int kind)
{
    const struct broker_queue *from = &broker->queues[queue];

    for (size_t i = 0; i < from->given_count; i++) {
        if (queue_is_next(from, i, by_sender)) {
            schedule_offer(broker->schedule, 16, kind, queue, (unsigned)i);
        }
    }
}

struct message *broker_take(struct broker *broker, unsigned queue, unsigned delivery, uint64_t *tag)
{
    struct broker_given *given = &broker->queues[queue].given[delivery];

    given->taken = true;
    *tag = given->tag;
    return given->message;
}

void broker_ack(struct broker *broker, unsigned queue, uint64_t tag)
{
    queue_ack(&broker->queues[queue], tag);
}

void broker_mark(const struct broker *broker, unsigned queue, int64_t (*what_of)(const struct message *),
                 bool *present)
{
    const struct broker_queue *of = &broker->queues[queue];

    for (size_t i = 0; i < of->waiting_count; i++) {
        present[what_of(of->waiting[i])] = true;
    }
    for (size_t i = 0; i < of->given_count; i++) {
        present[what_of(of->given[i].message)] = true;
    }
    for (unsigned i = 0; i < BROKER_CHANNELS_MAX; i++) {
        const struct broker_channel *channel = &broker->channels[i];
        for (size_t at = channel->queued[queue]; at < channel->arrived; at++) {
            if ((channel->published[at].to & BROKER_TO(queue)) != 0) {
                present[what_of(channel->published[at].message)] = true;
            }
        }
    }
}

/* So many were published for the queue, and are not in it. */
static size_t on_their_way_into(const struct broker *broker, unsigned queue)
{
    size_t count = 0;

    for (unsigned i = 0; i < BROKER_CHANNELS_MAX; i++) {
        const struct broker_channel *channel = &broker->channels[i];
        for (size_t at = channel->queued[queue]; at < channel->count; at++) {
            count += (channel->published[at].to & BROKER_TO(queue)) != 0;
        }
    }
    return count;
}

void broker_mark_kept(const struct broker *broker, unsigned queue, int64_t (*what_of)(const struct message *),
                      bool *present)
{
    const struct broker_queue *of = &broker->queues[queue];
    size_t all = of->waiting_count + on_their_way_into(broker, queue);
    size_t excess = of->keeps > 0 && all > of->keeps ? all - of->keeps : 0;

    if (excess == 0) {
        broker_mark(broker, queue, what_of, present);
    }
    for (size_t i = excess; i < of->waiting_count; i++) {
        present[what_of(of->waiting[i])] = true;
    }
}

/* ---- the broker itself ---- */

void broker_offer_steps(struct broker *broker)
{
    for (unsigned i = 0; i < BROKER_CHANNELS_MAX; i++) {
        const struct broker_channel *channel = &broker->channels[i];
        if (channel->open && channel->arrived < channel->count) {
            schedule_offer(broker->schedule, 16, BROKER_ARRIVE, i, 0);
        }
        for (unsigned queue = 0; channel->used && queue < BROKER_QUEUES_MAX; queue++) {
            if (channel->queued[queue] < channel->arrived && !broker->queues[queue].leaderless) {
                schedule_offer(broker->schedule, channel->haste[queue], BROKER_ENQUEUE, i, queue);
            }
        }
    }
    for (unsigned i = 0; i < BROKER_QUEUES_MAX; i++) {
        const struct broker_queue *queue = &broker->queues[i];
        if (queue_can_give(queue)) {
            schedule_offer(broker->schedule, 16, BROKER_GIVE, i, 0);
        }
        if (queue_has_ack(queue)) {
            schedule_offer(broker->schedule, 16, BROKER_ACK, i, 0);
        }
        if (queue->leaderless) {
            schedule_offer(broker->schedule, 4, BROKER_ELECT, i, 0);
        }
    }
}

static void enqueue(struct broker *broker, struct broker_channel *channel, unsigned queue)
{
    struct message *message = channel->published[channel->queued[queue]].message;

    queue_put(&broker->queues[queue], message);
    if (broker->on_queued != NULL) {
        broker->on_queued(broker, message);
    }
    channel->queued[queue]++;
    skip(channel, queue);
    free_if_drained(channel);
}

bool broker_do(struct broker *broker, struct step step)
{
    struct broker_channel *channel = &broker->channels[step.a % BROKER_CHANNELS_MAX];

    switch (step.kind) {
    case BROKER_ARRIVE:
        arrive(broker, channel);
        return true;
    case BROKER_ENQUEUE:
        enqueue(broker, channel, step.b);
        return true;
    case BROKER_GIVE:
        queue_give(&broker->queues[step.a]);
        return true;
    case BROKER_ACK:
        queue_settle(&broker->queues[step.a]);
        return true;
    case BROKER_ELECT:
        broker->queues[step.a].leaderless = false;
        return true;
    default:
        return false;
    }
}

void broker_free(struct broker *broker)
{
    for (unsigned i = 0; i < BROKER_CHANNELS_MAX; i++) {
        free_channel(&broker->channels[i]);
    }
    for (unsigned i = 0; i < BROKER_QUEUES_MAX; i++) {
        queue_clear(&broker->queues[i]);
    }
}
