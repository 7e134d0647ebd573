/* The network: every copy of a message is a packet, which may be lost, come late or come twice. */
#include "tests/sim/paxos_world.h"

#include <stdio.h>
#include <string.h>

static void keep_message(const struct packet *packet)
{
    if (packet->message != NULL) {
        paxos_message_keep(packet->message);
    }
}

static void post(struct world *world, struct packet packet)
{
    if (world->packets_count < WORLD_PACKETS) { /* otherwise it is lost: a network may */
        world->packets[world->packets_count++] = packet;
        keep_message(&packet);
    }
}

void network_send(struct world *world, const struct member *member, const struct paxos_action *action)
{
    check_send(world, member, action->message);
    for (unsigned i = 0; i < world->count; i++) {
        const struct member *to = &world->members[i];
        if (to->role == (unsigned)action->to && to != member &&
            (action->number == 0 || action->number == to->id)) {
            post(world,
                 (struct packet){.message = action->message, .from = world_place(world, member), .to = i});
        }
    }
}

void network_talk(struct world *world, const struct member *from, const struct member *to,
                  const struct talk *talk)
{
    struct member *sender = &world->members[world_place(world, from)];

    if (talk->type == TALK_ANSWER && talk->answer == STORE_READY && talk->last > sender->told_ready) {
        sender->told_ready = talk->last;
    }
    post(world,
         (struct packet){.talk = *talk, .from = world_place(world, from), .to = world_place(world, to)});
}

/* ---- what it does with packets ---- */

static const char *value_text(const struct value *value)
{
    static char text[64];
    size_t length = 0;

    if (value == NULL) {
        return "nothing";
    }
    for (size_t i = 0; i < value->count && length < sizeof text - 16; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%llu", i == 0 ? "write " : "+",
                                   (unsigned long long)value->commands[i].timestamp);
    }
    return text;
}

static void describe_message(char *text, size_t size, const struct paxos_message *message)
{
    size_t length = (size_t)snprintf(text, size, "%s", paxos_type_name(message->type));

    if (message->ballot.round > 0) {
        length += (size_t)snprintf(text + length, size - length, " (%llu.%u)",
                                   (unsigned long long)message->ballot.round, message->ballot.proposer);
    }
    for (size_t i = 0; i < message->count && length < size; i++) {
        const struct proposal *proposal = &message->proposals[i];
        length += (size_t)snprintf(text + length, size - length, ", %llu: %s",
                                   (unsigned long long)proposal->instance, value_text(proposal->value));
        if (ballot_compare(proposal->ballot, message->ballot) != 0 && length < size) {
            length += (size_t)snprintf(text + length, size - length, " of (%llu.%u)",
                                       (unsigned long long)proposal->ballot.round, proposal->ballot.proposer);
        }
    }
}

static void describe_talk(char *text, size_t size, const struct talk *talk)
{
    static const char *const types[] = {
        [TALK_PREPARE] = "prepare",      [TALK_COMMIT] = "commit",     [TALK_ANSWER] = "answer",
        [TALK_COMPARE] = "finished",     [TALK_HAS] = "complete",      [TALK_STATE] = "state up to",
        [TALK_DOUBT] = "what became of", [TALK_OUTCOME] = "committed", [TALK_READ] = "read, must see",
        [TALK_VALUE] = "value",
    };
    static const char *const answers[] = {
        [STORE_READY] = "ready", [STORE_BUSY] = "busy", [STORE_DONE] = "done", [STORE_UNKNOWN] = "unknown"};

    if (talk->type == TALK_ANSWER) {
        snprintf(text, size, "%s, write %llu", answers[talk->answer], (unsigned long long)talk->last);
    } else if (talk->type == TALK_VALUE) {
        snprintf(text, size, "value %llu of a read, %s", (unsigned long long)talk->cells[0].value,
                 answers[talk->answer]);
    } else if (talk->type == TALK_COPY) {
        snprintf(text, size, "copy from store %llu", (unsigned long long)talk->last);
    } else if (talk->type == TALK_WANT) {
        snprintf(text, size, "what do you have?");
    } else if (talk->first > 0 && talk->first < talk->last) {
        snprintf(text, size, "%s writes %llu to %llu", types[talk->type], (unsigned long long)talk->first,
                 (unsigned long long)talk->last);
    } else {
        snprintf(text, size, "%s write %llu", types[talk->type], (unsigned long long)talk->last);
    }
}

static void tell_packet(const struct world *world, const struct packet *packet, bool lost)
{
    char text[160];

    if (world->healing && packet->message != NULL && packet->message->type == PAXOS_HEARTBEAT) {
        return; /* too many, and they say the same */
    }
    if (packet->message != NULL) {
        describe_message(text, sizeof text, packet->message);
    } else {
        describe_talk(text, sizeof text, &packet->talk);
    }
    world_tell(world, "%s -> %s: %s%s%s", world_name(&world->members[packet->from]),
               world_name(&world->members[packet->to]), text, packet->again ? ", again" : "",
               lost ? ", which is lost" : "");
}

static void hand_over(struct world *world, const struct packet *packet, uint64_t draw)
{
    struct member *to = &world->members[packet->to];
    struct member *from = &world->members[packet->from];

    if (packet->message != NULL) {
        struct paxos_message *message = distort_message(world, to, packet);
        member_receive(world, to, message, draw);
        paxos_message_release(message);
    } else if (to->role == STORE_ROLE) {
        site_hear(world, to, from, &packet->talk);
    } else {
        driver_hear(world, to, from->id, &packet->talk);
    }
}

/* Delivers a packet, or loses it, or delivers it and keeps a copy; or leaves out what a shorter story does without. */
void network_deliver(struct world *world, size_t place, uint64_t draw, bool skipped)
{
    struct packet packet = world->packets[place];
    world->work++;
    unsigned luck = (unsigned)(draw % 64);
    bool lost = !world->members[packet.to].up || world->step < world->cut_until[packet.from][packet.to] ||
                (!world->healing && luck < world->temper.loss);

    if (!world->healing && !lost && luck >= 64 - world->temper.again) {
        world->packets[place].again = true;
        keep_message(&packet);
    } else {
        world->packets_count--;
        memmove(&world->packets[place], &world->packets[place + 1],
                (world->packets_count - place) * sizeof world->packets[place]);
    }
    if (world->options.tell && !skipped) {
        tell_packet(world, &packet, lost);
    }
    if (!lost && !skipped) {
        hand_over(world, &packet, draw / 64);
    }
    paxos_message_release(packet.message);
}

/* ---- what cuts it ---- */

static void cut(struct world *world, unsigned from, unsigned to, unsigned until)
{
    if (from != to) {
        world->cut_until[from][to] = until;
    }
}

/* For a while, which may be long: one way between two; or from one, or to one, or both; or a half from the other. */
void network_trouble(struct world *world, struct member *member, uint64_t draw)
{
    static const unsigned lengths[] = {20, 60, 150, 400};
    unsigned until = world->step + lengths[draw / 8 % 4];
    unsigned place = world_place(world, member);
    unsigned kind = (unsigned)(draw % 8);
    uint64_t half = draw / 32;

    if (kind == 0) {
        memset(world->cut_until, 0, sizeof world->cut_until);
        world_tell(world, "the network heals");
        return;
    }
    for (unsigned i = 0; i < world->count; i++) {
        if (kind == 1 || kind == 3) {
            cut(world, place, i, until);
        }
        if (kind == 2 || kind == 3) {
            cut(world, i, place, until);
        }
        for (unsigned j = 0; j < world->count && kind == 4; j++) {
            if ((half >> i) % 2 != (half >> j) % 2) {
                cut(world, i, j, until);
            }
        }
    }
    if (kind >= 5) {
        cut(world, place, (unsigned)(half % WORLD_MEMBERS), until);
    }
    world_tell(world, "until step %u the network is cut %s%s", until,
               kind == 1   ? "from "
               : kind == 2 ? "to "
               : kind == 3 ? "from and to "
               : kind == 4 ? "in two"
                           : "one way from ",
               kind == 4 ? "" : world_name(member));
}
