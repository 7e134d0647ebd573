/* What an answer changes here, and what is shown of it, and of what others say. */
#include "parte5-chat/client_parts.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "common/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- showing ---- */

/* Text of others may hold what a terminal would obey. */
static char *printable(struct text text)
{
    char *copy = memory_copy_text(text.bytes, text.length);

    text_make_printable(copy);
    return copy;
}

static void show_said(struct client *client, struct text where, struct text who, struct text what)
{
    char *shown = printable(what);

    prompt_answer(&client->prompt, "[%.*s] %.*s: %s\n", (int)where.length, where.bytes, (int)who.length,
                  who.bytes, shown);
    free(shown);
}

static void show_names(struct client *client, const struct chat_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        prompt_answer(&client->prompt, "%.*s\n", (int)names->items[i].length, names->items[i].bytes);
    }
}

static void show_history(struct client *client, const struct change_list *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        const struct change *change = messages->items[i];
        show_said(client, change->target, change->user, change->body);
    }
}

/* ---- time ---- */

/* Cristian (1989): the server read its clock somewhere between question and answer; half way is off by at most half of that
 * time. It told whole milliseconds, cut off: another half of one. */
static void set_clock(struct client *client, int64_t told_ms)
{
    int64_t now_us = clock_wall_us();
    int64_t round_trip_us = (int64_t)(clock_monotonic_us() - client->session.asked_us);
    int64_t bound_us = round_trip_us / 2 + 500;

    client->process.ahead_us = told_ms * 1000 + bound_us - now_us;
    prompt_answer(&client->prompt, _("%+.1f ms, give or take %.1f ms, from this clock to the server's\n"),
                  (double)client->process.ahead_us / 1000, (double)bound_us / 1000);
}

static void tell_time(struct client *client, int64_t told_ms)
{
    if (client->sets_clock) {
        set_clock(client, told_ms);
    } else {
        prompt_answer(&client->prompt, "%" PRId64 "\n", told_ms);
    }
}

/* ---- answers ---- */

static void become(struct client *client, struct text user)
{
    if (client->user[0] != '\0') {
        session_unsubscribe(&client->session, text_of(client->user));
    }
    snprintf(client->user, sizeof client->user, "%.*s", (int)user.length, user.bytes);
    (void)session_subscribe(&client->session, user, NULL);
}

/* What an answer changes here. */
static void take_effect(struct client *client, enum chat_service service)
{
    struct text asked = text_of(client->asked);

    if (service == SERVICE_LOGIN) {
        become(client, asked);
    } else if (service == SERVICE_SUBSCRIBE) {
        (void)session_subscribe(&client->session, asked, NULL);
    } else if (service == SERVICE_LEAVE) {
        session_unsubscribe(&client->session, asked);
    }
}

static void show_answer(struct client *client, const struct chat_message *answer)
{
    switch (answer->service) {
    case SERVICE_USERS:
        show_names(client, &answer->users);
        break;
    case SERVICE_CHANNELS:
        show_names(client, &answer->channels);
        break;
    case SERVICE_HISTORY:
        show_history(client, &answer->messages);
        break;
    case SERVICE_TIME:
        tell_time(client, answer->time);
        break;
    default:
        take_effect(client, answer->service);
        prompt_answer(&client->prompt, "OK\n");
        break;
    }
}

/* ---- refusals ---- */

/* The token has ended, or there never was one. */
static void tell_to_log_in(struct client *client)
{
    client_refuse_line(client,
                       client->user[0] == '\0' ? _("login first") : _("the login is over: login again"));
    client->user[0] = '\0';
}

static void show_refusal(struct client *client, const struct chat_message *answer)
{
    struct text why = answer->message.length > 0 ? answer->message : answer->description;
    bool can_type = client->prompt.source == PROMPT_TERMINAL && !client->ended;

    if (text_equal(why, text_of(CHAT_LOGIN_AGAIN))) {
        tell_to_log_in(client);
    } else if (text_equal(why, text_of(CHAT_PASSWORD_NEEDED)) && can_type) {
        client_want_password(client, answer->service);
    } else {
        char *shown = printable(why);
        client->failed = true;
        prompt_answer(&client->prompt, _("refused: %s\n"), shown);
        free(shown);
    }
}

void client_on_answer(struct session *session, const struct chat_message *answer)
{
    struct client *client = container_of(session, struct client, session);

    if (answer == NULL) {
        client_refuse_line(client, _("no answer: try again later"));
    } else if (answer->status == STATUS_ERROR) {
        show_refusal(client, answer);
    } else {
        show_answer(client, answer);
    }
    client_go_on(client);
}

void client_on_publication(struct session *session, const struct chat_message *said)
{
    struct client *client = container_of(session, struct client, session);
    bool private = said->service == SERVICE_PRIVATE_MESSAGE;

    show_said(client, private ? said->receiver : said->channel, private ? said->source : said->user,
              said->message);
}
