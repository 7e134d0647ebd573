/* The question: who needs a sequencer, if one node takes all the writes?
 *
 * The rule: the leader gives each update the next number, on disk before anything else, and sends it to its followers;
 * they deliver by number ("primary-backup": Budhiraja, Marzullo, Schneider and Toueg 1993). A leader that starts opens
 * a new epoch: whoever hears of a higher one stops following, or being, the leader of a lower one.
 *
 * It guarantees: total order with one message per update, and nothing of what was answered `ok` is lost with a crash.
 *
 * It does not guarantee: writes while the leader is down (nobody takes its place: that is what Paxos is for), nor that
 * a follower's read is the newest.
 *
 * To break it: in order_submit, leave ACTION_RECORD out. A leader that is killed and started again knows less than its
 * followers, and uses numbers a second time. */
#include "order.h"

void order_init(struct order *order, const struct order_options *options)
{
    *order = (struct order){.options = *options, .next_seq = 1};
}

void order_lead(struct order *order, int64_t epoch)
{
    order->leading = true;
    order->epoch = order->known_epoch = epoch;
}

void order_submit(struct order *order, struct message *command, struct actions *out)
{
    if (!order->leading) {
        actions_add(out, ACTION_REFUSE, command);
        return;
    }
    struct message *update = message_number(command, order->next_seq++, order->epoch);
    actions_add(out, ACTION_RECORD, update);
    actions_add(out, ACTION_SEND, update);
    actions_add(out, ACTION_DELIVER, update);
    message_unref(update);
}

static void deliver_what_is_due(struct order *order, struct actions *out)
{
    struct message *due;

    while (order->epoch == order->known_epoch &&
           (due = hold_back_take(&order->held, order->next_seq)) != NULL) {
        actions_add(out, ACTION_DELIVER, due);
        message_unref(due);
        order->next_seq++;
    }
}

void order_hear(struct order *order, int64_t epoch, int64_t seq, struct actions *out)
{
    if (epoch > order->known_epoch) {
        order->known_epoch = epoch;
        order->known_seq = 0;
        hold_back_drop(&order->held, INT64_MAX);
        if (order->leading) {
            order->leading = false;
            actions_add(out, ACTION_STEP_DOWN, NULL);
        }
        actions_add(out, ACTION_RECOVER, NULL);
    }
    if (epoch == order->known_epoch) {
        order->known_seq = seq > order->known_seq ? seq : order->known_seq;
    }
}

void order_receive(struct order *order, struct message *message, struct actions *out)
{
    order_hear(order, message->epoch, message->seq, out);
    if (order->leading || message->epoch < order->known_epoch ||
        !hold_back_put(&order->held, message, order->next_seq)) {
        actions_add(out, ACTION_DISCARD, message);
    } else if (message->seq > order->next_seq) {
        actions_add(out, ACTION_HOLD, message);
    }
    deliver_what_is_due(order, out);
}

bool order_install(struct order *order, int64_t epoch, int64_t seq, struct actions *out)
{
    if (order->leading || epoch < order->known_epoch || (epoch == order->epoch && seq < order->next_seq)) {
        return false;
    }
    hold_back_drop(&order->held, epoch > order->known_epoch ? INT64_MAX : seq);
    order->known_seq = epoch > order->known_epoch ? seq : order->known_seq;
    order->epoch = order->known_epoch = epoch;
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
    bool complete = order->epoch == order->known_epoch && order->known_seq < order->next_seq;

    if (order->leading || complete || order->next_seq != order->stuck_seq) {
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
