/* Numbered commands go again to a node that lacks them.
 *
 * A peer's state is cheaper, and reaches further back: only a node that asks twice for the same, because no peer has
 * given it, gets from here what was ordered since, if the history reaches that far. */
#include "sequencer_process.h"

#include "common/container_of.h"
#include "common/memory.h"
#include "common/random.h"

#include <stdio.h>

static void on_done(struct amqp_publish *publish_done, int code)
{
    (void)code; /* whoever still lacks it asks again */
    ordering_end(container_of(publish_done, struct ordering, publish));
}

static void send_again(struct sequencer_process *process, struct message *message, const char *queue)
{
    struct ordering *ordering = memory_new_zeroed(1, sizeof *ordering);
    struct error error;

    ordering->publish.on_done = on_done;
    ordering->process = process;
    ordering->message = message_ref(message);
    buffer_clear(&process->encoded);
    message_encode(message, &process->encoded);
    if (amqp_link_publish(&process->replica.consumer, &ordering->publish, "", queue, (struct text){0},
                          buffer_text(&process->encoded), &error) != 0) {
        ordering_end(ordering);
    }
}

/* Did the same node ask for the same before? */
static bool asks_again(struct sequencer_process *process, const struct recovery_note *note)
{
    struct asker *asker = &process->askers[random_hash(note->node) % ASKERS_MAX];
    bool again = asker->seq == note->seq && text_equal(note->node, text_of(asker->name));

    asker->seq = again ? 0 : note->seq;
    snprintf(asker->name, sizeof asker->name, "%.*s", (int)note->node.length, note->node.bytes);
    return again;
}

void replay_answer(struct sequencer_process *process, const struct recovery_note *note)
{
    char name[sizeof process->askers->name];
    char queue[REPLICA_NAME_MAX];
    struct error error;

    snprintf(name, sizeof name, "%.*s", (int)note->node.length, note->node.bytes);
    if (!asks_again(process, note) || sequence_find(&process->sequence, note->seq) == NULL ||
        replica_queue(queue, name, "_ordered", &error) != 0) {
        return;
    }
    log_say(&process->replica.log, LOG_INFO, "recover", "%s gets again what was ordered from %lld on", name,
            (long long)note->seq);
    for (int64_t seq = note->seq; seq <= process->sequence.last_seq; seq++) {
        struct message *message = sequence_find(&process->sequence, seq);
        if (message != NULL) {
            send_again(process, message, queue);
        }
    }
}
