/* What only a leader does: opens its log, listens whether somebody knows more than it and keeps what clients ask for
 * meanwhile, begins an epoch, puts updates on disk before they are sent and applied, tells the others how far it has
 * come, and steps down for a newer one. */
#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "node.h"

#include <stdio.h>
#include <string.h>

#define LISTEN_MS   300  /* how long who is to lead waits for news, once all were asked for it */
#define ANNOUNCE_MS 1000 /* how often it tells how far it has come */

/* ---- what waits for the disk ---- */

static void do_waiting(struct node *node)
{
    while (node->waiting_from < node->waiting.count) {
        struct action *action = &node->waiting.items[node->waiting_from];
        if (action->message->seq > node->log.seq) {
            return;
        }
        node->waiting_from++;
        if (action->type == ACTION_SEND) {
            send_to_group(node, action->message);
        } else {
            deliver(node, action->message);
        }
    }
    actions_clear(&node->waiting);
    node->waiting_from = 0;
}

static void drop_waiting(struct node *node)
{
    for (; node->waiting_from < node->waiting.count; node->waiting_from++) {
        struct action *action = &node->waiting.items[node->waiting_from];
        if (action->type == ACTION_SEND) {
            request_fail(requests_find(&node->replica.requests, action->message),
                         "this node does not lead any more: the update may or may not be done");
        }
    }
    actions_clear(&node->waiting);
    node->waiting_from = 0;
}

void leader_record(struct node *node, struct message *update)
{
    update_log_append(&node->log, update);
}

void leader_do_later(struct node *node, const struct action *action)
{
    actions_add(&node->waiting, action->type, action->message);
}

/* ---- what waits for it to lead ---- */

bool leader_keep(struct node *node, struct message *command)
{
    bool will_lead = node->starts_leading && node->replica.not_ready_yet;

    if (will_lead) {
        actions_add(&node->early, ACTION_REFUSE, command);
    }
    return will_lead;
}

/* In the order in which they came; also those whose clients were told that they may be done later. */
static void submit_early(struct node *node)
{
    for (size_t i = 0; i < node->early.count; i++) {
        order_submit(&node->order, node->early.items[i].message, &node->actions);
        perform_actions(node);
    }
    actions_free(&node->early);
}

/* ---- beginning and ending an epoch ---- */

static void announce(struct node *node)
{
    recovery_announce(&node->recovery, node->order.epoch, node->applied_seq);
    node->announce_at_ms = clock_monotonic_ms() + ANNOUNCE_MS;
}

static void begin_epoch(struct node *node, int64_t epoch)
{
    node->wanted_epoch = epoch;
    update_log_begin_epoch(&node->log, epoch);
}

/* It has not led yet, and hears more than it knew: it listens on. */
static void listen_on(struct node *node)
{
    node->wanted_epoch = MESSAGE_NO_EPOCH;
    node->has_led = false;
    node->lead_at_ms = clock_monotonic_ms() + LISTEN_MS;
}

static void lead(struct node *node)
{
    order_lead(&node->order, node->wanted_epoch);
    node->wanted_epoch = MESSAGE_NO_EPOCH;
    snprintf(node->leader_name, sizeof node->leader_name, "%s", node->replica.id);
    if (log_begin(&node->replica.log, LOG_INFO, "elect")) {
        log_int(&node->replica.log, "epoch", node->order.epoch);
        log_int(&node->replica.log, "next_seq", node->order.next_seq);
        log_end(&node->replica.log);
    }
    announce(node);
    replica_make_ready(&node->replica);
    submit_early(node);
}

/* A peer knew more than this node's log: then so must the log, once nothing is being written to it. */
static void catch_up(struct node *node)
{
    struct error error;

    if (!node->log_is_behind || !update_log_is_idle(&node->log)) {
        return;
    }
    node->log_is_behind = false;
    if (update_log_replace(&node->log, node->order.epoch, node->applied_seq, &node->replica.store, &error) !=
        0) {
        replica_die(&node->replica, &error);
    }
}

static void on_recorded(struct update_log *log)
{
    struct node *node = container_of(log, struct node, log);

    catch_up(node);
    if (node->wanted_epoch != MESSAGE_NO_EPOCH && log->epoch >= node->wanted_epoch) {
        if (node->wanted_epoch > node->order.known_epoch) {
            lead(node);
        } else {
            listen_on(node); /* somebody else has begun that one meanwhile */
        }
    }
    if (node->order.leading && !node->replica.closing) {
        do_waiting(node);
    }
}

static void on_failed(struct update_log *log, const struct error *error)
{
    struct node *node = container_of(log, struct node, log);
    replica_die(&node->replica, error); /* a leader that cannot remember must not lead */
}

/* Two leaders of one epoch began at the same time and did not hear each other: both begin another, and one a later. */
void leader_hear(struct node *node, const struct recovery_note *note)
{
    if (node->order.leading && note->epoch == node->order.epoch && node->wanted_epoch == MESSAGE_NO_EPOCH) {
        bool later = text_compare(text_of(node->replica.id), note->node) > 0;
        begin_epoch(node, node->order.epoch + 1 + later);
    }
}

void leader_step_down(struct node *node)
{
    node->wanted_epoch = MESSAGE_NO_EPOCH;
    drop_waiting(node);
    if (strcmp(node->leader_name, node->replica.id) == 0) {
        node->leader_name[0] = '\0'; /* the newer one has not said its name yet */
    }
    if (log_begin(&node->replica.log, LOG_WARNING, "step_down")) {
        log_int(&node->replica.log, "epoch", node->order.epoch);
        log_int(&node->replica.log, "newer_epoch", node->order.known_epoch);
        log_text(&node->replica.log, "leader", text_of(node->leader_name));
        log_text(&node->replica.log, "message",
                 text_of(
                     "two leaders were started: this one takes no more writes; restart it as a follower"));
        log_end(&node->replica.log);
    }
}

/* ---- events ---- */

void leader_listen(struct node *node)
{
    if (node->starts_leading && !node->has_led) {
        node->lead_at_ms = clock_monotonic_ms() + LISTEN_MS;
    }
}

void leader_tick(struct node *node, uint64_t now_ms)
{
    bool listened = node->lead_at_ms != 0 && now_ms >= node->lead_at_ms;

    if (listened && !node->has_led && !node->log_is_behind && node->replica.consumer.connected) {
        node->has_led = true;
        begin_epoch(node, node->order.known_epoch + 1);
    }
    if (node->order.leading && now_ms >= node->announce_at_ms && node->replica.consumer.connected) {
        announce(node);
    }
}

void leader_install(struct node *node)
{
    if (!node->starts_leading) {
        return;
    }
    if (node->wanted_epoch != MESSAGE_NO_EPOCH) {
        listen_on(node);
    }
    leader_listen(node); /* perhaps another one knows even more */
    node->log_is_behind = true;
    catch_up(node);
}

/* ---- opening and closing ---- */

int leader_open(struct node *node, struct error *error)
{
    char standard[128];

    if (!node->starts_leading) {
        return 0;
    }
    snprintf(standard, sizeof standard, "data/%s", node->replica.id);
    node->log.on_recorded = on_recorded;
    node->log.on_failed = on_failed;
    int code = update_log_open(&node->log, &node->replica.runtime.loop, config_text("DATA_DIR", standard),
                               &node->replica.store, &node->replica.applied, error);
    if (code == 0) {
        order_install(&node->order, node->log.epoch, node->log.seq, &node->actions);
        node->applied_seq = node->log.seq;
        if (log_begin(&node->replica.log, LOG_INFO, "recover")) {
            log_int(&node->replica.log, "installed_seq", node->log.seq);
            log_int(&node->replica.log, "epoch", node->log.epoch);
            log_text(&node->replica.log, "from", text_of("disk"));
            log_int(&node->replica.log, "keys", (int64_t)kv_store_count(&node->replica.store));
            log_int(&node->replica.log, "ordem_local", 0);
            log_end(&node->replica.log);
        }
    }
    return code;
}

void leader_close(struct node *node)
{
    if (node->starts_leading) {
        actions_free(&node->early);
        actions_free(&node->waiting);
        update_log_close(&node->log);
    }
}
