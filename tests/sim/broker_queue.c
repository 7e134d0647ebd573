#include "tests/sim/broker_queue.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

static void drop_oldest(struct broker_queue *queue)
{
    message_unref(queue->waiting[0]);
    queue->waiting_count--;
    memmove(queue->waiting, queue->waiting + 1, queue->waiting_count * sizeof(struct message *));
}

void queue_put(struct broker_queue *queue, struct message *message)
{
    queue->waiting = memory_grow(queue->waiting, &queue->waiting_capacity, queue->waiting_count + 1,
                                 sizeof(struct message *));
    queue->waiting[queue->waiting_count++] = message_ref(message);
    if (queue->keeps > 0 && queue->waiting_count > queue->keeps) {
        drop_oldest(queue);
    }
}

bool queue_can_give(const struct broker_queue *queue)
{
    return queue->consumed && !queue->leaderless && queue->waiting_count > 0 &&
           queue->given_count < BROKER_PREFETCH;
}

void queue_give(struct broker_queue *queue)
{
    queue->given =
        memory_grow(queue->given, &queue->given_capacity, queue->given_count + 1, sizeof *queue->given);
    queue->given[queue->given_count++] =
        (struct broker_given){message_ref(queue->waiting[0]), .tag = ++queue->tags};
    drop_oldest(queue);
}

bool queue_is_next(const struct broker_queue *queue, size_t delivery, bool by_sender)
{
    const struct broker_given *given = &queue->given[delivery];
    bool next = !given->taken;

    for (size_t i = 0; next && i < delivery; i++) {
        const struct broker_given *before = &queue->given[i];
        next = before->taken ||
               (by_sender && !text_equal(before->message->sender_id, given->message->sender_id));
    }
    return next;
}

void queue_ack(struct broker_queue *queue, uint64_t tag)
{
    for (size_t i = 0; i < queue->given_count; i++) {
        if (queue->given[i].tag == tag) {
            queue->given[i].acked_nth = ++queue->acks;
        }
    }
}

/* The delivery that was acknowledged first; `given_count` if none was. */
static size_t first_acked(const struct broker_queue *queue)
{
    size_t first = queue->given_count;

    for (size_t i = 0; i < queue->given_count; i++) {
        uint64_t nth = queue->given[i].acked_nth;
        if (nth != 0 && (first == queue->given_count || nth < queue->given[first].acked_nth)) {
            first = i;
        }
    }
    return first;
}

bool queue_has_ack(const struct broker_queue *queue)
{
    return !queue->leaderless && first_acked(queue) < queue->given_count;
}

void queue_settle(struct broker_queue *queue)
{
    size_t at = first_acked(queue);

    message_unref(queue->given[at].message);
    queue->given_count--;
    memmove(queue->given + at, queue->given + at + 1, (queue->given_count - at) * sizeof *queue->given);
}

void queue_return(struct broker_queue *queue)
{
    size_t count = queue->waiting_count + queue->given_count;

    if (queue->given_count > 0) {
        queue->waiting =
            memory_grow(queue->waiting, &queue->waiting_capacity, count, sizeof(struct message *));
        memmove(queue->waiting + queue->given_count, queue->waiting,
                queue->waiting_count * sizeof(struct message *));
    }
    for (size_t i = 0; i < queue->given_count; i++) {
        queue->waiting[i] = queue->given[i].message;
    }
    queue->waiting_count = count;
    queue->given_count = 0;
    queue->consumed = false;
}

void queue_clear(struct broker_queue *queue)
{
    queue_return(queue);
    while (queue->waiting_count > 0) {
        message_unref(queue->waiting[--queue->waiting_count]);
    }
    free(queue->waiting);
    free(queue->given);
    *queue = (struct broker_queue){.tags = queue->tags};
}
