/* The question: what does a reliable network change, and what does it not?
 *
 * The rule: the lines of Parte 1, every one of them. What is different is the network underneath: a broker keeps each
 * command until every replica's queue has given it away ("reliable FIFO broadcast": Hadzilacos and Toueg 1994).
 *
 * It guarantees: delivery (a queue outlives its node's connection), no duplicates, nothing that was not sent, FIFO
 * order (one sender's commands stay behind each other on their way through one channel into one queue).
 *
 * It does not guarantee: causal order, total order (two publishers' commands may enter two queues in two orders); and
 * so not that two replicas end alike.
 *
 * To break it further: in order_receive, deliver only every second message of others. Nothing below the rule repairs
 * what the rule itself throws away: `lab run` finds deliveries missing on a network that loses nothing. */
#include "order.h"

void order_init(struct order *order, const struct order_options *options)
{
    *order = (struct order){.options = *options};
}

void order_submit(struct order *order, struct message *command, struct actions *out)
{
    (void)order;
    actions_add(out, ACTION_SEND, command);
}

void order_receive(struct order *order, struct message *message, struct actions *out)
{
    (void)order;
    actions_add(out, ACTION_DELIVER, message);
}

void order_tick(struct order *order, uint64_t now_ms, struct actions *out)
{
    (void)order;
    (void)now_ms;
    (void)out;
}

void order_free(struct order *order)
{
    (void)order;
}
