#include "common/log_limit.h"

bool log_limit_admit(struct log_limit *limit, uint64_t now_ms)
{
    /* A window whose suppressed lines are not summed up yet stays closed, so that the sum comes first. */
    if (now_ms >= limit->window_end_ms && limit->suppressed == 0) {
        *limit = (struct log_limit){.window_end_ms = now_ms + LOG_LIMIT_WINDOW_MS};
    }
    if (limit->written < LOG_LIMIT_BURST) {
        limit->written++;
        return true;
    }
    limit->suppressed++;
    return false;
}

uint64_t log_limit_take_suppressed(struct log_limit *limit, uint64_t now_ms, bool at_once)
{
    if (limit->suppressed == 0 || (now_ms < limit->window_end_ms && !at_once)) {
        return 0;
    }
    uint64_t suppressed = limit->suppressed;
    /* While the flood goes on, the next window brings one more sum and no further examples. */
    *limit = (struct log_limit){.window_end_ms = now_ms + LOG_LIMIT_WINDOW_MS, .written = LOG_LIMIT_BURST};
    return suppressed;
}
