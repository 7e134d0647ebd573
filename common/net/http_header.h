/* Which header is being read: llhttp gives names and values piece by piece. */
#ifndef ORDEM_HTTP_HEADER_H
#define ORDEM_HTTP_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed before each message. */
struct http_header {
    char name[16]; /* what fits of it: no name that matters is longer */
    size_t length; /* also of what does not fit */
    bool in_value;
};

/* A piece of a name. */
void http_header_add_name(struct http_header *header, const char *bytes, size_t length);

/* A piece of a value: true if it is the first. */
bool http_header_begin_value(struct http_header *header);

/* Is it that one? In any letter case. */
bool http_header_is(const struct http_header *header, const char *name);

#endif
