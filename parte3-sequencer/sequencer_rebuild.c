/* What a sequencer knows when it is connected: how one that keeps nothing on disk survives kill -9.
 *
 * The broker keeps the last SEQUENCER_HISTORY_MAX numbered commands in a queue of their own. On every connection, with
 * the lock held and before the first command, all of it is looked at: one that starts knows from it the last number,
 * and which of the commands that now come again have one.
 *
 * A broker that dies may have put a numbered command into some queues and not into others, the history among them. So
 * one that only lost its connection goes on from what it knew; unless the history says that another sequencer went on
 * meanwhile: then what it knew is old. Only where broker and sequencer die together, or another takes over from one
 * whose broker died, can a command still get a second number. */
#include "sequencer_process.h"

/* Does the history hold a number that this sequencer does not know, or has given to another command? */
static bool another_went_on(const struct sequencer_process *process)
{
    bool another = process->rule.next_seq - 1 > process->known_seq;

    for (const struct ordering *own = process->waiting; own != NULL && !another; own = own->next) {
        another = sequence_contradicts(&process->sequence, &process->rule, own->message);
    }
    return another;
}

void rebuild_look(struct sequencer_process *process, struct message *message)
{
    sequencer_remember(&process->rule, message);
    sequence_add(&process->sequence, message, false);
}

void rebuild_finish(struct sequencer_process *process)
{
    struct log *log = &process->replica.log;

    if (another_went_on(process)) {
        orderings_drop(process); /* the broker brings these commands again */
        sequence_restore(&process->sequence, &process->rule);
    }
    process->known_seq = process->rule.next_seq - 1;
    orderings_publish(process);
    if (log_begin(log, LOG_INFO, "recover")) {
        log_int(log, "next_seq", process->rule.next_seq);
        log_end(log);
    }
}
