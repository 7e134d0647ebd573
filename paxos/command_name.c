/* What names a command, found in its canonical form without reading all of it: there each member has its place. And the
 * commonest commands, read in one pass. */
#include "common/random.h"
#include "paxos/command_json.h"

#include <string.h>

static bool skip(struct text *text, const char *literal)
{
    size_t length = strlen(literal);

    if (text->length < length || memcmp(text->bytes, literal, length) != 0) {
        return false;
    }
    text->bytes += length;
    text->length -= length;
    return true;
}

/* A string with its quotes, or a number. */
static bool take_scalar(struct text *text, struct text *scalar)
{
    bool is_string = text->length > 0 && text->bytes[0] == '"';
    size_t end = is_string ? 1 : 0;

    while (end < text->length &&
           (is_string ? text->bytes[end] != '"' : strchr(",}", text->bytes[end]) == NULL)) {
        end += is_string && text->bytes[end] == '\\' ? 2 : 1;
    }
    end += is_string;
    if (end > text->length || end == 0) {
        return false;
    }
    *scalar = (struct text){text->bytes, end};
    text->bytes += end;
    text->length -= end;
    return true;
}

/* Behind the last name; nothing that follows it can hold a quotation mark. */
static bool take_last(struct text text, const char *name, struct text *scalar)
{
    size_t length = strlen(name);
    size_t end = text.length;

    while (end > 0 && text.bytes[end - 1] != ':') {
        end--;
    }
    if (end < length || memcmp(text.bytes + end - length, name, length) != 0) {
        return false;
    }
    struct text rest = {text.bytes + end, text.length - end};
    return take_scalar(&rest, scalar) && rest.length == 1 && rest.bytes[0] == '}';
}

bool command_json_identify(struct text bytes, struct client_command *command)
{
    struct text rest = bytes;
    struct text client, timestamp, other;

    *command = (struct client_command){.bytes = bytes.bytes, .length = bytes.length};
    if (skip(&rest, "{\"clientId\":")) {
        if (!take_scalar(&rest, &client) || !take_last(rest, ",\"timestamp\":", &timestamp)) {
            return false;
        }
        command->client = random_hash(client);
        command->timestamp = random_hash(timestamp);
        return true;
    }
    if (!skip(&rest, "{\"command_type\":") || !take_scalar(&rest, &other) ||
        (skip(&rest, ",\"key\":") && !take_scalar(&rest, &other)) || !skip(&rest, ",\"message_uuid\":") ||
        !take_scalar(&rest, &client)) {
        return false;
    }
    command->client = random_hash(client);
    return true;
}

/* ---- the plain form ---- */

/* A string that stands there as it is meant: ASCII, nothing escaped. Its quotes are part of `scalar`. */
static bool take_plain(struct text *text, struct text *scalar)
{
    if (!skip(text, "\"")) {
        return false;
    }
    size_t length = text_plain_length(*text);
    if (length == text->length || text->bytes[length] != '"') {
        return false;
    }
    *scalar = (struct text){text->bytes - 1, length + 2};
    text->bytes += length + 1;
    text->length -= length + 1;
    return true;
}

static bool take_digits(struct text *text, struct text *digits)
{
    size_t length = 0;

    while (length < text->length && text->bytes[length] >= '0' && text->bytes[length] <= '9') {
        length++;
    }
    *digits = (struct text){text->bytes, length};
    text->bytes += length;
    text->length -= length;
    return length == 1 || (length > 1 && length <= OPERATION_TIMESTAMP_MAX && digits->bytes[0] != '0');
}

static struct text without_quotes(struct text scalar)
{
    return (struct text){scalar.bytes + 1, scalar.length - 2};
}

static bool may_be_name(struct text scalar, size_t limit)
{
    return scalar.length > 2 && scalar.length - 2 <= limit;
}

size_t command_json_read_plain(struct text text, struct operation *operation, struct client_command *command)
{
    struct text rest = text;
    struct text client, data, resource, timestamp;

    if (!skip(&rest, "{\"clientId\":") || !take_plain(&rest, &client) || !skip(&rest, ",\"data\":") ||
        !take_plain(&rest, &data) || !skip(&rest, ",\"operation\":\"SET\",\"resource\":") ||
        !take_plain(&rest, &resource) || !skip(&rest, ",\"timestamp\":") || !take_digits(&rest, &timestamp) ||
        !skip(&rest, "}")) {
        return 0;
    }
    size_t length = text.length - rest.length;
    if (!may_be_name(client, OPERATION_CLIENT_MAX) || !may_be_name(resource, MESSAGE_KEY_MAX) ||
        length > PAXOS_COMMAND_MAX) {
        return 0;
    }
    *operation = (struct operation){.type = COMMAND_SET,
                                    .resource = without_quotes(resource),
                                    .data = data,
                                    .client = without_quotes(client),
                                    .timestamp = timestamp};
    *command = (struct client_command){random_hash(client), random_hash(timestamp), text.bytes, length};
    return length;
}

/* ---- for the log ---- */

struct message command_json_message(const struct operation *operation, const struct client_command *command,
                                    struct uuid *uuid)
{
    uint8_t name[16];

    memcpy(name, &command->client, 8);
    memcpy(name + 8, &command->timestamp, 8);
    *uuid = uuid_from_bytes(name);
    return (struct message){.references = 1,
                            .command_type = operation->type,
                            .key = operation->resource,
                            .value = operation->data.bytes != NULL ? operation->data : text_of("null"),
                            .sender_id = operation->client,
                            .message_uuid = operation->message_uuid.bytes != NULL ? operation->message_uuid
                                                                                  : text_of(uuid->text),
                            .timestamp =
                                operation->timestamp.bytes != NULL ? operation->timestamp : text_of("0"),
                            .seq = MESSAGE_NO_SEQ,
                            .epoch = MESSAGE_NO_EPOCH};
}
