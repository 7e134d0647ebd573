#include "common/config.h"

#include "common/buffer.h"
#include "common/uuid.h"
#include "common/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int refuse(struct error *error, const char *name, const char *held, const char *allowed)
{
    error_set(error, ERROR_CONFIG, "%s is \"%.60s\"", name, held);
    error_because(error, allowed);
    return ERROR_CONFIG;
}

const char *config_text(const char *name, const char *standard)
{
    const char *text = getenv(name);
    return text != NULL && text[0] != '\0' ? text : standard;
}

int config_int(const char *name, int64_t low, int64_t high, int64_t standard, int64_t *value,
               struct error *error)
{
    const char *text = config_text(name, NULL);
    char *end;

    if (text == NULL) {
        *value = standard;
        return 0;
    }
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool plain =
        (*text >= '0' && *text <= '9') || *text == '-'; /* strtoll also takes blanks and a plus sign */
    if (!plain || errno != 0 || *end != '\0' || end == text || number < low || number > high) {
        return error_set(error, ERROR_CONFIG,
                         "%s is \"%.60s\": a whole number from %" PRId64 " to %" PRId64 " is allowed", name,
                         text, low, high);
    }
    *value = number;
    return 0;
}

int config_multicast_group(const char *name, const char *standard, const char **value, struct error *error)
{
    struct in_addr address;

    *value = config_text(name, standard);
    if (inet_pton(AF_INET, *value, &address) != 1 || !IN_MULTICAST(ntohl(address.s_addr))) {
        return refuse(error, name, *value, N_("an address from 224.0.0.0 to 239.255.255.255 is allowed"));
    }
    return 0;
}

int config_choice(const char *name, const char *const *choices, int standard, int *value, struct error *error)
{
    const char *text = config_text(name, choices[standard]);

    for (int i = 0; choices[i] != NULL; i++) {
        if (strcasecmp(text, choices[i]) == 0) {
            *value = i;
            return 0;
        }
    }
    struct buffer allowed = {0};
    for (int i = 0; choices[i] != NULL; i++) {
        buffer_add_format(&allowed, "%s%s", i > 0 ? " " : "", choices[i]);
    }
    buffer_add_char(&allowed, '\0');
    int code =
        error_set(error, ERROR_CONFIG, "%s is \"%.60s\": one of %s is allowed", name, text, allowed.bytes);
    buffer_free(&allowed);
    return code;
}

bool config_is_node_id(struct text text)
{
    if (text.length == 0 || text.length > 64) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        bool allowed = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
        if (!allowed) {
            return false;
        }
    }
    return true;
}

int config_node_id(const char *name, char out[65], struct error *error)
{
    const char *text = config_text(name, NULL);

    if (text == NULL) {
        snprintf(out, 65, "node-%.4s", uuid_new().text);
        return 0;
    }
    if (!config_is_node_id(text_of(text))) {
        return refuse(error, name, text,
                      N_("1 to 64 letters, digits, dots, hyphens or underscores are allowed"));
    }
    snprintf(out, 65, "%s", text);
    return 0;
}
