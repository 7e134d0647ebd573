#include "tests/sim/chat_events.h"

#include "common/memory.h"

#include <stdlib.h>

static bool is_before(const struct chat_event *a, const struct chat_event *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->order < b->order);
}

static void exchange(struct chat_events *events, size_t a, size_t b)
{
    struct chat_event *item = events->items[a];

    events->items[a] = events->items[b];
    events->items[b] = item;
}

void chat_events_add(struct chat_events *events, const struct chat_event *event)
{
    struct chat_event *copy = memory_new(sizeof *copy);
    size_t place = events->count;

    *copy = *event;
    copy->order = events->added++;
    events->items =
        memory_grow(events->items, &events->capacity, events->count + 1, sizeof(struct chat_event *));
    events->items[events->count++] = copy;
    while (place > 0 && is_before(events->items[place], events->items[(place - 1) / 2])) {
        exchange(events, place, (place - 1) / 2);
        place = (place - 1) / 2;
    }
}

/* The item at the top sinks to where it belongs. */
static void sink(struct chat_events *events)
{
    size_t place = 0;

    for (;;) {
        size_t first = place;
        for (size_t child = 2 * place + 1; child <= 2 * place + 2 && child < events->count; child++) {
            first = is_before(events->items[child], events->items[first]) ? child : first;
        }
        if (first == place) {
            return;
        }
        exchange(events, place, first);
        place = first;
    }
}

struct chat_event *chat_events_take(struct chat_events *events)
{
    if (events->count == 0) {
        return NULL;
    }
    struct chat_event *event = events->items[0];
    events->items[0] = events->items[--events->count];
    sink(events);
    return event;
}

void chat_event_free(struct chat_event *event)
{
    if (event != NULL) {
        replication_note_free(&event->note);
        change_unref(event->change);
        free(event);
    }
}

void chat_events_free(struct chat_events *events)
{
    while (events->count > 0) {
        chat_event_free(events->items[--events->count]);
    }
    free(events->items);
    *events = (struct chat_events){0};
}
