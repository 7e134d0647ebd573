#include "common/json_scan.h"

#include <string.h>

struct json_scan json_scan_of(struct text text)
{
    const char *bytes = text.length > 0 ? text.bytes : "";
    return (struct json_scan){.start = bytes, .at = bytes, .end = bytes + text.length};
}

static bool fail(struct json_scan *scan, const char *wrong)
{
    if (scan->wrong == NULL) {
        scan->wrong = wrong;
    }
    return false;
}

static void pass_blanks(struct json_scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')) {
        scan->at++;
    }
}

/* The next character that is no blank; '\0' at the end, which JSON never holds. */
char json_scan_peek(struct json_scan *scan)
{
    pass_blanks(scan);
    return scan->wrong == NULL && scan->at < scan->end ? *scan->at : '\0';
}

/* ---- strings, numbers and words ---- */

static bool pass_hex(struct json_scan *scan, unsigned *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = scan->at < scan->end ? *scan->at : '\0';
        char lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9') {
            *unit = *unit * 16 + (unsigned)(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            *unit = *unit * 16 + (unsigned)(lower - 'a') + 10;
        } else {
            return fail(scan, "four hexadecimal digits must follow \\u");
        }
        scan->at++;
    }
    return true;
}

/* Behind \u: one of a pair of surrogates stands for nothing without the other. */
static bool pass_unit(struct json_scan *scan)
{
    unsigned unit;

    if (!pass_hex(scan, &unit) || (unit >= 0xDC00 && unit <= 0xDFFF)) {
        return fail(scan, "half of a surrogate pair in a \\u escape");
    }
    if (unit < 0xD800 || unit > 0xDBFF) {
        return true;
    }
    if (scan->end - scan->at < 2 || memcmp(scan->at, "\\u", 2) != 0) {
        return fail(scan, "half of a surrogate pair in a \\u escape");
    }
    scan->at += 2;
    return (pass_hex(scan, &unit) && unit >= 0xDC00 && unit <= 0xDFFF) ||
           fail(scan, "half of a surrogate pair in a \\u escape");
}

static bool pass_escape(struct json_scan *scan)
{
    char c = scan->at < scan->end ? *scan->at++ : '\0';

    if (c == 'u') {
        return pass_unit(scan);
    }
    return (c != '\0' && strchr("\"\\/bfnrt", c) != NULL) || fail(scan, "no such escape in a string");
}

/* Its quotes included. */
static bool pass_string(struct json_scan *scan)
{
    scan->at++;
    while (scan->wrong == NULL) {
        scan->at += text_plain_length((struct text){scan->at, (size_t)(scan->end - scan->at)});
        if (scan->at == scan->end) {
            return fail(scan, "a string does not end");
        }
        char c = *scan->at++;
        if (c == '"') {
            return true;
        }
        if (c == '\\') {
            pass_escape(scan);
        } else if ((unsigned char)c < 0x20) {
            fail(scan, "a control character in a string");
        }
    }
    return false;
}

static size_t pass_digits(struct json_scan *scan)
{
    const char *start = scan->at;

    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        scan->at++;
    }
    return (size_t)(scan->at - start);
}

static bool pass_number(struct json_scan *scan)
{
    scan->at += *scan->at == '-';
    const char *whole = scan->at;
    size_t digits = pass_digits(scan);
    bool good = digits == 1 || (digits > 1 && *whole != '0');

    if (good && scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        good = pass_digits(scan) > 0;
    }
    if (good && scan->at < scan->end && (*scan->at | 0x20) == 'e') {
        scan->at++;
        scan->at += scan->at < scan->end && (*scan->at == '+' || *scan->at == '-');
        good = pass_digits(scan) > 0;
    }
    return good || fail(scan, "a number that is none");
}

static bool pass_word(struct json_scan *scan, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0) {
        return fail(scan, "a word that JSON does not know");
    }
    scan->at += length;
    return true;
}

bool json_scan_number(struct json_scan *scan, uint64_t *number)
{
    char c = json_scan_peek(scan);
    const char *start = scan->at;
    size_t digits = pass_digits(scan);
    bool fraction = scan->at < scan->end && (*scan->at == '.' || (*scan->at | 0x20) == 'e');

    if (c == '\0' || digits == 0 || digits > 19 || (digits > 1 && c == '0') || fraction) {
        scan->at = start;
        return false;
    }
    *number = 0;
    for (; start < scan->at; start++) {
        *number = *number * 10 + (uint64_t)(*start - '0');
    }
    scan->first = false;
    return true;
}

/* ---- arrays and objects ---- */

bool json_scan_enter(struct json_scan *scan, char bracket)
{
    if (json_scan_peek(scan) != bracket) {
        return fail(scan, bracket == '{' ? "an object is wanted" : "an array is wanted");
    }
    if (scan->depth == JSON_SCAN_DEPTH_MAX) {
        return fail(scan, "nested too deep");
    }
    scan->at++;
    scan->depth++;
    scan->first = true;
    return true;
}

/* Is there another member or item? Passes the comma, or the bracket that closes. */
static bool goes_on(struct json_scan *scan, char closing)
{
    char c = json_scan_peek(scan);
    bool first = scan->first;

    scan->first = false;
    if (c == closing) {
        scan->at++;
        scan->depth--;
        return false;
    }
    if (first) {
        return c != '\0' || fail(scan, "it ends too early");
    }
    if (c != ',') {
        return fail(scan, closing == '}' ? "a comma or } is wanted" : "a comma or ] is wanted");
    }
    scan->at++;
    return true;
}

bool json_scan_member(struct json_scan *scan, struct text *name)
{
    if (scan->wrong != NULL || !goes_on(scan, '}')) {
        return false;
    }
    if (json_scan_peek(scan) != '"') {
        return fail(scan, "a member's name is wanted");
    }
    const char *start = scan->at + 1;
    if (!pass_string(scan)) {
        return false;
    }
    *name = (struct text){start, (size_t)(scan->at - start) - 1};
    if (json_scan_peek(scan) != ':') {
        return fail(scan, "a colon is wanted");
    }
    scan->at++;
    return true;
}

bool json_scan_item(struct json_scan *scan)
{
    return scan->wrong == NULL && goes_on(scan, ']');
}

static bool skip_object(struct json_scan *scan)
{
    struct text name;

    json_scan_enter(scan, '{');
    while (json_scan_member(scan, &name)) {
        json_scan_skip(scan, NULL);
    }
    return scan->wrong == NULL;
}

static bool skip_array(struct json_scan *scan)
{
    json_scan_enter(scan, '[');
    while (json_scan_item(scan)) {
        json_scan_skip(scan, NULL);
    }
    return scan->wrong == NULL;
}

static bool pass_value(struct json_scan *scan, char c)
{
    switch (c) {
    case '{':
        return skip_object(scan);
    case '[':
        return skip_array(scan);
    case '"':
        return pass_string(scan);
    case 't':
        return pass_word(scan, "true");
    case 'f':
        return pass_word(scan, "false");
    case 'n':
        return pass_word(scan, "null");
    default:
        return (c == '-' || (c >= '0' && c <= '9')) ? pass_number(scan) : fail(scan, "a value is wanted");
    }
}

/* It calls itself, to a bounded depth, through skip_object and skip_array. */
bool json_scan_skip(struct json_scan *scan, struct text *value)
{
    char c = json_scan_peek(scan);
    const char *start = scan->at;
    bool good = pass_value(scan, c);

    scan->first = false;
    if (good && value != NULL) {
        *value = (struct text){start, (size_t)(scan->at - start)};
    }
    return good;
}

void json_scan_pass(struct json_scan *scan, size_t length)
{
    scan->at += length;
    scan->first = false;
}

/* ---- the end ---- */

bool json_scan_end(struct json_scan *scan)
{
    if (scan->wrong == NULL && (scan->depth > 0 || scan->at == scan->start)) {
        fail(scan, "it ends too early");
    }
    pass_blanks(scan);
    if (scan->at < scan->end) {
        fail(scan, "something stands behind it");
    }
    return scan->wrong == NULL;
}

int json_scan_refuse(const struct json_scan *scan, struct error *error)
{
    return error_set(error, ERROR_NOT_JSON, "not JSON as it is wanted: %s, at byte %zu", scan->wrong,
                     (size_t)(scan->at - scan->start));
}
