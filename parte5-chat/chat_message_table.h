/* The protocol as two tables; see chat_message_table.c. For those who read and write messages. */
#ifndef ORDEM_CHAT_MESSAGE_TABLE_H
#define ORDEM_CHAT_MESSAGE_TABLE_H

#include "parte5-chat/chat_message.h"
#include "parte5-chat/pack.h"

enum field_kind {
    FIELD_TEXT,   /* a string of at most `most` bytes */
    FIELD_NAME,   /* a string that name_check likes */
    FIELD_UUID,   /* a string: the text of a UUID */
    FIELD_NUMBER, /* an integer, `least` to `most` */
    FIELD_MOMENT, /* the same, and a fraction is dropped */
    FIELD_FLAG,   /* a boolean */
    FIELD_STATUS, /* a string, as an enum chat_status */
    FIELD_TYPE,   /* a string, as an enum change_type */
    /* and the lists: */
    FIELD_NAMES,   /* an array of names */
    FIELD_RANKS,   /* an array of maps with the fields RANK_FIELDS */
    FIELD_HISTORY, /* an array of maps with some of the fields HISTORY_FIELDS, as changes */
    FIELD_CHANGES, /* an array of maps with the fields CHANGE_FIELDS */
};

/* code, name on the wire, kind, member of struct chat_message, least, most */
#define CHAT_FIELDS(X)                                                                                       \
    X(TIMESTAMP, "timestamp", FIELD_MOMENT, timestamp_ms, 0, MOMENT_MAX)                                     \
    X(CLOCK, "clock", FIELD_NUMBER, clock, 0, INT64_MAX)                                                     \
    X(REQUEST_ID, "request_id", FIELD_UUID, request_id, 0, 0)                                                \
    X(TOKEN, "token", FIELD_TEXT, token, 0, CHAT_TOKEN_MAX)                                                  \
    X(USER, "user", FIELD_NAME, user, 0, 0)                                                                  \
    X(CHANNEL, "channel", FIELD_NAME, channel, 0, 0)                                                         \
    X(SRC, "src", FIELD_NAME, source, 0, 0)                                                                  \
    X(DST, "dst", FIELD_NAME, receiver, 0, 0)                                                                \
    X(PASSWORD, "password", FIELD_TEXT, password, 0, CHAT_PASSWORD_MAX)                                      \
    X(MESSAGE, "message", FIELD_TEXT, message, 0, CHAT_BODY_MAX)                                             \
    X(LIMIT, "limit", FIELD_NUMBER, limit, 1, CHAT_HISTORY_MAX)                                              \
    X(BEFORE, "before", FIELD_NUMBER, before, 0, INT64_MAX)                                                  \
    X(STATUS, "status", FIELD_STATUS, status, 0, 0)                                                          \
    X(DESCRIPTION, "description", FIELD_TEXT, description, 0, CHAT_REASON_MAX)                               \
    X(USERS, "users", FIELD_NAMES, users, 0, 0)                                                              \
    X(CHANNELS, "channels", FIELD_NAMES, channels, 0, 0)                                                     \
    X(MESSAGES, "messages", FIELD_HISTORY, messages, 0, CHAT_HISTORY_MAX)                                    \
    X(TIME, "time", FIELD_MOMENT, time, 0, MOMENT_MAX)                                                       \
    X(ROUND, "round", FIELD_NUMBER, round, 0, INT64_MAX)                                                     \
    X(ADD, "add", FIELD_NUMBER, add, -MOMENT_MAX, MOMENT_MAX)                                                \
    X(ELECTION, "election", FIELD_TEXT, election, 0, 16)                                                     \
    X(COORDINATOR, "coordinator", FIELD_NAME, coordinator, 0, 0)                                             \
    X(NAME, "name", FIELD_NAME, name, 0, 0)                                                                  \
    X(RANK, "rank", FIELD_NUMBER, rank, 1, SERVERS_MAX)                                                      \
    X(LIST, "list", FIELD_RANKS, list, 0, SERVERS_MAX)                                                       \
    X(FROM, "from", FIELD_NUMBER, from, 0, SERVERS_MAX)                                                      \
    X(EPOCH, "epoch", FIELD_NUMBER, epoch, 0, EPOCH_MAX)                                                     \
    X(SEQ, "seq", FIELD_NUMBER, seq, 0, INT64_MAX)                                                           \
    X(LAST_EPOCH, "last_epoch", FIELD_NUMBER, last_epoch, 0, EPOCH_MAX)                                      \
    X(COMMITTED, "committed", FIELD_NUMBER, committed, 0, INT64_MAX)                                         \
    X(SAID, "said", FIELD_NUMBER, said_ms, 0, INT64_MAX)                                                     \
    X(AFTER_SEQ, "after_seq", FIELD_NUMBER, after_seq, 0, INT64_MAX)                                         \
    X(AFTER_EPOCH, "after_epoch", FIELD_NUMBER, after_epoch, 0, EPOCH_MAX)                                   \
    X(COUNTED, "counted", FIELD_FLAG, counted, 0, 0)                                                         \
    X(WHOLE, "whole", FIELD_FLAG, whole, 0, 0)                                                               \
    X(CHANGES, "changes", FIELD_CHANGES, changes, 0, REPLICATION_CHANGES_MAX)                                \
    X(TYPE, "type", FIELD_TYPE, type, 0, 0)                                                                  \
    X(TARGET, "target", FIELD_NAME, target, 0, 0)                                                            \
    X(BODY, "body", FIELD_TEXT, body, 0, CHAT_BODY_MAX)

#define MOMENT_MAX INT64_C(253402300799999) /* milliseconds since the epoch: the end of the year 9999 */

enum field_code {
#define X(code, name, kind, member, least, most) FIELD_CODE_##code,
    CHAT_FIELDS(X)
#undef X
        FIELD_COUNT,
};

/* A set of fields is the sum of these. */
#define FIELD_BIT(code) (UINT64_C(1) << (code))

struct field {
    const char *name;
    size_t name_length;
    enum field_kind kind;
    size_t offset; /* of the member */
    int64_t least, most;
};

extern const struct field chat_fields[FIELD_COUNT];

struct field_sets {
    uint64_t needed, allowed; /* what is needed is allowed, too */
};

/* The fields of a service, one way; `refused`: of an answer whose status is STATUS_ERROR. */
struct field_sets chat_field_sets(enum chat_service service, enum chat_direction direction, bool refused);

/* Of the items of a list. */
struct field_sets chat_item_sets(enum field_kind kind);

/* "sucesso" or "OK": what this service says when all is well. */
const char *chat_success(enum chat_service service);

/* Where a field's value is. The kind says which of them may be asked. */
struct text *field_text(const struct field *field, struct chat_message *message);
int64_t *field_number(const struct field *field, struct chat_message *message);
bool *field_flag(const struct field *field, struct chat_message *message);
struct chat_names *field_names(const struct field *field, struct chat_message *message);
struct change_list *field_changes(const struct field *field, struct chat_message *message);

/* chat_message_field.c: a value into a field that is no list. ERROR_FIELD_TYPE, ERROR_FIELD_VALUE, ERROR_TOO_LONG,
 * ERROR_NOT_UTF8, with the field's name and what is allowed. */
int field_read(const struct field *field, const struct pack_value *value, struct chat_message *into,
               struct error *error);

/* chat_message_fields.c: the fields of a map of so many pairs, at which the reader stands. What is not allowed is skipped;
 * what is needed must be there, or, where the status says no, the status. Errors as chat_message_decode has them. */
int fields_read(struct pack_reader *reader, uint32_t pairs, const struct field_sets *sets,
                struct chat_message *into, struct error *error);

/* Says that the value is of another type; returns ERROR_FIELD_TYPE. */
int field_wrong_kind(const struct field *field, const struct pack_value *value, enum pack_kind allowed,
                     struct error *error);

#endif
