/* What stands encoded in the address of a request (RFC 3986, section 2.1; a query as forms write it). */
#include "common/net/http_server.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_decode(struct text encoded, bool plus, struct buffer *out)
{
    size_t start = out->length;

    for (size_t i = 0; i < encoded.length; i++) {
        char c = encoded.bytes[i];
        if (c == '+' && plus) {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < encoded.length ? hex_digit(encoded.bytes[i + 1]) : -1;
            int low = i + 2 < encoded.length ? hex_digit(encoded.bytes[i + 2]) : -1;
            if (high < 0 || low < 0) {
                out->length = start;
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        buffer_add_char(out, c);
    }
    if (encoded.length == 0) {
        return true;
    }
    if (!text_is_utf8((struct text){out->bytes + start, out->length - start})) {
        out->length = start;
        return false;
    }
    return true;
}

/* Cuts off and returns what stands before the first `mark`, or all. */
static struct text cut(struct text *rest, char mark)
{
    const char *at = rest->length > 0 ? memchr(rest->bytes, mark, rest->length) : NULL;
    struct text head = {rest->bytes, at != NULL ? (size_t)(at - rest->bytes) : rest->length};
    size_t used = head.length + (at != NULL);

    rest->bytes += used;
    rest->length -= used;
    return head;
}

bool http_query_get(struct text query, const char *name, struct buffer *out)
{
    while (query.length > 0) {
        struct text value = cut(&query, '&');
        if (text_equal(cut(&value, '='), text_of(name))) {
            return http_decode(value, true, out);
        }
    }
    return false;
}
