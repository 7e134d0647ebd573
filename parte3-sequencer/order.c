/* The question: what does it take for all replicas to apply the same commands in the same order?
 *
 * The rule: one sequencer (sequencer.c) gives each command the next number; every node delivers by number, and holds
 * back what comes before its turn ("atomic broadcast with a fixed sequencer": Hadzilacos and Toueg 1994; Défago,
 * Schiper and Urbán 2004).
 *
 * It guarantees: total order; and so, with a broker that loses nothing, that replicas converge.
 *
 * It does not guarantee: service while the sequencer is down, nor that a read, which is answered from the local store,
 * is the newest.
 *
 * To break it: in order_receive, deliver at once what should be held back (actions_add ACTION_DELIVER where it says
 * ACTION_HOLD). Whenever a message is early, `lab run` shows two replicas that disagree. */
#include "order.h"

void order_init(struct order *order, const struct order_options *options)
{
    *order = (struct order){.options = *options, .next_seq = 1};
}

void order_submit(struct order *order, struct message *command, struct actions *out)
{
    (void)order;
    actions_add(out, ACTION_SEND, command);
}

static void deliver_what_is_due(struct order *order, struct actions *out)
{
    struct message *due;

    while ((due = hold_back_take(&order->held, order->next_seq)) != NULL) {
        actions_add(out, ACTION_DELIVER, due);
        message_unref(due);
        order->next_seq++;
    }
}

void order_hear(struct order *order, int64_t seq)
{
    order->known_seq = seq > order->known_seq ? seq : order->known_seq;
}

void order_receive(struct order *order, struct message *message, struct actions *out)
{
    order_hear(order, message->seq);
    if (!hold_back_put(&order->held, message, order->next_seq)) {
        actions_add(out, ACTION_DISCARD, message);
    } else if (message->seq > order->next_seq) {
        actions_add(out, ACTION_HOLD, message);
    }
    deliver_what_is_due(order, out);
}

bool order_install(struct order *order, int64_t seq, struct actions *out)
{
    if (seq < order->next_seq) {
        return false;
    }
    hold_back_drop(&order->held, seq);
    order->next_seq = seq + 1;
    deliver_what_is_due(order, out);
    return true;
}

void order_give_up(struct order *order, struct actions *out)
{
    order->next_seq = hold_back_first(&order->held, order->next_seq);
    order->known_seq = order->next_seq - 1;
    deliver_what_is_due(order, out);
}

void order_tick(struct order *order, uint64_t now_ms, struct actions *out)
{
    bool complete = order->known_seq < order->next_seq;

    if (complete || order->next_seq != order->stuck_seq) {
        order->stuck_seq = order->next_seq;
        order->stuck_since_ms = now_ms;
    } else if (now_ms - order->stuck_since_ms >= ORDER_PATIENCE_MS) {
        order->stuck_since_ms = now_ms;
        actions_add(out, ACTION_RECOVER, NULL);
    }
}

void order_free(struct order *order)
{
    hold_back_drop(&order->held, INT64_MAX);
}
