#include "paxos/sessions.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16

/* ---- the table: chains through the ring ---- */

/* Timestamps of one client follow one another, and clients are hashes already: mixing (as splitmix64 does) spreads both. */
static size_t bucket_of(const struct sessions *sessions, struct session session)
{
    uint64_t mixed = session.client + session.timestamp * UINT64_C(0x9E3779B97F4A7C15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return (size_t)(mixed ^ mixed >> 31) & (sessions->capacity - 1);
}

static size_t slot_of(const struct sessions *sessions, uint64_t number)
{
    return (size_t)(number - 1) & (sessions->capacity - 1);
}

static void link_in(struct sessions *sessions, size_t slot)
{
    uint32_t *bucket = &sessions->buckets[bucket_of(sessions, sessions->ring[slot])];

    sessions->next[slot] = *bucket;
    *bucket = (uint32_t)slot + 1;
}

static void unlink_oldest(struct sessions *sessions, size_t slot)
{
    uint32_t *link = &sessions->buckets[bucket_of(sessions, sessions->ring[slot])];

    while (*link != slot + 1) {
        link = &sessions->next[*link - 1];
    }
    *link = sessions->next[slot];
}

static bool is_known(const struct sessions *sessions, struct session session)
{
    if (sessions->capacity == 0) {
        return false;
    }
    uint32_t place = sessions->buckets[bucket_of(sessions, session)];
    while (place != 0 && (sessions->ring[place - 1].client != session.client ||
                          sessions->ring[place - 1].timestamp != session.timestamp)) {
        place = sessions->next[place - 1];
    }
    return place != 0;
}

/* Until it is full size the ring has never gone round, so that what it holds stays where it is. */
static void grow(struct sessions *sessions)
{
    size_t old = sessions->capacity;
    size_t capacity = old == 0 ? CAPACITY_MIN : 2 * old;

    sessions->ring = memory_resize(sessions->ring, capacity * sizeof *sessions->ring);
    sessions->next = memory_resize(sessions->next, capacity * sizeof *sessions->next);
    free(sessions->buckets);
    sessions->buckets = memory_new_zeroed(capacity, sizeof *sessions->buckets);
    sessions->capacity = capacity;
    for (uint64_t i = sessions->forgotten + 1; i <= sessions->noted; i++) {
        link_in(sessions, slot_of(sessions, i));
    }
}

/* ---- commands ---- */

bool sessions_note(struct sessions *sessions, uint64_t client, uint64_t timestamp)
{
    struct session session = {client, timestamp};

    if (is_known(sessions, session)) {
        return false;
    }
    while (sessions->noted >= sessions->capacity && sessions->capacity < SESSIONS_KEPT) {
        grow(sessions);
    }
    size_t slot = slot_of(sessions, sessions->noted + 1);
    if (sessions->noted - sessions->forgotten == SESSIONS_KEPT) {
        unlink_oldest(sessions, slot);
        sessions->forgotten++;
    }
    sessions->noted++;
    sessions->ring[slot] = session;
    link_in(sessions, slot);
    return true;
}

struct session sessions_get(const struct sessions *sessions, uint64_t number)
{
    return sessions->ring[slot_of(sessions, number)];
}

void sessions_forget(struct sessions *sessions, uint64_t noted)
{
    sessions->noted = sessions->forgotten = noted;
}

/* ---- copies ---- */

void sessions_copy(struct sessions *to, const struct sessions *from)
{
    sessions_free(to);
    if (from->capacity > 0) {
        to->ring = memory_new(from->capacity * sizeof *to->ring);
        to->next = memory_new(from->capacity * sizeof *to->next);
        to->buckets = memory_new(from->capacity * sizeof *to->buckets);
        memcpy(to->ring, from->ring, from->capacity * sizeof *to->ring);
        memcpy(to->next, from->next, from->capacity * sizeof *to->next);
        memcpy(to->buckets, from->buckets, from->capacity * sizeof *to->buckets);
    }
    to->capacity = from->capacity;
    to->noted = from->noted;
    to->forgotten = from->forgotten;
}

void sessions_free(struct sessions *sessions)
{
    free(sessions->ring);
    free(sessions->next);
    free(sessions->buckets);
    *sessions = (struct sessions){0};
}
