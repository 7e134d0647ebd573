/* The last numbered commands, by their numbers: those that the broker has confirmed, and those that were found in its
 * history queue. A sequencer begins with them, sends them again to a node that lacks them, and sees by them whether
 * another sequencer has gone on in its place. No I/O: sequencer_rebuild.c reads the queue. */
#include "sequence.h"

void sequence_add(struct sequence *sequence, struct message *message, bool safe)
{
    size_t at = (size_t)(message->seq % SEQUENCER_HISTORY_MAX);
    struct message **place = &sequence->last[at];

    if (*place == NULL || (*place)->seq < message->seq) {
        message_unref(*place);
        *place = message_ref(message);
        sequence->safe[at] = safe;
    } else if ((*place)->seq == message->seq) {
        sequence->safe[at] = sequence->safe[at] || safe;
    }
    sequence->last_seq = message->seq > sequence->last_seq ? message->seq : sequence->last_seq;
}

struct message *sequence_find(const struct sequence *sequence, int64_t seq)
{
    struct message *message = sequence->last[seq % SEQUENCER_HISTORY_MAX];

    return message != NULL && message->seq == seq ? message : NULL;
}

struct message *sequence_find_unsafe(const struct sequence *sequence, const struct sequencer *sequencer,
                                     struct text message_uuid)
{
    int64_t seq;

    if (!recent_find(&sequencer->ordered, message_uuid, &seq) ||
        sequence->safe[seq % SEQUENCER_HISTORY_MAX]) {
        return NULL;
    }
    return sequence_find(sequence, seq);
}

bool sequence_contradicts(const struct sequence *sequence, const struct sequencer *sequencer,
                          const struct message *own)
{
    const struct message *there = sequence_find(sequence, own->seq);
    int64_t seq;

    if (there != NULL && !text_equal(there->message_uuid, own->message_uuid)) {
        return true;
    }
    return !recent_find(&sequencer->ordered, own->message_uuid, &seq) || seq != own->seq;
}

void sequence_restore(const struct sequence *sequence, struct sequencer *sequencer)
{
    sequencer_free(sequencer);
    sequencer_init(sequencer);
    for (size_t i = 0; i < SEQUENCER_HISTORY_MAX; i++) {
        if (sequence->last[i] != NULL) {
            sequencer_remember(sequencer, sequence->last[i]);
        }
    }
}

void sequence_free(struct sequence *sequence)
{
    for (size_t i = 0; i < SEQUENCER_HISTORY_MAX; i++) {
        message_unref(sequence->last[i]);
    }
    *sequence = (struct sequence){0};
}
