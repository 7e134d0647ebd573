/* What the volume that servers share holds in the end. Whoever takes over reads all that is there, which is so much (recover,
 * with `seq`), and goes on from there; what an earlier leader wrote beyond that, or writes still, nobody ever reads. So the
 * reigns, one after the other, make the state, whenever what their lines tell happened. */
#include "common/lab/judge_chat.h"
#include "common/memory.h"

#include <stdlib.h>

/* The lines of one reign: of the log of its leader, from where it read the volume. */
struct reign {
    uint32_t process;
    size_t first, end; /* among the process's events */
    int64_t epoch;     /* LOG_RECORD_NO_NUMBER: it wrote nothing */
};

static void note_epoch(struct reign *reign, const struct event *event)
{
    if (event->kind == EVENT_DELIVER && event->epoch > reign->epoch) {
        reign->epoch = event->epoch;
    }
}

/* Of one server's log; returns how many there are then. */
static size_t list_reigns(const struct history *history, uint32_t process, struct reign *reigns, size_t count)
{
    const struct process *log = &history->processes[process];
    struct reign *current = NULL;

    for (size_t i = 0; i < log->event_count; i++) {
        const struct event *event = &history->events[log->events[i]];
        if (event->kind == EVENT_RECOVER) {
            current = &reigns[count++];
            *current = (struct reign){process, i, i, LOG_RECORD_NO_NUMBER};
        }
        if (current != NULL) {
            current->end = i + 1;
            note_epoch(current, event);
        }
    }
    return count;
}

static int compare_reigns(const void *a, const void *b)
{
    const struct reign *first = a;
    const struct reign *second = b;

    return (first->epoch > second->epoch) - (first->epoch < second->epoch);
}

static void add_reign(struct chat_server_state *state, const struct history *history,
                      const struct reign *reign)
{
    const uint32_t *events = history->processes[reign->process].events;

    chat_state_fall_back(state, history, history->events[events[reign->first]].seq);
    for (size_t i = reign->first; i < reign->end; i++) {
        if (history->events[events[i]].kind == EVENT_DELIVER) {
            chat_state_record(state, history, events[i]);
        }
    }
}

void chat_volume_read(struct chat_server_state *state, const struct history *history)
{
    struct reign *reigns = memory_new_zeroed(history->event_count + 1, sizeof *reigns);
    size_t count = 0;

    for (uint32_t p = 0; p < history->process_count; p++) {
        count = list_reigns(history, p, reigns, count);
    }
    qsort(reigns, count, sizeof *reigns, compare_reigns);
    for (size_t i = 0; i < count; i++) {
        if (reigns[i].epoch != LOG_RECORD_NO_NUMBER) {
            add_reign(state, history, &reigns[i]);
        }
    }
    free(reigns);
}
