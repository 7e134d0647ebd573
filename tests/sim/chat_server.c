/* A server of the simulated chat: what the real one does around the rules, in memory. */
#include "tests/sim/chat_world.h"

#include "tests/sim/broker_seeds.h"

#include <stdio.h>

#define HOPS_MAX 2

static void do_coordination(struct chat_world *world, struct chat_server *server, struct coordinations *list);
static void do_replication(struct chat_world *world, struct chat_server *server,
                           struct replication_actions *list);

static bool leased(const struct chat_world *world)
{
    return world->options->leased;
}

/* ---- the coordination: both rules have the same functions ---- */

static void hear_notice(struct chat_world *world, struct chat_server *server, const struct notice *notice)
{
    struct coordinations list = {0};
    uint64_t now_ms = chat_local_ms(world, server);

    if (leased(world)) {
        lease_hear(&server->lease, notice, now_ms, &list);
    } else {
        bully_hear(&server->bully, notice, now_ms, &list);
    }
    do_coordination(world, server, &list);
}

static void ask_volume(struct chat_world *world, struct chat_server *server, enum chat_event_kind kind,
                       const struct coordination *action)
{
    chat_send(world,
              (struct chat_event){.kind = kind,
                                  .from = server->number,
                                  .to = VOLUME,
                                  .life = server->life,
                                  .found = action->found,
                                  .wanted = action->wanted},
              chat_delay(world));
}

static void do_coordination(struct chat_world *world, struct chat_server *server, struct coordinations *list)
{
    for (size_t i = 0; i < list->count && server->up; i++) {
        const struct coordination *action = &list->items[i];
        struct replication_actions actions = {0};
        switch (action->type) {
        case COORDINATION_SEND:
            chat_send(world,
                      (struct chat_event){.kind = EVENT_NOTICE,
                                          .from = server->number,
                                          .to = action->to,
                                          .life = world->servers[action->to].life,
                                          .notice = action->notice},
                      chat_delay(world));
            break;
        case COORDINATION_READ_LOCK:
            ask_volume(world, server, EVENT_READ_LOCK, action);
            break;
        case COORDINATION_SWAP_LOCK:
            ask_volume(world, server, EVENT_SWAP_LOCK, action);
            break;
        case COORDINATION_LEAD:
            seeds_show("server%u takes over, epoch %lld", server->number, (long long)action->epoch);
            replication_lead(&server->replication, action->epoch, &actions);
            do_replication(world, server, &actions);
            break;
        case COORDINATION_STEP_DOWN:
            seeds_show("server%u steps down", server->number);
            replication_step_down(&server->replication);
            break;
        }
    }
    coordination_free(list);
}

/* ---- the replication ---- */

static void answer(struct chat_world *world, const struct chat_server *server, const struct change *change,
                   bool refused)
{
    struct chat_request request = {.refused = refused};

    if (!chat_request_of(change, &request.client, &request.number)) {
        return;
    }
    if (!refused && !world->acknowledged[request.client][request.number]) {
        seeds_show("server%u says OK to request %u of client%u", server->number, request.number,
                   request.client);
        world->acknowledged[request.client][request.number] = true;
        world->acknowledging = server->replication.epoch;
        chat_check_readers(world, change);
    }
    world->refused[request.client][request.number] |= refused;
    chat_send(world,
              (struct chat_event){.kind = EVENT_ANSWER,
                                  .from = server->number,
                                  .to = CHAT_CLIENT + request.client,
                                  .request = request},
              chat_delay(world));
}

static void send_note(struct chat_world *world, struct chat_server *server, struct replication_action *action)
{
    /* A disk, or a volume, may take its time: longer than a lease. */
    bool slow =
        leased(world) && world->chaos && !world->options->calm && schedule_once_in(&world->schedule, 50);

    chat_send(world,
              (struct chat_event){.kind = EVENT_NOTE,
                                  .from = server->number,
                                  .to = action->to,
                                  .life = action->to == VOLUME ? 0 : world->servers[action->to].life,
                                  .note = action->note},
              chat_delay(world) + (slow ? schedule_below(&world->schedule, 3 * CHAT_LEASE_MS) : 0));
    action->note = (struct replication_note){0}; /* the event owns it now */
}

/* Who was paused while it took over may believe that it leads after another has begun; it will be refused. */
static void begin_reign(struct chat_world *world, const struct chat_server *server, const char *name)
{
    seeds_show("%s leads", name);
    if (server->replication.epoch > world->last_reign && chat_serves(world, server)) {
        world->last_reign = server->replication.epoch;
        if (!world->options->split) { /* else there is something to lose, and to see it happen */
            chat_check_acknowledged(world, &server->chat, name);
        }
    }
}

static void do_action(struct chat_world *world, struct chat_server *server, struct replication_action *action)
{
    char name[16];

    snprintf(name, sizeof name, "server%u", server->number);
    switch (action->type) {
    case REPLICATION_SEND:
        send_note(world, server, action);
        break;
    case REPLICATION_FORGET:
        seeds_show("%s forgets what it has", name);
        change_list_free(&server->disk);
        break;
    case REPLICATION_PROMISE:
        server->promised = action->note.epoch;
        break;
    case REPLICATION_RECORD:
        change_list_add(&server->disk, action->change);
        break;
    case REPLICATION_ANSWER:
        answer(world, server, action->change, false);
        break;
    case REPLICATION_PUBLISH:
        chat_send(world,
                  (struct chat_event){.kind = EVENT_PUBLICATION,
                                      .from = server->number,
                                      .to = CHAT_SUBSCRIBER,
                                      .change = change_ref(action->change)},
                  chat_delay(world));
        break;
    case REPLICATION_LEADING:
        begin_reign(world, server, name);
        break;
    case REPLICATION_DEPOSED:
        seeds_show("%s hears of epoch %lld", name, (long long)action->note.epoch);
        hear_notice(world, server, &(struct notice){.type = NOTICE_DEPOSED, .epoch = action->note.epoch});
        break;
    case REPLICATION_DROPPED:
    case REPLICATION_RETURNED:
        seeds_show("%s: server%u %s", name, action->to,
                   action->type == REPLICATION_DROPPED ? "is dropped" : "counts again");
        break;
    }
}

/* One after the other; between any two of them the server may die. */
static void do_replication(struct chat_world *world, struct chat_server *server,
                           struct replication_actions *list)
{
    for (size_t i = 0; i < list->count && server->up; i++) {
        if (world->chaos && !world->options->calm && schedule_once_in(&world->schedule, 2000) &&
            chat_tolerates(world, server)) {
            chat_server_crash(world, server);
            chat_later(world, (struct chat_event){.kind = EVENT_RETURN, .to = server->number}, 700);
            break;
        }
        do_action(world, server, &list->items[i]);
    }
    replication_actions_free(list);
}

static void hear_note(struct chat_world *world, struct chat_server *server, const struct chat_event *event)
{
    struct replication_actions actions = {0};
    struct replication_note trusted = event->note; /* which stays the event's */
    const struct replication_note *note = &trusted;

    if (world->options->variant == CHAT_ASKS_NOBODY && note->type == NOTE_ANSWER) {
        return;
    }
    if (world->options->variant == CHAT_TRUSTS_PINGS && note->type == NOTE_PING && note->counted) {
        trusted.said_ms = (int64_t)server->replication.last_tick_ms;
    }
    replication_hear(&server->replication, note, &actions);
    do_replication(world, server, &actions);
    if (server->up && note->type == NOTE_PING && !leased(world)) {
        hear_notice(world, server,
                    &(struct notice){.type = NOTICE_COORDINATOR, .from = note->from, .epoch = note->epoch});
    }
}

/* ---- clients ---- */

static void note_who_takes_writes(struct chat_world *world, const struct chat_server *server)
{
    for (unsigned i = 1; i <= world->options->servers; i++) {
        const struct chat_server *other = &world->servers[i];
        if (other != server && other->up && chat_serves(world, other) && leased(world)) {
            finding_add(&world->finding, "one leader: server%u took a write while server%u held the lease",
                        server->number, i);
        }
        world->two_primaries |= other != server && other->up && !other->paused && chat_serves(world, other) &&
                                replication_leads(&other->replication);
    }
}

static void take_request(struct chat_world *world, struct chat_server *server,
                         const struct chat_request *request)
{
    struct replication_actions actions = {0};
    struct change *change = chat_request_change(world, request);
    int code = replication_submit(&server->replication, change, &actions, NULL);

    note_who_takes_writes(world, server);
    if (code != 0) {
        answer(world, server, change, true);
    } else if (world->options->variant == CHAT_ANSWERS_EARLY) {
        answer(world, server, change, false);
    }
    do_replication(world, server, &actions);
    change_unref(change);
}

/* Who does not lead passes it to whom it believes to lead. */
static void hear_request(struct chat_world *world, struct chat_server *server,
                         const struct chat_request *request)
{
    bool serves = chat_serves(world, server) || world->options->variant == CHAT_CHECKS_LEASE_LATE;
    unsigned leader = leased(world) ? server->lease.lock.owner : server->bully.coordinator;
    struct chat_request passed_on = *request;

    if (serves && replication_leads(&server->replication)) {
        take_request(world, server, request);
    } else if (leader != NO_SERVER && leader != server->number && passed_on.hops++ < HOPS_MAX) {
        chat_send(world,
                  (struct chat_event){.kind = EVENT_REQUEST,
                                      .from = server->number,
                                      .to = leader,
                                      .life = world->servers[leader].life,
                                      .request = passed_on},
                  chat_delay(world));
    }
}

/* ---- time, life and death ---- */

static void tick(struct chat_world *world, struct chat_server *server)
{
    struct coordinations list = {0};
    struct replication_actions actions = {0};
    uint64_t now_ms = chat_local_ms(world, server);

    if (leased(world)) {
        lease_tick(&server->lease, now_ms, &list);
    } else {
        bully_tick(&server->bully, now_ms, &list);
        chat_send(world,
                  (struct chat_event){.kind = EVENT_HEARTBEAT, .from = server->number, .to = CHAT_REFERENCE},
                  chat_delay(world));
    }
    do_coordination(world, server, &list);
    if (server->up) {
        replication_tick(&server->replication, now_ms, &actions);
        do_replication(world, server, &actions);
    }
}

void chat_server_start(struct chat_world *world, struct chat_server *server)
{
    uint64_t now_ms = chat_local_ms(world, server);
    uint64_t all = SERVER_BIT(world->options->servers + 1) - 2;
    uint64_t drift_ppm = world->options->variant == CHAT_IMPATIENT_LEASE ? 0 : CHAT_DRIFT_PPM;

    server->up = true;
    server->tick_due = false;
    chat_init(&server->chat);
    for (size_t i = 0; i < server->disk.count; i++) {
        chat_apply(&server->chat, server->disk.items[i]);
    }
    bully_init(&server->bully,
               &(struct bully_options){.self = server->number,
                                       .servers = all,
                                       .timeout_ms = CHAT_TIMEOUT_MS,
                                       .answer_ms = CHAT_PATIENCE_MS},
               now_ms);
    lease_init(&server->lease,
               &(struct lease_options){.self = server->number,
                                       .lease_ms = CHAT_LEASE_MS,
                                       .drift_ppm = drift_ppm},
               now_ms);
    replication_init(&server->replication,
                     &(struct replication_options){.self = server->number,
                                                   .peers = leased(world) ? SERVER_BIT(VOLUME)
                                                                          : all & ~SERVER_BIT(server->number),
                                                   .patience_ms = CHAT_PATIENCE_MS,
                                                   .never_drops = leased(world),
                                                   .promised = leased(world) ? 0 : server->promised},
                     &server->chat, now_ms);
    chat_later(world, (struct chat_event){.kind = EVENT_TICK, .to = server->number, .life = server->life},
               schedule_below(&world->schedule, CHAT_TICK_MS));
}

void chat_server_crash(struct chat_world *world, struct chat_server *server)
{
    (void)world;
    if (server->up) {
        seeds_show("server%u crashes", server->number);
        server->up = server->paused = false;
        server->life++;
        chat_free(&server->chat);
    }
}

void chat_server_handle(struct chat_world *world, struct chat_server *server, const struct chat_event *event)
{
    switch (event->kind) {
    case EVENT_TICK:
        tick(world, server);
        break;
    case EVENT_NOTE:
        hear_note(world, server, event);
        break;
    case EVENT_NOTICE:
        hear_notice(world, server, &event->notice);
        break;
    default:
        hear_request(world, server, &event->request);
    }
}
