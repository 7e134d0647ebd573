/* Whatever claims to be JSON: the canonical text of what is read is JSON again, and its own canonical text. And a
 * parser that has read many texts reads the next one as a new parser would. The scanner for texts of a known shape takes
 * nothing that the parser does not take, and everything in its canonical form. */
#include "common/json.h"
#include "common/json_scan.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_object(struct buffer *out, const struct json_object *object)
{
    buffer_clear(out);
    buffer_add_char(out, '{');
    for (size_t i = 0; i < object->count; i++) {
        if (i > 0) {
            buffer_add_char(out, ',');
        }
        json_write_string(out, object->members[i].name);
        buffer_add_char(out, ':');
        json_write_member(out, &object->members[i]);
    }
    buffer_add_char(out, '}');
}

static void compare_with_new_parser(const struct json_object *object, int code, struct text text)
{
    struct json_object fresh = {0};
    struct error error = {0};

    assert(json_object_read(&fresh, text, &error) == code);
    assert(fresh.count == object->count);
    for (size_t i = 0; i < fresh.count; i++) {
        assert(fresh.members[i].kind == object->members[i].kind);
        assert(text_equal(fresh.members[i].name, object->members[i].name));
        assert(text_equal(fresh.members[i].text, object->members[i].text));
    }
    json_object_free(&fresh);
}

static bool scanner_takes(struct text text)
{
    struct json_scan scan = json_scan_of(text);
    struct text name;

    json_scan_enter(&scan, '{');
    while (json_scan_member(&scan, &name)) {
        json_scan_skip(&scan, NULL);
    }
    return json_scan_end(&scan) && text_is_utf8(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_object object;
    static struct buffer first;
    static struct buffer second;
    struct error error = {0};

    struct text given = {(const char *)data, size};
    int code = json_object_read(&object, given, &error);
    compare_with_new_parser(&object, code, given);
    assert(code == 0 || !scanner_takes(given));
    if (code != 0) {
        assert(error.code != ERROR_NONE && object.count == 0);
        assert(text_is_utf8(text_of(error.text)) && !text_has_control(text_of(error.text)));
        return 0;
    }
    size_t count = object.count;
    write_object(&first, &object);
    assert(scanner_takes(buffer_text(&first)));
    assert(text_is_utf8(buffer_text(&first)) && !text_has_control(buffer_text(&first)));
    assert(json_object_read(&object, buffer_text(&first), &error) == 0);
    assert(object.count == count);
    write_object(&second, &object);
    assert(text_equal(buffer_text(&first), buffer_text(&second)));
    return 0;
}
