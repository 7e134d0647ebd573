/* Warnings that repeat: the first few are written, the rest are counted and summed up, so that a flood of bad input
 * fills neither the screen nor the disk. Pure: the caller brings the time. */
#ifndef ORDEM_LOG_LIMIT_H
#define ORDEM_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_BURST     5     /* lines written in each window */
#define LOG_LIMIT_WINDOW_MS 10000 /* milliseconds */

/* One kind of warning; zeroed to start with. */
struct log_limit {
    uint64_t window_end_ms;
    unsigned written;    /* in this window */
    uint64_t suppressed; /* in this window */
};

/* May this one be written? If not, it was counted. */
bool log_limit_admit(struct log_limit *limit, uint64_t now_ms);

/* Once the window is over (or `at_once`): how many were suppressed in it, to be summed up in one line; else 0. */
uint64_t log_limit_take_suppressed(struct log_limit *limit, uint64_t now_ms, bool at_once);

#endif
