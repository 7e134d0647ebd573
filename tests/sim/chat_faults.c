/* What fails in the simulated chat, and what of it the rules promise to survive. */
#include "tests/sim/chat_world.h"

#include "tests/sim/broker_seeds.h"

#include <stdlib.h>

static bool runs(const struct chat_server *server)
{
    return server->up && !server->paused && !server->cut;
}

/* It was a backup, or the primary, when something was acknowledged last; and knows of the last reign. */
static bool has_counted(const struct chat_world *world, const struct chat_server *server)
{
    return chat_last_epoch(&server->chat) >= world->acknowledging &&
           server->replication.epoch >= world->last_reign;
}

/* Even before anything is acknowledged, somebody must know of the last reign. */
static bool others_have_counted(const struct chat_world *world, const struct chat_server *failing)
{
    for (unsigned i = 1; i <= world->options->servers; i++) {
        const struct chat_server *server = &world->servers[i];
        if (server != failing && runs(server) && chat_last_epoch(&server->chat) >= world->last_reign) {
            return true;
        }
    }
    return false;
}

/* Is everything that was acknowledged on the disk of somebody else who counted, and can answer? */
static bool others_have_all(const struct chat_world *world, const struct chat_server *failing)
{
    for (unsigned client = 0; client < CHAT_CLIENTS; client++) {
        for (unsigned number = 0; number < CHAT_REQUESTS; number++) {
            bool has = !world->acknowledged[client][number];
            struct change *change =
                chat_request_change(world, &(struct chat_request){.client = client, .number = number});
            for (unsigned i = 1; i <= world->options->servers && !has; i++) {
                const struct chat_server *server = &world->servers[i];
                has = server != failing && runs(server) && has_counted(world, server) &&
                      chat_find_request(&server->chat, change->request_id) != NULL;
            }
            change_unref(change);
            if (!has) {
                return false;
            }
        }
    }
    return true;
}

static bool anybody_is_cut(const struct chat_world *world)
{
    bool cut = false;

    for (unsigned i = 1; i <= world->options->servers; i++) {
        cut |= world->servers[i].cut;
    }
    return cut;
}

/* Who leads, if nobody else that runs does, or is about to. */
static const struct chat_server *undisputed(const struct chat_world *world)
{
    const struct chat_server *leader = NULL;

    for (unsigned i = 1; i <= world->options->servers; i++) {
        const struct chat_server *server = &world->servers[i];
        if (runs(server) && server->replication.role != ROLE_BACKUP) {
            if (leader != NULL || !replication_leads(&server->replication) ||
                server->replication.epoch < world->last_reign) {
                return NULL;
            }
            leader = server;
        }
    }
    return leader;
}

/* Does the leader count on somebody else who runs, and has acknowledged all that clients were told? That is what it
 * believes: if its rule is bad, it is wrong. */
static bool has_backup(const struct chat_world *world, const struct chat_server *leader,
                       const struct chat_server *failing)
{
    const struct replication *replication = &leader->replication;

    for (unsigned i = 1; i <= world->options->servers; i++) {
        const struct replication_member *member = &replication->members[i];
        if (&world->servers[i] != failing && runs(&world->servers[i]) && member->state == MEMBER_COUNTED &&
            member->acked >= replication->committed && member->acked >= replication->reign_seq) {
            return true;
        }
    }
    return false;
}

/* A leader that is paused may have the last acknowledgement that it needs among what waits for it, and say OK before it
 * hears that somebody else leads. */
static bool paused_leaders_have_backups(const struct chat_world *world, const struct chat_server *failing)
{
    for (unsigned i = 1; i <= world->options->servers; i++) {
        const struct chat_server *server = &world->servers[i];
        if (server->up && server->paused && replication_leads(&server->replication) &&
            !has_backup(world, server, failing)) {
            return false;
        }
    }
    return true;
}

/* A shared volume keeps everything, whoever fails. Without one, whoever fails must leave somebody who has all; and while
 * a server is cut off, the primary must not change: the reference server might prefer the one that is cut off. */
bool chat_tolerates(const struct chat_world *world, const struct chat_server *failing)
{
    const struct chat_server *leader = undisputed(world);

    if (world->options->leased) {
        return true;
    }
    if (failing->replication.role != ROLE_BACKUP && anybody_is_cut(world)) {
        return false;
    }
    if (leader != NULL) {
        return leader != failing || has_backup(world, leader, failing);
    }
    return others_have_counted(world, failing) && others_have_all(world, failing) &&
           paused_leaders_have_backups(world, failing);
}

/* Does the reference server say so, and has this server heard it? */
static bool is_listed(const struct chat_world *world, const struct chat_server *leader,
                      const struct chat_server *by)
{
    return reference_list(&world->reference) & by->bully.alive & SERVER_BIT(leader->number);
}

static bool may_be_cut(const struct chat_world *world, const struct chat_server *server)
{
    const struct chat_server *leader = undisputed(world);

    return !world->options->leased && leader != NULL && leader->number < server->number && runs(server) &&
           !anybody_is_cut(world) && !world->reference_down && is_listed(world, leader, server) &&
           others_have_all(world, server);
}

static void come_back_later(struct chat_world *world, unsigned server)
{
    chat_later(world, (struct chat_event){.kind = EVENT_RETURN, .to = server},
               100 + schedule_below(&world->schedule, 2500));
}

static void fail(struct chat_world *world, struct chat_server *server)
{
    switch (schedule_below(&world->schedule, 3)) {
    case 0:
        if (runs(server) && chat_tolerates(world, server)) {
            chat_server_crash(world, server);
            come_back_later(world, server->number);
        }
        break;
    case 1:
        if (runs(server) && chat_tolerates(world, server)) {
            seeds_show("server%u is paused", server->number);
            server->paused = true;
            come_back_later(world, server->number);
        }
        break;
    default:
        if (may_be_cut(world, server)) {
            seeds_show("server%u is cut off", server->number);
            server->cut = true;
            come_back_later(world, server->number);
        }
    }
}

/* The one fault that the replicated chat does not promise to survive: see bully.c. */
static void split(struct chat_world *world)
{
    for (unsigned i = 1; i <= world->options->servers; i++) {
        struct chat_server *server = &world->servers[i];
        if (server->up && replication_leads(&server->replication)) {
            seeds_show("server%u is cut off, from the reference server too", i);
            server->cut = true;
            chat_later(world, (struct chat_event){.kind = EVENT_RETURN, .to = i}, 3000);
            return;
        }
    }
}

void chat_fault(struct chat_world *world)
{
    unsigned number = 1 + schedule_below(&world->schedule, world->options->servers);

    if (world->options->split) {
        split(world);
        return; /* once */
    }
    if (!world->options->leased && schedule_once_in(&world->schedule, 6)) {
        if (world->reference_down || !anybody_is_cut(world)) {
            world->reference_down = !world->reference_down;
            seeds_show("the reference server is %s", world->reference_down ? "down" : "up");
        }
    } else {
        fail(world, &world->servers[number]);
    }
    chat_later(world, (struct chat_event){.kind = EVENT_FAULT},
               50 + schedule_below(&world->schedule, 200 * world->schedule.calm));
}

/* All stands still, as where a host takes the processors away: time passes, and nobody does anything. It happens again and
 * again, also when all has healed: each stall is shorter than the servers' patience, and too long for a tick. */
void chat_stall(struct chat_world *world)
{
    world->schedule.now_ms +=
        CHAT_STALL_MS + schedule_below(&world->schedule, CHAT_PATIENCE_MS - CHAT_STALL_MS);
    chat_later(world, (struct chat_event){.kind = EVENT_STALL},
               CHAT_PATIENCE_MS / 2 + schedule_below(&world->schedule, CHAT_PATIENCE_MS / 2));
}

static void wake(struct chat_world *world, struct chat_server *server)
{
    struct chat_inbox inbox = server->inbox;
    bool tick_first = schedule_once_in(&world->schedule, 2);

    server->paused = false;
    server->inbox = (struct chat_inbox){0};
    if (server->tick_due) {
        server->tick_due = false;
        chat_later(world, (struct chat_event){.kind = EVENT_TICK, .to = server->number, .life = server->life},
                   tick_first ? 0 : 1);
    }
    for (size_t i = 0; i < inbox.count; i++) {
        inbox.items[i]->clock = -inbox.items[i]->clock; /* it was received already, by Lamport's clock */
        chat_later(world, *inbox.items[i], 0);
        free(inbox.items[i]);
    }
    free(inbox.items);
}

void chat_return(struct chat_world *world, struct chat_server *server)
{
    if (!server->up) {
        seeds_show("server%u starts again", server->number);
        chat_server_start(world, server);
    } else if (server->paused) {
        seeds_show("server%u goes on", server->number);
        wake(world, server);
    } else if (server->cut) {
        seeds_show("server%u can be reached again", server->number);
        server->cut = false;
    }
}

/* Not all comes back: whoever leads is gone for good, and the others must do without it. */
static void lose_the_leader(struct chat_world *world)
{
    const struct chat_server *leader = undisputed(world);

    if (leader != NULL && chat_tolerates(world, leader)) {
        chat_server_crash(world, &world->servers[leader->number]);
    }
}

void chat_heal(struct chat_world *world)
{
    seeds_show("all heals");
    world->chaos = false;
    world->reference_down = false;
    for (unsigned i = 1; i <= world->options->servers; i++) {
        chat_return(world, &world->servers[i]);
        world->servers[i].cut = false;
    }
    if (!world->options->calm && !world->options->split && schedule_once_in(&world->schedule, 2)) {
        lose_the_leader(world);
    }
}
