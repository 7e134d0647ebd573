/* common/net/amqp_options and amqp_url: the AMQP_* variables, and the one line that refuses them, without passwords. */
#include "common/net/amqp_link.h"
#include "common/net/amqp_url.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"AMQP_URL",      "AMQP_DURABLE",   "AMQP_QUEUE_TYPE", "AMQP_WINDOW",
                                    "AMQP_PREFETCH", "AMQP_HEARTBEAT", "AMQP_CA_FILE"};

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsetenv(names[i]);
    }
    return 0;
}

static void defaults(void **state)
{
    (void)state;
    struct amqp_options options;

    assert_int_equal(amqp_options_read(&options, "amqp://127.0.0.1:5672", NULL), 0);
    assert_string_equal(options.urls, "amqp://127.0.0.1:5672");
    assert_true(options.durable);
    assert_false(options.quorum);
    assert_int_equal(options.window, 1000);
    assert_int_equal(options.prefetch, 1000);
    assert_int_equal(options.heartbeat, 10);
    assert_null(options.ca_file);
}

static void all_of_them_set(void **state)
{
    (void)state;
    struct amqp_options options;

    setenv("AMQP_URL", "amqp://a, amqps://b", 1);
    setenv("AMQP_DURABLE", "YES", 1);
    setenv("AMQP_QUEUE_TYPE", "quorum", 1);
    setenv("AMQP_WINDOW", "1", 1);
    setenv("AMQP_PREFETCH", "65535", 1);
    setenv("AMQP_HEARTBEAT", "3600", 1);
    setenv("AMQP_CA_FILE", "/dev/null", 1);
    assert_int_equal(amqp_options_read(&options, "amqp://127.0.0.1:5672", NULL), 0);
    assert_string_equal(options.urls, "amqp://a, amqps://b");
    assert_true(options.durable && options.quorum);
    assert_int_equal(options.window, 1);
    assert_int_equal(options.prefetch, 65535);
    assert_int_equal(options.heartbeat, 3600);
    assert_string_equal(options.ca_file, "/dev/null");
    setenv("AMQP_DURABLE", "no", 1);
    setenv("AMQP_QUEUE_TYPE", "classic", 1);
    assert_int_equal(amqp_options_read(&options, "amqp://127.0.0.1:5672", NULL), 0);
    assert_false(options.durable || options.quorum);
}

static void wrong_values_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } wrong[] = {
        {"AMQP_DURABLE", "perhaps"}, {"AMQP_QUEUE_TYPE", "stream"}, {"AMQP_WINDOW", "0"},
        {"AMQP_WINDOW", "65536"},    {"AMQP_PREFETCH", "-1"},       {"AMQP_PREFETCH", "all"},
        {"AMQP_HEARTBEAT", "0"},     {"AMQP_HEARTBEAT", "3601"},    {"AMQP_CA_FILE", "/no/such/file"},
        {"AMQP_URL", "localhost"}};
    struct amqp_options options;
    struct error error;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        clean(NULL);
        setenv(wrong[i].name, wrong[i].value, 1);
        assert_int_equal(amqp_options_read(&options, "amqp://127.0.0.1", &error), ERROR_CONFIG);
        assert_non_null(strstr(error.text, wrong[i].name));
        assert_non_null(strstr(error.text, wrong[i].value));
    }
    clean(NULL);
    setenv("AMQP_DURABLE", "no", 1);
    setenv("AMQP_QUEUE_TYPE", "quorum", 1);
    assert_int_equal(amqp_options_read(&options, "amqp://127.0.0.1", &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "a quorum queue is always durable"));
}

static void urls_in_all_their_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *user, *password, *host, *vhost, *broker;
        unsigned port;
        bool tls;
    } right[] = {
        {"amqp://host", "guest", "guest", "host", "/", "host:5672", 5672, false},
        {"amqps://host", "guest", "guest", "host", "/", "host:5671", 5671, true},
        {"amqp://me:secret@host:1/", "me", "secret", "host", "/", "host:1", 1, false},
        {"amqp://me@host:65535/%2F", "me", "", "host", "/", "host:65535", 65535, false},
        {"amqp://me:@10.0.0.1/chat", "me", "", "10.0.0.1", "chat", "10.0.0.1:5672", 5672, false},
        {"amqp://me:a%3Ab%40c%2Fd%2c%25@host/a%2Fb", "me", "a:b@c/d,%", "host", "a/b", "host:5672", 5672,
         false},
        {"amqp://me:a:b@c@host", "me", "a:b@c", "host", "/", "host:5672", 5672, false},
        {"amqp://me:p%C3%A4ss@host", "me", "p\xC3\xA4ss", "host", "/", "host:5672", 5672, false},
        {"amqps://[::1]", "guest", "guest", "::1", "/", "[::1]:5671", 5671, true},
        {"amqp://me:secret@[2001:db8::7]:99/x", "me", "secret", "2001:db8::7", "x", "[2001:db8::7]:99", 99,
         false},
        {"  amqp://rabbit_1.class-room\t", "guest", "guest", "rabbit_1.class-room", "/",
         "rabbit_1.class-room:5672", 5672, false},
    };
    struct amqp_url_list list;

    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct error error = {0};
        if (amqp_url_list_read(&list, right[i].text, &error) != 0) {
            fail_msg("%s", error.text);
        }
        assert_int_equal(list.count, 1);
        assert_string_equal(list.urls[0].user, right[i].user);
        assert_string_equal(list.urls[0].password, right[i].password);
        assert_string_equal(list.urls[0].host, right[i].host);
        assert_string_equal(list.urls[0].vhost, right[i].vhost);
        assert_string_equal(list.urls[0].broker, right[i].broker);
        assert_int_equal(list.urls[0].port, right[i].port);
        assert_int_equal(list.urls[0].tls, right[i].tls);
        amqp_url_list_free(&list);
    }
    assert_int_equal(amqp_url_list_read(&list, "amqp://a,amqps://b:7 , amqp://[::1]", NULL), 0);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.urls[1].broker, "b:7");
    amqp_url_list_free(&list);
}

static void wrong_urls_are_refused_and_passwords_kept(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown, *why;
    } wrong[] = {
        {"", "\"\"", "empty"},
        {",", "\"\"", "empty"},
        {"amqp://a,", "\"\"", "empty"},
        {"amqp://a,,amqp://b", "\"\"", "empty"},
        {"amqp:/host", "\"amqp:***\"", "does not start with"},
        {"AMQP://host", "\"AMQP://host\"", "does not start with"},
        {"http://me:secret@host", "\"http://me:***@host\"", "does not start with"},
        {"me:secret@host", "\"***@host\"", "does not start with"},
        {"amqp://", "\"amqp://\"", "the host"},
        {"amqp:///vhost", "\"amqp:///vhost\"", "the host"},
        {"amqp://me:secret@", "\"amqp://me:***@\"", "the host"},
        {"amqp://me:secret@ho st", "\"amqp://me:***@ho st\"", "the host"},
        {"amqp://host:0", "\"amqp://host:***\"", "the port"},
        {"amqp://host:65536/", "\"amqp://host:***\"", "the port"},
        {"amqp://host:", "\"amqp://host:\"", "the port"},
        {"amqp://host:12x", "\"amqp://host:***\"", "the port"},
        {"amqp://me:secret", "\"amqp://me:***\"", "the port"},
        {"amqp://me:sec,ret@host", "\"amqp://me:***\"", "the port"},
        {"amqp://me:sec/ret@host", "\"amqp://me:***@host\"", "the port"},
        {"amqp://a,34secret@host", "\"***@host\"", "does not start with"},
        {"amqp://me:secret%@host", "\"amqp://me:***@host\"", "escape"},
        {"amqp://me:secret%4@host", "\"amqp://me:***@host\"", "escape"},
        {"amqp://me:secret%zz@host", "\"amqp://me:***@host\"", "escape"},
        {"amqp://me:secret%00@host", "\"amqp://me:***@host\"", "escape"},
        {"amqp://me:secret@host/a/b", "\"amqp://me:***@host/a/b\"", "virtual host"},
        {"amqp://me:secret@host/%", "\"amqp://me:***@host/%\"", "virtual host"},
        {"amqp://me:secret@host/?heartbeat=5", "\"amqp://me:***@host/?heartbeat=5\"", "AMQP_HEARTBEAT"},
        {"amqp://me:se?cret@host", "\"amqp://me:***@host\"", "behind ?"},
        {"amqp://[::1", "\"amqp://[::1\"", "[ ]"},
        {"amqp://[::1]x", "\"amqp://[::1]x\"", "[ ]"},
        {"amqp://me:secret@[::1]:x", "\"amqp://me:***@[::1]:x\"", "the port"},
        {"amqp://me:secret@host\n\x1b[31m", "\"amqp://me:***@host??[31m\"", "the host"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct amqp_url_list list;
        struct error error;
        assert_int_equal(amqp_url_list_read(&list, wrong[i].text, &error), ERROR_CONFIG);
        if (strstr(error.text, wrong[i].shown) == NULL || strstr(error.text, wrong[i].why) == NULL ||
            strstr(error.text, "AMQP_URL") == NULL || strstr(error.text, "secret") != NULL) {
            fail_msg("%s gives: %s", wrong[i].text, error.text);
        }
    }
}

static void names_have_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *start;
        size_t length;
        int code;
    } cases[] = {{"amqp://", 255, 0},
                 {"amqp://", 256, ERROR_CONFIG},
                 {"amqp://h/", 255, 0},
                 {"amqp://h/", 256, ERROR_CONFIG},
                 {"amqp://", 100000, ERROR_CONFIG}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t start = strlen(cases[i].start);
        char *text = calloc(start + cases[i].length + 1, 1);
        struct amqp_url_list list;
        assert_non_null(text);
        memcpy(text, cases[i].start, start);
        memset(text + start, 'n', cases[i].length);
        assert_int_equal(amqp_url_list_read(&list, text, NULL), cases[i].code);
        if (cases[i].code == 0) {
            amqp_url_list_free(&list);
        }
        free(text);
    }
}

UNIT_MAIN(cmocka_unit_test_setup(defaults, clean), cmocka_unit_test_setup(all_of_them_set, clean),
          cmocka_unit_test_setup(wrong_values_are_refused_by_name, clean),
          cmocka_unit_test_setup(urls_in_all_their_forms, clean),
          cmocka_unit_test_setup(wrong_urls_are_refused_and_passwords_kept, clean),
          cmocka_unit_test_setup(names_have_a_limit, clean))
