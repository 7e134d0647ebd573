#include "common/lab/log_record.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/lab/log_text_line.h"

#include <string.h>

#define CLOCK_AFTER_MAX_MS (INT64_C(1) << 60) /* differences of such numbers are numbers */
#define JSON_START         "{\"ts\":\""

/* ---- what surrounds a line ---- */

/* Where `needle` first stands; NULL if nowhere. */
static const char *find(struct text text, const char *needle)
{
    return text.length == 0 ? NULL : memmem(text.bytes, text.length, needle, strlen(needle));
}

/* The line without terminal escape sequences (ESC [ … letter) and carriage returns. */
static struct text clean(struct buffer *out, struct text line)
{
    if (memchr(line.bytes, '\x1b', line.length) == NULL && memchr(line.bytes, '\r', line.length) == NULL) {
        return line;
    }
    buffer_clear(out);
    for (size_t i = 0; i < line.length; i++) {
        char c = line.bytes[i];
        if (c == '\x1b' && i + 1 < line.length && line.bytes[i + 1] == '[') {
            i += 2;
            while (i < line.length && (line.bytes[i] < '@' || line.bytes[i] > '~')) {
                i++;
            }
        } else if (c != '\r' && c != '\x1b') {
            buffer_add_char(out, c);
        }
    }
    return buffer_text(out);
}

/* ---- a record from JSON ---- */

static int64_t number_of(struct text digits)
{
    int64_t number = 0;
    bool negative = digits.length > 0 && digits.bytes[0] == '-';

    for (size_t i = negative; i < digits.length; i++) {
        char c = digits.bytes[i];
        if (c < '0' || c > '9' || number > (INT64_MAX - 9) / 10) {
            return LOG_RECORD_NO_NUMBER;
        }
        number = number * 10 + (c - '0');
    }
    return negative ? -number : number;
}

/* What the judge shows goes to a terminal as it is: no line of ours holds control characters in these. */
static bool are_printable(const struct log_record *record)
{
    return !text_has_control(record->message_uuid) && !text_has_control(record->sender_id) &&
           !text_has_control(record->key) && !text_has_control(record->part) &&
           !text_has_control(record->fault) && !text_has_control(record->from) &&
           !text_has_control(record->target) && !text_has_control(record->command_type) &&
           !text_has_control(record->service);
}

enum field {
    FIELD_TS,
    FIELD_NODE,
    FIELD_EVENT,
    FIELD_MESSAGE_UUID,
    FIELD_SENDER_ID,
    FIELD_COMMAND_TYPE,
    FIELD_KEY,
    FIELD_VALUE,
    FIELD_SEQ,
    FIELD_EPOCH,
    FIELD_ORDEM_LOCAL,
    FIELD_STATUS,
    FIELD_LATENCY_US,
    FIELD_FAULT,
    FIELD_DELAY_MS,
    FIELD_PART,
    FIELD_ROLE,
    FIELD_REASON,
    FIELD_COUNT,
    FIELD_INSTALLED_SEQ,
    FIELD_FROM,
    FIELD_KEYS,
    FIELD_TARGET,
    FIELD_MESSAGES,
    FIELD_STATE,
    FIELD_MESSAGE_ID,
    FIELD_SERVICE,
    FIELD_CLOCK,
    FIELD_ROUND,
    FIELD_SKEW_MS,
    FIELD_AFTER_MS,
    FIELD_BOUND_MS,
    FIELDS
};

static const struct {
    const char *name;
    size_t length;
} field_names[FIELDS] = {
#define NAME(field, name) [FIELD_##field] = {name, sizeof(name) - 1}
    NAME(TS, "ts"),
    NAME(NODE, "node"),
    NAME(EVENT, "event"),
    NAME(MESSAGE_UUID, "message_uuid"),
    NAME(SENDER_ID, "sender_id"),
    NAME(COMMAND_TYPE, "command_type"),
    NAME(KEY, "key"),
    NAME(VALUE, "value"),
    NAME(SEQ, "seq"),
    NAME(EPOCH, "epoch"),
    NAME(ORDEM_LOCAL, "ordem_local"),
    NAME(STATUS, "status"),
    NAME(LATENCY_US, "latency_us"),
    NAME(FAULT, "fault"),
    NAME(DELAY_MS, "delay_ms"),
    NAME(PART, "part"),
    NAME(ROLE, "role"),
    NAME(REASON, "reason"),
    NAME(COUNT, "count"),
    NAME(INSTALLED_SEQ, "installed_seq"),
    NAME(FROM, "from"),
    NAME(KEYS, "keys"),
    NAME(TARGET, "target"),
    NAME(MESSAGES, "messages"),
    NAME(STATE, "state"),
    NAME(MESSAGE_ID, "message_id"),
    NAME(SERVICE, "service"),
    NAME(CLOCK, "clock"),
    NAME(ROUND, "round"),
    NAME(SKEW_MS, "skew_ms"),
    NAME(AFTER_MS, "after_ms"),
    NAME(BOUND_MS, "bound_ms"),
#undef NAME
};

static enum field field_of(struct text name)
{
    for (enum field f = 0; f < FIELDS; f++) {
        if (name.length == field_names[f].length &&
            memcmp(name.bytes, field_names[f].name, name.length) == 0) {
            return f;
        }
    }
    return FIELDS;
}

/* LOG_RECORD_NO_NUMBER where it is absent, no number, or below `low`. */
static int64_t number_from(struct text digits, int64_t low)
{
    int64_t number = digits.length > 0 ? number_of(digits) : LOG_RECORD_NO_NUMBER;
    return number < low ? LOG_RECORD_NO_NUMBER : number;
}

static bool fill(struct log_line_reader *reader, struct log_record *record)
{
    struct text fields[FIELDS + 1] = {0}; /* the last for what the judge does not read */

    for (size_t i = 0; i < reader->object.count; i++) {
        const struct json_member *member = &reader->object.members[i];
        enum field field = field_of(member->name);
        fields[field] = member->text;
        if (field == FIELD_VALUE) { /* JSON of any kind stays JSON */
            buffer_clear(&reader->value);
            json_write_member(&reader->value, member);
            fields[field] = buffer_text(&reader->value);
        }
    }
    *record = (struct log_record){
        .node = fields[FIELD_NODE],
        .event = fields[FIELD_EVENT],
        .message_uuid = fields[FIELD_MESSAGE_UUID],
        .sender_id = fields[FIELD_SENDER_ID],
        .command_type = fields[FIELD_COMMAND_TYPE],
        .key = fields[FIELD_KEY],
        .value = fields[FIELD_VALUE],
        .part = fields[FIELD_PART],
        .role = fields[FIELD_ROLE],
        .fault = fields[FIELD_FAULT],
        .reason = fields[FIELD_REASON],
        .from = fields[FIELD_FROM],
        .status = fields[FIELD_STATUS],
        .target = fields[FIELD_TARGET],
        .ordem_local = number_from(fields[FIELD_ORDEM_LOCAL], INT64_MIN),
        .delay_ms = number_from(fields[FIELD_DELAY_MS], INT64_MIN),
        .count = number_from(fields[FIELD_COUNT], INT64_MIN),
        .seq = number_from(fields[FIELD_SEQ], 1),
        .epoch = number_from(fields[FIELD_EPOCH], 1),
        .installed_seq = number_from(fields[FIELD_INSTALLED_SEQ], 0),
        .keys = number_from(fields[FIELD_KEYS], 0),
        .latency_us = number_from(fields[FIELD_LATENCY_US], 0),
        .messages = number_from(fields[FIELD_MESSAGES], 0),
        .state = fields[FIELD_STATE],
        .message_id = fields[FIELD_MESSAGE_ID],
        .service = fields[FIELD_SERVICE],
        .clock = number_from(fields[FIELD_CLOCK], 0),
        .round = number_from(fields[FIELD_ROUND], 1),
        .skew_ms = number_from(fields[FIELD_SKEW_MS], 0),
        .after_ms = number_from(fields[FIELD_AFTER_MS], -CLOCK_AFTER_MAX_MS),
        .bound_ms = number_from(fields[FIELD_BOUND_MS], 0),
    };
    return fields[FIELD_TS].bytes != NULL && clock_parse(fields[FIELD_TS], &record->wall_us) &&
           record->event.length > 0 && config_is_node_id(record->node) && are_printable(record);
}

enum log_line_kind log_line_read(struct log_line_reader *reader, struct text line, struct log_record *record)
{
    *record = (struct log_record){0};
    if (line.length == 0) {
        return LOG_LINE_FOREIGN;
    }
    const char *start = find(line, JSON_START);
    const char *end = line.bytes + line.length;
    if (start != NULL) {
        line = text_trim((struct text){start, (size_t)(end - start)});
    } else {
        line = clean(&reader->cleaned, line);
        start = log_text_line_start(line);
        if (start == NULL) {
            return LOG_LINE_FOREIGN;
        }
        end = line.bytes + line.length;
        if (!log_text_line_convert(&reader->json, (struct text){start, (size_t)(end - start)})) {
            return LOG_LINE_DAMAGED;
        }
        line = buffer_text(&reader->json);
    }
    if (json_object_read(&reader->object, line, NULL) != 0 || !fill(reader, record)) {
        return LOG_LINE_DAMAGED;
    }
    return LOG_LINE_RECORD;
}

void log_line_reader_free(struct log_line_reader *reader)
{
    json_object_free(&reader->object);
    buffer_free(&reader->cleaned);
    buffer_free(&reader->json);
    buffer_free(&reader->value);
}
