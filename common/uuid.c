#include "common/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool is_dash(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

struct uuid uuid_from_bytes(const uint8_t bytes[16])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t stamped[16];
    struct uuid uuid;
    size_t at = 0;

    memcpy(stamped, bytes, sizeof stamped);
    stamped[6] = (uint8_t)(0x40 | (stamped[6] & 0x0F)); /* version 4: random */
    stamped[8] = (uint8_t)(0x80 | (stamped[8] & 0x3F)); /* the variant of RFC 9562 */
    for (size_t i = 0; i < sizeof stamped; i++) {
        if (is_dash(at)) {
            uuid.text[at++] = '-';
        }
        uuid.text[at++] = digits[stamped[i] >> 4];
        uuid.text[at++] = digits[stamped[i] & 0x0F];
    }
    uuid.text[at] = '\0';
    return uuid;
}

struct uuid uuid_new(void)
{
    uint8_t bytes[16];

    /* Up to 256 bytes getrandom() neither fails nor falls short once the kernel's pool is ready. */
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        perror("ordem: getrandom");
        exit(71); /* EX_OSERR */
    }
    return uuid_from_bytes(bytes);
}

/* A table: isxdigit() asks the locale, and every message passes here. */
static const bool is_hexadecimal[256] = {
    ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true,
    ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true, ['a'] = true, ['b'] = true,
    ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true, ['A'] = true, ['B'] = true,
    ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true};

bool uuid_is_valid(struct text text)
{
    if (text.length != UUID_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        bool right = is_dash(i) ? text.bytes[i] == '-' : is_hexadecimal[(unsigned char)text.bytes[i]];
        if (!right) {
            return false;
        }
    }
    return true;
}

static uint8_t nibble(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

void uuid_to_bytes(struct text text, uint8_t bytes[16])
{
    size_t at = 0;

    for (size_t i = 0; i < 16; i++) {
        at += is_dash(at);
        bytes[i] = (uint8_t)(nibble(text.bytes[at]) << 4 | nibble(text.bytes[at + 1]));
        at += 2;
    }
}
