/* Whatever claims to be JSON: the canonical text of what is read is JSON again, and its own canonical text. */
#include "common/json.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_object object;
    static struct buffer first;
    static struct buffer second;
    struct error error = {0};

    if (json_object_read(&object, (struct text){(const char *)data, size}, &error) != 0) {
        assert(error.code != ERROR_NONE && object.count == 0);
        assert(text_is_utf8(text_of(error.text)) && !text_has_control(text_of(error.text)));
        return 0;
    }
    size_t count = object.count;
    write_object(&first, &object);
    assert(text_is_utf8(buffer_text(&first)) && !text_has_control(buffer_text(&first)));
    assert(json_object_read(&object, buffer_text(&first), &error) == 0);
    assert(object.count == count);
    write_object(&second, &object);
    assert(text_equal(buffer_text(&first), buffer_text(&second)));
    return 0;
}
