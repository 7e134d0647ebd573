#include "common/net/http_header.h"

#include <string.h>
#include <strings.h>

void http_header_add_name(struct http_header *header, const char *bytes, size_t length)
{
    if (header->in_value) { /* the next header begins */
        header->in_value = false;
        header->length = 0;
    }
    for (size_t i = 0; i < length && header->length + i < sizeof header->name; i++) {
        header->name[header->length + i] = bytes[i];
    }
    header->length += length;
}

bool http_header_begin_value(struct http_header *header)
{
    bool is_first = !header->in_value;

    header->in_value = true;
    return is_first;
}

bool http_header_is(const struct http_header *header, const char *name)
{
    return header->length == strlen(name) && header->length <= sizeof header->name &&
           strncasecmp(header->name, name, header->length) == 0;
}
