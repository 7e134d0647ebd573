#include "common/net/refusals.h"

#include <inttypes.h>
#include <uv.h>

void refusals_add_refused(struct refusals *refusals, uint64_t now_ms, int status, size_t open, size_t most)
{
    if (log_limit_admit(&refusals->refused, now_ms)) {
        log_say(refusals->log, LOG_WARNING, "discard",
                "a connection was refused: %s (%zu are open, at most %zu are taken)", uv_strerror(status),
                open, most);
    }
}

void refusals_add_broken(struct refusals *refusals, uint64_t now_ms, const char *peer, const char *why)
{
    if (log_limit_admit(&refusals->broken, now_ms) && log_begin(refusals->log, LOG_WARNING, "discard")) {
        log_text(refusals->log, "reason", text_of("connection"));
        log_text(refusals->log, "from", text_of(peer));
        log_text(refusals->log, "message", text_of(why));
        log_end(refusals->log);
    }
}

static void sum_up(struct refusals *refusals, struct log_limit *limit, uint64_t now_ms, bool at_once,
                   const char *what)
{
    uint64_t count = log_limit_take_suppressed(limit, now_ms, at_once);
    if (count > 0) {
        log_say(refusals->log, LOG_WARNING, "discard", "%" PRIu64 " more %s", count, what);
    }
}

void refusals_sum_up(struct refusals *refusals, uint64_t now_ms, bool at_once)
{
    sum_up(refusals, &refusals->refused, now_ms, at_once, "connections were refused");
    sum_up(refusals, &refusals->broken, now_ms, at_once, "bad connections were closed");
}
