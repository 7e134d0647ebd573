#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>

void json_write_member(struct buffer *out, const struct json_member *member)
{
    if (member->kind == JSON_STRING) {
        json_write_string(out, member->text);
    } else {
        buffer_add(out, member->text.bytes, member->text.length);
    }
}

void json_write_string(struct buffer *out, struct text text)
{
    static const char short_escapes[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    size_t plain = 0; /* what is not written yet starts here */

    buffer_add_char(out, '"');
    for (size_t i = text_plain_length(text); i < text.length; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        bool c1 = c == 0xC2 && i + 1 < text.length && (unsigned char)text.bytes[i + 1] < 0xA0;
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F && !c1) {
            continue;
        }
        buffer_add(out, text.bytes + plain, i - plain);
        if (c1) {
            c = (unsigned char)text.bytes[++i]; /* C2 80 is U+0080, and so on to U+009F */
        }
        plain = i + 1;
        if (c == '"' || c == '\\') {
            buffer_add(out, (char[]){'\\', (char)c}, 2);
        } else if (c < 0x20 && short_escapes[c] != 0) {
            buffer_add(out, (char[]){'\\', short_escapes[c]}, 2);
        } else {
            buffer_add_format(out, "\\u%04x", c);
        }
    }
    if (text.length > plain) { /* there may be no text at all */
        buffer_add(out, text.bytes + plain, text.length - plain);
    }
    buffer_add_char(out, '"');
}

void json_write_double(struct buffer *out, double number)
{
    char digits[32];

    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number) {
            break;
        }
    }
    buffer_add_string(out, digits);
}
