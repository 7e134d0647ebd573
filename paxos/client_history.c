#include "paxos/client_history.h"

#include <inttypes.h>

#define ITEM_BYTES 4096 /* of a buffer that is used again */

void client_history_add(struct client_history *history, struct text json)
{
    struct buffer *item = &history->items[history->count++ % HISTORY_KEPT];

    if (item->capacity > ITEM_BYTES) {
        buffer_free(item);
    }
    buffer_clear(item);
    buffer_add(item, json.bytes, json.length);
}

void client_history_write(const struct client_history *history, uint64_t after, size_t most,
                          struct buffer *out)
{
    uint64_t kept = most < HISTORY_KEPT ? most : HISTORY_KEPT;
    uint64_t first = history->count > kept ? history->count - kept : 0;

    if (after > first && after <= history->count) {
        first = after;
    }
    buffer_add_format(out, "{\"next\":%" PRIu64 ",\"items\":[", history->count);
    for (uint64_t number = first; number < history->count; number++) {
        const struct buffer *item = &history->items[number % HISTORY_KEPT];
        buffer_add_string(out, number > first ? ",\n" : "\n");
        buffer_add(out, item->bytes, item->length);
    }
    buffer_add_string(out, "]}");
}

void client_history_free(struct client_history *history)
{
    for (size_t i = 0; i < HISTORY_KEPT; i++) {
        buffer_free(&history->items[i]);
    }
    *history = (struct client_history){0};
}
