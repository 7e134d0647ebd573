#include "common/net/recovery.h"

#include "common/config.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- sending ---- */

static void on_done(struct amqp_publish *publish, int code)
{
    (void)code;
    free(publish);
}

static void send_note(struct recovery *recovery, const char *exchange, const char *routing_key)
{
    struct amqp_publish *publish = memory_new_zeroed(1, sizeof *publish);
    struct error error;

    publish->on_done = on_done;
    if (amqp_link_publish(recovery->link, publish, exchange, routing_key, text_of(recovery->queue),
                          buffer_text(&recovery->out), &error) != 0) {
        free(publish);
    }
}

/* The head that all notes have; the caller adds what follows, and the closing brace. */
static void begin_note(struct recovery *recovery, const char *type, int64_t epoch, const char *seq_name,
                       int64_t seq)
{
    buffer_clear(&recovery->out);
    buffer_add_format(&recovery->out, "{\"type\":\"%s\",\"node\":", type);
    json_write_string(&recovery->out, recovery->node);
    buffer_add_format(&recovery->out, ",\"epoch\":%" PRId64 ",\"%s\":%" PRId64, epoch, seq_name, seq);
}

void recovery_ask(struct recovery *recovery, int64_t epoch, int64_t from_seq)
{
    begin_note(recovery, "ask", epoch, "from_seq", from_seq);
    buffer_add_char(&recovery->out, '}');
    send_note(recovery, recovery->exchange, "");
}

void recovery_answer(struct recovery *recovery, struct text reply_to, int64_t epoch, int64_t seq,
                     struct text snapshot)
{
    char *queue = memory_copy_text(reply_to.bytes, reply_to.length);

    begin_note(recovery, "state", epoch, "seq", seq);
    buffer_add_string(&recovery->out, ",\"snapshot\":");
    buffer_add(&recovery->out, snapshot.bytes, snapshot.length);
    buffer_add_char(&recovery->out, '}');
    send_note(recovery, "", queue);
    free(queue);
}

void recovery_announce(struct recovery *recovery, int64_t epoch, int64_t seq)
{
    begin_note(recovery, "leader", epoch, "seq", seq);
    buffer_add_char(&recovery->out, '}');
    send_note(recovery, recovery->exchange, "");
}

/* ---- receiving ---- */

static const struct json_member *need(const struct json_object *note, const char *name, enum json_kind kind,
                                      struct error *error)
{
    const struct json_member *member = json_object_get(note, name);

    if (member == NULL) {
        error_set(error, ERROR_FIELD_MISSING, "%s is missing in a note between nodes", name);
    } else if (member->kind != kind) {
        error_set(error, ERROR_FIELD_TYPE, "%s of a note between nodes is of type %s, it must be of type %s",
                  name, json_kind_name(member->kind), json_kind_name(kind));
        member = NULL;
    }
    return member;
}

static int need_count(const struct json_object *note, const char *name, int64_t *count, struct error *error)
{
    const struct json_member *member = need(note, name, JSON_NUMBER, error);
    int64_t number = 0;

    if (member == NULL) {
        return error->code;
    }
    /* 18 digits are more than any run counts, and fit. */
    for (size_t i = 0; i < member->text.length; i++) {
        char c = member->text.bytes[i];
        if (c < '0' || c > '9' || i >= 18) {
            return error_set(error, ERROR_FIELD_VALUE, "%s of a note between nodes is not a count", name);
        }
        number = number * 10 + (c - '0');
    }
    *count = number;
    return 0;
}

static int need_node(const struct json_object *object, struct recovery_note *note, struct error *error)
{
    const struct json_member *node = need(object, "node", JSON_STRING, error);

    if (node == NULL) {
        return error->code;
    }
    note->node = node->text;
    return config_is_node_id(node->text)
               ? 0
               : error_set(error, ERROR_FIELD_VALUE, "node of a note between nodes is not a node's name");
}

static int read_note(struct recovery *recovery, struct text type, struct recovery_note *note,
                     struct error *error)
{
    const struct json_object *object = &recovery->note;
    bool is_ask = text_equal(type, text_of("ask"));
    int code = need_node(object, note, error);

    if (code == 0) {
        code = need_count(object, "epoch", &note->epoch, error);
    }
    if (code == 0) {
        code = need_count(object, is_ask ? "from_seq" : "seq", &note->seq, error);
    }
    if (code == 0 && text_equal(type, text_of("state"))) {
        const struct json_member *snapshot = need(object, "snapshot", JSON_OBJECT, error);
        if (snapshot == NULL) {
            return error->code;
        }
        note->snapshot = snapshot->text;
    }
    return code;
}

int recovery_receive(struct recovery *recovery, const struct amqp_delivery *delivery, struct error *error)
{
    struct recovery_note note = {.reply_to = delivery->reply_to};
    int code = json_object_read(&recovery->note, delivery->body, error);
    const struct json_member *type = NULL;

    if (code == 0) {
        type = need(&recovery->note, "type", JSON_STRING, error);
        code = type == NULL ? (int)error->code : read_note(recovery, type->text, &note, error);
    }
    if (code != 0) {
        return code;
    }
    bool is_ask = text_equal(type->text, text_of("ask"));
    if (text_equal(note.node, recovery->node)) {
        if (is_ask && recovery->on_echo != NULL) {
            recovery->on_echo(recovery);
        }
    } else if (is_ask) {
        recovery->on_ask(recovery, &note);
    } else if (text_equal(type->text, text_of("state"))) {
        recovery->on_state(recovery, &note);
    } else if (text_equal(type->text, text_of("leader")) && recovery->on_leader != NULL) {
        recovery->on_leader(recovery, &note);
    }
    return 0;
}

void recovery_free(struct recovery *recovery)
{
    json_object_free(&recovery->note);
    buffer_free(&recovery->out);
}
