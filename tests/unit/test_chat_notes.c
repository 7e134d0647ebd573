/* parte5-chat/chat_message_change: what the rules have to say, to the wire and back. */
#include "parte5-chat/chat_message_change.h"

#include "tests/unit/unit_chat.h"

#include <string.h>

/* Over the wire, in that encoding, into the fixture's own message. */
static void carry(struct fixture *f, const struct chat_message *message, enum chat_direction direction,
                  enum chat_encoding encoding)
{
    buffer_clear(&f->bytes);
    assert_int_equal(chat_message_encode(message, direction, encoding, CHAT_NOTE_MAX, &f->bytes, &f->error),
                     0);
    assert_int_equal(chat_message_decode(&f->message, direction, buffer_text(&f->bytes), CHAT_NOTE_MAX,
                                         &f->error),
                     0);
}

static struct change *make_change(enum change_type type, int64_t seq)
{
    struct change fields = {.type = type,
                            .request_id = TEXT(UUID),
                            .user = TEXT("ana"),
                            .timestamp_ms = 1763689000250,
                            .clock = 42,
                            .seq = seq,
                            .epoch = 65};

    if (type == CHANGE_REIGN) { /* nobody asked for it */
        fields.request_id = fields.user = (struct text){0};
    }
    if (type == CHANGE_CHANNEL || type == CHANGE_SUBSCRIBE || type == CHANGE_LEAVE ||
        type == CHANGE_PUBLISH) {
        fields.target = TEXT("geral");
    }
    if (type == CHANGE_MESSAGE) {
        fields.target = TEXT("rui");
    }
    if (type == CHANGE_PUBLISH || type == CHANGE_MESSAGE || type == CHANGE_REGISTER) {
        fields.body = TEXT("bom dia \xe2\x98\x95");
    }
    return change_new(&fields);
}

static void assert_changes_equal(const struct change *a, const struct change *b)
{
    assert_int_equal(a->type, b->type);
    assert_text_equal(a->request_id, b->request_id);
    assert_text_equal(a->user, b->user);
    assert_text_equal(a->target, b->target);
    assert_text_equal(a->body, b->body);
    assert_true(a->timestamp_ms == b->timestamp_ms && a->clock == b->clock);
    assert_true(a->seq == b->seq && a->epoch == b->epoch);
}

static void add_change(struct change_list *list, enum change_type type, int64_t seq)
{
    struct change *change = make_change(type, seq);

    change_list_add(list, change);
    change_unref(change);
}

static void assert_notes_equal(const struct replication_note *a, const struct replication_note *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->from, b->from);
    assert_true(a->epoch == b->epoch && a->seq == b->seq && a->last_epoch == b->last_epoch);
    if (a->type == NOTE_PING) {
        assert_true(a->committed == b->committed && a->counted == b->counted);
    }
    if (a->type == NOTE_PING || a->type == NOTE_ACK) {
        assert_true(a->said_ms == b->said_ms);
    }
    if (a->type == NOTE_CHANGES) {
        assert_true(a->whole == b->whole && a->after_seq == b->after_seq && a->after_epoch == b->after_epoch);
    }
    assert_int_equal(a->changes.count, b->changes.count);
    for (size_t i = 0; i < a->changes.count; i++) {
        assert_changes_equal(a->changes.items[i], b->changes.items[i]);
    }
}

static void carry_note(struct fixture *f, const struct replication_note *note, enum chat_service service)
{
    for (int encoding = CHAT_MESSAGEPACK; encoding <= CHAT_JSON; encoding++) {
        struct chat_message message = {0};
        struct replication_note heard;
        message_from_note(note, &message);
        assert_int_equal(message.service, service);
        carry(f, &message, CHAT_REQUEST, (enum chat_encoding)encoding);
        assert_true(note_from_message(&f->message, &heard));
        assert_notes_equal(note, &heard);
        replication_note_free(&heard);
        chat_message_free(&message);
    }
}

static void every_note_reaches_its_peer(void **state)
{
    static const enum chat_service services[] = {
        [NOTE_ASK] = SERVICE_REPLICATE_ASK,     [NOTE_ANSWER] = SERVICE_REPLICATE_ANSWER,
        [NOTE_FETCH] = SERVICE_REPLICATE_FETCH, [NOTE_CHANGES] = SERVICE_REPLICATE_CHANGES,
        [NOTE_ACK] = SERVICE_REPLICATE_ACK,     [NOTE_REFUSE] = SERVICE_REPLICATE_REFUSE,
        [NOTE_PING] = SERVICE_REPLICATE_PING};

    for (int type = NOTE_ASK; type <= NOTE_PING; type++) {
        struct replication_note note = {.type = (enum replication_note_type)type,
                                        .from = 63,
                                        .epoch = EPOCH_MAX,
                                        .seq = INT64_MAX,
                                        .last_epoch = 130,
                                        .committed = 9,
                                        .counted = true,
                                        .said_ms = 8,
                                        .after_seq = 7,
                                        .after_epoch = 66};
        carry_note(*state, &note, services[type]);
        note.from = VOLUME; /* and with nothing in it */
        note.epoch = note.seq = note.last_epoch = note.committed = note.after_seq = note.after_epoch = 0;
        note.counted = false;
        note.said_ms = 0;
        carry_note(*state, &note, services[type]);
    }
}

static void one_change_has_a_service_of_its_own(void **state)
{
    static const enum chat_service services[CHANGE_TYPE_COUNT] = {
        [CHANGE_REGISTER] = SERVICE_REPLICATE_CHANGES, [CHANGE_LOGIN] = SERVICE_REPLICATE_LOGIN,
        [CHANGE_CHANNEL] = SERVICE_REPLICATE_CHANNEL,  [CHANGE_SUBSCRIBE] = SERVICE_REPLICATE_CHANGES,
        [CHANGE_LEAVE] = SERVICE_REPLICATE_CHANGES,    [CHANGE_PUBLISH] = SERVICE_REPLICATE_PUBLISH,
        [CHANGE_MESSAGE] = SERVICE_REPLICATE_MESSAGE,  [CHANGE_REIGN] = SERVICE_REPLICATE_CHANGES};

    for (int type = 0; type < CHANGE_TYPE_COUNT; type++) {
        struct replication_note note = {.type = NOTE_CHANGES, .from = 1, .epoch = 65};
        add_change(&note.changes, (enum change_type)type, 8);
        carry_note(*state, &note, services[type]);
        replication_note_free(&note);
    }
}

/* As many changes of the greatest length as a note may have. */
static void the_longest_note_fits(void **state)
{
    struct replication_note note = {.type = NOTE_CHANGES, .from = 1, .epoch = 65, .whole = true};
    static char body[CHAT_BODY_MAX];

    memset(body, 'x', sizeof body);
    for (int i = 0; i < REPLICATION_CHANGES_MAX; i++) {
        struct change fields = {.type = CHANGE_PUBLISH,
                                .request_id = TEXT(UUID),
                                .user = TEXT("ana"),
                                .target = TEXT("geral"),
                                .body = {body, sizeof body},
                                .seq = i + 1,
                                .epoch = 65};
        struct change *change = change_new(&fields);
        change_list_add(&note.changes, change);
        change_unref(change);
    }
    carry_note(*state, &note, SERVICE_REPLICATE_CHANGES);
    replication_note_free(&note);
}

static void what_is_no_note_is_none(void **state)
{
    struct chat_message message = {.service = SERVICE_LOGIN};
    struct replication_note note;

    (void)state;
    assert_false(note_from_message(&message, &note));
    message = (struct chat_message){.service = SERVICE_REPLICATE_ACK, .status = STATUS_ERROR};
    assert_false(note_from_message(&message, &note));
}

static void what_clients_ask_for_becomes_a_change(void **state)
{
    static const struct {
        const char *json;
        enum change_type type;
        const char *user, *target, *body;
    } cases[] = {
        {"{\"service\":\"login\",\"data\":{\"user\":\"ana\"}}", CHANGE_LOGIN, "ana", "", ""},
        {"{\"service\":\"register\",\"data\":{\"user\":\"ana\",\"password\":\"p\"}}", CHANGE_REGISTER, "ana",
         "", ""},
        {"{\"service\":\"channel\",\"data\":{\"channel\":\"geral\"}}", CHANGE_CHANNEL, "", "geral", ""},
        {"{\"service\":\"subscribe\",\"data\":{\"channel\":\"geral\",\"user\":\"ana\"}}", CHANGE_SUBSCRIBE,
         "ana", "geral", ""},
        {"{\"service\":\"leave\",\"data\":{\"channel\":\"geral\",\"user\":\"ana\"}}", CHANGE_LEAVE, "ana",
         "geral", ""},
        {"{\"service\":\"publish\",\"data\":{\"channel\":\"geral\",\"user\":\"ana\",\"message\":\"oi\"}}",
         CHANGE_PUBLISH, "ana", "geral", "oi"},
        {"{\"service\":\"message\",\"data\":{\"src\":\"ana\",\"dst\":\"rui\",\"message\":\"oi\"}}",
         CHANGE_MESSAGE, "ana", "rui", "oi"},
    };
    struct fixture *f = *state;
    struct change change;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decode(f, CHAT_REQUEST, text_of(cases[i].json)), 0);
        assert_true(change_from_request(&f->message, &change));
        assert_int_equal(change.type, cases[i].type);
        assert_text_equal(change.user, text_of(cases[i].user));
        assert_text_equal(change.target, text_of(cases[i].target));
        assert_text_equal(change.body, text_of(cases[i].body));
    }
    assert_int_equal(decode(f, CHAT_REQUEST, TEXT("{\"service\":\"users\",\"data\":{}}")), 0);
    assert_false(change_from_request(&f->message, &change));
}

static void what_is_said_is_published_on_its_topic(void **state)
{
    static const struct {
        enum change_type type;
        enum chat_service service;
        const char *topic;
    } cases[] = {{CHANGE_PUBLISH, SERVICE_PUBLICATION, "geral"},
                 {CHANGE_MESSAGE, SERVICE_PRIVATE_MESSAGE, "rui"}};
    struct chat_message message = {0};
    struct text topic;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct change *change = make_change(cases[i].type, 8);
        assert_true(publication_from_change(change, &message, &topic));
        assert_text_equal(topic, text_of(cases[i].topic));
        carry(*state, &message, CHAT_REQUEST, CHAT_MESSAGEPACK);
        struct chat_message *heard = &((struct fixture *)*state)->message;
        assert_int_equal(heard->service, cases[i].service);
        assert_text_equal(heard->message, change->body);
        assert_text_equal(heard->request_id, change->request_id);
        assert_true(heard->clock == 42 && heard->timestamp_ms == 1763689000250 && heard->seq == 8);
        change_unref(change);
    }
    struct change *login = make_change(CHANGE_LOGIN, 8);
    assert_false(publication_from_change(login, &message, &topic));
    change_unref(login);
}

static void a_history_is_told_as_it_was_published(void **state)
{
    struct fixture *f = *state;
    struct chat_message answer = {.service = SERVICE_HISTORY, .status = STATUS_OK};

    add_change(&answer.messages, CHANGE_PUBLISH, 8);
    add_change(&answer.messages, CHANGE_MESSAGE, 9);
    for (int encoding = CHAT_MESSAGEPACK; encoding <= CHAT_JSON; encoding++) {
        carry(f, &answer, CHAT_ANSWER, (enum chat_encoding)encoding);
        assert_int_equal(f->message.messages.count, 2);
        assert_changes_equal(f->message.messages.items[0], answer.messages.items[0]);
        assert_changes_equal(f->message.messages.items[1], answer.messages.items[1]);
    }
    chat_message_free(&answer);
}

/* So many of the newest fit, and one more might not. */
static void a_history_is_cut_where_it_would_not_fit(void **state)
{
    struct fixture *f = *state;
    struct change *items[100];
    static char body[CHAT_BODY_MAX];

    memset(body, '\x01', sizeof body); /* six bytes in JSON */
    for (int i = 0; i < 100; i++) {
        struct change fields = {.type = CHANGE_PUBLISH,
                                .user = TEXT("ana"),
                                .target = TEXT("geral"),
                                .body = {body, sizeof body},
                                .seq = i + 1};
        items[i] = change_new(&fields);
    }
    for (int encoding = CHAT_MESSAGEPACK; encoding <= CHAT_JSON; encoding++) {
        size_t fits = history_that_fits(items, 100, (enum chat_encoding)encoding, CHAT_MESSAGE_MAX);
        struct chat_message answer = {.service = SERVICE_HISTORY};
        assert_in_range(fits, encoding == CHAT_JSON ? 8 : 50, 99);
        for (size_t i = 100 - fits; i < 100; i++) {
            change_list_add(&answer.messages, items[i]);
        }
        buffer_clear(&f->bytes);
        assert_int_equal(chat_message_encode(&answer, CHAT_ANSWER, (enum chat_encoding)encoding,
                                             CHAT_MESSAGE_MAX, &f->bytes, &f->error),
                         0);
        chat_message_free(&answer);
    }
    assert_int_equal(history_that_fits(items, 0, CHAT_JSON, CHAT_MESSAGE_MAX), 0);
    for (int i = 0; i < 100; i++) {
        change_unref(items[i]);
    }
}

static void notices_reach_the_coordination(void **state)
{
    static const enum notice_type types[] = {NOTICE_ELECTION, NOTICE_ELECTION_OK, NOTICE_COORDINATOR};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct notice notice = {.type = types[i], .from = 3, .epoch = 67};
        struct notice heard;
        struct chat_message message = {0};
        enum chat_direction direction = message_from_notice(&notice, TEXT("server3"), &message);
        carry(*state, &message, direction, CHAT_MESSAGEPACK);
        assert_true(notice_from_message(&((struct fixture *)*state)->message, direction, &heard));
        assert_int_equal(heard.type, notice.type);
        assert_int_equal(heard.from, 3);
        assert_true(heard.epoch == 67);
    }
}

static void the_reference_servers_list_is_a_notice(void **state)
{
    struct fixture *f = *state;
    struct notice notice;

    assert_int_equal(decode(f, CHAT_ANSWER,
                            TEXT("{\"service\":\"list\",\"data\":{\"list\":[{\"name\":\"s1\",\"rank\":1},"
                                 "{\"name\":\"s9\",\"rank\":63}]}}")),
                     0);
    assert_true(notice_from_message(&f->message, CHAT_ANSWER, &notice));
    assert_int_equal(notice.type, NOTICE_LIST);
    assert_true(notice.servers == (SERVER_BIT(1) | SERVER_BIT(63)));
}

/* Other authors' servers announce a name, and no number: that tells the rules nothing. */
static void who_does_not_say_who_speaks_is_not_heard(void **state)
{
    struct fixture *f = *state;
    struct notice notice;

    assert_int_equal(decode(f, CHAT_REQUEST,
                            TEXT("{\"service\":\"servers\",\"data\":{\"coordinator\":\"s1\"}}")),
                     0);
    assert_false(notice_from_message(&f->message, CHAT_REQUEST, &notice));
    assert_int_equal(decode(f, CHAT_REQUEST, TEXT("{\"service\":\"users\",\"data\":{}}")), 0);
    assert_false(notice_from_message(&f->message, CHAT_REQUEST, &notice));
}

UNIT_MAIN(TEST(every_note_reaches_its_peer), TEST(one_change_has_a_service_of_its_own),
          TEST(the_longest_note_fits), TEST(what_is_no_note_is_none),
          TEST(what_clients_ask_for_becomes_a_change), TEST(what_is_said_is_published_on_its_topic),
          TEST(a_history_is_told_as_it_was_published), TEST(a_history_is_cut_where_it_would_not_fit),
          TEST(notices_reach_the_coordination), TEST(the_reference_servers_list_is_a_notice),
          TEST(who_does_not_say_who_speaks_is_not_heard))
