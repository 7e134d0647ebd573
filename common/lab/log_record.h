/* One line of a log, taken apart: JSON Lines or the screen's text form, with or without what surrounds it when it
 * comes out of a terminal or of Compose ("kv_node1  | ", colours, a carriage return). */
#ifndef ORDEM_LOG_RECORD_H
#define ORDEM_LOG_RECORD_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/json.h"
#include "common/text.h"

#include <stdint.h>

#define LOG_RECORD_NO_NUMBER INT64_MIN

/* The fields that the judge reads; a text without bytes is a field that the line does not have. */
struct log_record {
    int64_t wall_us;
    struct text node, event;
    struct text message_uuid, sender_id, command_type, key, value;
    struct text part, role, fault, reason, from; /* `from`: whose state was installed */
    struct text status, target;                  /* of a client's completion; of what the lab does */
    struct text state, message_id, service;  /* of the chat: of an election; of a message that is told of */
    int64_t ordem_local, delay_ms, count;    /* LOG_RECORD_NO_NUMBER where absent */
    int64_t seq, epoch;                      /* likewise; both count from 1 */
    int64_t installed_seq, keys, latency_us; /* likewise */
    int64_t messages;                        /* likewise: between processes, as one of them stops */
    int64_t clock;                           /* likewise: Lamport's */
    int64_t round, skew_ms, after_ms, bound_ms; /* likewise: of the servers' clocks */
};

/* What taking lines apart needs; zeroed to start with, reused from line to line. */
struct log_line_reader {
    struct json_object object;
    struct buffer cleaned; /* without escape sequences */
    struct buffer json;    /* a text line as JSON */
    struct buffer value;
};

enum log_line_kind {
    LOG_LINE_FOREIGN, /* not a line of an Ordem log: another program's, or an empty one */
    LOG_LINE_DAMAGED, /* the beginning of one, but it does not parse */
    LOG_LINE_RECORD,
};

/* Takes `line` (without its line break) apart. The record's texts are valid until the next call. */
enum log_line_kind log_line_read(struct log_line_reader *reader, struct text line, struct log_record *record);

void log_line_reader_free(struct log_line_reader *reader);

#endif
