/* The question: who decides the order, and what must not be forgotten?
 *
 * The rule: each command gets the next number, once ("fixed sequencer": Défago, Schiper and Urbán 2004). Whoever takes
 * over, after a crash too, first learns what was ordered last: then no number is used for two commands, and no command
 * gets two numbers, however often the broker brings it again.
 *
 * It guarantees: numbers without gaps, one for each command.
 *
 * It does not guarantee: that a command which comes again after RECENT_MAX others is known.
 *
 * To break it: forget to ask recent_find. Kill the sequencer under load (`lab run parte3 --kill sequencer@2s
 * --restart-after 1s`): what it had not acknowledged comes again, and is ordered twice. */
#include "sequencer.h"

void sequencer_init(struct sequencer *sequencer)
{
    *sequencer = (struct sequencer){.next_seq = 1};
}

void sequencer_remember(struct sequencer *sequencer, const struct message *message)
{
    if (message->seq >= sequencer->next_seq) {
        sequencer->next_seq = message->seq + 1;
    }
    recent_add(&sequencer->ordered, message->message_uuid, message->seq);
}

void sequencer_receive(struct sequencer *sequencer, struct message *command, struct actions *out)
{
    if (recent_find(&sequencer->ordered, command->message_uuid, NULL)) {
        actions_add(out, ACTION_DISCARD, command);
        return;
    }
    struct message *ordered = message_number(command, sequencer->next_seq, MESSAGE_NO_EPOCH);
    sequencer_remember(sequencer, ordered);
    actions_add(out, ACTION_SEND, ordered);
    message_unref(ordered);
}

void sequencer_free(struct sequencer *sequencer)
{
    recent_free(&sequencer->ordered);
}
