/* parte5-chat/passwords: made into hashes and compared with them, beside the loop. */
#include "parte5-chat/passwords.h"

#include "common/container_of.h"
#include "tests/unit/unit.h"

#include <sodium.h>

struct asked {
    struct password_task task;
    bool answered;
};

static void on_done(struct password_task *task)
{
    struct asked *asked = container_of(task, struct asked, task);

    assert_false(asked->answered);
    assert_true(sodium_is_zero((const unsigned char *)task->password, sizeof task->password));
    asked->answered = true;
}

static bool compare(struct passwords *passwords, const char *password, struct text hash)
{
    struct asked asked = {.task.on_done = on_done};

    assert_int_equal(passwords_compare(passwords, &asked.task, text_of(password), hash, NULL), 0);
    uv_run(passwords->loop, UV_RUN_DEFAULT);
    assert_true(asked.answered);
    return asked.task.done;
}

static void test_a_password_and_its_hash(void **state)
{
    struct passwords passwords;
    struct asked asked = {.task.on_done = on_done};
    uv_loop_t loop;
    (void)state;

    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(passwords_open(&passwords, &loop, NULL), 0);
    assert_int_equal(passwords_hash(&passwords, &asked.task, TEXT("segredo"), NULL), 0);
    assert_false(asked.answered); /* not within the call: the loop goes on */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(asked.answered && asked.task.done);
    assert_memory_equal(asked.task.hash, "$argon2id$", 10);
    assert_null(strstr(asked.task.hash, "segredo"));

    struct text hash = text_of(asked.task.hash);
    assert_true(compare(&passwords, "segredo", hash));
    assert_false(compare(&passwords, "Segredo", hash));
    assert_false(compare(&passwords, "", hash));
    assert_false(compare(&passwords, "segredo", TEXT(""))); /* nobody's */
    assert_false(compare(&passwords, "segredo", TEXT("segredo")));
    /* Made elsewhere, and asking for 4 TiB. */
    assert_false(compare(&passwords, "segredo",
                         TEXT("$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
                              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
    passwords_close(&passwords);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_the_line_is_bounded_and_ends(void **state)
{
    static struct asked asked[PASSWORDS_AT_ONCE + PASSWORDS_WAITING + 1];
    struct passwords passwords;
    struct error error;
    uv_loop_t loop;
    size_t started = 0;
    (void)state;

    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(passwords_open(&passwords, &loop, NULL), 0);
    for (; started < sizeof asked / sizeof *asked; started++) {
        asked[started].task.on_done = on_done;
        int code = passwords_hash(&passwords, &asked[started].task, TEXT("x"), &error);
        assert_int_equal(code, started < PASSWORDS_AT_ONCE + PASSWORDS_WAITING ? 0 : ERROR_FULL);
    }
    passwords_close(&passwords);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i + 1 < started; i++) {
        assert_true(asked[i].answered);
        assert_int_equal(asked[i].task.done, i < PASSWORDS_AT_ONCE);
    }
    assert_false(asked[started - 1].answered);
    assert_int_equal(uv_loop_close(&loop), 0);
}

UNIT_MAIN(cmocka_unit_test(test_a_password_and_its_hash), cmocka_unit_test(test_the_line_is_bounded_and_ends))
