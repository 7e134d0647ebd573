/* What users, channels and servers may be called. A name becomes a topic, a key in a file, a word on a terminal and
 * perhaps a part of a path: so it holds nothing that means something there. */
#ifndef ORDEM_CHAT_NAMES_H
#define ORDEM_CHAT_NAMES_H

#include "common/error.h"
#include "common/text.h"

#define NAME_MAX_LENGTH 64        /* bytes */
#define NAME_OF_SERVERS "servers" /* the topic on which servers announce their coordinator */

/* 1 to NAME_MAX_LENGTH bytes of UTF-8 without control characters, "/" or "\", without space at its ends, and neither
 * "." nor ".." nor the servers' own topic. `what` ("user") stands in the error: ERROR_TOO_LONG, ERROR_NOT_UTF8 or
 * ERROR_FIELD_VALUE. */
int name_check(struct text name, const char *what, struct error *error);

#endif
