/* Notes of the replication, gathered. As everything that is sent, they wait for the end of the turn, and for the disk
 * (server_actions.c); meanwhile, changes that follow each other become one note, and of acknowledgements only the last is
 * said. And while a backup owes the acknowledgement of some changes, it gets no others: these are gathered until it has
 * answered (as Nagle has TCP do it, RFC 896, 1984). So the busier the servers are, the more clients share one note, one
 * flush of each disk, and one acknowledgement; and who asks alone does not wait. The next ping, at the latest, takes along
 * what was gathered.
 *
 * The rules need not know: a note may bear several changes, and an acknowledgement is of all changes up to the last. */
#include "parte5-chat/server.h"

#include "parte5-chat/chat_message_change.h"

static void copy_note(struct replication_note *to, const struct replication_note *from)
{
    *to = *from;
    to->changes = (struct change_list){0};
    for (size_t i = 0; i < from->changes.count; i++) {
        change_list_add(&to->changes, from->changes.items[i]);
    }
}

/* Do these changes follow at once on the gathered ones? */
static bool follows(const struct replication_note *gathered, const struct replication_note *note)
{
    size_t count = gathered->changes.count;
    const struct change *last = count > 0 ? gathered->changes.items[count - 1] : NULL;

    return last != NULL && last->seq == note->after_seq && last->epoch == note->after_epoch &&
           !gathered->whole && !note->whole && count + note->changes.count <= REPLICATION_CHANGES_MAX;
}

/* Makes one note of two, if they can be. */
static bool join(struct replication_note *gathered, const struct replication_note *note)
{
    if (gathered->type != note->type || gathered->epoch != note->epoch) {
        return false;
    }
    if (note->type == NOTE_CHANGES && follows(gathered, note)) {
        for (size_t i = 0; i < note->changes.count; i++) {
            change_list_add(&gathered->changes, note->changes.items[i]);
        }
        gathered->seq = note->seq;
        gathered->last_epoch = note->last_epoch;
        return true;
    }
    if (note->type == NOTE_ACK) {
        *gathered = *note; /* it has no changes */
        return true;
    }
    return false;
}

static void say(struct server *server, unsigned to, const struct replication_note *note)
{
    if (note->changes.count > 0) {
        server->told_seq[to] = note->changes.items[note->changes.count - 1]->seq;
    }
    message_from_note(note, &server->said);
    server_say_to_peer(server, to, CHAT_REQUEST);
    if (note->type == NOTE_CHANGES && replication_leads(&server->replication) &&
        store_has_promised(&server->store)) {
        server_rests_on(server, CHANGE_NO_SEQ); /* the backups' disks work while ours does */
    }
}

/* Is a backup at work on what it was told last? */
static bool owes(const struct server *server, unsigned peer)
{
    const struct replication_member *member = &server->replication.members[peer];

    return replication_leads(&server->replication) && member->state != MEMBER_OUT &&
           member->acked < server->told_seq[peer];
}

void server_flush_notes(struct server *server, unsigned to)
{
    if (server->gathering & SERVER_BIT(to)) {
        server->gathering &= ~SERVER_BIT(to);
        say(server, to, &server->gathered[to]);
        replication_note_free(&server->gathered[to]);
    }
}

void server_drop_notes(struct server *server)
{
    for (unsigned to = 1; to <= server->members.count; to++) {
        if (server->gathering & SERVER_BIT(to)) {
            replication_note_free(&server->gathered[to]);
        }
        server->told_seq[to] = CHANGE_NO_SEQ;
    }
    server->gathering = 0;
}

void server_end_turn_of_notes(struct server *server)
{
    for (unsigned to = 1; to <= server->members.count; to++) {
        if (server->gathered[to].type != NOTE_CHANGES || !owes(server, to)) {
            server_flush_notes(server, to);
        }
    }
}

void server_send_note(struct server *server, unsigned to, const struct replication_note *note)
{
    if ((server->gathering & SERVER_BIT(to)) && join(&server->gathered[to], note)) {
        return;
    }
    server_flush_notes(server, to); /* what was said first is heard first */
    if (note->type == NOTE_CHANGES || note->type == NOTE_ACK) {
        copy_note(&server->gathered[to], note);
        server->gathering |= SERVER_BIT(to);
    } else {
        say(server, to, note);
    }
}
