/* common/log reaching its destinations: when it writes, and what becomes of lines that a disk does not take. */
#include "common/log.h"

#include "common/json.h"
#include "tests/unit/unit_log.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>

/* A file with a name of its own, gone with the test. */
struct scratch {
    char path[64];
    int descriptor;
};

static void scratch_open(struct scratch *scratch)
{
    snprintf(scratch->path, sizeof scratch->path, "%s/ordem-XXXXXX", P_tmpdir);
    scratch->descriptor = mkstemp(scratch->path);
    assert_true(scratch->descriptor >= 0);
}

static void scratch_close(struct scratch *scratch)
{
    close(scratch->descriptor);
    unlink(scratch->path);
}

static size_t count(const char *text, const char *needle)
{
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, needle)) != NULL; at++) {
        found++;
    }
    return found;
}

static void lines_are_gathered_until_a_flush(void **state)
{
    (void)state;
    struct unit_log unit;
    unit_log_open(&unit, (struct log_options){.node = "node1"});
    for (int i = 0; i < 3; i++) {
        log_say(&unit.log, LOG_WARNING, "event", "line %d", i);
    }
    assert_string_equal(unit_log_shown(&unit), "");
    assert_int_equal(count(unit_log_flushed(&unit), "\n"), 3);
    assert_int_equal(count(unit_log_flushed(&unit), "\n"), 3);
    unit_log_close(&unit);
}

static void an_error_is_written_at_once_with_all_that_came_before(void **state)
{
    (void)state;
    struct unit_log unit;
    struct scratch file;
    scratch_open(&file);
    unit_log_open(&unit, (struct log_options){.node = "node1", .file = file.path});
    log_say(&unit.log, LOG_INFO, "event", "before");
    log_say(&unit.log, LOG_ERROR, "event", "the error");
    assert_int_equal(count(unit_log_shown(&unit), "\n"), 2);
    char *content = unit_read_all(file.descriptor);
    assert_int_equal(count(content, "\n"), 2);
    free(content);
    log_say(&unit.log, LOG_INFO, "event", "after");
    assert_int_equal(count(unit_log_shown(&unit), "\n"), 2);
    unit_log_close(&unit);
    scratch_close(&file);
}

static void a_flood_is_written_before_it_fills_the_memory(void **state)
{
    (void)state;
    struct unit_log unit;
    char hundred[101];
    memset(hundred, 'h', 100);
    hundred[100] = '\0';
    unit_log_open(&unit, (struct log_options){.node = "node1"});
    for (int i = 0; i < 20000; i++) {
        log_say(&unit.log, LOG_INFO, "event", "%s", hundred);
        assert_true(unit.log.screen.pending.length < 512 * 1024);
    }
    assert_int_equal(count(unit_log_flushed(&unit), "\n"), 20000);
    unit_log_close(&unit);
}

static void the_end_writes_what_is_left_and_the_next_run_appends(void **state)
{
    (void)state;
    struct scratch file;
    scratch_open(&file);
    for (int run = 0; run < 2; run++) {
        struct log log;
        struct log_options options = {.node = "node1", .screen = -1, .file = file.path};
        assert_int_equal(log_open(&log, &options, NULL), 0);
        log_say(&log, LOG_INFO, "event", "run %d", run);
        log_close(&log);
    }
    char *content = unit_read_all(file.descriptor);
    assert_int_equal(count(content, "\n"), 2);
    assert_true(strstr(content, "run 0") < strstr(content, "run 1"));
    free(content);
    scratch_close(&file);
}

static void a_line_that_a_crash_cut_is_closed_before_the_next_run_writes(void **state)
{
    (void)state;
    struct scratch file;
    struct log log;
    scratch_open(&file);
    assert_int_equal(write(file.descriptor, "{\"ts\":\"20", 9), 9);
    struct log_options options = {.node = "node1", .screen = -1, .file = file.path};
    assert_int_equal(log_open(&log, &options, NULL), 0);
    log_say(&log, LOG_INFO, "event", "the next run");
    log_close(&log);
    char *content = unit_read_all(file.descriptor);
    assert_memory_equal(content, "{\"ts\":\"20\n{\"ts\":\"", 17);
    assert_int_equal(count(content, "\n"), 2);
    free(content);
    scratch_close(&file);
}

static void a_pipe_receives_the_lines_of_the_screen(void **state)
{
    (void)state;
    struct log log;
    int ends[2];
    char line[256];
    assert_int_equal(pipe(ends), 0);
    struct log_options options = {.node = "node1", .screen = ends[1], .screen_json = true};
    assert_int_equal(log_open(&log, &options, NULL), 0);
    log_say(&log, LOG_INFO, "event", "through a pipe");
    log_close(&log);
    close(ends[1]); /* the log leaves it open: it is not its own */
    ssize_t length = read(ends[0], line, sizeof line - 1);
    assert_true(length > 0);
    line[length] = '\0';
    unit_hide_times(line);
    assert_string_equal(line, "{\"ts\":\"TIME\",\"level\":\"info\",\"node\":\"node1\",\"event\":\"event\","
                              "\"message\":\"through a pipe\"}\n");
    close(ends[0]);
}

static void a_file_that_cannot_be_opened_is_named_and_the_screen_still_works(void **state)
{
    (void)state;
    struct error error = {0};
    struct log log;
    FILE *screen = tmpfile();
    struct log_options options = {.node = "node1", .screen = fileno(screen), .file = "/dev/null/log.jsonl"};
    assert_int_equal(log_open(&log, &options, &error), ERROR_FILE);
    assert_non_null(strstr(error.text, "LOG_FILE /dev/null/log.jsonl cannot be opened: "));
    log_say(&log, LOG_INFO, "event", "still here");
    log_close(&log);
    char *shown = unit_read_all(fileno(screen));
    assert_int_equal(count(shown, "\"still here\""), 1);
    free(shown);
    fclose(screen);
}

static void a_full_disk_is_reported_once_and_the_node_goes_on(void **state)
{
    (void)state;
    struct unit_log unit;
    unit_log_open(&unit, (struct log_options){.node = "node1", .file = "/dev/full"});
    for (int i = 0; i < 50; i++) {
        log_say(&unit.log, LOG_INFO, "event", "number %d", i);
        log_flush(&unit.log);
    }
    const char *shown = unit_log_shown(&unit);
    assert_int_equal(count(shown, "number "), 50);
    assert_int_equal(count(shown, "[ERROR]"), 1);
    assert_int_equal(count(shown, "LOG_FILE /dev/full cannot be written: No space left on device"), 1);
    assert_int_equal(unit.log.file.pending.length, 0);
    assert_int_equal(unit.log.file.lost_lines, 51); /* the report itself among them */
    unit_log_close(&unit);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* Every line is an event, except pieces of one, each of which stands alone. Counts the events that came through, and
 * adds up the gaps: one that was written but for its line break is written once more. */
static void read_back(char *content, size_t *whole, size_t *said_lost)
{
    struct json_object object = {0};
    size_t length = strlen(content);
    size_t last_gap = 0;

    *whole = *said_lost = 0;
    assert_true(length > 0 && content[length - 1] == '\n');
    for (char *line = strtok(content, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (json_object_read(&object, text_of(line), NULL) != 0) {
            continue;
        }
        const struct json_member *lines = json_object_get(&object, "lines");
        if (lines != NULL) {
            assert_text_equal(json_object_get(&object, "fault")->text, TEXT("log_gap"));
            char digits[24];
            snprintf(digits, sizeof digits, "%.*s", (int)lines->text.length, lines->text.bytes);
            last_gap = strtoul(digits, NULL, 10);
        } else {
            ++*whole;
            *said_lost += last_gap;
            last_gap = 0;
        }
    }
    json_object_free(&object);
}

/* Ten lines to a disk that has room for `room` bytes, then for one more at each attempt, then for everything. The
 * screen is a pipe: the limit does not hold for it. */
static void fill_up_and_make_room(rlim_t room, size_t *written, char **content)
{
    struct scratch file;
    struct log log;
    int ends[2];
    static char shown[1 << 16];

    scratch_open(&file);
    assert_int_equal(pipe(ends), 0);
    struct log_options options = {.node = "node1", .screen = ends[1], .file = file.path};
    log_open(&log, &options, NULL);
    for (int i = 0; i < 10; i++) {
        limit_files(room);
        log_say(&log, LOG_INFO, "event", "number %d", i);
        if (i % 2 == 1) {
            log_flush(&log);
        }
    }
    for (int i = 0; i < 150; i++) {
        limit_files(++room);
        log_flush(&log);
    }
    limit_files(RLIM_INFINITY);
    log_flush(&log);
    log_say(&log, LOG_INFO, "event", "at last");
    log_close(&log);
    close(ends[1]);
    ssize_t length = read(ends[0], shown, sizeof shown - 1);
    close(ends[0]);
    assert_true(length > 0);
    shown[length] = '\0';
    *written = count(shown, "\n"); /* the reports of a full disk among them */
    *content = unit_read_all(file.descriptor);
    scratch_close(&file);
}

static void wherever_the_disk_is_full_no_line_is_lost_without_a_word(void **state)
{
    (void)state;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);

    for (rlim_t room = 0; room < 1200; room += 3) {
        char *content;
        size_t written;
        size_t whole;
        size_t said_lost;
        fill_up_and_make_room(room, &written, &content);
        assert_null(strstr(content, "\n\n"));
        assert_non_null(strstr(content, "at last"));
        read_back(content, &whole, &said_lost);
        /* A line that lacks nothing but its line break counts as lost, and is there all the same. */
        if (whole + said_lost < written || whole + said_lost > written + 1) {
            fail_msg("room for %lu bytes: %zu lines are there, %zu are said to be lost, %zu were written",
                     (unsigned long)room, whole, said_lost, written);
        }
        free(content);
    }
    signal(SIGXFSZ, before);
}

UNIT_MAIN(cmocka_unit_test(lines_are_gathered_until_a_flush),
          cmocka_unit_test(an_error_is_written_at_once_with_all_that_came_before),
          cmocka_unit_test(a_flood_is_written_before_it_fills_the_memory),
          cmocka_unit_test(the_end_writes_what_is_left_and_the_next_run_appends),
          cmocka_unit_test(a_line_that_a_crash_cut_is_closed_before_the_next_run_writes),
          cmocka_unit_test(a_pipe_receives_the_lines_of_the_screen),
          cmocka_unit_test(a_file_that_cannot_be_opened_is_named_and_the_screen_still_works),
          cmocka_unit_test(a_full_disk_is_reported_once_and_the_node_goes_on),
          cmocka_unit_test(wherever_the_disk_is_full_no_line_is_lost_without_a_word))
