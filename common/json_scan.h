/* JSON of a known shape, read once from left to right, without a copy: for messages between processes of the house, where
 * json.h, which makes every text canonical, would cost more than all the rest. As strict as that one: nothing passes here
 * that RFC 8259 does not allow.
 *
 *     struct json_scan scan = json_scan_of(text);
 *     json_scan_enter(&scan, '{');
 *     while (json_scan_member(&scan, &name)) {
 *         …one of json_scan_number, json_scan_text, json_scan_skip, or another json_scan_enter…
 *     }
 *     if (!json_scan_end(&scan)) …it was not JSON, or not of that shape…
 *
 * Once something is wrong, every further step fails, so that only the end need be asked. */
#ifndef ORDEM_JSON_SCAN_H
#define ORDEM_JSON_SCAN_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

#define JSON_SCAN_DEPTH_MAX 1001 /* levels in one text: as many as json.h takes */

struct json_scan {
    const char *start, *at, *end;
    bool first; /* the next member or item is the first one */
    unsigned depth;
    const char *wrong; /* what was; NULL while nothing is */
};

/* The text must be UTF-8 and stays where it is. */
struct json_scan json_scan_of(struct text text);

/* The first character of the value that comes: '{', '[', '"', a digit or '-', 't', 'f' or 'n'; '\0' if there is none. */
char json_scan_peek(struct json_scan *scan);

/* Goes into an object ('{') or array ('['): false if that is not what comes. */
bool json_scan_enter(struct json_scan *scan, char bracket);

/* The next member of the object, whose value comes now: its name as it is written (one with escapes is like none that is
 * known); the next item of the array. False at the end, which is then behind, and if something is wrong. */
bool json_scan_member(struct json_scan *scan, struct text *name);
bool json_scan_item(struct json_scan *scan);

/* A whole number without sign, fraction or exponent, of at most 19 digits: false if it is anything else, and then it is
 * not read. */
bool json_scan_number(struct json_scan *scan, uint64_t *number);

/* Passes over any value; `value` is its text, quotes and all. */
bool json_scan_skip(struct json_scan *scan, struct text *value);

/* Passes over the value that comes, of which the caller knows that it is one, and how many bytes long. */
void json_scan_pass(struct json_scan *scan, size_t length);

/* Was it one whole value, and nothing behind it? */
bool json_scan_end(struct json_scan *scan);

/* ERROR_NOT_JSON, with what was wrong, and where. */
int json_scan_refuse(const struct json_scan *scan, struct error *error);

#endif
