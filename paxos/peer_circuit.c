/* Is it of any use to call? A peer that is gone costs each call a time-out, and a peer that comes back must not meet all
 * who waited for it at once (Nygard 2007, "Release It!": the circuit breaker). */
#include "paxos/peer_parts.h"

#include <stdio.h>

const char *peer_circuit_name(enum peer_circuit circuit)
{
    static const char *const names[] = {"closed", "open", "half-open"};
    return names[circuit];
}

bool peer_circuit_admit(struct peer *peer)
{
    if (peer->circuit == CIRCUIT_OPEN && uv_now(peer->client.loop) >= peer->open_until_ms) {
        peer->circuit = CIRCUIT_HALF_OPEN;
        return true;
    }
    return peer->circuit == CIRCUIT_CLOSED;
}

static void say(const struct peer *peer, enum log_level level, const char *event)
{
    struct log *log = &peer->peers->process->log;

    if (log_begin(log, level, event)) {
        log_text(log, "peer", text_of(peer->name));
        log_text(log, "address", text_of(peer->client.target.authority));
        log_text(log, "circuit", text_of(peer_circuit_name(peer->circuit)));
        if (peer->circuit != CIRCUIT_CLOSED) {
            log_text(log, "message", text_of(peer->last_error));
        }
        log_end(log);
    }
}

static void open_circuit(struct peer *peer)
{
    bool was_closed = peer->circuit == CIRCUIT_CLOSED;

    peer->pause_ms = was_closed ? PEER_PAUSE_MIN_MS : 2 * peer->pause_ms;
    peer->pause_ms = peer->pause_ms < PEER_PAUSE_MAX_MS ? peer->pause_ms : PEER_PAUSE_MAX_MS;
    peer->open_until_ms = uv_now(peer->client.loop) + peer->pause_ms;
    peer->circuit = CIRCUIT_OPEN;
    if (was_closed) {
        say(peer, LOG_WARNING, "disconnect");
    }
}

static void close_circuit(struct peer *peer)
{
    bool was_closed = peer->circuit == CIRCUIT_CLOSED;

    peer->circuit = CIRCUIT_CLOSED;
    peer->failures = 0;
    if (!was_closed) {
        say(peer, LOG_INFO, "connect");
    }
}

void peer_circuit_note(struct peer *peer, int status, struct text why)
{
    if (status >= 0) { /* whatever it answers, it is there */
        close_circuit(peer);
        return;
    }
    if (status == HTTP_CANCELLED) {
        return;
    }
    peer->failures++;
    snprintf(peer->last_error, sizeof peer->last_error, "%.*s", (int)(why.length < 159 ? why.length : 159),
             why.bytes);
    text_make_printable(peer->last_error);
    /* What was sent before the circuit opened, and fails now, tells nothing new. */
    if (peer->circuit == CIRCUIT_HALF_OPEN ||
        (peer->circuit == CIRCUIT_CLOSED && peer->failures >= PEER_FAILURES)) {
        open_circuit(peer);
    }
}
