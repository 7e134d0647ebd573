#include "common/net/amqp_url.h"

#include "common/memory.h"
#include "common/text.h"
#include "common/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 255 /* what the protocol and the domain name system allow for a name */
#define SHOWN_BYTES    120 /* of a URL that is refused */

/* ---- pieces of text ---- */

static const char *find(struct text text, char wanted)
{
    return text.length > 0 ? memchr(text.bytes, wanted, text.length) : NULL;
}

static const char *find_last(struct text text, char wanted)
{
    return text.length > 0 ? memrchr(text.bytes, wanted, text.length) : NULL;
}

static struct text from(struct text text, const char *place)
{
    return (struct text){place, text.length - (size_t)(place - text.bytes)};
}

static struct text before(struct text text, const char *place)
{
    return (struct text){text.bytes, (size_t)(place - text.bytes)};
}

/* What stands before the first `separator`, or all; the rest, behind it, or nothing. */
static struct text cut(struct text text, char separator, struct text *rest)
{
    const char *place = find(text, separator);

    *rest = place != NULL ? from(text, place + 1) : (struct text){0};
    return place != NULL ? before(text, place) : text;
}

static bool is_made_of(struct text text, const char *more)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        bool allowed = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c != '\0' && strchr(more, c) != NULL);
        if (!allowed) {
            return false;
        }
    }
    return text.length > 0;
}

static bool read_port(struct text text, uint16_t *port)
{
    unsigned number = 0;

    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9' || i == 5) {
            return false;
        }
        number = number * 10 + (unsigned)(text.bytes[i] - '0');
    }
    *port = (uint16_t)number;
    return number >= 1 && number <= 65535;
}

/* ---- refusing ---- */

/* Whatever a password may be part of is left out, however wrong the rest is. */
static void mask(struct text url, char out[SHOWN_BYTES])
{
    const char *scheme_end = memmem(url.bytes, url.length, "://", 3);
    struct text rest = scheme_end != NULL ? from(url, scheme_end + 3) : url;
    const char *at = find_last(rest, '@');
    const char *colon = find(rest, ':');
    struct text head = url;
    struct text tail = {0};
    struct text path;
    uint16_t port;

    if (at != NULL) {
        bool user_first = scheme_end != NULL && colon != NULL && colon < at;
        head = before(url, user_first ? colon + 1 : rest.bytes);
        tail = from(rest, at);
    } else if (colon != NULL && rest.bytes[0] != '[' &&
               !read_port(cut(from(rest, colon + 1), '/', &path), &port)) {
        head = before(url, colon + 1);
    }
    snprintf(out, SHOWN_BYTES, "%.*s%s%.*s", (int)head.length, head.bytes,
             head.length < url.length ? "***" : "", (int)tail.length, tail.length > 0 ? tail.bytes : "");
    text_make_printable(out);
}

static int refuse(struct error *error, struct text url, const char *what)
{
    char shown[SHOWN_BYTES];

    mask(url, shown);
    error_set(error, ERROR_CONFIG, "AMQP_URL is \"%s\"", shown);
    error_because(error, what);
    error_because(
        error, "amqp://user:password@host:port/vhost is allowed, or amqps://, several separated by commas");
    return ERROR_CONFIG;
}

/* ---- reading ---- */

static int hexadecimal(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *place = c != '\0' ? strchr(digits, c) : NULL;
    return place != NULL ? (int)(place - digits) % 16 : -1;
}

/* A C string without escapes, for the caller to free; NULL if it has a wrong escape or a NUL, or is too long. */
static char *decode(struct text text)
{
    char *out = memory_new(text.length + 1);
    size_t length = 0;
    bool right = true;

    for (size_t i = 0; right && i < text.length; i++) {
        char c = text.bytes[i];
        if (c == '%') {
            int high = i + 2 < text.length ? hexadecimal(text.bytes[i + 1]) : -1;
            int low = i + 2 < text.length ? hexadecimal(text.bytes[i + 2]) : -1;
            right = high >= 0 && low >= 0;
            c = (char)(high * 16 + low);
            i += 2;
        }
        right = right && c != '\0';
        out[length++] = c;
    }
    if (!right || length > NAME_MAX_BYTES) {
        free(out);
        return NULL;
    }
    out[length] = '\0';
    return out;
}

/* NULL, or what is wrong with it; as are the next two. */
static const char *read_place(struct amqp_url *url, struct text place)
{
    struct text port = {0};
    struct text host;
    const char *end = find(place, ']');
    bool brackets = place.length > 0 && place.bytes[0] == '[';

    if (brackets) {
        if (end == NULL || (end + 1 < place.bytes + place.length && end[1] != ':')) {
            return N_("an IPv6 address stands in [ ]");
        }
        host = before(from(place, place.bytes + 1), end);
        port = from(place, end + 1);
        port = port.length > 0 ? from(port, port.bytes + 1) : (struct text){0};
    } else {
        host = cut(place, ':', &port);
    }
    if (!is_made_of(host, brackets ? ":.-_%" : ".-_") || host.length > NAME_MAX_BYTES) {
        return N_("the host is no name and no address");
    }
    if (port.bytes != NULL && !read_port(port, &url->port)) {
        return /* xgettext:no-c-format */ N_(
            "the port is not a number from 1 to 65535 (in a user name or a password, : is written %3A, / "
            "%2F, @ %40, a comma %2C)");
    }
    url->host = decode(host);
    snprintf(url->broker, sizeof url->broker, "%s%.*s%s:%u", brackets ? "[" : "", (int)host.length,
             host.bytes, brackets ? "]" : "", (unsigned)url->port);
    return url->host == NULL ? N_("the host has a wrong escape") : NULL;
}

static const char *read_user(struct amqp_url *url, struct text text)
{
    struct text password;
    struct text user = cut(text, ':', &password);

    url->user = decode(user);
    url->password = decode(password);
    return url->user == NULL || url->password == NULL
               ? /* xgettext:no-c-format */ N_("the user name or the password has a wrong escape, or is too "
                                               "long (% itself is written %25)")
               : NULL;
}

static const char *read_url(struct amqp_url *url, struct text text)
{
    struct text path;
    size_t scheme = strlen("amqp://");

    url->tls = text.length >= scheme + 1 && memcmp(text.bytes, "amqps://", scheme + 1) == 0;
    if (!url->tls && (text.length < scheme || memcmp(text.bytes, "amqp://", scheme) != 0)) {
        return text.length == 0 ? N_("an address is empty")
                                : N_("it does not start with amqp:// or amqps://");
    }
    url->port = url->tls ? 5671 : 5672;
    struct text rest = from(text, text.bytes + scheme + (url->tls ? 1 : 0));
    if (find(rest, '?') != NULL || find(rest, '#') != NULL) {
        return N_("settings behind ? are not read (AMQP_HEARTBEAT and others are variables of their own)");
    }
    struct text place = cut(rest, '/', &path);
    const char *at = find_last(place, '@');
    const char *wrong = read_user(url, at != NULL ? before(place, at) : text_of("guest:guest"));
    if (wrong == NULL) {
        wrong = read_place(url, at != NULL ? from(place, at + 1) : place);
    }
    if (wrong == NULL) {
        url->vhost = find(path, '/') != NULL ? NULL : decode(path.length > 0 ? path : text_of("/"));
        wrong =
            url->vhost == NULL
                ? /* xgettext:no-c-format */ N_("the virtual host is wrong (a / in its name is written %2F)")
                : NULL;
    }
    return wrong;
}

int amqp_url_list_read(struct amqp_url_list *list, const char *text, struct error *error)
{
    struct text rest = text_of(text);
    size_t capacity = 0;

    *list = (struct amqp_url_list){0};
    do {
        struct text url = text_trim(cut(rest, ',', &rest));
        list->urls = memory_grow(list->urls, &capacity, list->count + 1, sizeof *list->urls);
        list->urls[list->count] = (struct amqp_url){0};
        const char *wrong = read_url(&list->urls[list->count++], url);
        if (wrong != NULL) {
            amqp_url_list_free(list);
            return refuse(error, url, wrong);
        }
    } while (rest.bytes != NULL);
    return 0;
}

void amqp_url_list_free(struct amqp_url_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->urls[i].user);
        free(list->urls[i].password);
        free(list->urls[i].host);
        free(list->urls[i].vhost);
    }
    free(list->urls);
    *list = (struct amqp_url_list){0};
}
