/* Names for messages: random UUIDs (RFC 9562, version 4). */
#ifndef ORDEM_UUID_H
#define ORDEM_UUID_H

#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

#define UUID_LENGTH 36

struct uuid {
    char text[UUID_LENGTH + 1]; /* "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx", lower case, NUL-terminated */
};

/* From 16 random bytes, whoever drew them. */
struct uuid uuid_from_bytes(const uint8_t bytes[16]);

/* From the kernel's random numbers. */
struct uuid uuid_new(void);

/* Is it the text of a UUID: 8-4-4-4-12 hexadecimal digits, of any version? */
bool uuid_is_valid(struct text text);

/* The 16 bytes of a valid text, in whatever letter case it is written. */
void uuid_to_bytes(struct text text, uint8_t bytes[16]);

#endif
