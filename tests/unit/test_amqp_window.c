/* common/net/amqp_window: publishes keep their order, whatever the broker confirms, and whenever the connection breaks. */
#include "common/error.h"
#include "common/net/amqp_window.h"
#include "common/random.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct amqp_window *window, const char *name)
{
    amqp_job_list_add(&window->waiting,
                      amqp_job_new(NULL, 0, TEXT("x"), TEXT(""), (struct text){0}, text_of(name)));
}

static struct text name_of(const struct amqp_job *job)
{
    return (struct text){&job->bytes[job->exchange_length + job->routing_key_length + job->reply_to_length],
                         job->body_length};
}

/* Sends what may be sent; their names, one letter each. */
static void assert_sends(struct amqp_window *window, const char *names)
{
    for (; *names != '\0'; names++) {
        struct amqp_job *job = amqp_window_next(window);
        assert_non_null(job);
        assert_text_equal(name_of(job), ((struct text){names, 1}));
        amqp_window_sent(window);
    }
    assert_null(amqp_window_next(window));
}

static void assert_done(struct amqp_window *window, const char *names, int code)
{
    for (struct amqp_job *job = window->done.first; job != NULL; job = job->next, names++) {
        assert_text_equal(name_of(job), ((struct text){names, 1}));
        assert_int_equal(job->code, code);
    }
    assert_int_equal(*names, '\0');
    amqp_job_list_free(&window->done);
}

static void begin(struct amqp_window *window, unsigned size, const char *names)
{
    amqp_window_init(window, size);
    for (; *names != '\0'; names++) {
        add(window, (char[]){*names, '\0'});
    }
}

static void a_job_holds_copies(void **state)
{
    (void)state;
    char body[] = "body";
    struct amqp_job *job = amqp_job_new(NULL, 7, TEXT("ex"), TEXT("key"), TEXT("back"), text_of(body));

    memset(body, 'x', 4);
    assert_memory_equal(job->bytes, "exkeybackbody", 13);
    assert_int_equal(amqp_job_size(job), sizeof *job + 13);
    free(job);
}

static void no_more_than_the_window(void **state)
{
    (void)state;
    struct amqp_window window;

    begin(&window, 3, "abcde");
    assert_sends(&window, "abc");
    amqp_window_confirm(&window, 1, false, 0);
    assert_done(&window, "a", 0);
    assert_sends(&window, "d");
    amqp_window_confirm(&window, 3, false, 0); /* out of order: b holds its place */
    assert_done(&window, "c", 0);
    assert_sends(&window, "");
    amqp_window_confirm(&window, 2, false, ERROR_BROKER);
    assert_done(&window, "b", ERROR_BROKER);
    assert_sends(&window, "e");
    assert_false(amqp_window_is_empty(&window));
    amqp_window_confirm(&window, 0, true, 0); /* all */
    assert_done(&window, "de", 0);
    assert_true(amqp_window_is_empty(&window));
    amqp_window_free(&window);
}

static void confirms_that_make_no_sense_change_nothing(void **state)
{
    (void)state;
    struct amqp_window window;

    begin(&window, 4, "abc");
    amqp_window_confirm(&window, 1, false, 0);
    amqp_window_confirm(&window, 0, false, 0);
    amqp_window_confirm(&window, 0, true, 0);
    amqp_window_confirm(&window, UINT64_MAX, true, 0);
    assert_done(&window, "", 0);
    assert_sends(&window, "abc");
    amqp_window_confirm(&window, 4, false, 0);
    amqp_window_confirm(&window, UINT64_MAX, false, 0);
    assert_done(&window, "", 0);
    amqp_window_confirm(&window, 2, true, 0);
    amqp_window_confirm(&window, 2, true, 0);
    amqp_window_confirm(&window, 1, false, 0);
    assert_done(&window, "ab", 0);
    amqp_window_confirm(&window, UINT64_MAX, true, 0);
    assert_done(&window, "c", 0);
    amqp_window_free(&window);
}

static void after_a_break_they_are_sent_again_in_order(void **state)
{
    (void)state;
    struct amqp_window window;

    begin(&window, 4, "abcdef");
    assert_sends(&window, "abcd");
    amqp_window_confirm(&window, 2, false, 0);
    assert_done(&window, "b", 0);
    amqp_window_rewind(&window, false);
    assert_sends(&window, "acde");
    amqp_window_confirm(&window, 4, true, 0);
    assert_done(&window, "acde", 0);
    assert_sends(&window, "f");
    amqp_window_free(&window);
}

static void the_culprit_is_found(void **state)
{
    (void)state;
    struct amqp_window window;

    begin(&window, 4, "abcdef"); /* c is what the broker will not have */
    assert_sends(&window, "abcd");
    amqp_window_rewind(&window, true);
    assert_sends(&window, "a");
    amqp_window_confirm(&window, 1, false, 0);
    assert_sends(&window, "b");
    amqp_window_confirm(&window, 2, false, 0);
    assert_done(&window, "ab", 0);
    assert_sends(&window, "c");
    amqp_window_rewind(&window, true);
    assert_done(&window, "c", ERROR_BROKER);
    assert_sends(&window, "d");
    amqp_window_confirm(&window, 1, false, 0);
    assert_done(&window, "d", 0);
    assert_sends(&window, "ef"); /* those were never suspected */
    amqp_window_free(&window);
}

static void the_first_time_nobody_is_blamed_alone(void **state)
{
    (void)state;
    struct amqp_window window;

    begin(&window, 4, "a"); /* perhaps the exchange was deleted, and the steps make it anew */
    assert_sends(&window, "a");
    amqp_window_rewind(&window, true);
    assert_done(&window, "", 0);
    assert_sends(&window, "a");
    amqp_window_confirm(&window, 1, false, 0);
    assert_done(&window, "a", 0);
    amqp_window_free(&window);
}

static unsigned number_of(const struct amqp_job *job)
{
    char digits[8] = {0};

    memcpy(digits, name_of(job).bytes, name_of(job).length);
    return (unsigned)strtoul(digits, NULL, 10);
}

static void nothing_is_lost_or_overtakes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random random = {seed};
        struct amqp_window window;
        unsigned added = 0;
        unsigned done[200] = {0};
        unsigned last_sent = 0;
        char name[8];

        amqp_window_init(&window, 1 + (unsigned)random_below(&random, 20));
        while (added < 200 || !amqp_window_is_empty(&window)) {
            if (added < 200 && random_below(&random, 2) == 0) {
                snprintf(name, sizeof name, "%u", added++);
                add(&window, name);
            }
            struct amqp_job *job = amqp_window_next(&window);
            if (job != NULL) {
                unsigned number = number_of(job);
                assert_true(number >= last_sent);
                last_sent = number;
                amqp_window_sent(&window);
            }
            uint64_t sent = window.next_tag - window.first_tag;
            if (sent > 0 && random_below(&random, 2) == 0) {
                amqp_window_confirm(&window, window.first_tag + random_below(&random, sent),
                                    random_below(&random, 2) == 0, 0);
            }
            if (random_below(&random, 30) == 0) {
                amqp_window_rewind(&window, false);
                last_sent = 0;
            }
            for (; window.done.first != NULL;) {
                struct amqp_job *ended = window.done.first;
                window.done.first = ended->next;
                done[number_of(ended)]++;
                free(ended);
            }
            window.done.last = NULL;
        }
        for (size_t i = 0; i < 200; i++) {
            assert_int_equal(done[i], 1);
        }
        amqp_window_free(&window);
    }
}

UNIT_MAIN(cmocka_unit_test(a_job_holds_copies), cmocka_unit_test(no_more_than_the_window),
          cmocka_unit_test(confirms_that_make_no_sense_change_nothing),
          cmocka_unit_test(after_a_break_they_are_sent_again_in_order),
          cmocka_unit_test(the_culprit_is_found), cmocka_unit_test(the_first_time_nobody_is_blamed_alone),
          cmocka_unit_test(nothing_is_lost_or_overtakes))
