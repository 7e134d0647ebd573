/* Whatever is shown as a token: none that was not signed with our key is one. And whatever a
 * token says, behind our signature: two lines of the input, its head and its claims. */
#include "parte5-chat/tokens.h"

#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define PART_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct token_key *key, struct text token, bool may_be_good)
{
    char user[NAME_MAX_LENGTH + 1];

    if (token_check(key, token, 1763689000, user)) {
        assert(may_be_good);
        assert(name_check(text_of(user), "user", NULL) == 0);
    }
}

/* Head and claims as they come, and our signature. */
static size_t sign(const struct token_key *key, const uint8_t *data, size_t size, char *token, size_t room)
{
    const uint8_t *cut = memchr(data, '\n', size);
    size_t head = cut != NULL ? (size_t)(cut - data) : 0;
    size_t claims = cut != NULL ? head + 1 : 0;
    unsigned char signature[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

    sodium_bin2base64(token, room, data, head, variant);
    size_t length = strlen(token);
    token[length++] = '.';
    sodium_bin2base64(token + length, room - length, data + claims, size - claims, variant);
    length += strlen(token + length);
    crypto_auth_hmacsha256_init(&state, key->bytes, (size_t)key->length);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)token, length);
    crypto_auth_hmacsha256_final(&state, signature);
    token[length++] = '.';
    sodium_bin2base64(token + length, room - length, signature, sizeof signature, variant);
    return length + strlen(token + length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct token_key key;
    static char token[3 * PART_MAX];

    if (key.length == 0) {
        assert(token_key_from_text(&key, text_of("0123456789abcdef0123456789abcdef"), NULL) == 0);
    }
    check(&key, (struct text){(const char *)data, size}, false);
    if (size <= PART_MAX) {
        check(&key, (struct text){token, sign(&key, data, size, token, sizeof token)}, true);
    }
    return 0;
}
