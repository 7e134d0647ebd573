/* What an instance decides: a batch of clients' commands, in their order. NULL stands for the no-op that fills a gap.
 * A value never changes once it is made, so that all who hold it share one copy and count who does. */
#ifndef ORDEM_PAXOS_VALUE_H
#define ORDEM_PAXOS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A client has one command under way at a time; (client, timestamp) names it, however often it is sent, and a client's
 * timestamps grow. What the bytes say is between client and store: nobody in paxos/ reads them. */
struct client_command {
    uint64_t client, timestamp;
    const char *bytes;
    size_t length;
};

struct value {
    unsigned references;
    size_t count;
    struct client_command commands[]; /* their bytes are behind them, in the same memory */
};

/* A value of its own with a copy of everything; the caller holds one reference. `count` is at least 1. */
struct value *value_create(const struct client_command *commands, size_t count);

/* Both take NULL. */
struct value *value_keep(struct value *value);
void value_release(struct value *value);

/* Of its commands together; 0 of NULL. */
size_t value_bytes(const struct value *value);

bool value_equal(const struct value *a, const struct value *b);

#endif
