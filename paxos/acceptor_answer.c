/* What an acceptor answers, and when: nothing leaves before every record that the role gave until then is on disk
 * (paxos_actions.h). A proposer is answered by the reply to its request, at once: a client waits for it. Learners are told
 * by POST /learn, ACCEPTOR_LEARN_MS later, so that one body tells of several commits. Nobody waits for a learner but who
 * reads, and a read begins with the leader's CONFIRM: then they are told at once, too. */
#include "paxos/acceptor_node.h"

#include "common/container_of.h"
#include "common/memory.h"
#include "paxos/message_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utlist.h>

#define SPARE_MAX 1024

/* A request whose records are on their way to the disk. */
struct waiting {
    uint64_t after; /* it goes on when so many records are on disk */
    struct http_exchange *exchange;
    struct paxos_actions actions;
    struct waiting *next;
};

/* ---- to learners ---- */

void acceptor_tell_learners(struct acceptor_node *node)
{
    if (node->learn.length > 0) {
        buffer_add_string(&node->learn, "]}");
        peers_post_all(&node->learners, "/learn", buffer_text(&node->learn), 0);
        buffer_clear(&node->learn);
    }
}

static void on_learn_due(uv_timer_t *timer)
{
    acceptor_tell_learners(container_of(timer, struct acceptor_node, learn_due));
}

static void tell_learners_soon(struct acceptor_node *node)
{
    uv_timer_t *due = &node->learn_due;

    if (node->learn.length > 0 && !uv_is_active((uv_handle_t *)due) && !uv_is_closing((uv_handle_t *)due)) {
        uv_timer_start(due, on_learn_due, ACCEPTOR_LEARN_MS, 0);
    }
}

/* For all of them: with what else this commit made durable. */
static void add_to_learn(struct acceptor_node *node, const struct paxos_message *message)
{
    struct buffer *out = &node->learn;

    for (size_t i = 0; i < message->count; i++) {
        if (out->length == 0) {
            buffer_add_format(out, "{\"acceptorId\":%" PRIu32 ",\"forgotten\":%" PRIu64 ",\"accepted\":[",
                              message->from, message->instance);
        } else {
            buffer_add_char(out, ',');
        }
        message_json_write_proposal(out, &message->proposals[i]);
        if (out->length >= MESSAGE_JSON_FULL) {
            acceptor_tell_learners(node);
        }
    }
}

/* For one that asked, also if there is nothing: it then hears what is forgotten. */
static void send_learn(struct acceptor_node *node, const struct paxos_message *message, uint32_t learner)
{
    struct buffer *out = process_body(&node->process);
    size_t next = 0;

    do {
        buffer_clear(out);
        next = message_json_write_learn(out, message, next);
        peers_post(&node->learners, learner, "/learn", buffer_text(out), 0);
    } while (next < message->count);
}

/* ---- carrying out ---- */

static void answer_proposer(struct acceptor_node *node, struct http_exchange *exchange,
                            const struct paxos_message *message)
{
    struct buffer *out = process_body(&node->process);

    message_json_write(out, message);
    process_reply(exchange, message->type == PAXOS_NACK ? HTTP_CONFLICT : HTTP_OK, out);
    node->refused += message->type == PAXOS_NACK;
}

/* All but the records. Proposers first: they have a client that waits. */
static void do_the_rest(struct acceptor_node *node, struct http_exchange *exchange,
                        struct paxos_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        const struct paxos_action *action = &actions->items[i];
        if (action->type == PAXOS_SEND && action->to == TO_PROPOSERS && exchange != NULL) {
            answer_proposer(node, exchange, action->message);
            exchange = NULL;
        }
    }
    if (exchange != NULL) { /* a learner's, or one of no consequence */
        http_reply(exchange, HTTP_OK, "application/json", text_of("{}"));
    }
    for (size_t i = 0; i < actions->count; i++) {
        const struct paxos_action *action = &actions->items[i];
        if (action->type == PAXOS_SEND && action->to == TO_LEARNERS && action->number == 0) {
            add_to_learn(node, action->message);
        } else if (action->type == PAXOS_SEND && action->to == TO_LEARNERS) {
            send_learn(node, action->message, action->number);
        }
    }
    paxos_actions_clear(actions);
}

static struct waiting *waiting_new(struct acceptor_node *node)
{
    struct waiting *waiting = node->spare;

    if (waiting == NULL) {
        return memory_new_zeroed(1, sizeof *waiting);
    }
    LL_DELETE(node->spare, waiting);
    node->spare_count--;
    return waiting;
}

static void waiting_free(struct acceptor_node *node, struct waiting *waiting)
{
    paxos_actions_clear(&waiting->actions);
    if (node->spare_count < SPARE_MAX) {
        LL_PREPEND(node->spare, waiting);
        node->spare_count++;
    } else {
        paxos_actions_free(&waiting->actions);
        free(waiting);
    }
}

static void append(struct acceptor_node *node, struct waiting *waiting)
{
    waiting->next = NULL;
    if (node->last != NULL) {
        node->last->next = waiting;
    } else {
        node->first = waiting;
    }
    node->last = waiting;
}

static struct waiting *take_first(struct acceptor_node *node)
{
    struct waiting *waiting = node->first;

    node->first = waiting->next;
    node->last = node->first != NULL ? node->last : NULL;
    return waiting;
}

void acceptor_carry_out(struct acceptor_node *node, struct http_exchange *exchange,
                        struct paxos_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].type == PAXOS_RECORD) {
            acceptor_log_append(&node->log, &actions->items[i].record);
        }
    }
    if (node->log.recorded == node->log.given) {
        do_the_rest(node, exchange, actions);
        tell_learners_soon(node);
        return;
    }
    struct waiting *waiting = waiting_new(node);
    struct paxos_actions empty = waiting->actions;
    waiting->after = node->log.given;
    waiting->exchange = exchange;
    waiting->actions = *actions;
    *actions = empty;
    append(node, waiting);
}

void acceptor_go_on(struct acceptor_node *node)
{
    while (node->first != NULL && node->first->after <= node->log.recorded) {
        struct waiting *waiting = take_first(node);
        do_the_rest(node, waiting->exchange, &waiting->actions);
        waiting_free(node, waiting);
    }
    tell_learners_soon(node);
}

void acceptor_give_up(struct acceptor_node *node, const char *why)
{
    while (node->first != NULL) {
        struct waiting *waiting = take_first(node);
        http_fail(waiting->exchange, HTTP_INSUFFICIENT_STORAGE, why);
        waiting_free(node, waiting);
    }
}

void acceptor_answer_free(struct acceptor_node *node)
{
    struct waiting *waiting;

    acceptor_give_up(node, "this acceptor is gone");
    while ((waiting = node->spare) != NULL) {
        LL_DELETE(node->spare, waiting);
        paxos_actions_free(&waiting->actions);
        free(waiting);
    }
    buffer_free(&node->learn);
}
