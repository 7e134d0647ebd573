/* common/log_book: the last lines are told, also those of an earlier run, and the file stays within its bound. */
#include "common/json.h"
#include "common/log_book.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ordem-book-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/a_all.log", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char old[128];
    (void)state;

    snprintf(old, sizeof old, "%s.1", path);
    (void)unlink(old);
    (void)unlink(path);
    return rmdir(folder);
}

static void add(struct log_book *book, int number)
{
    char line[64];

    snprintf(line, sizeof line, "{\"number\":%d}", number);
    log_book_add(book, text_of(line));
}

/* How many lines it tells, and the numbers of the first and the last of them. */
static void assert_tells(const struct log_book *book, size_t count, int first, int last)
{
    struct buffer out = {0};
    char wanted[64];
    size_t lines = 0;

    log_book_write(book, TEXT(""), &out);
    buffer_add_char(&out, '\0');
    for (size_t i = 0; i < out.length; i++) {
        lines += out.bytes[i] == '{';
    }
    assert_int_equal(lines, count);
    snprintf(wanted, sizeof wanted, "[\n{\"number\":%d}", first);
    assert_ptr_equal(strstr(out.bytes, wanted), out.bytes);
    snprintf(wanted, sizeof wanted, "{\"number\":%d}]", last);
    assert_non_null(strstr(out.bytes, wanted));
    buffer_free(&out);
}

static void the_last_lines_are_told(void **state)
{
    static struct log_book book;
    struct buffer out = {0};
    (void)state;

    log_book_add(&book, TEXT("{}")); /* it is not open: nothing happens */
    log_book_write(&book, TEXT(""), &out);
    assert_text_equal(buffer_text(&out), TEXT("[]"));
    buffer_free(&out);
    assert_int_equal(log_book_open(&book, path, NULL), 0);
    add(&book, 1);
    assert_tells(&book, 1, 1, 1);
    for (int i = 2; i <= LOG_BOOK_KEPT + 10; i++) {
        add(&book, i);
    }
    assert_tells(&book, LOG_BOOK_KEPT, 11, LOG_BOOK_KEPT + 10);
    log_book_flush(&book, "a");
    log_book_close(&book);
}

static void a_later_run_knows_what_was_said(void **state)
{
    static struct log_book book;
    (void)state;

    assert_int_equal(log_book_open(&book, path, NULL), 0);
    add(&book, 1);
    log_book_flush(&book, "a");
    log_book_close(&book);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_true(fputs("no JSON\n{\"number\":2}\n{\"number\":", file) >= 0); /* a crash cut the last line */
    assert_int_equal(fclose(file), 0);
    assert_int_equal(log_book_open(&book, path, NULL), 0);
    add(&book, 3);
    log_book_flush(&book, "a");
    assert_tells(&book, 3, 1, 3);
    log_book_close(&book);
    assert_int_equal(log_book_open(&book, path, NULL), 0);
    assert_tells(&book, 3, 1, 3);
    log_book_close(&book);
}

#define EARLY "{\"ts\":\"2026-11-21T09:30:00.123456Z\",\"level\":\"info\"}"
#define LATE  "{\"ts\":\"2026-11-21T09:30:00.123457Z\",\"level\":\"info\"}"

static void who_asks_again_hears_what_is_new(void **state)
{
    static struct log_book book;
    struct buffer out = {0};
    (void)state;

    assert_int_equal(log_book_open(&book, path, NULL), 0);
    log_book_add(&book, TEXT(EARLY));
    log_book_add(&book, TEXT(LATE));
    log_book_write(&book, TEXT("2026-11-21T09:30:00.123456Z"), &out);
    assert_text_equal(buffer_text(&out), TEXT("[\n" LATE "]"));
    buffer_clear(&out);
    log_book_write(&book, TEXT("2026-11-21T09:30:00.123457Z"), &out);
    assert_text_equal(buffer_text(&out), TEXT("[]"));
    buffer_free(&out);
    log_book_flush(&book, "a");
    log_book_close(&book);
}

static long size_of(const char *name)
{
    struct stat status;
    return stat(name, &status) == 0 ? (long)status.st_size : -1;
}

static void the_file_has_a_bound(void **state)
{
    static struct log_book book;
    static char line[LOG_BOOK_LINE + 2];
    char old[128];
    (void)state;

    snprintf(old, sizeof old, "%s.1", path);
    snprintf(line, sizeof line, "{\"long\":\"%0*d\"}", LOG_BOOK_LINE - 11, 0);
    assert_int_equal(log_book_open(&book, path, NULL), 0);
    for (int i = 0; i < 3 * LOG_BOOK_BYTES / LOG_BOOK_LINE; i++) {
        log_book_add(&book, text_of(line));
        log_book_flush(&book, "a");
    }
    add(&book, 7);
    log_book_flush(&book, "a");
    assert_in_range(size_of(old), LOG_BOOK_BYTES, LOG_BOOK_BYTES + LOG_BOOK_LINE);
    assert_in_range(size_of(path), 1, LOG_BOOK_BYTES);
    log_book_close(&book);
}

static void what_cannot_be_opened_is_named(void **state)
{
    static struct log_book book;
    struct error error = {0};
    (void)state;

    assert_int_equal(log_book_open(&book, "/dev/null/x", &error), ERROR_FILE);
    assert_non_null(strstr(error.text, "/dev/null/x"));
}

UNIT_MAIN(cmocka_unit_test_setup_teardown(the_last_lines_are_told, make_folder, remove_folder),
          cmocka_unit_test_setup_teardown(a_later_run_knows_what_was_said, make_folder, remove_folder),
          cmocka_unit_test_setup_teardown(who_asks_again_hears_what_is_new, make_folder, remove_folder),
          cmocka_unit_test_setup_teardown(the_file_has_a_bound, make_folder, remove_folder),
          cmocka_unit_test(what_cannot_be_opened_is_named))
