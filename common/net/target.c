#include "common/net/target.h"

#include "common/text.h"

#include <stdio.h>
#include <string.h>

static int refuse(const char *text, struct error *error)
{
    return error_set(error, ERROR_CONFIG,
                     "the target is \"%.100s\": host:port is allowed, and an IPv6 address in brackets", text);
}

int target_read(struct target *target, const char *text, struct error *error)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    unsigned port = 0;

    if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 5) {
        return refuse(text, error);
    }
    for (const char *digit = colon + 1; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') {
            return refuse(text, error);
        }
        port = port * 10 + (unsigned)(*digit - '0');
    }
    size_t length = (size_t)(colon - text);
    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    } else if (memchr(host, ':', length) != NULL) {
        return refuse(text, error); /* an IPv6 address without brackets */
    }
    bool plain = text_is_utf8((struct text){host, length}) && !text_has_control((struct text){host, length});
    if (port == 0 || port > UINT16_MAX || length == 0 || length >= sizeof target->host || !plain) {
        return refuse(text, error);
    }
    memcpy(target->host, host, length);
    target->host[length] = '\0';
    target->port = (uint16_t)port;
    snprintf(target->authority, sizeof target->authority, "%s", text);
    return 0;
}
