/* The question: how does nothing get lost that a client was told is done, when the server that said so dies?
 *
 * The rule: all writes go through one server, the primary; it gives each to the backups and to its own disk, and says OK
 * only after all of them have it, every backup that counts on its own disk; one that does not answer in time counts no
 * more, and one that returns counts again once it has what it missed ("primary-backup": Budhiraja, Marzullo, Schneider and Toueg
 * 1993). Who takes over begins a later epoch: first it asks all, who from then on obey no earlier one; it takes over
 * the line of the one that is furthest, by epoch, then by place; and it begins with a change of its own (Oki and
 * Liskov 1988, "viewstamped replication", says why an epoch must weigh more than a place).
 *
 * It guarantees: nothing that was acknowledged is lost while, whenever somebody takes over, one that counted answers;
 * a request that is repeated with its id takes effect once; all servers end with the same changes in the same order.
 *
 * It does not guarantee: anything of that when the last server that counted is gone, and others lead without it; nor
 * when the primary is cut off while it is believed dead (bully.c says how): it drops all backups, goes on alone, and
 * what it acknowledges is forgotten when it hears of its successor. A read may show what is not acknowledged yet. And a
 * subscriber may miss, or hear twice (the place tells), what was published while a primary died.
 *
 * To break it: in advance (replication_primary.c), let `least` start and stay at the last place: OK before the backups.
 * Kill the primary right after an OK. */
#include "parte5-chat/replication_parts.h"

#include "common/memory.h"

#include <stdlib.h>

void replication_init(struct replication *replication, const struct replication_options *options,
                      struct chat *chat, uint64_t now_ms)
{
    int64_t last_epoch = chat_last_epoch(chat);

    *replication =
        (struct replication){.options = *options,
                             .chat = chat,
                             .epoch = options->promised > last_epoch ? options->promised : last_epoch,
                             .committed = chat_last_seq(chat),
                             .last_tick_ms = now_ms,
                             .source = options->self,
                             .primary = options->self};
}

void replication_rewind(struct replication *replication)
{
    replication->committed = chat_last_seq(replication->chat);
}

/* ---- actions ---- */

void replication_add(struct replication_actions *out, enum replication_action_type type,
                     struct change *change)
{
    out->items = memory_grow(out->items, &out->capacity, out->count + 1, sizeof *out->items);
    out->items[out->count++] =
        (struct replication_action){.type = type, .change = change != NULL ? change_ref(change) : NULL};
}

void replication_send(struct replication *replication, unsigned to, struct replication_note note,
                      struct replication_actions *out)
{
    note.from = replication->options.self;
    note.epoch = replication->epoch;
    note.last_epoch = chat_last_epoch(replication->chat);
    note.seq = chat_last_seq(replication->chat);
    replication_add(out, REPLICATION_SEND, NULL);
    out->items[out->count - 1].to = to;
    out->items[out->count - 1].note = note;
}

void replication_note_free(struct replication_note *note)
{
    change_list_free(&note->changes);
}

void replication_actions_clear(struct replication_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        replication_note_free(&actions->items[i].note);
        change_unref(actions->items[i].change);
    }
    actions->count = 0;
}

void replication_actions_free(struct replication_actions *actions)
{
    replication_actions_clear(actions);
    free(actions->items);
    *actions = (struct replication_actions){0};
}

/* ---- the line of changes ---- */

void replication_enter_epoch(struct replication *replication, int64_t epoch, struct replication_actions *out)
{
    replication->epoch = epoch;
    replication_add(out, REPLICATION_PROMISE, NULL);
    out->items[out->count - 1].note.epoch = epoch;
}

void replication_append(struct replication *replication, struct change *change,
                        struct replication_actions *out)
{
    replication_add(out, REPLICATION_RECORD, change);
    chat_apply(replication->chat, change);
}

bool replication_send_what_follows(struct replication *replication, const struct replication_note *fetch,
                                   struct replication_actions *out)
{
    const struct change_list *all = &replication->chat->changes;
    bool on_our_line = chat_has(replication->chat, fetch->seq, fetch->last_epoch);
    struct replication_note note = {.type = NOTE_CHANGES,
                                    .whole = !on_our_line,
                                    .after_seq = on_our_line ? fetch->seq : CHANGE_NO_SEQ,
                                    .after_epoch = on_our_line ? fetch->last_epoch : 0};
    size_t from = change_list_below(all, note.after_seq + 1);

    for (size_t i = from; i < all->count && i - from < REPLICATION_CHANGES_MAX; i++) {
        change_list_add(&note.changes, all->items[i]);
    }
    replication_send(replication, fetch->from, note, out);
    return on_our_line;
}

/* What comes from outside may be nonsense: no place may be missing, and epochs must not pass the sender's. */
static bool is_sound(const struct replication_note *note)
{
    int64_t seq = note->after_seq;
    int64_t epoch = note->after_epoch;

    for (size_t i = 0; i < note->changes.count; i++) {
        const struct change *change = note->changes.items[i];
        if (change->seq - 1 != seq || change->epoch < epoch || change->epoch > note->epoch) {
            return false;
        }
        seq = change->seq;
        epoch = change->epoch;
    }
    bool from_the_beginning = note->after_seq == CHANGE_NO_SEQ && note->after_epoch == 0;
    return note->changes.count <= REPLICATION_CHANGES_MAX && seq < INT64_MAX &&
           (from_the_beginning || !note->whole);
}

bool replication_install(struct replication *replication, const struct replication_note *note,
                         struct replication_actions *out)
{
    struct chat *chat = replication->chat;
    const struct change_list *changes = &note->changes;

    if (!is_sound(note)) {
        return false;
    }
    if (note->whole) {
        chat_free(chat);
        replication_add(out, REPLICATION_FORGET, NULL);
    }
    if (chat_last_seq(chat) == note->after_seq && chat_last_epoch(chat) == note->after_epoch) {
        for (size_t i = 0; i < changes->count; i++) {
            replication_append(replication, changes->items[i], out);
        }
        return true;
    }
    return changes->count > 0 &&
           chat_has(chat, changes->items[changes->count - 1]->seq, changes->items[changes->count - 1]->epoch);
}

/* ---- backup ---- */

/* A later epoch has begun: whoever led in an earlier one does not any more. */
static void adopt_epoch(struct replication *replication, int64_t epoch, struct replication_actions *out)
{
    bool led = replication->role != ROLE_BACKUP;

    replication_enter_epoch(replication, epoch, out);
    replication_step_down(replication);
    if (led) {
        replication_add(out, REPLICATION_DEPOSED, NULL);
        out->items[out->count - 1].note.epoch = epoch;
    }
}

static void fetch(struct replication *replication, struct replication_actions *out)
{
    replication->counts_until_ms = 0;
    replication->fetching_ms = replication->options.patience_ms;
    replication_send(replication, replication->primary, (struct replication_note){.type = NOTE_FETCH}, out);
}

static void acknowledge(struct replication *replication, struct replication_actions *out)
{
    replication_send(replication, replication->primary,
                     (struct replication_note){.type = NOTE_ACK,
                                               .said_ms = (int64_t)replication->last_tick_ms},
                     out);
}

/* After an acknowledgement the primary waits its patience before it goes on without us. It got ours after we said it: the
 * time that took, and that the ping took to come here, is time that we do not count; and half of its patience is for its
 * ticks and for clocks that do not run alike. (A lease, as in lease.c.) */
static void hear_that_we_count(struct replication *replication, int64_t said_ms)
{
    if (said_ms > 0 && (uint64_t)said_ms <= replication->last_tick_ms) {
        replication->counts_until_ms = (uint64_t)said_ms + replication->options.patience_ms / 2;
    }
}

bool replication_is_current(const struct replication *replication, uint64_t now_ms)
{
    return replication->role == ROLE_BACKUP && replication->on_line && now_ms < replication->counts_until_ms;
}

/* Budhiraja et al.: a backup takes the primary's updates in the order in which the primary made them. */
static void hear_changes(struct replication *replication, const struct replication_note *note,
                         struct replication_actions *out)
{
    if (note->whole && replication->on_line) {
        return; /* it comes late, and what we have may count by now */
    }
    bool in_line = replication_install(replication, note, out);
    replication->on_line = replication->on_line || in_line;
    bool complete = in_line && chat_last_seq(replication->chat) >= note->seq;

    if (complete) {
        replication->fetching_ms = 0;
        acknowledge(replication, out);
    } else if (in_line || replication->fetching_ms == 0) {
        fetch(replication, out);
    }
}

static void hear_ping(struct replication *replication, const struct replication_note *note,
                      struct replication_actions *out)
{
    bool same = chat_last_seq(replication->chat) == note->seq &&
                chat_last_epoch(replication->chat) == note->last_epoch;

    replication->committed =
        note->committed > replication->committed ? note->committed : replication->committed;
    if (same && note->counted) {
        hear_that_we_count(replication, note->said_ms);
        acknowledge(replication, out);
    } else if (replication->fetching_ms == 0) {
        fetch(replication, out);
    }
}

static void hear_as_backup(struct replication *replication, const struct replication_note *note,
                           struct replication_actions *out)
{
    switch (note->type) {
    case NOTE_CHANGES:
        if (note->from == replication->primary) {
            hear_changes(replication, note, out);
        }
        break;
    case NOTE_PING:
        replication->primary = note->from;
        hear_ping(replication, note, out);
        break;
    case NOTE_FETCH:
        replication_send_what_follows(replication, note, out);
        break;
    default: /* an answer to what this server was before */
        break;
    }
}

/* ---- both ---- */

static bool is_from_a_peer(const struct replication *replication, const struct replication_note *note)
{
    return note->from <= SERVERS_MAX && (replication->options.peers & SERVER_BIT(note->from)) &&
           epoch_is_credible(replication->epoch, note->epoch);
}

void replication_hear(struct replication *replication, const struct replication_note *note,
                      struct replication_actions *out)
{
    if (!is_from_a_peer(replication, note)) {
        return;
    }
    if (note->epoch > replication->epoch) {
        adopt_epoch(replication, note->epoch, out);
    }
    if (note->epoch < replication->epoch) { /* this is what fences an old primary off */
        if (note->type != NOTE_REFUSE) {
            replication_send(replication, note->from, (struct replication_note){.type = NOTE_REFUSE}, out);
        }
        return;
    }
    if (note->type == NOTE_ASK) {
        replication_send(replication, note->from, (struct replication_note){.type = NOTE_ANSWER}, out);
    } else if (replication->role == ROLE_PRIMARY) {
        replication_hear_as_primary(replication, note, out);
    } else if (replication->role == ROLE_TAKING_OVER) {
        replication_hear_as_candidate(replication, note, out);
    } else {
        hear_as_backup(replication, note, out);
    }
}

void replication_tick(struct replication *replication, uint64_t now_ms, struct replication_actions *out)
{
    uint64_t passed = now_ms - replication->last_tick_ms;
    uint64_t slept = passed > TICK_MAX_MS ? passed : 0;

    passed -= slept;
    replication->last_tick_ms = now_ms;
    replication->fetching_ms -= passed < replication->fetching_ms ? passed : replication->fetching_ms;
    if (replication->role == ROLE_PRIMARY) {
        replication_tick_primary(replication, passed, slept, out);
    } else if (replication->role == ROLE_TAKING_OVER) {
        replication_tick_candidate(replication, passed, slept, out);
    }
}
