/* A server's clock, and Berkeley's rounds over messages (berkeley.c has the rule).
 *
 *     [][clock {from, epoch, round}]               the coordinator, to every server that follows it
 *     [answer][clock {from, epoch, round, time}]   back
 *     [][correct {from, epoch, round, add}]        to each that answered
 *
 * In the log, as event `clock`, so that anybody can check the promise:
 *
 *     state measured    the coordinator: `server` is to add add_ms to its clock
 *     state round       the coordinator: the round is over; before it the clocks were skew_ms apart, right after it they are
 *                       at most bound_ms apart; so many had no say (outliers)
 *     state corrected   every server: its clock was before_ms ahead of the machine's, and is after_ms now
 *     state left        every server, when it leaves: the same, without a correction
 *
 * Servers on one machine share its clock: there the after_ms of one round (epoch, round) are at most its bound_ms apart.
 * Of level info where a clock was off by CLOCK_NOTABLE_MS, else debug. */
#include "parte5-chat/server.h"

#include "common/clock.h"
#include "common/config.h"
#include "parte5-chat/chat_message_table.h"

#include <stdlib.h>

#define CLOCK_SPREAD_MS  10000 /* who is farther off than this from most is broken, and has no say */
#define CLOCK_NOTABLE_MS 20

#define DRIFT_MAX_MS  INT64_C(1577880000000) /* fifty years */
#define DRIFT_MAX_PPM 500000                 /* half as fast again, or half as fast */

/* ---- the clock ---- */

int server_read_clock_settings(struct server *server, struct error *error)
{
    struct server_clock *clock = &server->clock;
    int code = config_int("CLOCK_DRIFT_MS", -DRIFT_MAX_MS, DRIFT_MAX_MS, 0, &clock->drift_ms, error);

    clock->since_us = clock_wall_us();
    return code == 0
               ? config_int("CLOCK_DRIFT_PPM", -DRIFT_MAX_PPM, DRIFT_MAX_PPM, 0, &clock->drift_ppm, error)
               : code;
}

/* So far is it ahead of the machine's. */
static int64_t ahead_ms(const struct server_clock *clock, int64_t wall_us)
{
    int64_t gained_us = (wall_us - clock->since_us) / 1000 * clock->drift_ppm / 1000;

    return clock->drift_ms + gained_us / 1000 + clock->member.correction_ms;
}

int64_t server_now_ms(const struct server *server)
{
    int64_t wall_us = clock_wall_us();
    int64_t now_ms = wall_us / 1000 + ahead_ms(&server->clock, wall_us);

    now_ms = now_ms > 0 ? now_ms : 0; /* what no message can say, no clock shows */
    return now_ms < MOMENT_MAX ? now_ms : MOMENT_MAX;
}

static bool begin_event(struct server *server, int64_t off_ms, const char *state)
{
    enum log_level level = llabs(off_ms) >= CLOCK_NOTABLE_MS ? LOG_INFO : LOG_DEBUG;

    if (!log_begin(&server->process.log, level, "clock")) {
        return false;
    }
    log_text(&server->process.log, "state", text_of(state));
    return true;
}

void server_log_clock(struct server *server)
{
    if (log_begin(&server->process.log, LOG_INFO, "clock")) {
        log_text(&server->process.log, "state", text_of("left"));
        log_int(&server->process.log, "epoch", server->clock.epoch);
        log_int(&server->process.log, "round", server->clock.round);
        log_int(&server->process.log, "after_ms", ahead_ms(&server->clock, clock_wall_us()));
        log_end(&server->process.log);
    }
}

/* ---- every server ---- */

static void correct(struct server *server, int64_t epoch, int64_t round, int64_t add_ms)
{
    struct server_clock *clock = &server->clock;
    int64_t before_ms = ahead_ms(clock, clock_wall_us());

    if (!berkeley_correct(&clock->member, epoch, round, add_ms)) {
        return;
    }
    clock->epoch = epoch;
    clock->round = round;
    if (begin_event(server, add_ms, "corrected")) {
        log_int(&server->process.log, "epoch", epoch);
        log_int(&server->process.log, "round", round);
        log_int(&server->process.log, "before_ms", before_ms);
        log_int(&server->process.log, "add_ms", add_ms);
        log_int(&server->process.log, "after_ms", before_ms + add_ms);
        log_end(&server->process.log);
    }
}

static void say(struct server *server, unsigned to, enum chat_service service, enum chat_direction direction,
                const struct chat_message *values)
{
    chat_message_clear(&server->said);
    server->said.service = service;
    server->said.from = server->self;
    server->said.epoch = values->epoch;
    server->said.round = values->round;
    server->said.time = values->time;
    server->said.add = values->add;
    server_say_to_peer(server, to, direction);
    server_rests_on(server,
                    CHANGE_NO_SEQ); /* and need not wait for the disk: every wait makes the bound larger */
}

static void answer(struct server *server, const struct chat_message *question)
{
    berkeley_asked(&server->clock.member, question->epoch, question->round);
    say(server, (unsigned)question->from, SERVICE_CLOCK, CHAT_ANSWER,
        &(struct chat_message){.epoch = question->epoch,
                               .round = question->round,
                               .time = server_now_ms(server)});
}

/* Only whom this server follows may ask for its time, and set it. */
static bool is_from_coordinator(const struct server *server, const struct chat_message *message)
{
    return message->from != server->self && message->from == server->replication.primary &&
           message->epoch == server->replication.epoch;
}

bool server_hear_clock(struct server *server, enum chat_direction direction)
{
    const struct chat_message *heard = &server->heard;

    if ((heard->service != SERVICE_CLOCK && heard->service != SERVICE_CORRECT) || heard->from == NO_SERVER) {
        return false;
    }
    if (direction == CHAT_ANSWER) {
        if (heard->service == SERVICE_CLOCK && heard->status != STATUS_ERROR &&
            heard->epoch == server->clock.rounds.epoch) {
            berkeley_hear(&server->clock.rounds, (unsigned)heard->from, heard->round, heard->time,
                          server_now_ms(server));
            server_tick_clocks(server);
        }
    } else if (is_from_coordinator(server, heard)) {
        if (heard->service == SERVICE_CLOCK) {
            answer(server, heard);
        } else {
            correct(server, heard->epoch, heard->round, heard->add);
        }
    }
    return true;
}

/* ---- the coordinator ---- */

void server_begin_clock_rounds(struct server *server)
{
    const struct berkeley_options options = {.self = server->self,
                                             .rtt_max_ms = server->patience_ms,
                                             .spread_max_ms = CLOCK_SPREAD_MS};

    berkeley_init(&server->clock.rounds, &options, server->replication.epoch);
}

/* Those that the primary does not take for dead: a round waits for its slowest answer. */
static uint64_t live_peers(const struct server *server)
{
    uint64_t peers = 0;

    for (unsigned i = 1; i <= server->members.count; i++) {
        if (i != server->self && server->replication.members[i].state != MEMBER_OUT) {
            peers |= SERVER_BIT(i);
        }
    }
    return peers;
}

void server_count_message(struct server *server)
{
    struct berkeley *rounds = &server->clock.rounds;
    uint64_t peers = live_peers(server);

    if (!berkeley_count(rounds) || peers == 0) {
        return;
    }
    berkeley_poll(rounds, peers, server_now_ms(server));
    berkeley_asked(&server->clock.member, rounds->epoch, rounds->round);
    for (unsigned i = 1; i <= server->members.count; i++) {
        if (peers & SERVER_BIT(i)) {
            say(server, i, SERVICE_CLOCK, CHAT_REQUEST,
                &(struct chat_message){.epoch = rounds->epoch, .round = rounds->round});
        }
    }
}

static void log_round(struct server *server, const struct berkeley_corrections *found)
{
    if (begin_event(server, found->skew_ms, "round")) {
        log_int(&server->process.log, "epoch", server->clock.rounds.epoch);
        log_int(&server->process.log, "round", server->clock.rounds.round);
        log_int(&server->process.log, "servers", found->count);
        log_int(&server->process.log, "outliers", found->outliers);
        log_int(&server->process.log, "skew_ms", found->skew_ms);
        log_int(&server->process.log, "rtt_ms", (int64_t)found->rtt_ms);
        log_int(&server->process.log, "bound_ms", berkeley_bound_ms(found->rtt_ms, 0, 0));
        log_end(&server->process.log);
    }
}

static void log_measured(struct server *server, const struct berkeley_clock *by, int64_t skew_ms)
{
    if (begin_event(server, skew_ms, "measured")) {
        log_int(&server->process.log, "epoch", server->clock.rounds.epoch);
        log_int(&server->process.log, "round", server->clock.rounds.round);
        log_text(&server->process.log, "server", text_of(server->members.items[by->server - 1].name));
        log_int(&server->process.log, "add_ms", by->ahead_ms);
        log_end(&server->process.log);
    }
}

void server_tick_clocks(struct server *server)
{
    struct berkeley *rounds = &server->clock.rounds;
    struct berkeley_corrections found;

    if (!rounds->polling || !replication_leads(&server->replication) ||
        !berkeley_finish(rounds, server_now_ms(server), &found)) {
        return;
    }
    for (unsigned i = 0; i < found.count; i++) {
        const struct berkeley_clock *by = &found.by[i];
        log_measured(server, by, found.skew_ms);
        if (by->server == server->self) {
            correct(server, rounds->epoch, rounds->round, by->ahead_ms);
        } else {
            say(server, by->server, SERVICE_CORRECT, CHAT_REQUEST,
                &(struct chat_message){.epoch = rounds->epoch, .round = rounds->round, .add = by->ahead_ms});
        }
    }
    log_round(server, &found);
}
