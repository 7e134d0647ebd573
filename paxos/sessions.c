#include "paxos/sessions.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* Where the client is, or would be. */
static size_t find_place(const struct sessions *sessions, uint64_t client)
{
    size_t low = 0;
    size_t high = sessions->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sessions->items[middle].client < client) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool sessions_note(struct sessions *sessions, uint64_t client, uint64_t timestamp)
{
    size_t place = find_place(sessions, client);

    if (place < sessions->count && sessions->items[place].client == client) {
        bool is_new = timestamp > sessions->items[place].timestamp;
        if (is_new) {
            sessions->items[place].timestamp = timestamp;
        }
        return is_new;
    }
    sessions->items =
        memory_grow(sessions->items, &sessions->capacity, sessions->count + 1, sizeof *sessions->items);
    memmove(&sessions->items[place + 1], &sessions->items[place],
            (sessions->count - place) * sizeof *sessions->items);
    sessions->items[place] = (struct session){client, timestamp};
    sessions->count++;
    return true;
}

void sessions_copy(struct sessions *to, const struct sessions *from)
{
    to->items = memory_grow(to->items, &to->capacity, from->count, sizeof *to->items);
    to->count = from->count;
    if (from->count > 0) {
        memcpy(to->items, from->items, from->count * sizeof *to->items);
    }
}

void sessions_free(struct sessions *sessions)
{
    free(sessions->items);
    *sessions = (struct sessions){0};
}
