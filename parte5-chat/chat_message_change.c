#include "parte5-chat/chat_message_change.h"

/* ---- changes ---- */

bool change_from_request(const struct chat_message *request, struct change *fields)
{
    static const struct {
        enum chat_service service;
        enum change_type type;
    } writes[] = {{SERVICE_REGISTER, CHANGE_REGISTER}, {SERVICE_LOGIN, CHANGE_LOGIN},
                  {SERVICE_CHANNEL, CHANGE_CHANNEL},   {SERVICE_SUBSCRIBE, CHANGE_SUBSCRIBE},
                  {SERVICE_LEAVE, CHANGE_LEAVE},       {SERVICE_PUBLISH, CHANGE_PUBLISH},
                  {SERVICE_MESSAGE, CHANGE_MESSAGE}};

    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        if (request->service == writes[i].service) {
            bool private = request->service == SERVICE_MESSAGE;
            *fields = (struct change){.type = writes[i].type,
                                      .request_id = request->request_id,
                                      .user = private ? request->source : request->user,
                                      .target = private ? request->receiver : request->channel,
                                      .body = request->message};
            return true;
        }
    }
    return false;
}

static void say(const struct change *change, struct chat_message *message)
{
    message->timestamp_ms = change->timestamp_ms;
    message->clock = change->clock;
    message->request_id = change->request_id;
    message->message = change->body;
    message->seq = change->seq;
    message->epoch = change->epoch;
    if (change->type == CHANGE_MESSAGE) {
        message->source = change->user;
        message->receiver = change->target;
    } else {
        message->user = change->user;
        message->channel = change->target;
    }
}

bool publication_from_change(const struct change *change, struct chat_message *message, struct text *topic)
{
    if (change->type != CHANGE_PUBLISH && change->type != CHANGE_MESSAGE) {
        return false;
    }
    chat_message_clear(message);
    say(change, message);
    message->service = change->type == CHANGE_MESSAGE ? SERVICE_PRIVATE_MESSAGE : SERVICE_PUBLICATION;
    *topic = change->target;
    return true;
}

size_t history_that_fits(struct change *const *changes, size_t count, enum chat_encoding encoding,
                         size_t limit)
{
    size_t around = 512; /* an item without its texts takes less; so does the rest */
    size_t longest = encoding == CHAT_JSON ? 6 : 1; /* bytes of one: \u0000 */
    size_t left = limit > around ? limit - around : 0;
    size_t fitting = 0;

    while (fitting < count) {
        const struct change *change = changes[count - 1 - fitting];
        size_t size = around + longest * (change->user.length + change->target.length + change->body.length);
        if (size > left) {
            break;
        }
        left -= size;
        fitting++;
    }
    return fitting;
}

int change_from_item(const struct chat_message *item, bool history, struct change *fields,
                     struct error *error)
{
    bool private = history && item->source.bytes != NULL;

    *fields = (struct change){.request_id = item->request_id,
                              .timestamp_ms = item->timestamp_ms,
                              .clock = item->clock,
                              .seq = item->seq,
                              .epoch = item->epoch};
    if (!history) {
        fields->type = (enum change_type)item->type;
        fields->user = item->user;
        fields->target = item->target;
        fields->body = item->body;
        return 0;
    }
    fields->type = private ? CHANGE_MESSAGE : CHANGE_PUBLISH;
    fields->user = private ? item->source : item->user;
    fields->target = private ? item->receiver : item->channel;
    fields->body = item->message;
    if (fields->target.bytes == NULL || fields->user.bytes == NULL) {
        return error_set(error, ERROR_FIELD_MISSING, "%s is missing",
                         private                      ? "dst"
                         : fields->user.bytes == NULL ? "user"
                                                      : "channel");
    }
    return 0;
}

void item_from_change(const struct change *change, bool history, struct chat_message *item)
{
    *item = (struct chat_message){0};
    say(change, item);
    if (!history) {
        item->type = change->type;
        item->user = change->user;
        item->target = change->target;
        item->body = change->body;
    }
}

/* ---- notes of the replication ---- */

static enum chat_service service_of_changes(const struct replication_note *note)
{
    if (note->whole || note->changes.count != 1) {
        return SERVICE_REPLICATE_CHANGES;
    }
    switch (note->changes.items[0]->type) {
    case CHANGE_LOGIN:
        return SERVICE_REPLICATE_LOGIN;
    case CHANGE_CHANNEL:
        return SERVICE_REPLICATE_CHANNEL;
    case CHANGE_PUBLISH:
        return SERVICE_REPLICATE_PUBLISH;
    case CHANGE_MESSAGE:
        return SERVICE_REPLICATE_MESSAGE;
    default:
        return SERVICE_REPLICATE_CHANGES;
    }
}

static const enum chat_service note_services[] = {
    [NOTE_ASK] = SERVICE_REPLICATE_ASK,     [NOTE_ANSWER] = SERVICE_REPLICATE_ANSWER,
    [NOTE_FETCH] = SERVICE_REPLICATE_FETCH, [NOTE_CHANGES] = SERVICE_REPLICATE_CHANGES,
    [NOTE_ACK] = SERVICE_REPLICATE_ACK,     [NOTE_REFUSE] = SERVICE_REPLICATE_REFUSE,
    [NOTE_PING] = SERVICE_REPLICATE_PING};

static void copy_changes(struct change_list *to, const struct change_list *from)
{
    for (size_t i = 0; i < from->count; i++) {
        change_list_add(to, from->items[i]);
    }
}

void message_from_note(const struct replication_note *note, struct chat_message *message)
{
    chat_message_clear(message);
    message->service = note->type == NOTE_CHANGES ? service_of_changes(note) : note_services[note->type];
    message->status = note->type == NOTE_ACK ? STATUS_OK : STATUS_NONE;
    message->from = note->from;
    message->epoch = note->epoch;
    message->seq = note->seq;
    message->last_epoch = note->last_epoch;
    message->committed = note->committed;
    message->counted = note->counted;
    message->said_ms = note->said_ms;
    message->whole = note->whole;
    message->after_seq = note->after_seq;
    message->after_epoch = note->after_epoch;
    copy_changes(&message->changes, &note->changes);
}

static bool find_note_type(enum chat_service service, enum replication_note_type *type)
{
    if (service >= SERVICE_REPLICATE_LOGIN && service <= SERVICE_REPLICATE_CHANGES) {
        *type = NOTE_CHANGES;
        return true;
    }
    for (size_t i = 0; i < sizeof note_services / sizeof *note_services; i++) {
        if (note_services[i] == service) {
            *type = (enum replication_note_type)i;
            return true;
        }
    }
    return false;
}

bool note_from_message(const struct chat_message *message, struct replication_note *note)
{
    enum replication_note_type type;

    if (message->status == STATUS_ERROR || !find_note_type(message->service, &type)) {
        return false;
    }
    *note = (struct replication_note){.type = type,
                                      .from = (unsigned)message->from,
                                      .epoch = message->epoch,
                                      .seq = message->seq,
                                      .last_epoch = message->last_epoch,
                                      .committed = message->committed,
                                      .counted = message->counted,
                                      .said_ms = message->said_ms,
                                      .whole = message->whole,
                                      .after_seq = message->after_seq,
                                      .after_epoch = message->after_epoch};
    copy_changes(&note->changes, &message->changes);
    return true;
}

/* ---- notices of the coordination ---- */

enum chat_direction message_from_notice(const struct notice *notice, struct text self,
                                        struct chat_message *message)
{
    chat_message_clear(message);
    message->from = notice->from;
    message->epoch = notice->epoch;
    if (notice->type == NOTICE_COORDINATOR) {
        message->service = SERVICE_SERVERS;
        message->coordinator = self;
        return CHAT_REQUEST;
    }
    message->service = SERVICE_ELECTION;
    message->election = text_of("OK"); /* in the answer; a question has no such field */
    return notice->type == NOTICE_ELECTION_OK ? CHAT_ANSWER : CHAT_REQUEST;
}

static uint64_t set_of(const struct chat_ranks *list)
{
    uint64_t servers = 0;

    for (size_t i = 0; i < list->count; i++) {
        servers |= SERVER_BIT(list->items[i].rank);
    }
    return servers;
}

bool notice_from_message(const struct chat_message *message, enum chat_direction direction,
                         struct notice *notice)
{
    bool answers = direction == CHAT_ANSWER;

    if (message->status == STATUS_ERROR) {
        return false;
    }
    *notice = (struct notice){.from = (unsigned)message->from, .epoch = message->epoch};
    if (message->service == SERVICE_LIST && answers) {
        notice->type = NOTICE_LIST;
        notice->servers = set_of(&message->list);
        return true;
    }
    if (message->service == SERVICE_ELECTION) {
        notice->type = answers ? NOTICE_ELECTION_OK : NOTICE_ELECTION;
    } else if (message->service == SERVICE_SERVERS && !answers) {
        notice->type = NOTICE_COORDINATOR;
    } else {
        return false;
    }
    return notice->from != NO_SERVER;
}
