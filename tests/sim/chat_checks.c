/* What must be true of the simulated chat: at every instant, of whoever takes over, and in the end. */
#include "tests/sim/chat_world.h"

#include <stdio.h>

static void count_requests(const struct chat *chat, unsigned counts[CHAT_CLIENTS][CHAT_REQUESTS])
{
    unsigned client;
    unsigned number;

    for (size_t i = 0; i < chat->changes.count; i++) {
        if (chat_request_of(chat->changes.items[i], &client, &number)) {
            counts[client][number]++;
        }
    }
}

void chat_check_acknowledged(struct chat_world *world, const struct chat *chat, const char *whose)
{
    unsigned counts[CHAT_CLIENTS][CHAT_REQUESTS] = {0};

    count_requests(chat, counts);
    for (unsigned client = 0; client < CHAT_CLIENTS; client++) {
        for (unsigned number = 0; number < CHAT_REQUESTS; number++) {
            if (world->acknowledged[client][number] && counts[client][number] == 0) {
                finding_add(&world->finding,
                            "lost: %s does not have request %u of client%u, which was answered OK", whose,
                            number, client);
            }
            if (counts[client][number] > 1) {
                finding_add(&world->finding, "once: request %u of client%u took effect %u times at %s",
                            number, client, counts[client][number], whose);
            }
        }
    }
}

static void check_order(struct chat_world *world, const struct chat *chat, const char *whose)
{
    unsigned next[CHAT_CLIENTS] = {0};
    unsigned client;
    unsigned number;

    for (size_t i = 0; i < chat->changes.count; i++) {
        if (chat_request_of(chat->changes.items[i], &client, &number) && !world->refused[client][number]) {
            if (number < next[client]) {
                finding_add(&world->finding, "FIFO: %s has request %u of client%u too late", whose, number,
                            client);
            }
            next[client] = number + 1;
        }
    }
}

/* However late it looks at its clock: by the clock, only one may serve. */
void chat_check_instant(struct chat_world *world)
{
    unsigned serving = NO_SERVER;

    for (unsigned i = 1; i <= world->options->servers && world->options->leased; i++) {
        const struct chat_server *server = &world->servers[i];
        if (server->up && chat_serves(world, server)) {
            if (serving != NO_SERVER) {
                finding_add(&world->finding, "one leader: server%u and server%u may both serve", serving, i);
            }
            serving = i;
        }
    }
}

/* Clients may ask any server that says it is current: it must show what was just acknowledged. Where two lead, that is
 * not promised. */
void chat_check_readers(struct chat_world *world, const struct change *acknowledged)
{
    for (unsigned i = 1; i <= world->options->servers && !world->options->split; i++) {
        const struct chat_server *server = &world->servers[i];
        if (server->up && !server->paused && chat_last_seq(&server->chat) < acknowledged->seq &&
            replication_is_current(&server->replication, chat_local_ms(world, server))) {
            finding_add(&world->finding,
                        "stale: server%u would not show what has place %lld, which was answered OK", i,
                        (long long)acknowledged->seq);
        }
    }
}

static void check_equal(struct chat_world *world, const struct chat *a, const struct chat *b,
                        const char *whose)
{
    if (a->changes.count != b->changes.count) {
        finding_add(&world->finding, "convergence: %s has %zu changes, another %zu", whose, b->changes.count,
                    a->changes.count);
        return;
    }
    for (size_t i = 0; i < a->changes.count; i++) {
        const struct change *x = a->changes.items[i];
        const struct change *y = b->changes.items[i];
        if (x->seq != y->seq || x->epoch != y->epoch || !text_equal(x->request_id, y->request_id)) {
            finding_add(&world->finding, "convergence: %s has another change in place %lld", whose,
                        (long long)y->seq);
            return;
        }
    }
}

static void check_disk(struct chat_world *world, const struct chat_server *server, const char *whose)
{
    bool same = server->disk.count == server->chat.changes.count;

    for (size_t i = 0; i < server->disk.count && same; i++) {
        same = server->disk.items[i] == server->chat.changes.items[i];
    }
    if (!same) {
        finding_add(&world->finding, "disk: %s would not be the same after a restart", whose);
    }
}

static void check_service(struct chat_world *world)
{
    unsigned leaders = 0;

    for (unsigned i = 1; i <= world->options->servers; i++) {
        const struct chat_server *server = &world->servers[i];
        leaders += server->up && replication_leads(&server->replication) && chat_serves(world, server);
    }
    if (leaders != 1) {
        finding_add(&world->finding, "service: %u servers lead in the end", leaders);
    }
    for (unsigned i = 0; i < CHAT_CLIENTS; i++) {
        if (world->clients[i].number < CHAT_REQUESTS) {
            finding_add(&world->finding, "service: client%u is still at request %u", i,
                        world->clients[i].number);
        }
    }
}

void chat_check_end(struct chat_world *world)
{
    const struct chat *expected = world->options->leased ? &world->volume.chat : NULL;
    char name[16];

    check_service(world);
    for (unsigned i = 1; i <= world->options->servers; i++) {
        const struct chat_server *server = &world->servers[i];
        snprintf(name, sizeof name, "server%u", i);
        if (!server->up || (world->options->leased && !replication_leads(&server->replication))) {
            continue; /* a follower reads the volume when it takes over */
        }
        expected = expected != NULL ? expected : &server->chat;
        chat_check_acknowledged(world, &server->chat, name);
        check_order(world, &server->chat, name);
        check_disk(world, server, name);
        check_equal(world, expected, &server->chat, name);
    }
}
