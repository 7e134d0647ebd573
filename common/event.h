/* The events about a command, with the same fields in the same order in every part. What each one says:
 *
 *     submit   a client gave it the command (only where another process than this one gives it to the network)
 *     send     this node gave the command to the network
 *     receive  the network gave it to this node (level debug: where nothing is held back, deliver follows at once)
 *     hold     it came before its turn, and waits
 *     deliver  it was applied here, as the ordem_local-th command
 *     discard  what arrived was not a command, and why not; or it had come already (reason "repeated")
 *     fault    the bad network that was asked for did something to it */
#ifndef ORDEM_EVENT_H
#define ORDEM_EVENT_H

#include "common/error.h"
#include "common/log.h"
#include "common/log_limit.h"
#include "common/message.h"

#include <stdbool.h>
#include <stdint.h>

void event_submit(struct log *log, const struct message *message);

void event_send(struct log *log, const struct message *message);

void event_receive(struct log *log, const struct message *message);

void event_hold(struct log *log, const struct message *message);

void event_repeat(struct log *log, const struct message *message);

#define EVENT_SNAPSHOT_MAX                                                                                   \
    (1024 * 1024) /* bytes; of a larger snapshot only the size is logged (snapshot_bytes) */

/* `snapshot` is the store as JSON text for a PRINT, without bytes for the rest. */
void event_deliver(struct log *log, const struct message *message, uint64_t ordem_local,
                   struct text snapshot);

/* `fault` is "loss", "delay", "duplicate" or "partition"; `delay_ms` stands where it is not negative. */
void event_fault(struct log *log, const struct message *message, const char *fault, int64_t delay_ms);

/* Discarded input, limited per reason; zeroed to start with. */
struct discards {
    struct log_limit limits[ERROR_COUNT];
};

/* Something from `from` (an address) was not a valid message. */
void event_discard(struct log *log, struct discards *discards, const struct error *error, const char *from,
                   uint64_t now_ms);

/* Sums up what event_discard only counted; to be called now and then, and with `at_once` before the end. */
void event_discard_summary(struct log *log, struct discards *discards, uint64_t now_ms, bool at_once);

#endif
