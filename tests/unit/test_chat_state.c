/* parte5-chat/chat, names and accounts: what may be asked, what it does, and what is read. */
#include "parte5-chat/accounts.h"
#include "parte5-chat/chat.h"
#include "parte5-chat/names.h"

#include "tests/unit/unit.h"

#include <stdio.h>

struct fixture {
    struct chat chat;
    struct error error;
    unsigned requests;
};

static struct change *make(struct fixture *f, enum change_type type, struct text user, struct text target,
                           struct text body)
{
    char id[40];

    snprintf(id, sizeof id, "%08x-0000-4000-8000-000000000000", ++f->requests);
    struct change change = {.type = type, .user = user, .target = target, .body = body};
    change.request_id = text_of(id);
    change.seq = chat_last_seq(&f->chat) + 1;
    change.epoch = 1;
    return change_new(&change);
}

static int check(struct fixture *f, enum change_type type, struct text user, struct text target,
                 struct text body)
{
    struct change *change = make(f, type, user, target, body);
    int code = chat_check(&f->chat, change, &f->error);

    change_unref(change);
    return code;
}

/* What chat_check lets through. */
static void apply(struct fixture *f, enum change_type type, struct text user, struct text target,
                  struct text body)
{
    struct change *change = make(f, type, user, target, body);

    assert_int_equal(chat_check(&f->chat, change, &f->error), 0);
    chat_apply(&f->chat, change);
    change_unref(change);
}

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.requests = 0};
    chat_init(&f.chat);
    apply(&f, CHANGE_LOGIN, TEXT("ana"), TEXT(""), TEXT(""));
    apply(&f, CHANGE_LOGIN, TEXT("rui"), TEXT(""), TEXT(""));
    apply(&f, CHANGE_CHANNEL, TEXT("ana"), TEXT("geral"), TEXT(""));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    chat_free(&f->chat);
    return 0;
}

static void expect_name(struct text name, int wanted)
{
    assert_int_equal(name_check(name, "user", NULL), wanted);
}

static void names_are_safe_wherever_they_turn_up(void **state)
{
    char longest[NAME_MAX_LENGTH + 1];

    (void)state;
    memset(longest, 'a', sizeof longest);
    expect_name((struct text){longest, NAME_MAX_LENGTH}, 0);
    expect_name((struct text){longest, NAME_MAX_LENGTH + 1}, ERROR_TOO_LONG);
    expect_name(TEXT("João da Silva"), 0);
    expect_name(TEXT("..."), 0);
    expect_name(TEXT(""), ERROR_FIELD_VALUE);
    expect_name((struct text){0}, ERROR_FIELD_VALUE);
    expect_name(TEXT("."), ERROR_FIELD_VALUE);
    expect_name(TEXT(".."), ERROR_FIELD_VALUE);
    expect_name(TEXT("../etc/passwd"), ERROR_FIELD_VALUE);
    expect_name(TEXT("a\\b"), ERROR_FIELD_VALUE);
    expect_name(TEXT("a\nb"), ERROR_FIELD_VALUE);
    expect_name(TEXT("a\0b"), ERROR_FIELD_VALUE);
    expect_name(TEXT("a\xC2\x85"), ERROR_FIELD_VALUE); /* U+0085, a control character */
    expect_name(TEXT(" ana"), ERROR_FIELD_VALUE);
    expect_name(TEXT("\xC3"), ERROR_NOT_UTF8);
    expect_name(TEXT("servers"), ERROR_FIELD_VALUE);
}

static void what_is_not_there_cannot_be_used(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(check(f, CHANGE_PUBLISH, TEXT("ana"), TEXT("outro"), TEXT("oi")), ERROR_FIELD_VALUE);
    assert_string_equal(f->error.text, "channel outro does not exist");
    assert_int_equal(check(f, CHANGE_PUBLISH, TEXT("eva"), TEXT("geral"), TEXT("oi")), ERROR_FIELD_VALUE);
    assert_string_equal(f->error.text, "user eva is not known");
    assert_int_equal(check(f, CHANGE_MESSAGE, TEXT("ana"), TEXT("eva"), TEXT("oi")), ERROR_FIELD_VALUE);
    assert_int_equal(check(f, CHANGE_SUBSCRIBE, TEXT("ana"), TEXT("outro"), TEXT("")), ERROR_FIELD_VALUE);
    assert_int_equal(check(f, CHANGE_CHANNEL, TEXT("rui"), TEXT("geral"), TEXT("")), ERROR_FIELD_VALUE);
    assert_string_equal(f->error.text, "channel geral exists already");
}

/* They would share a topic. */
static void a_user_and_a_channel_never_share_a_name(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(check(f, CHANGE_LOGIN, TEXT("geral"), TEXT(""), TEXT("")), ERROR_FIELD_VALUE);
    assert_int_equal(check(f, CHANGE_REGISTER, TEXT("geral"), TEXT(""), TEXT("x")), ERROR_FIELD_VALUE);
    assert_int_equal(check(f, CHANGE_CHANNEL, TEXT("ana"), TEXT("rui"), TEXT("")), ERROR_FIELD_VALUE);
}

static void what_is_said_is_bounded_and_is_text(void **state)
{
    struct fixture *f = *state;
    static char body[CHAT_BODY_MAX + 1];

    memset(body, 'a', sizeof body);
    assert_int_equal(check(f, CHANGE_PUBLISH, TEXT("ana"), TEXT("geral"), (struct text){body, CHAT_BODY_MAX}),
                     0);
    assert_int_equal(check(f, CHANGE_PUBLISH, TEXT("ana"), TEXT("geral"),
                           (struct text){body, CHAT_BODY_MAX + 1}),
                     ERROR_TOO_LONG);
    assert_int_equal(check(f, CHANGE_PUBLISH, TEXT("ana"), TEXT("geral"), TEXT("\xFF")), ERROR_NOT_UTF8);
    struct change *change =
        change_new(&(struct change){.type = CHANGE_LOGIN, .user = TEXT("eva"), .request_id = TEXT("1")});
    assert_int_equal(chat_check(&f->chat, change, &f->error), ERROR_FIELD_VALUE);
    change_unref(change);
}

static void subscriptions_come_and_go(void **state)
{
    struct fixture *f = *state;

    assert_false(chat_is_subscribed(&f->chat, TEXT("rui"), TEXT("geral")));
    apply(f, CHANGE_SUBSCRIBE, TEXT("rui"), TEXT("geral"), TEXT(""));
    apply(f, CHANGE_SUBSCRIBE, TEXT("rui"), TEXT("geral"), TEXT(""));
    assert_true(chat_is_subscribed(&f->chat, TEXT("rui"), TEXT("geral")));
    apply(f, CHANGE_LEAVE, TEXT("rui"), TEXT("geral"), TEXT(""));
    apply(f, CHANGE_LEAVE, TEXT("rui"), TEXT("geral"), TEXT(""));
    assert_false(chat_is_subscribed(&f->chat, TEXT("rui"), TEXT("geral")));
    assert_false(chat_is_subscribed(&f->chat, TEXT("eva"), TEXT("geral")));
}

static void a_history_is_looked_at_page_by_page(void **state)
{
    struct fixture *f = *state;
    int64_t before = 0;
    size_t seen = 0;
    size_t count;
    char body[16];

    for (unsigned i = 0; i < 25; i++) {
        snprintf(body, sizeof body, "%u", i);
        apply(f, CHANGE_PUBLISH, TEXT("ana"), TEXT("geral"), text_of(body));
        apply(f, CHANGE_MESSAGE, TEXT("rui"), TEXT("ana"), TEXT("psst"));
    }
    for (;;) {
        struct change *const *page = chat_channel_history(&f->chat, TEXT("geral"), 10, before, &count);
        if (count == 0) {
            break;
        }
        seen += count;
        snprintf(body, sizeof body, "%zu", 25 - seen);
        assert_text_equal(page[0]->body, text_of(body));
        before = page[0]->seq;
    }
    assert_int_equal(seen, 25);
    chat_user_history(&f->chat, TEXT("ana"), SIZE_MAX, 0, &count);
    assert_int_equal(count, 25);
    chat_user_history(&f->chat, TEXT("rui"), SIZE_MAX, INT64_MIN, &count);
    assert_int_equal(count, 25);
    assert_null(chat_channel_history(&f->chat, TEXT("outro"), 10, 0, &count));
    assert_int_equal(count, 0);
    assert_null(chat_channel_history(&f->chat, TEXT("geral"), 0, 0, &count));
}

static void a_history_is_never_longer_than_an_answer(void **state)
{
    struct fixture *f = *state;
    size_t count;

    for (unsigned i = 0; i < CHAT_HISTORY_MAX + 5; i++) {
        apply(f, CHANGE_MESSAGE, TEXT("ana"), TEXT("ana"), TEXT("nota"));
    }
    chat_user_history(&f->chat, TEXT("ana"), SIZE_MAX, 0, &count);
    assert_int_equal(count, CHAT_HISTORY_MAX);
}

static void names_come_in_the_order_of_their_arrival(void **state)
{
    struct fixture *f = *state;
    const struct chat_user *user = NULL;
    const struct chat_channel *channel = NULL;
    struct text name;

    assert_true(chat_next_user(&f->chat, &user, &name));
    assert_text_equal(name, TEXT("ana"));
    assert_true(chat_next_user(&f->chat, &user, &name));
    assert_text_equal(name, TEXT("rui"));
    assert_false(chat_next_user(&f->chat, &user, &name));
    assert_true(chat_next_channel(&f->chat, &channel, &name));
    assert_text_equal(name, TEXT("geral"));
    assert_false(chat_next_channel(&f->chat, &channel, &name));
}

static void an_account_is_made_once(void **state)
{
    struct fixture *f = *state;

    assert_null(chat_account(&f->chat, TEXT("eva")).bytes);
    apply(f, CHANGE_REGISTER, TEXT("eva"), TEXT(""), TEXT("$argon2id$1"));
    assert_int_equal(check(f, CHANGE_REGISTER, TEXT("eva"), TEXT(""), TEXT("$argon2id$2")),
                     ERROR_FIELD_VALUE);
    apply(f, CHANGE_LOGIN, TEXT("eva"), TEXT(""), TEXT(""));
    assert_text_equal(chat_account(&f->chat, TEXT("eva")), TEXT("$argon2id$1"));
    assert_null(chat_account(&f->chat, TEXT("ana")).bytes);
}

/* A record that a damaged file or a stranger brought: it keeps its place, so that all count alike. */
static void what_may_not_be_has_a_place_and_no_effect(void **state)
{
    struct fixture *f = *state;
    struct change *change = make(f, CHANGE_PUBLISH, TEXT("eva"), TEXT("../x"), TEXT("oi"));

    chat_apply(&f->chat, change);
    assert_int_equal(chat_last_seq(&f->chat), change->seq);
    assert_true(chat_has(&f->chat, change->seq, 1));
    assert_false(chat_has(&f->chat, change->seq, 2));
    assert_false(chat_has(&f->chat, change->seq + 1, 1));
    assert_true(chat_has(&f->chat, 0, 0));
    assert_null(chat_find_request(&f->chat, change->request_id));
    change_unref(change);
}

static void what_is_cut_off_never_was(void **state)
{
    struct fixture *f = *state;
    size_t count;

    apply(f, CHANGE_PUBLISH, TEXT("ana"), TEXT("geral"), TEXT("this stays"));
    int64_t kept = chat_last_seq(&f->chat);
    struct change *gone = make(f, CHANGE_PUBLISH, TEXT("ana"), TEXT("geral"), TEXT("this goes"));
    chat_apply(&f->chat, gone);
    apply(f, CHANGE_LOGIN, TEXT("eva"), TEXT(""), TEXT(""));
    chat_cut(&f->chat, kept);
    assert_int_equal(chat_last_seq(&f->chat), kept);
    assert_false(chat_has_user(&f->chat, TEXT("eva")));
    assert_null(chat_find_request(&f->chat, gone->request_id));
    struct change *const *said = chat_channel_history(&f->chat, TEXT("geral"), 10, 0, &count);
    assert_int_equal(count, 1);
    assert_true(text_equal(said[0]->body, TEXT("this stays")));
    change_unref(gone);
    chat_cut(&f->chat, 0);
    assert_int_equal(chat_last_seq(&f->chat), 0);
    assert_false(chat_has_user(&f->chat, TEXT("ana")));
}

static void wrong_passwords_slow_down_and_right_ones_do_not(void **state)
{
    static struct accounts accounts;
    uint64_t last = 0;

    (void)state;
    accounts_init(&accounts, 42);
    for (unsigned i = 0; i < ACCOUNTS_FREE_TRIES; i++) {
        accounts_note(&accounts, TEXT("ana"), false, 1000);
        assert_int_equal(accounts_wait_ms(&accounts, TEXT("ana"), 1000), 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        accounts_note(&accounts, TEXT("ana"), false, 1000);
        uint64_t wait = accounts_wait_ms(&accounts, TEXT("ana"), 1000);
        assert_true(wait > last || wait == ACCOUNTS_WAIT_MAX_MS);
        last = wait;
    }
    assert_int_equal(last, ACCOUNTS_WAIT_MAX_MS);
    assert_int_equal(accounts_wait_ms(&accounts, TEXT("ana"), 1000 + ACCOUNTS_WAIT_MAX_MS), 0);
    accounts_note(&accounts, TEXT("ana"), true, 1000);
    assert_int_equal(accounts_wait_ms(&accounts, TEXT("ana"), 1000), 0);
}

#define STATE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

UNIT_MAIN(cmocka_unit_test(names_are_safe_wherever_they_turn_up),
          STATE_TEST(what_is_not_there_cannot_be_used), STATE_TEST(a_user_and_a_channel_never_share_a_name),
          STATE_TEST(what_is_said_is_bounded_and_is_text), STATE_TEST(subscriptions_come_and_go),
          STATE_TEST(a_history_is_looked_at_page_by_page),
          STATE_TEST(a_history_is_never_longer_than_an_answer),
          STATE_TEST(names_come_in_the_order_of_their_arrival), STATE_TEST(an_account_is_made_once),
          STATE_TEST(what_may_not_be_has_a_place_and_no_effect), STATE_TEST(what_is_cut_off_never_was),
          cmocka_unit_test(wrong_passwords_slow_down_and_right_ones_do_not))
