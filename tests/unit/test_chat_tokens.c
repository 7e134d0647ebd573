/* parte5-chat/tokens: what lets somebody in, and above all what does not. */
#include "parte5-chat/tokens.h"

#include "common/memory.h"
#include "tests/unit/unit.h"

#include <jwt.h>
#include <sodium.h>
#include <stdlib.h>

#define SECRET  "0123456789abcdef0123456789abcdef"
#define NOW     INT64_C(1763689000)
#define EIGHT_H 28800

static struct token_key key_of(const char *secret)
{
    struct token_key key;

    assert_int_equal(token_key_from_text(&key, text_of(secret), NULL), 0);
    return key;
}

static struct token token_of(const char *user)
{
    struct token_key key = key_of(SECRET);
    struct token token;

    assert_int_equal(token_make(&key, text_of(user), NOW, EIGHT_H, &token, NULL), 0);
    return token;
}

static bool is_good(const char *token, int64_t now_s)
{
    struct token_key key = key_of(SECRET);
    char user[NAME_MAX_LENGTH + 1];

    return token_check(&key, text_of(token), now_s, user);
}

/* A token of any shape, with its right signature. */
static char *signed_token(const char *head, const char *claims, const char *secret)
{
    char part[2][2000];
    char *token = memory_new(5000);
    unsigned char signature[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

    sodium_bin2base64(part[0], sizeof part[0], (const unsigned char *)head, strlen(head), variant);
    sodium_bin2base64(part[1], sizeof part[1], (const unsigned char *)claims, strlen(claims), variant);
    int length = snprintf(token, 5000, "%s.%s", part[0], part[1]);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)token, (unsigned long long)length);
    crypto_auth_hmacsha256_final(&state, signature);
    token[length++] = '.';
    sodium_bin2base64(token + length, 5000 - (size_t)length, signature, sizeof signature, variant);
    return token;
}

static bool is_good_made(const char *head, const char *claims)
{
    char *token = signed_token(head, claims, SECRET);
    bool good = is_good(token, NOW);

    free(token);
    return good;
}

static void test_a_token_says_whose_it_is(void **state)
{
    static const char *const users[] = {"ana", "Jo\xc3\xa3o da Silva", "\"},{", "a", "\xe2\x98\x95"};
    struct token_key key = key_of(SECRET);
    (void)state;

    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        struct token token = token_of(users[i]);
        char user[NAME_MAX_LENGTH + 1] = "";
        assert_true(token_check(&key, text_of(token.text), NOW, user));
        assert_string_equal(user, users[i]);
    }
}

static void test_a_token_ends(void **state)
{
    struct token token = token_of("ana");
    (void)state;

    assert_true(is_good(token.text, NOW + EIGHT_H - 1));
    assert_false(is_good(token.text, NOW + EIGHT_H));
    assert_false(is_good(token.text, INT64_MAX));
}

static void test_a_token_that_is_altered_is_none(void **state)
{
    struct token token = token_of("ana");
    size_t length = strlen(token.text);
    (void)state;

    for (size_t i = 0; i < length; i++) {
        struct token altered = token;
        altered.text[i] = altered.text[i] == 'A' ? 'B' : 'A';
        assert_false(is_good(altered.text, NOW));
        altered = token;
        altered.text[i] = '\0'; /* cut */
        assert_false(is_good(altered.text, NOW));
    }
    token.text[length] = 'A';
    token.text[length + 1] = '\0';
    assert_false(is_good(token.text, NOW));
}

static void test_another_secret_signs_for_others(void **state)
{
    struct token_key other = key_of("another secret, of 32 characters");
    struct token token;
    (void)state;

    assert_int_equal(token_make(&other, text_of("ana"), NOW, EIGHT_H, &token, NULL), 0);
    assert_false(is_good(token.text, NOW));
}

static void test_no_algorithm_but_ours_counts(void **state)
{
    static const char claims[] = "{\"exp\":1763699000,\"user\":\"ana\"}";
    static const char *const heads[] = {"{\"alg\":\"none\"}",
                                        "{\"alg\":\"None\"}",
                                        "{\"alg\":\"hs256\"}",
                                        "{\"alg\":\"HS384\"}",
                                        "{\"alg\":\"HS512\"}",
                                        "{\"alg\":\"RS256\"}",
                                        "{\"alg\":\"ES256\"}",
                                        "{\"alg\":\"XY256\"}",
                                        "{\"alg\":7}",
                                        "{\"alg\":null}",
                                        "{\"alg\":[]}",
                                        "{\"alg\":\"\"}",
                                        "{\"typ\":\"JWT\"}",
                                        "{}",
                                        "[]",
                                        ""};
    (void)state;

    assert_true(
        is_good_made("{\"alg\":\"HS256\"}", claims)); /* the others differ from a good one by this alone */
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char *token = signed_token(heads[i], claims, SECRET);
        assert_false(is_good(token, NOW));
        strrchr(token, '.')[1] = '\0'; /* and as `none` has it, without a signature */
        assert_false(is_good(token, NOW));
        *strrchr(token, '.') = '\0';
        assert_false(is_good(token, NOW));
        free(token);
    }
}

/* A signature by an RSA key, which libjwt makes, too: the secret may not be taken for such a key. */
static void test_a_key_in_place_of_a_secret_checks_nothing(void **state)
{
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
                              "-----END PUBLIC KEY-----\n";
    struct token_key key = key_of(pem);
    char user[NAME_MAX_LENGTH + 1];
    char *token = signed_token("{\"alg\":\"RS256\"}", "{\"exp\":1763699000,\"user\":\"ana\"}", pem);
    (void)state;

    assert_false(token_check(&key, text_of(token), NOW, user));
    free(token);
}

static void test_claims_of_any_kind(void **state)
{
    static const char *const wrong[] = {
        "{\"user\":\"ana\"}",
        "{\"exp\":1763689000,\"user\":\"ana\"}",
        "{\"exp\":-1,\"user\":\"ana\"}",
        "{\"exp\":0,\"user\":\"ana\"}",
        "{\"exp\":\"1763699000\",\"user\":\"ana\"}",
        "{\"exp\":1763699000.5,\"user\":\"ana\"}",
        "{\"exp\":1e300,\"user\":\"ana\"}",
        "{\"exp\":99999999999999999999,\"user\":\"ana\"}",
        "{\"exp\":null,\"user\":\"ana\"}",
        "{\"exp\":true,\"user\":\"ana\"}",
        "{\"exp\":1763699000}",
        "{\"exp\":1763699000,\"user\":\"\"}",
        "{\"exp\":1763699000,\"user\":7}",
        "{\"exp\":1763699000,\"user\":null}",
        "{\"exp\":1763699000,\"user\":[\"ana\"]}",
        "{\"exp\":1763699000,\"user\":{\"ana\":1}}",
        "{\"exp\":1763699000,\"user\":\"a/b\"}",
        "{\"exp\":1763699000,\"user\":\"a\\u0000b\"}",
        "{\"exp\":1763699000,\"user\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
        "{\"exp\":1763699000,\"user\":\"ana\"",
        "[]",
        "7",
        ""};
    (void)state;

    assert_true(is_good_made("{\"alg\":\"HS256\"}", "{\"exp\":1763699000,\"user\":\"ana\"}"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(is_good_made("{\"alg\":\"HS256\"}", wrong[i]));
    }
}

static void test_what_is_no_token_at_all(void **state)
{
    struct token_key key = key_of(SECRET);
    char user[NAME_MAX_LENGTH + 1];
    static const char *const wrong[] = {
        "", ".", "..", "...", "....", "x", "a.b.c", "====.====.====", "\x80.\xff.\xfe"};
    char *huge = memory_new(2 * CHAT_TOKEN_MAX);
    struct token token = token_of("ana");
    (void)state;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(is_good(wrong[i], NOW));
    }
    for (size_t length = CHAT_TOKEN_MAX - 1; length <= 2 * CHAT_TOKEN_MAX; length += CHAT_TOKEN_MAX / 2) {
        memset(huge, 'A', length);
        assert_false(token_check(&key, (struct text){huge, length}, NOW, user));
        memset(huge, '.', length);
        assert_false(token_check(&key, (struct text){huge, length}, NOW, user));
    }
    token.text[3] = '\0'; /* in the middle of what is said to be longer */
    assert_false(token_check(&key, (struct text){token.text, 100}, NOW, user));
    free(huge);
}

UNIT_MAIN(cmocka_unit_test(test_a_token_says_whose_it_is), cmocka_unit_test(test_a_token_ends),
          cmocka_unit_test(test_a_token_that_is_altered_is_none),
          cmocka_unit_test(test_another_secret_signs_for_others),
          cmocka_unit_test(test_no_algorithm_but_ours_counts),
          cmocka_unit_test(test_a_key_in_place_of_a_secret_checks_nothing),
          cmocka_unit_test(test_claims_of_any_kind), cmocka_unit_test(test_what_is_no_token_at_all))
