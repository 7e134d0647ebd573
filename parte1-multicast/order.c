/* The question: what happens when replicas apply commands in the order in which a network happens to bring them?
 *
 * The rule: deliver what arrives, as it arrives; a node's own commands too, only when they come back from the group
 * ("best-effort broadcast": Hadzilacos and Toueg 1994; Cachin, Guerraoui and Rodrigues 2011).
 *
 * It guarantees: nothing is delivered that was not sent.
 *
 * It does not guarantee: delivery (a datagram may be lost), no duplicates (it may arrive twice), FIFO or causal order
 * (one may overtake another), total order (two nodes may see two senders' commands in two orders); and so not that
 * two replicas end alike.
 *
 * To break it further: in order_submit, deliver the command at once as well (actions_add ACTION_DELIVER). A node then
 * applies its own commands before everybody else's, twice, and `lab run` finds duplicates without any network fault. */
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
