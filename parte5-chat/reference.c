/* The question: who is there, and who comes before whom?
 *
 * The rule: each name gets the next rank, once and for good; whoever has sent a heartbeat within the time-out is alive
 * (a failure detector: Chandra and Toueg 1996).
 *
 * It guarantees: ranks that never change and never belong to two names; that a server that is gone is on no list a
 * time-out later.
 *
 * It does not guarantee that who is not on the list is gone: a slow network, or a paused process, looks the same. And
 * it sees from its own place only: a server that hears all others, but not this one, is dead by the list. That is why
 * a rank does not make a primary (replication.c asks the others), and where it makes two (bully.c).
 *
 * To break it: give a name that comes back the next rank, as the original does. Whoever was the strongest is the
 * weakest after a pause, and the primary changes once more than it must. */
#include "parte5-chat/reference.h"

void reference_init(struct reference *reference, uint64_t timeout_ms, uint64_t now_ms)
{
    *reference = (struct reference){.timeout_ms = timeout_ms, .last_tick_ms = now_ms};
}

struct text reference_name(const struct reference *reference, unsigned rank)
{
    return rank >= 1 && rank <= reference->count ? text_of(reference->servers[rank - 1].name)
                                                 : (struct text){0};
}

static struct reference_server *find(struct reference *reference, struct text name)
{
    for (unsigned i = 0; i < reference->count; i++) {
        if (text_equal(text_of(reference->servers[i].name), name)) {
            return &reference->servers[i];
        }
    }
    return NULL;
}

int reference_rank(struct reference *reference, struct text name, struct error *error)
{
    struct reference_server *server = find(reference, name);
    int code;

    if (server == NULL) {
        if ((code = name_check(name, "user", error)) != 0) {
            return code;
        }
        if (reference->count == SERVERS_MAX) {
            return error_set(error, ERROR_FULL, "there are %d servers already", SERVERS_MAX);
        }
        server = &reference->servers[reference->count++];
        memcpy(server->name, name.bytes, name.length);
        server->name[name.length] = '\0'; /* a longer one may have stood there, that could not be recorded */
    }
    server->quiet_ms = 0;
    return (int)(server - reference->servers) + 1;
}

bool reference_heartbeat(struct reference *reference, struct text name)
{
    struct reference_server *server = find(reference, name);

    if (server != NULL) {
        server->quiet_ms = 0;
    }
    return server != NULL;
}

void reference_tick(struct reference *reference, uint64_t now_ms)
{
    uint64_t passed = now_ms - reference->last_tick_ms;

    passed = passed < TICK_MAX_MS ? passed : TICK_MAX_MS;
    reference->last_tick_ms = now_ms;
    for (unsigned i = 0; i < reference->count; i++) {
        reference->servers[i].quiet_ms += passed;
    }
}

uint64_t reference_list(const struct reference *reference)
{
    uint64_t alive = 0;

    for (unsigned i = 0; i < reference->count; i++) {
        if (reference->servers[i].quiet_ms < reference->timeout_ms) {
            alive |= SERVER_BIT(i + 1);
        }
    }
    return alive;
}
