#include "parte5-chat/names.h"

#include <string.h>

static bool has_separator(struct text name)
{
    return memchr(name.bytes, '/', name.length) != NULL || memchr(name.bytes, '\\', name.length) != NULL;
}

static bool is_reserved(struct text name)
{
    return text_equal(name, text_of(".")) || text_equal(name, text_of("..")) ||
           text_equal(name, text_of(NAME_OF_SERVERS));
}

int name_check(struct text name, const char *what, struct error *error)
{
    if (name.length == 0) {
        return error_set(error, ERROR_FIELD_VALUE, "%s: a name is needed", what);
    }
    if (name.length > NAME_MAX_LENGTH) {
        return error_set(error, ERROR_TOO_LONG, "%s: %zu bytes, at most %d are allowed", what, name.length,
                         NAME_MAX_LENGTH);
    }
    if (!text_is_utf8(name)) {
        return error_set(error, ERROR_NOT_UTF8, "%s: not valid UTF-8", what);
    }
    if (text_has_control(name)) {
        return error_set(error, ERROR_FIELD_VALUE, "%s: holds a control character", what);
    }
    if (has_separator(name)) {
        return error_set(error, ERROR_FIELD_VALUE, "%s: holds a path separator", what);
    }
    if (!text_equal(name, text_trim(name))) {
        return error_set(error, ERROR_FIELD_VALUE, "%s: begins or ends with a space", what);
    }
    if (is_reserved(name)) {
        return error_set(error, ERROR_FIELD_VALUE, "%s: %.*s is not free to be used", what, (int)name.length,
                         name.bytes);
    }
    return 0;
}
