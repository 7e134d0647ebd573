/* The primary's half of the replication, and how a server becomes the primary; the rule is in replication.c. */
#include "parte5-chat/replication_parts.h"

/* The first peer from that number on; beyond SERVERS_MAX if there is none. */
static unsigned peer_from(const struct replication *replication, unsigned number)
{
    while (number <= SERVERS_MAX && !(replication->options.peers & SERVER_BIT(number))) {
        number++;
    }
    return number;
}

static unsigned first_peer(const struct replication *replication)
{
    return peer_from(replication, 0);
}

static unsigned next_peer(const struct replication *replication, unsigned peer)
{
    return peer_from(replication, peer + 1);
}

/* ---- taking writes ---- */

static void send_changes(struct replication *replication, struct change *change, int64_t after_seq,
                         int64_t after_epoch, struct replication_actions *out)
{
    for (unsigned peer = first_peer(replication); peer <= SERVERS_MAX; peer = next_peer(replication, peer)) {
        struct replication_member *member = &replication->members[peer];
        struct replication_note note = {.type = NOTE_CHANGES,
                                        .after_seq = after_seq,
                                        .after_epoch = after_epoch};
        if (member->state != MEMBER_OUT) {
            change_list_add(&note.changes, change);
            replication_send(replication, peer, note, out);
        }
    }
}

/* What every backup that counts has on its disk is safe: tells the clients, in order. */
static void advance(struct replication *replication, struct replication_actions *out)
{
    const struct change_list *all = &replication->chat->changes;
    int64_t least = chat_last_seq(replication->chat);

    for (unsigned peer = first_peer(replication); peer <= SERVERS_MAX; peer = next_peer(replication, peer)) {
        const struct replication_member *member = &replication->members[peer];
        if (member->state == MEMBER_COUNTED && member->acked < least) {
            least = member->acked;
        }
    }
    if (least < replication->reign_seq || least <= replication->committed) {
        return; /* while a backup may be on an earlier epoch's line, its acknowledgements prove nothing */
    }
    for (size_t i = change_list_below(all, replication->committed + 1); i < all->count; i++) {
        if (all->items[i]->seq > least) {
            break;
        }
        replication_add(out, REPLICATION_ANSWER, all->items[i]);
        replication_add(out, REPLICATION_PUBLISH, all->items[i]);
    }
    replication->committed = least;
}

/* The backups have it while our own disk writes it: what dies with us then was not acknowledged, and whoever takes over
 * goes on from it if one that has it answers. */
static void take_write(struct replication *replication, const struct change *fields,
                       struct replication_actions *out)
{
    int64_t after_seq = chat_last_seq(replication->chat);
    int64_t after_epoch = chat_last_epoch(replication->chat);
    struct change *change = change_number(fields, after_seq + 1, replication->epoch);

    chat_apply(replication->chat, change);
    send_changes(replication, change, after_seq, after_epoch, out);
    replication_add(out, REPLICATION_RECORD, change);
    change_unref(change);
    advance(replication, out);
}

int replication_submit(struct replication *replication, struct change *change,
                       struct replication_actions *out, struct error *error)
{
    if (replication->role != ROLE_PRIMARY) {
        return error_set(error, ERROR_NETWORK, "this server is not the primary");
    }
    struct change *known = chat_find_request(replication->chat, change->request_id);
    if (known != NULL) { /* a retry: its effect is there, and at most the answer is owed */
        if (known->seq <= replication->committed && replication->committed >= replication->reign_seq) {
            replication_add(out, REPLICATION_ANSWER, known);
        }
        return 0;
    }
    int code = chat_check(replication->chat, change, error);
    if (code == 0) {
        take_write(replication, change, out);
    }
    return code;
}

bool replication_leads(const struct replication *replication)
{
    return replication->role == ROLE_PRIMARY;
}

/* ---- taking over ---- */

static void ping(struct replication *replication, unsigned peer, struct replication_actions *out)
{
    const struct replication_member *member = &replication->members[peer];

    replication_send(replication, peer,
                     (struct replication_note){.type = NOTE_PING,
                                               .committed = replication->committed,
                                               .counted = member->state != MEMBER_OUT,
                                               .said_ms =
                                                   member->state == MEMBER_COUNTED ? member->said_ms : 0},
                     out);
}

/* Those that answered are alive and count: nothing is acknowledged before they have it, or are dropped. The first
 * change of the new epoch marks our line: with it, whoever has it is further than anybody on an earlier one. */
static void begin_reign(struct replication *replication, struct replication_actions *out)
{
    int64_t last_seq = chat_last_seq(replication->chat);

    replication->role = ROLE_PRIMARY;
    replication->reign_seq = last_seq + 1;
    replication->committed = replication->committed < last_seq ? replication->committed : last_seq;
    for (unsigned peer = first_peer(replication); peer <= SERVERS_MAX; peer = next_peer(replication, peer)) {
        struct replication_member *member = &replication->members[peer];
        *member = (struct replication_member){.state = member->answered ? MEMBER_COUNTED : MEMBER_OUT};
    }
    replication_add(out, REPLICATION_LEADING, NULL);
    take_write(replication, &(struct change){.type = CHANGE_REIGN}, out);
    for (unsigned peer = first_peer(replication); peer <= SERVERS_MAX; peer = next_peer(replication, peer)) {
        ping(replication, peer, out);
    }
}

static bool is_further(const struct replication_member *member, int64_t epoch, int64_t seq)
{
    return member->last_epoch > epoch || (member->last_epoch == epoch && member->seq > seq);
}

/* Goes on from the line of the furthest that answered; which may be our own. */
static void choose_line(struct replication *replication, struct replication_actions *out)
{
    int64_t epoch = chat_last_epoch(replication->chat);
    int64_t seq = chat_last_seq(replication->chat);

    replication->source = replication->options.self;
    replication->waited_ms = 0;
    for (unsigned peer = first_peer(replication); peer <= SERVERS_MAX; peer = next_peer(replication, peer)) {
        const struct replication_member *member = &replication->members[peer];
        if (member->answered && is_further(member, epoch, seq)) {
            epoch = member->last_epoch;
            seq = member->seq;
            replication->source = peer;
        }
    }
    if (replication->source == replication->options.self) {
        begin_reign(replication, out);
    } else {
        replication_send(replication, replication->source, (struct replication_note){.type = NOTE_FETCH},
                         out);
    }
}

static void ask_all(struct replication *replication, struct replication_actions *out)
{
    for (unsigned peer = first_peer(replication); peer <= SERVERS_MAX; peer = next_peer(replication, peer)) {
        replication_send(replication, peer, (struct replication_note){.type = NOTE_ASK}, out);
    }
}

static void begin_takeover(struct replication *replication, struct replication_actions *out)
{
    replication->role = ROLE_TAKING_OVER;
    replication->source = replication->options.self;
    replication->waited_ms = 0;
    for (unsigned peer = first_peer(replication); peer <= SERVERS_MAX; peer = next_peer(replication, peer)) {
        replication->members[peer] = (struct replication_member){0};
    }
    ask_all(replication, out);
    if (replication->options.peers == 0) {
        choose_line(replication, out);
    }
}

void replication_lead(struct replication *replication, int64_t epoch, struct replication_actions *out)
{
    if (epoch <= replication->epoch) { /* we have heard of a later one, the coordination has not */
        replication_add(out, REPLICATION_DEPOSED, NULL);
        out->items[out->count - 1].note.epoch = replication->epoch;
        return;
    }
    replication_enter_epoch(replication, epoch, out);
    begin_takeover(replication, out);
}

void replication_step_down(struct replication *replication)
{
    replication->role = ROLE_BACKUP;
    replication->primary = replication->options.self;
    replication->on_line = false;
    replication->fetching_ms = 0;
    replication->counts_until_ms = 0;
}

static void hear_answer(struct replication *replication, const struct replication_note *note,
                        struct replication_actions *out)
{
    struct replication_member *member = &replication->members[note->from];

    member->answered = true;
    member->seq = note->seq;
    member->last_epoch = note->last_epoch;
    for (unsigned peer = first_peer(replication); peer <= SERVERS_MAX; peer = next_peer(replication, peer)) {
        if (!replication->members[peer].answered) {
            return;
        }
    }
    choose_line(replication, out);
}

void replication_hear_as_candidate(struct replication *replication, const struct replication_note *note,
                                   struct replication_actions *out)
{
    bool fetching = replication->source != replication->options.self;

    if (note->type == NOTE_ANSWER && !fetching) {
        hear_answer(replication, note, out);
    } else if (note->type == NOTE_CHANGES && fetching && note->from == replication->source) {
        replication_install(replication, note, out);
        replication->members[note->from].seq = note->seq; /* it may have said too much */
        replication->members[note->from].last_epoch = note->last_epoch;
        choose_line(replication, out); /* the same one again, until we have all of it */
    }
}

void replication_tick_candidate(struct replication *replication, uint64_t passed_ms, uint64_t slept_ms,
                                struct replication_actions *out)
{
    bool fetching = replication->source != replication->options.self;

    if (slept_ms >= replication->options.patience_ms) {
        begin_takeover(replication, out);
        return;
    }
    if (slept_ms > 0 && !fetching) {
        ask_all(replication, out); /* the question may be lost, and the answers old */
    }
    replication->waited_ms += passed_ms;
    if (slept_ms > 0 || replication->waited_ms < replication->options.patience_ms) {
        return;
    }
    if (fetching || replication->options.never_drops) {
        begin_takeover(replication, out);
    } else {
        choose_line(replication, out);
    }
}

/* ---- leading ---- */

static void hear_ack(struct replication *replication, const struct replication_note *note,
                     struct replication_actions *out)
{
    struct replication_member *member = &replication->members[note->from];

    if (note->seq > chat_last_seq(replication->chat)) {
        return; /* nobody has what there is not */
    }
    member->said_ms = note->said_ms;
    if (note->seq > member->acked) {
        member->acked = note->seq;
        member->waited_ms = 0;
    }
    if (member->state == MEMBER_JOINING && member->acked >= replication->committed &&
        member->acked >= replication->reign_seq) {
        member->state = MEMBER_COUNTED;
        replication_add(out, REPLICATION_RETURNED, NULL);
        out->items[out->count - 1].to = note->from;
    }
    advance(replication, out);
}

/* Budhiraja et al.: a server that returns is given the state before it is a backup again. */
static void hear_fetch(struct replication *replication, const struct replication_note *note,
                       struct replication_actions *out)
{
    struct replication_member *member = &replication->members[note->from];
    bool on_our_line = replication_send_what_follows(replication, note, out);

    member->acked = on_our_line ? note->seq : CHANGE_NO_SEQ;
    member->waited_ms = 0;
    member->state = member->state == MEMBER_OUT ? MEMBER_JOINING : member->state;
}

void replication_hear_as_primary(struct replication *replication, const struct replication_note *note,
                                 struct replication_actions *out)
{
    if (note->type == NOTE_ACK) {
        hear_ack(replication, note, out);
    } else if (note->type == NOTE_FETCH) {
        hear_fetch(replication, note, out);
    }
}

void replication_tick_primary(struct replication *replication, uint64_t passed_ms, uint64_t slept_ms,
                              struct replication_actions *out)
{
    for (unsigned peer = first_peer(replication); peer <= SERVERS_MAX; peer = next_peer(replication, peer)) {
        struct replication_member *member = &replication->members[peer];
        bool owes = member->state != MEMBER_OUT && member->acked < chat_last_seq(replication->chat);

        member->waited_ms =
            owes && slept_ms < replication->options.patience_ms ? member->waited_ms + passed_ms : 0;
        if (slept_ms == 0 && member->waited_ms >= replication->options.patience_ms &&
            !replication->options.never_drops) {
            *member = (struct replication_member){.state = MEMBER_OUT};
            replication_add(out, REPLICATION_DROPPED, NULL);
            out->items[out->count - 1].to = peer;
        }
        ping(replication, peer, out);
    }
    advance(replication, out);
}
