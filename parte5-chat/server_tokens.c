/* Whom a question speaks for, where there are passwords: it brings the token that a login was answered with, and speaks for
 * the user of that token alone. Who does not say for whom speaks for him, too. */
#include "parte5-chat/server.h"

#include "common/clock.h"

struct text server_new_token(struct server *server, struct text user)
{
    struct server_accounts *accounts = &server->accounts;
    struct error error;

    if (!accounts->on) {
        return (struct text){0};
    }
    if (token_make(&accounts->key, user, clock_wall_us() / 1000000, accounts->token_s, &accounts->token,
                   &error) != 0) {
        log_say(&server->process.log, LOG_ERROR, "discard", "%s", error.text);
        return (struct text){0};
    }
    return text_of(accounts->token.text);
}

/* The name by which a question speaks. */
static struct text *speaker_of(struct chat_message *heard)
{
    return heard->service == SERVICE_MESSAGE ? &heard->source : &heard->user;
}

bool server_check_token(struct server *server, const struct text *frames, size_t count)
{
    struct server_accounts *accounts = &server->accounts;
    struct text *speaker = speaker_of(&server->heard);

    if (!token_check(&accounts->key, server->heard.token, clock_wall_us() / 1000000, accounts->speaker)) {
        server_refuse(server, frames, count, CHAT_LOGIN_AGAIN);
        return false;
    }
    if (speaker->length > 0 && !text_equal(*speaker, text_of(accounts->speaker))) {
        server_refuse(server, frames, count, "the token is another user's");
        return false;
    }
    *speaker = text_of(accounts->speaker);
    return true;
}
