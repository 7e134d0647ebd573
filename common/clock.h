/* The time of day for logs and messages, and a time that only goes forward for waiting. */
#ifndef ORDEM_CLOCK_H
#define ORDEM_CLOCK_H

#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_EPOCH_LENGTH 31 /* at most */
#define CLOCK_TEXT_LENGTH  27 /* "2026-11-21T09:30:00.123456Z" */

/* Microseconds since 1970-01-01T00:00:00Z; jumps when somebody sets the clock. */
int64_t clock_wall_us(void);

/* Milliseconds since some moment in the past; never jumps. */
uint64_t clock_monotonic_ms(void);

/* The same, in microseconds. */
uint64_t clock_monotonic_us(void);

/* The same in milliseconds, but it goes on while the machine sleeps: for whoever promised something until then. */
uint64_t clock_boottime_ms(void);

/* Writes RFC 3339, UTC, with microseconds, and a NUL: CLOCK_TEXT_LENGTH + 1 bytes. */
void clock_format(int64_t wall_us, char out[CLOCK_TEXT_LENGTH + 1]);

/* Writes seconds since the epoch with microseconds, as messages carry it ("1763689000.123456"), and a NUL. */
void clock_format_epoch(int64_t wall_us, char out[CLOCK_EPOCH_LENGTH + 1]);

/* Reads what clock_format writes; false if it is not that. */
bool clock_parse(struct text text, int64_t *wall_us);

#endif
