/* Numbered commands go out to all, and are known to be safe.
 *
 * A command stays in the input queue until the broker has confirmed the numbered one: whatever dies before, it comes
 * again. What a lost connection leaves unconfirmed waits for the next, and goes out under the same number: it may be in
 * some queues and not in others. The same of what a sequencer before this one left: a command that comes again, and
 * whose number is known from the history alone, goes out under it once more. Nodes discard what they have. */
#include "sequencer_process.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <stdlib.h>
#include <utlist.h>

void ordering_end(struct ordering *ordering)
{
    message_unref(ordering->message);
    free(ordering);
}

/* False if the link has no room now. */
static bool publish(struct ordering *ordering)
{
    struct sequencer_process *process = ordering->process;
    struct error error;

    buffer_clear(&process->encoded);
    message_encode(ordering->message, &process->encoded);
    return amqp_link_publish(&process->replica.consumer, &ordering->publish, process->exchange, "",
                             (struct text){0}, buffer_text(&process->encoded), &error) == 0;
}

/* In the order of their numbers. */
void orderings_publish(struct sequencer_process *process)
{
    while (process->waiting != NULL && process->replica.consumer.connected && publish(process->waiting)) {
        struct ordering *published = process->waiting;
        DL_DELETE(process->waiting, published);
    }
}

static int compare_numbers(const struct ordering *first, const struct ordering *second)
{
    return first->message->seq < second->message->seq ? -1 : first->message->seq > second->message->seq;
}

static void on_done(struct amqp_publish *publish_done, int code)
{
    struct ordering *ordering = container_of(publish_done, struct ordering, publish);
    struct sequencer_process *process = ordering->process;

    if (code == 0) {
        sequence_add(&process->sequence, ordering->message, true);
        amqp_link_ack(&process->replica.consumer, ordering->receipt.connection, ordering->receipt.tag);
        HASH_DEL(process->by_uuid, ordering);
        ordering_end(ordering);
    } else { /* a queue refused it, or the connection was lost: the number is given, so it must get there */
        DL_INSERT_INORDER(process->waiting, ordering, compare_numbers);
    }
    orderings_publish(process);
}

static struct ordering *new_ordering(struct sequencer_process *process, struct message *message,
                                     struct receipt receipt)
{
    struct ordering *ordering = memory_new_zeroed(1, sizeof *ordering);

    ordering->publish.on_done = on_done;
    ordering->process = process;
    ordering->message = message_ref(message);
    ordering->receipt = receipt;
    HASH_ADD_KEYPTR(hh, process->by_uuid, ordering->message->message_uuid.bytes,
                    (unsigned)ordering->message->message_uuid.length, ordering);
    return ordering;
}

void ordering_begin(struct sequencer_process *process, struct message *message, struct receipt receipt)
{
    struct ordering *ordering = new_ordering(process, message, receipt);

    process->known_seq = message->seq;
    event_send(&process->replica.log, message);
    DL_APPEND(process->waiting, ordering);
    orderings_publish(process);
}

/* While its number is not safe, one of its deliveries stays in the input queue: the first of this connection, so that
 * it keeps its place before its sender's next, should it have to be numbered anew. */
void ordering_repeat(struct sequencer_process *process, struct message *command, struct receipt receipt)
{
    struct message *unsafe = sequence_find_unsafe(&process->sequence, &process->rule, command->message_uuid);
    struct ordering *ordering;

    event_repeat(&process->replica.log, command);
    HASH_FIND(hh, process->by_uuid, command->message_uuid.bytes, command->message_uuid.length, ordering);
    if (ordering == NULL && unsafe != NULL) {
        ordering = new_ordering(process, unsafe, receipt);
        DL_INSERT_INORDER(process->waiting, ordering, compare_numbers);
        orderings_publish(process);
    } else if (ordering != NULL && ordering->receipt.connection != receipt.connection) {
        ordering->receipt = receipt; /* the old one is void */
    } else {
        amqp_link_ack(&process->replica.consumer, receipt.connection, receipt.tag);
    }
}

void orderings_drop(struct sequencer_process *process)
{
    while (process->waiting != NULL && process->by_uuid != NULL) { /* what waits is in both */
        struct ordering *ordering = process->waiting;
        DL_DELETE(process->waiting, ordering);
        HASH_DEL(process->by_uuid, ordering);
        ordering_end(ordering);
    }
}
