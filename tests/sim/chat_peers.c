/* What the simulated servers share: a reference server, or a volume with leader.lock and the files. */
#include "tests/sim/chat_world.h"

#include <stdio.h>

/* A heartbeat is answered with the list, as if the server had asked for both at once. */
void chat_reference_handle(struct chat_world *world, const struct chat_event *event)
{
    char name[16];

    if (world->reference_down) {
        return;
    }
    snprintf(name, sizeof name, "server%u", event->from);
    reference_tick(&world->reference, world->schedule.now_ms);
    reference_heartbeat(&world->reference, text_of(name));
    chat_send(world,
              (struct chat_event){.kind = EVENT_NOTICE,
                                  .from = CHAT_REFERENCE,
                                  .to = event->from,
                                  .life = world->servers[event->from].life,
                                  .notice = {.type = NOTICE_LIST,
                                             .servers = reference_list(&world->reference)}},
              chat_delay(world));
}

void chat_volume_start(struct chat_world *world)
{
    struct chat_volume *volume = &world->volume;
    struct replication_options options = {.self = VOLUME, .patience_ms = CHAT_PATIENCE_MS};

    for (unsigned i = 1; i <= world->options->servers; i++) {
        options.peers |= SERVER_BIT(i);
    }
    chat_init(&volume->chat);
    replication_init(&volume->replication, &options, &volume->chat, world->schedule.now_ms);
}

static void handle_lock(struct chat_world *world, const struct chat_event *event)
{
    struct chat_volume *volume = &world->volume;
    struct lock *lock = &volume->lock;

    if (event->kind == EVENT_SWAP_LOCK && lock->owner == event->found.owner &&
        lock->fence == event->found.fence && lock->beat == event->found.beat) {
        if (event->wanted.fence < lock->fence) {
            finding_add(&world->finding, "fencing: the number of leader.lock went back to %lld",
                        (long long)event->wanted.fence);
        }
        *lock = event->wanted;
        lease_admits(&volume->fence, lock->fence);
    }
    chat_send(world,
              (struct chat_event){.kind = EVENT_NOTICE,
                                  .from = VOLUME,
                                  .to = event->from,
                                  .life = event->life,
                                  .notice = {.type = NOTICE_LOCK, .lock = *lock}},
              chat_delay(world));
}

static void handle_note(struct chat_world *world, const struct chat_event *event)
{
    struct chat_volume *volume = &world->volume;
    struct replication_actions actions = {0};
    struct replication_note note = event->note;
    size_t before = volume->chat.changes.count;

    if (world->options->variant == CHAT_NO_FENCING) {
        note.epoch = note.epoch > volume->replication.epoch ? note.epoch : volume->replication.epoch;
        volume->replication.primary = event->from;
    } else if (!lease_admits(&volume->fence, note.epoch)) {
        note.epoch = -1; /* is refused */
    }
    replication_hear(&volume->replication, &note, &actions);
    if (volume->chat.changes.count != before && event->note.epoch < volume->lock.fence) {
        finding_add(&world->finding, "fencing: server%u wrote with number %lld after %lld was given out",
                    event->from, (long long)event->note.epoch, (long long)volume->lock.fence);
    }
    for (size_t i = 0; i < actions.count; i++) {
        if (actions.items[i].type == REPLICATION_SEND && actions.items[i].to != VOLUME) {
            unsigned to = actions.items[i].to;
            chat_send(world,
                      (struct chat_event){.kind = EVENT_NOTE,
                                          .from = VOLUME,
                                          .to = to,
                                          .life = world->servers[to].life,
                                          .note = actions.items[i].note},
                      chat_delay(world));
            actions.items[i].note = (struct replication_note){0}; /* the event owns it now */
        }
    }
    replication_actions_free(&actions);
}

void chat_volume_handle(struct chat_world *world, const struct chat_event *event)
{
    if (event->kind == EVENT_NOTE) {
        replication_tick(&world->volume.replication, world->schedule.now_ms,
                         &(struct replication_actions){0});
        handle_note(world, event);
    } else {
        handle_lock(world, event);
    }
}
