#include "common/text.h"

#include <stdint.h>
#include <string.h>

int text_compare(struct text a, struct text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter > 0 ? memcmp(a.bytes, b.bytes, shorter) : 0;
    if (order != 0) {
        return order;
    }
    return (a.length > b.length) - (a.length < b.length);
}

/* The length of the well-formed sequence that starts at `s`, 0 if there is none (Unicode 15, table 3-7). */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t length;

    if (s[0] < 0x80) {
        return 1;
    }
    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        length = 2;
    } else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        length = 3;
        low = s[0] == 0xE0 ? 0xA0 : 0x80;  /* else an overlong form */
        high = s[0] == 0xED ? 0x9F : 0xBF; /* else a surrogate */
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        length = 4;
        low = s[0] == 0xF0 ? 0x90 : 0x80;
        high = s[0] == 0xF4 ? 0x8F : 0xBF; /* else above U+10FFFF */
    } else {
        return 0;
    }
    if (left < length || s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if (s[i] < 0x80 || s[i] > 0xBF) {
            return 0;
        }
    }
    return length;
}

bool text_is_utf8(struct text text)
{
    const unsigned char *s = (const unsigned char *)text.bytes;
    size_t left = text.length;

    while (left > 0) {
        uint64_t eight;
        if (left >= sizeof eight) {
            /* Most text is ASCII: eight bytes in one look. */
            memcpy(&eight, s, sizeof eight);
            if ((eight & 0x8080808080808080ULL) == 0) {
                s += sizeof eight;
                left -= sizeof eight;
                continue;
            }
        }
        size_t length = utf8_sequence(s, left);
        if (length == 0) {
            return false;
        }
        s += length;
        left -= length;
    }
    return true;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

#define EACH_BYTE(byte) (0x0101010101010101ULL * (byte))

/* Eight bytes in one look: the top bit of a byte below is set if it is under 0x20, ", \, 0x7F or no ASCII. A borrow
 * may set one too many behind such a byte, never one too few. */
static bool are_plain(uint64_t eight)
{
    uint64_t quote = eight ^ EACH_BYTE('"');
    uint64_t backslash = eight ^ EACH_BYTE('\\');
    uint64_t del = eight ^ EACH_BYTE(0x7F);
    uint64_t found = (eight - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) | (backslash - EACH_BYTE(1)) |
                     (del - EACH_BYTE(1)) | eight;
    return (found & EACH_BYTE(0x80)) == 0;
}

size_t text_plain_length(struct text text)
{
    size_t i = 0;
    uint64_t eight;

    for (; text.length - i >= sizeof eight; i += sizeof eight) {
        memcpy(&eight, text.bytes + i, sizeof eight);
        if (!are_plain(eight)) {
            break;
        }
    }
    while (i < text.length && is_plain((unsigned char)text.bytes[i])) {
        i++;
    }
    return i;
}

bool text_has_control(struct text text)
{
    for (size_t i = text_plain_length(text); i < text.length; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (c < 0x20 || c == 0x7F) {
            return true;
        }
        /* U+0080 to U+009F are C2 80 to C2 9F. */
        if (c == 0xC2 && i + 1 < text.length && (unsigned char)text.bytes[i + 1] < 0xA0) {
            return true;
        }
    }
    return false;
}

size_t text_width(struct text text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.length; i++) {
        width += ((unsigned char)text.bytes[i] & 0xC0) != 0x80; /* not the continuation of a character */
    }
    return width;
}

void text_make_printable(char *string)
{
    size_t left = strlen(string);
    char *out = string;

    for (const char *c = string; left > 0;) {
        size_t length = utf8_sequence((const unsigned char *)c, left);
        size_t step = length > 0 ? length : 1; /* a byte that belongs to no character stands alone */
        if (length == 0 || text_has_control((struct text){c, length})) {
            *out++ = '?';
        } else {
            memmove(out, c, length);
            out += length;
        }
        c += step;
        left -= step;
    }
    *out = '\0';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text text)
{
    while (text.length > 0 && is_space(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && is_space(text.bytes[text.length - 1])) {
        text.length--;
    }
    return text;
}
