/* The reference server's rule; see reference.c. */
#ifndef ORDEM_REFERENCE_H
#define ORDEM_REFERENCE_H

#include "parte5-chat/coordination.h"
#include "parte5-chat/names.h"

struct reference_server {
    char name[NAME_MAX_LENGTH + 1]; /* NUL-terminated */
    uint64_t quiet_ms;              /* since its last heartbeat */
};

struct reference {
    uint64_t timeout_ms;                          /* who is silent for so long counts as dead */
    struct reference_server servers[SERVERS_MAX]; /* the server of rank n is servers[n - 1] */
    unsigned count;
    uint64_t last_tick_ms;
};

/* Before the first event. */
void reference_init(struct reference *reference, uint64_t timeout_ms, uint64_t now_ms);

/* The rank of that server: the one it has, or a new one, which the caller records. That it asks is a sign of life.
 * Returns the rank, from 1; or what name_check does; or ERROR_FULL. A server restores its ranks from the record by
 * calling this with the names, in the order of their ranks, before the first event. */
int reference_rank(struct reference *reference, struct text name, struct error *error);

/* It is alive. False if it has no rank, and must ask for one. */
bool reference_heartbeat(struct reference *reference, struct text name);

/* Time passed: `now_ms` is milliseconds since some moment, and never goes back. */
void reference_tick(struct reference *reference, uint64_t now_ms);

/* The live servers: the set of their ranks. */
uint64_t reference_list(const struct reference *reference);

/* The name of the server of that rank; no text if nobody has it. It stays the reference's. */
struct text reference_name(const struct reference *reference, unsigned rank);

#endif
