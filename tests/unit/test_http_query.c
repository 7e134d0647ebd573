/* What stands encoded in the address of a request, and which header is being read. */
#include "common/net/http_header.h"
#include "common/net/http_server.h"

#include "tests/unit/unit.h"

#include <string.h>

static void expect_decoded(const char *encoded, bool plus, const char *expected)
{
    struct buffer out = {0};
    bool decoded;

    buffer_add_string(&out, "before:");
    decoded = http_decode(text_of(encoded), plus, &out);
    assert_int_equal(decoded, expected != NULL);
    buffer_add_char(&out, '\0');
    assert_string_equal(out.bytes, "before:");
    buffer_free(&out);
}

static void decodes(void **state)
{
    struct buffer out = {0};

    (void)state;
    assert_true(http_decode(text_of("/a%20b%2Fc%c3%A7+"), false, &out));
    assert_true(text_equal(buffer_text(&out), text_of("/a b/c\xc3\xa7+")));
    buffer_clear(&out);
    assert_true(http_decode(text_of("a+b%2B"), true, &out));
    assert_true(text_equal(buffer_text(&out), text_of("a b+")));
    buffer_clear(&out);
    assert_true(http_decode(text_of(""), true, &out));
    assert_int_equal(out.length, 0);
    buffer_free(&out);
}

static void adds_nothing_of_what_is_not_encoded_rightly(void **state)
{
    static const char *const wrong[] = {"%", "a%4", "%4g", "%g4", "%%", "x%ff", "%c3", "%ed%a0%80", "\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        expect_decoded(wrong[i], false, NULL);
    }
}

static void expect_found(const char *query, const char *name, const char *expected)
{
    struct buffer out = {0};

    assert_int_equal(http_query_get(text_of(query), name, &out), expected != NULL);
    assert_true(text_equal(buffer_text(&out), text_of(expected != NULL ? expected : "")));
    buffer_free(&out);
}

static void finds_values(void **state)
{
    (void)state;
    expect_found("wait=decided", "wait", "decided");
    expect_found("a=1&wait=x+y%26z&b", "wait", "x y&z");
    expect_found("a=1&b", "b", "");
    expect_found("a=1=2", "a", "1=2");
    expect_found("a=1&a=2", "a", "1");
    expect_found("&&a=1&", "a", "1");
    expect_found("ab=1", "a", NULL);
    expect_found("a=%zz", "a", NULL);
    expect_found("", "a", NULL);
    assert_false(http_query_get((struct text){0}, "a", &(struct buffer){0}));
}

static void names_headers(void **state)
{
    struct http_header header = {0};

    (void)state;
    http_header_add_name(&header, "Ho", 2);
    http_header_add_name(&header, "st", 2);
    assert_true(http_header_is(&header, "host"));
    assert_false(http_header_is(&header, "hos"));
    assert_true(http_header_begin_value(&header));
    assert_false(http_header_begin_value(&header));
    assert_true(http_header_is(&header, "HOST"));
    http_header_add_name(&header, "retry-after-all-this-time", 25);
    assert_false(http_header_is(&header, "host"));
    assert_false(http_header_is(&header, "retry-after-all-"));
    assert_true(http_header_begin_value(&header));
}

UNIT_MAIN(cmocka_unit_test(decodes), cmocka_unit_test(adds_nothing_of_what_is_not_encoded_rightly),
          cmocka_unit_test(finds_values), cmocka_unit_test(names_headers))
