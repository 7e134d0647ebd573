/* The protocol: which fields there are, and which of them each service has.
 *
 * `timestamp`, `clock` and `request_id` may stand in every message, and in every answer `status` and `description`; they
 * are not repeated below. Names of services and fields are those of the course's published format, where that has them. */
#include "parte5-chat/chat_message_table.h"

#include "parte5-chat/chat.h"
#include "parte5-chat/replication.h"

const struct field chat_fields[FIELD_COUNT] = {
#define X(code, name, kind, member, least, most)                                                             \
    [FIELD_CODE_##code] = {name, sizeof(name) - 1, kind, offsetof(struct chat_message, member), least, most},
    CHAT_FIELDS(X)
#undef X
};

static const char *const service_names[] = {
#define X(code, name) [code] = (name),
    CHAT_SERVICES(X)
#undef X
};

const char *chat_service_name(enum chat_service service)
{
    return service_names[service];
}

#define BIT(code)    (UINT64_C(1) << FIELD_CODE_##code)
#define ALWAYS       (BIT(TIMESTAMP) | BIT(CLOCK) | BIT(REQUEST_ID))
#define ALL_ANSWERS  (BIT(STATUS) | BIT(DESCRIPTION))
#define NOTE         (BIT(FROM) | BIT(EPOCH) | BIT(SEQ) | BIT(LAST_EPOCH))
#define NOTE_CHANGES (NOTE | BIT(AFTER_SEQ) | BIT(AFTER_EPOCH) | BIT(CHANGES))

struct service_fields {
    uint64_t asks, may_ask;   /* needed in the question; allowed there, too */
    uint64_t tells, may_tell; /* and in the answer */
};

static const struct service_fields services[SERVICE_COUNT] = {
    [SERVICE_LOGIN] = {BIT(USER), BIT(PASSWORD), BIT(STATUS), BIT(TOKEN)},
    [SERVICE_REGISTER] = {BIT(USER) | BIT(PASSWORD), 0, BIT(STATUS), 0},
    [SERVICE_USERS] = {0, BIT(TOKEN), BIT(USERS), 0},
    [SERVICE_CHANNEL] = {BIT(CHANNEL), BIT(USER) | BIT(TOKEN), BIT(STATUS), 0},
    [SERVICE_CHANNELS] = {0, BIT(TOKEN), BIT(CHANNELS), 0},
    [SERVICE_SUBSCRIBE] = {BIT(CHANNEL), BIT(USER) | BIT(TOKEN), BIT(STATUS), 0},
    [SERVICE_LEAVE] = {BIT(CHANNEL), BIT(USER) | BIT(TOKEN), BIT(STATUS), 0},
    [SERVICE_PUBLISH] = {BIT(USER) | BIT(CHANNEL) | BIT(MESSAGE), BIT(TOKEN), BIT(STATUS), BIT(MESSAGE)},
    [SERVICE_MESSAGE] = {BIT(SRC) | BIT(DST) | BIT(MESSAGE), BIT(TOKEN), BIT(STATUS), BIT(MESSAGE)},
    [SERVICE_HISTORY] = {0, BIT(CHANNEL) | BIT(USER) | BIT(LIMIT) | BIT(BEFORE) | BIT(TOKEN), BIT(MESSAGES),
                         0},
    [SERVICE_TIME] = {0, BIT(TOKEN), BIT(TIME), 0},

    [SERVICE_PUBLICATION] = {BIT(USER) | BIT(CHANNEL) | BIT(MESSAGE), BIT(SEQ) | BIT(EPOCH), 0, 0},
    [SERVICE_PRIVATE_MESSAGE] = {BIT(SRC) | BIT(DST) | BIT(MESSAGE), BIT(SEQ) | BIT(EPOCH), 0, 0},
    [SERVICE_SERVERS] = {BIT(COORDINATOR), BIT(FROM) | BIT(EPOCH), 0, 0},

    [SERVICE_RANK] = {BIT(USER), 0, BIT(RANK), 0},
    [SERVICE_LIST] = {0, 0, BIT(LIST), 0},
    [SERVICE_HEARTBEAT] = {BIT(USER), 0, 0, 0},

    [SERVICE_CLOCK] = {0, BIT(FROM) | BIT(EPOCH) | BIT(ROUND), BIT(TIME),
                       BIT(FROM) | BIT(EPOCH) | BIT(ROUND)},
    [SERVICE_CORRECT] = {BIT(EPOCH) | BIT(ROUND) | BIT(ADD), BIT(FROM), BIT(STATUS), 0},
    [SERVICE_ELECTION] = {0, BIT(FROM) | BIT(EPOCH), BIT(ELECTION), BIT(FROM) | BIT(EPOCH)},

    [SERVICE_REPLICATE_LOGIN] = {NOTE_CHANGES, BIT(WHOLE), 0, 0},
    [SERVICE_REPLICATE_CHANNEL] = {NOTE_CHANGES, BIT(WHOLE), 0, 0},
    [SERVICE_REPLICATE_PUBLISH] = {NOTE_CHANGES, BIT(WHOLE), 0, 0},
    [SERVICE_REPLICATE_MESSAGE] = {NOTE_CHANGES, BIT(WHOLE), 0, 0},
    [SERVICE_REPLICATE_CHANGES] = {NOTE_CHANGES, BIT(WHOLE), 0, 0},
    [SERVICE_REPLICATE_ASK] = {NOTE, 0, 0, 0},
    [SERVICE_REPLICATE_ANSWER] = {NOTE, 0, 0, 0},
    [SERVICE_REPLICATE_FETCH] = {NOTE, 0, 0, 0},
    [SERVICE_REPLICATE_ACK] = {NOTE | BIT(STATUS), BIT(SAID), 0, 0},
    [SERVICE_REPLICATE_REFUSE] = {NOTE, 0, 0, 0},
    [SERVICE_REPLICATE_PING] = {NOTE | BIT(COMMITTED) | BIT(COUNTED), BIT(SAID), 0, 0},
    [SERVICE_ERROR] = {0, 0, BIT(STATUS), 0},
};

struct field_sets chat_field_sets(enum chat_service service, enum chat_direction direction, bool refused)
{
    const struct service_fields *fields = &services[service];

    if (direction == CHAT_REQUEST) {
        return (struct field_sets){fields->asks, fields->asks | fields->may_ask | ALWAYS};
    }
    return (struct field_sets){refused ? BIT(STATUS) : fields->tells,
                               fields->tells | fields->may_tell | ALWAYS | ALL_ANSWERS};
}

struct field_sets chat_item_sets(enum field_kind kind)
{
    static const uint64_t said = BIT(TIMESTAMP) | BIT(CLOCK) | BIT(REQUEST_ID);
    static const uint64_t place = BIT(SEQ) | BIT(EPOCH);

    switch (kind) {
    case FIELD_RANKS:
        return (struct field_sets){BIT(NAME) | BIT(RANK), BIT(NAME) | BIT(RANK)};
    case FIELD_HISTORY:
        return (struct field_sets){BIT(MESSAGE), BIT(MESSAGE) | BIT(USER) | BIT(CHANNEL) | BIT(SRC) |
                                                     BIT(DST) | said | place};
    default:
        return (struct field_sets){BIT(TYPE) | place,
                                   BIT(TYPE) | BIT(USER) | BIT(TARGET) | BIT(BODY) | said | place};
    }
}

const char *chat_success(enum chat_service service)
{
    bool as_login = service == SERVICE_LOGIN || service == SERVICE_REGISTER || service == SERVICE_CHANNEL ||
                    service == SERVICE_SUBSCRIBE || service == SERVICE_LEAVE;

    return as_login ? "sucesso" : "OK";
}

/* ---- where a field is ---- */

static void *member(const struct field *field, struct chat_message *message)
{
    return (char *)message + field->offset;
}

struct text *field_text(const struct field *field, struct chat_message *message)
{
    return member(field, message);
}

int64_t *field_number(const struct field *field, struct chat_message *message)
{
    return member(field, message);
}

bool *field_flag(const struct field *field, struct chat_message *message)
{
    return member(field, message);
}

struct chat_names *field_names(const struct field *field, struct chat_message *message)
{
    return member(field, message);
}

struct change_list *field_changes(const struct field *field, struct chat_message *message)
{
    return member(field, message);
}
