#include "common/net/amqp_acks.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

static void add_ready(struct amqp_acks *acks, uint64_t tag, bool multiple)
{
    struct amqp_ack_list *ready = &acks->ready;
    struct amqp_ack *last = ready->count > 0 ? &ready->items[ready->count - 1] : NULL;

    if (multiple && last != NULL && last->multiple && last->connection == acks->connection) {
        last->tag = tag;
        return;
    }
    ready->items = memory_grow(ready->items, &ready->capacity, ready->count + 1, sizeof *ready->items);
    ready->items[ready->count++] = (struct amqp_ack){acks->connection, tag, multiple};
}

void amqp_ack_list_move(struct amqp_ack_list *list, struct amqp_ack_list *more)
{
    if (more->count == 0) {
        return;
    }
    if (list->count == 0) { /* both keep their memory, if in other hands */
        struct amqp_ack_list empty = *list;
        *list = *more;
        *more = empty;
        return;
    }
    list->items = memory_grow(list->items, &list->capacity, list->count + more->count, sizeof *list->items);
    memcpy(&list->items[list->count], more->items, more->count * sizeof *more->items);
    list->count += more->count;
    more->count = 0;
}

/* Where the first island is that ends at `tag` or later. Searched from the end: most are acknowledged in order. */
static size_t find_island(const struct amqp_acks *acks, uint64_t tag)
{
    size_t place = acks->island_count;

    while (place > 0 && acks->islands[place - 1].last >= tag) {
        place--;
    }
    return place;
}

static void remove_island(struct amqp_acks *acks, size_t place)
{
    acks->island_count--;
    memmove(&acks->islands[place], &acks->islands[place + 1],
            (acks->island_count - place) * sizeof *acks->islands);
}

/* `tag` is in no island, and `place` is that of the next one behind it. */
static void add_to_island(struct amqp_acks *acks, size_t place, uint64_t tag)
{
    struct amqp_island *earlier = place > 0 ? &acks->islands[place - 1] : NULL;
    struct amqp_island *later = place < acks->island_count ? &acks->islands[place] : NULL;
    bool touches_earlier = earlier != NULL && earlier->last + 1 == tag;
    bool touches_later = later != NULL && tag + 1 == later->first;

    if (touches_earlier && touches_later) {
        earlier->last = later->last;
        remove_island(acks, place);
    } else if (touches_earlier) {
        earlier->last = tag;
    } else if (touches_later) {
        later->first = tag;
    } else {
        acks->islands =
            memory_grow(acks->islands, &acks->island_capacity, acks->island_count + 1, sizeof *acks->islands);
        memmove(&acks->islands[place + 1], &acks->islands[place],
                (acks->island_count - place) * sizeof *acks->islands);
        acks->islands[place] = (struct amqp_island){tag, tag};
        acks->island_count++;
    }
}

void amqp_acks_add(struct amqp_acks *acks, uint64_t connection, uint64_t tag)
{
    if (connection > acks->connection) {
        acks->connection = connection;
        acks->settled = acks->island_count = 0;
    }
    if (connection < acks->connection || tag <= acks->settled) {
        return;
    }
    if (tag == acks->settled + 1) {
        /* The broker wants a `multiple` to name a delivery that is not acknowledged yet: not the island's end. */
        add_ready(acks, tag, true);
        acks->settled = tag;
        if (acks->island_count > 0 && acks->islands[0].first == tag + 1) {
            acks->settled = acks->islands[0].last;
            remove_island(acks, 0);
        }
        return;
    }
    size_t place = find_island(acks, tag);
    if (place == acks->island_count || tag < acks->islands[place].first) {
        add_ready(acks, tag, false);
        add_to_island(acks, place, tag);
    }
}

void amqp_acks_free(struct amqp_acks *acks)
{
    free(acks->islands);
    free(acks->ready.items);
    *acks = (struct amqp_acks){0};
}
