#include "common/lab/log_text_line.h"

#include "common/clock.h"
#include "common/json.h"

#include <string.h>

#define NODE_START "[node="

/* Where `needle` first stands; NULL if nowhere. */
static const char *find(struct text text, const char *needle)
{
    return text.length == 0 ? NULL : memmem(text.bytes, text.length, needle, strlen(needle));
}

/* The length of the JSON value at the start of `text`: up to its closing quote or bracket; 0 if it has none. */
static size_t json_extent(struct text text)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        if (in_string && c == '\\') {
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '{' || c == '[')) {
            depth++;
        } else if (!in_string && (c == '}' || c == ']')) {
            depth--;
        }
        if (!in_string && depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

static struct text take(struct text *rest, size_t length)
{
    struct text taken = {rest->bytes, length};
    rest->bytes += length;
    rest->length -= length;
    return taken;
}

static size_t span_until(struct text text, char stop)
{
    const char *end = text.length > 0 ? memchr(text.bytes, stop, text.length) : NULL;
    return end != NULL ? (size_t)(end - text.bytes) : text.length;
}

static void add_member(struct buffer *json, struct text name, struct text value, bool is_json)
{
    buffer_add_char(json, json->length == 0 ? '{' : ',');
    json_write_string(json, name);
    buffer_add_char(json, ':');
    if (is_json) {
        buffer_add(json, value.bytes, value.length);
    } else {
        json_write_string(json, value);
    }
}

/* `name=value` pairs: a value is JSON where it starts like it (and `value` always is), else a bare string. */
static bool convert_fields(struct buffer *json, struct text rest)
{
    for (rest = text_trim(rest); rest.length > 0; rest = text_trim(rest)) {
        struct text name = take(&rest, span_until(rest, '='));
        if (rest.length < 2 || memchr(name.bytes, ' ', name.length) != NULL) {
            return false;
        }
        take(&rest, 1);
        bool bracketed = strchr("\"{[", rest.bytes[0]) != NULL;
        size_t length = bracketed ? json_extent(rest) : span_until(rest, ' ');
        if (length == 0) {
            return false;
        }
        bool is_json = bracketed || text_equal(name, text_of("value"));
        add_member(json, name, take(&rest, length), is_json);
    }
    return true;
}

bool log_text_line_convert(struct buffer *json, struct text line)
{
    struct text rest = line;

    buffer_clear(json);
    add_member(json, text_of("ts"), take(&rest, CLOCK_TEXT_LENGTH), false);
    const char *node = find(rest, NODE_START);
    take(&rest, (size_t)(node - rest.bytes) + strlen(NODE_START));
    add_member(json, text_of("node"), take(&rest, span_until(rest, ']')), false);
    if (rest.length == 0) {
        return false;
    }
    take(&rest, 1);
    rest = text_trim(rest);
    add_member(json, text_of("event"), take(&rest, span_until(rest, ' ')), false);
    bool complete = convert_fields(json, rest);
    buffer_add_char(json, '}');
    return complete;
}

const char *log_text_line_start(struct text line)
{
    const char *node = find(line, NODE_START);
    const char *level = node;

    if (node == NULL) {
        return NULL;
    }
    do { /* back to the bracket of the level */
        if (level == line.bytes) {
            return NULL;
        }
        level--;
    } while (*level != '[');
    int64_t ignored;
    const char *start = level - CLOCK_TEXT_LENGTH - 1;
    return start >= line.bytes && clock_parse((struct text){start, CLOCK_TEXT_LENGTH}, &ignored) ? start
                                                                                                 : NULL;
}
