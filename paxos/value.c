#include "paxos/value.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

struct value *value_create(const struct client_command *commands, size_t count)
{
    size_t head = sizeof(struct value) + count * sizeof *commands;
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        length += commands[i].length;
    }
    struct value *value = memory_new(head + length);
    char *bytes = (char *)value + head;
    value->references = 1;
    value->count = count;
    for (size_t i = 0; i < count; i++) {
        value->commands[i] = commands[i];
        value->commands[i].bytes = bytes;
        if (commands[i].length > 0) {
            memcpy(bytes, commands[i].bytes, commands[i].length);
        }
        bytes += commands[i].length;
    }
    return value;
}

struct value *value_keep(struct value *value)
{
    if (value != NULL) {
        value->references++;
    }
    return value;
}

void value_release(struct value *value)
{
    if (value != NULL && --value->references == 0) {
        free(value);
    }
}

size_t value_bytes(const struct value *value)
{
    size_t bytes = 0;

    for (size_t i = 0; value != NULL && i < value->count; i++) {
        bytes += value->commands[i].length;
    }
    return bytes;
}

static bool command_equal(const struct client_command *a, const struct client_command *b)
{
    return a->client == b->client && a->timestamp == b->timestamp && a->length == b->length &&
           (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a == b) {
        return true;
    }
    if (a == NULL || b == NULL || a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!command_equal(&a->commands[i], &b->commands[i])) {
            return false;
        }
    }
    return true;
}
