/* A piece of text that somebody else owns, and what may be asked of it.
 *
 * Text that comes from outside is not a C string: it has a length, may hold a NUL, and may not be UTF-8. */
#ifndef ORDEM_TEXT_H
#define ORDEM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
    const char *bytes; /* not NUL-terminated; NULL where there is no text at all (unlike an empty one) */
    size_t length;     /* in bytes */
};

/* The text of a C string, which stays its owner's. */
static inline struct text text_of(const char *string)
{
    return (struct text){string, string != NULL ? strlen(string) : 0};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

/* Bytewise order, which for UTF-8 is the order of code points; a prefix comes first. As memcmp(). */
int text_compare(struct text a, struct text b);

/* Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
bool text_is_utf8(struct text text);

/* How many bytes at its start are ASCII that needs no escape in JSON: neither a control character nor " nor \. */
size_t text_plain_length(struct text text);

/* Does it hold a control character: U+0000 to U+001F, U+007F, or U+0080 to U+009F? Expects valid UTF-8. */
bool text_has_control(struct text text);

/* Makes a C string that may quote anything fit for a log and a terminal: control characters become '?', and so
 * does every byte that is part of no UTF-8 character (perhaps because the text was cut inside one). */
void text_make_printable(char *string);

/* The columns that a text takes on a terminal: one for each character. */
size_t text_width(struct text text);

/* Without white space (space, tab, CR, LF) at both ends. */
struct text text_trim(struct text text);

#endif
