#include "tests/sim/chat_world.h"

#include "common/memory.h"
#include "tests/sim/broker_seeds.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_server(unsigned process)
{
    return process >= 1 && process <= CHAT_SERVERS_MAX;
}

uint64_t chat_delay(struct chat_world *world)
{
    return 1 + schedule_below(&world->schedule, CHAT_DELAY_MS);
}

uint64_t chat_local_ms(const struct chat_world *world, const struct chat_server *server)
{
    int64_t now_ms = (int64_t)world->schedule.now_ms;

    return (uint64_t)(now_ms + now_ms * server->drift_ppm / 1000000);
}

bool chat_serves(const struct chat_world *world, const struct chat_server *server)
{
    uint64_t now_ms = chat_local_ms(world, server);

    return world->options->leased ? lease_may_serve(&server->lease, now_ms)
                                  : bully_may_serve(&server->bully, now_ms);
}

void chat_later(struct chat_world *world, struct chat_event event, uint64_t delay_ms)
{
    event.at_ms = world->schedule.now_ms + delay_ms;
    chat_events_add(&world->events, &event);
}

/* Between servers a cut lets nothing through; where it is a split, nor to the reference server. */
static bool is_cut(const struct chat_world *world, unsigned from, unsigned to)
{
    bool a = is_server(from) && world->servers[from].cut;
    bool b = is_server(to) && world->servers[to].cut;
    bool between_servers = is_server(from) && is_server(to);

    return (a || b) &&
           (between_servers || (world->options->split && (from == CHAT_REFERENCE || to == CHAT_REFERENCE)));
}

void chat_send(struct chat_world *world, struct chat_event event, uint64_t delay_ms)
{
    uint64_t *last_ms = &world->last_ms[event.from][event.to];
    uint64_t at_ms = world->schedule.now_ms + delay_ms;

    event.at_ms = at_ms > *last_ms ? at_ms : *last_ms;
    *last_ms = event.at_ms;
    event.clock = lamport_send(&world->clocks[event.from]);
    chat_events_add(&world->events, &event);
}

/* Lamport's condition, where it is not plain: between a message's sending and its receipt. */
static void receive(struct chat_world *world, const struct chat_event *event)
{
    struct lamport *clock = &world->clocks[event->to];
    struct lamport as_it_was = *clock;
    int64_t when = 0;

    if (!lamport_receive(clock, event->clock, &when)) {
        finding_add(&world->finding, "lamport: %lld is refused", (long long)event->clock);
    }
    if (world->options->variant == CHAT_CLOCK_STAYS) {
        *clock = as_it_was;
        when = clock->time + 1;
    }
    if (when <= event->clock || when <= as_it_was.time) {
        finding_add(&world->finding, "lamport: sent at %lld, received at %lld", (long long)event->clock,
                    (long long)when);
    }
}

/* ---- what happens ---- */

/* True if the event waits, or is lost, with a server that is paused or gone. */
static bool is_kept(struct chat_world *world, struct chat_server *server, struct chat_event *event)
{
    if (!server->up || event->life != server->life) {
        chat_event_free(event);
        return true;
    }
    if (!server->paused) {
        return false;
    }
    if (event->kind == EVENT_TICK) {
        server->tick_due = true;
        chat_event_free(event);
        return true;
    }
    struct chat_inbox *inbox = &server->inbox;
    inbox->items = memory_grow(inbox->items, &inbox->capacity, inbox->count + 1, sizeof(struct chat_event *));
    inbox->items[inbox->count++] = event;
    (void)world;
    return true;
}

static void happen_at_server(struct chat_world *world, struct chat_event *event)
{
    struct chat_server *server = &world->servers[event->to];
    unsigned life = server->life;
    bool ticks = event->kind == EVENT_TICK;

    if (is_kept(world, server, event)) {
        return;
    }
    chat_server_handle(world, server, event);
    if (ticks && server->up && server->life == life) {
        chat_later(world, (struct chat_event){.kind = EVENT_TICK, .to = server->number, .life = life},
                   CHAT_TICK_MS);
    }
    chat_event_free(event);
}

static void happen_elsewhere(struct chat_world *world, const struct chat_event *event)
{
    switch (event->kind) {
    case EVENT_HEARTBEAT:
        chat_reference_handle(world, event);
        break;
    case EVENT_NOTE:
    case EVENT_READ_LOCK:
    case EVENT_SWAP_LOCK:
        chat_volume_handle(world, event);
        break;
    case EVENT_PUBLICATION:
        chat_subscriber_handle(world, event);
        break;
    case EVENT_FAULT:
        if (world->chaos) {
            chat_fault(world);
        }
        break;
    case EVENT_STALL:
        chat_stall(world);
        break;
    case EVENT_RETURN:
        if (world->chaos) {
            chat_return(world, &world->servers[event->to]);
        }
        break;
    default:
        chat_client_handle(world, event);
    }
}

static void happen(struct chat_world *world, struct chat_event *event)
{
    bool at_server = is_server(event->to) && event->kind != EVENT_RETURN && event->kind != EVENT_CLIENT;

    if (event->clock > 0 && is_cut(world, event->from, event->to)) {
        chat_event_free(event);
        return;
    }
    if (event->clock > 0) {
        receive(world, event);
    }
    if (at_server) {
        happen_at_server(world, event);
    } else {
        happen_elsewhere(world, event);
        chat_event_free(event);
    }
}

static void run_until(struct chat_world *world, uint64_t end_ms)
{
    struct chat_event *event;

    while (!finding_exists(&world->finding) && (event = chat_events_take(&world->events)) != NULL) {
        if (event->at_ms > world->schedule.now_ms) { /* else all stood still when it was due */
            world->schedule.now_ms = event->at_ms;
        }
        happen(world, event);
        chat_check_instant(world);
        if (world->schedule.now_ms >= end_ms) {
            return;
        }
    }
}

/* ---- a run ---- */

static void begin(struct chat_world *world, const struct chat_options *options)
{
    char name[16];

    *world = (struct chat_world){.options = options, .chaos = true};
    schedule_init(&world->schedule, options->seed);
    reference_init(&world->reference, CHAT_TIMEOUT_MS, world->schedule.now_ms);
    chat_volume_start(world);
    for (unsigned i = 1; i <= options->servers; i++) {
        struct chat_server *server = &world->servers[i];
        server->number = i;
        server->drift_ppm = ((int64_t)schedule_below(&world->schedule, 3) - 1) * CHAT_DRIFT_PPM;
        snprintf(name, sizeof name, "server%u", i);
        reference_rank(&world->reference, text_of(name), NULL);
        chat_server_start(world, server);
    }
    for (unsigned i = 0; i < CHAT_CLIENTS; i++) {
        chat_client_ask(world, i);
    }
    if (!options->calm) {
        chat_later(world, (struct chat_event){.kind = EVENT_FAULT}, options->split ? 2500 : 1000);
    }
    if (!options->calm && schedule_once_in(&world->schedule, 3)) {
        chat_later(world, (struct chat_event){.kind = EVENT_STALL}, 1000);
    }
}

static void end(struct chat_world *world)
{
    for (unsigned i = 1; i <= world->options->servers; i++) {
        struct chat_server *server = &world->servers[i];
        for (size_t k = 0; k < server->inbox.count; k++) {
            chat_event_free(server->inbox.items[k]);
        }
        free(server->inbox.items);
        chat_free(&server->chat);
        change_list_free(&server->disk);
    }
    chat_free(&world->volume.chat);
    chat_events_free(&world->events);
}

struct finding chat_world_run(const struct chat_options *options, bool *two_primaries)
{
    static struct chat_world world;

    begin(&world, options);
    run_until(&world, CHAT_CHAOS_MS);
    if (!finding_exists(&world.finding)) {
        chat_heal(&world);
        run_until(&world, CHAT_CHAOS_MS + CHAT_HEALED_MS);
        chat_check_end(&world);
    }
    if (two_primaries != NULL) {
        *two_primaries = world.two_primaries;
    }
    end(&world);
    return world.finding;
}
