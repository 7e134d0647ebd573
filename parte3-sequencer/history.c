/* The last numbered commands, by their numbers: those that the broker has confirmed, and those that were found in its
 * history queue. A sequencer begins with them, sends them again to a node that lacks them, and sees by them whether
 * another sequencer has gone on in its place. No I/O: sequencer_rebuild.c reads the queue. */
#include "history.h"

void history_add(struct history *history, struct message *message)
{
    struct message **place = &history->last[message->seq % SEQUENCER_HISTORY_MAX];

    if (*place == NULL || (*place)->seq < message->seq) {
        message_unref(*place);
        *place = message_ref(message);
    }
    history->last_seq = message->seq > history->last_seq ? message->seq : history->last_seq;
}

struct message *history_find(const struct history *history, int64_t seq)
{
    struct message *message = history->last[seq % SEQUENCER_HISTORY_MAX];

    return message != NULL && message->seq == seq ? message : NULL;
}

bool history_contradicts(const struct history *history, const struct sequencer *sequencer,
                         const struct message *own)
{
    const struct message *there = history_find(history, own->seq);
    int64_t seq;

    if (there != NULL && !text_equal(there->message_uuid, own->message_uuid)) {
        return true;
    }
    return !recent_find(&sequencer->ordered, own->message_uuid, &seq) || seq != own->seq;
}

void history_restore(const struct history *history, struct sequencer *sequencer)
{
    sequencer_free(sequencer);
    sequencer_init(sequencer);
    for (size_t i = 0; i < SEQUENCER_HISTORY_MAX; i++) {
        if (history->last[i] != NULL) {
            sequencer_remember(sequencer, history->last[i]);
        }
    }
}

void history_free(struct history *history)
{
    for (size_t i = 0; i < SEQUENCER_HISTORY_MAX; i++) {
        message_unref(history->last[i]);
    }
    *history = (struct history){0};
}
