/* What is typed, as a question. */
#include "parte5-chat/client_parts.h"

#include "common/words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void help(struct client *client)
{
    prompt_answer(
        &client->prompt, "%s",
        _("login NAME              whom you are; the password is asked for, where there are any\n"
          "register NAME           makes an account with a password\n"
          "users, channels         who and what there is\n"
          "create CHANNEL          makes a channel\n"
          "join CHANNEL, leave …   hears it, or no more\n"
          "pub CHANNEL TEXT        says something there\n"
          "msg USER TEXT           says something to one alone\n"
          "history CHANNEL         what was said there last\n"
          "history                 what was said to you, and by you to others\n"
          "time                    the servers' clock, in milliseconds\n"
          "sync_time               sets the clock by which your messages are dated by the servers'\n"
          "quit\n"));
}

enum needs { NOTHING, NAME, NAME_AND_TEXT, NAME_AND_PASSWORD };

struct verb {
    const char *name;
    enum chat_service service;
    enum needs needs;
    bool by_user; /* after the login only */
};

static const struct verb verbs[] = {{"login", SERVICE_LOGIN, NAME_AND_PASSWORD, false},
                                    {"register", SERVICE_REGISTER, NAME_AND_PASSWORD, false},
                                    {"users", SERVICE_USERS, NOTHING, false},
                                    {"channels", SERVICE_CHANNELS, NOTHING, false},
                                    {"create", SERVICE_CHANNEL, NAME, false},
                                    {"join", SERVICE_SUBSCRIBE, NAME, true},
                                    {"leave", SERVICE_LEAVE, NAME, true},
                                    {"pub", SERVICE_PUBLISH, NAME_AND_TEXT, true},
                                    {"msg", SERVICE_MESSAGE, NAME_AND_TEXT, true},
                                    {"history", SERVICE_HISTORY, NOTHING, false},
                                    {"time", SERVICE_TIME, NOTHING, false},
                                    {"sync_time", SERVICE_TIME, NOTHING, false}};

/* ---- words ---- */

/* Takes the next word off `rest`. */
static struct text next_word(struct text *rest)
{
    struct text trimmed = text_trim(*rest);
    size_t length = 0;

    while (length < trimmed.length && strchr(" \t", trimmed.bytes[length]) == NULL) {
        length++;
    }
    *rest = text_trim((struct text){trimmed.bytes + length, trimmed.length - length});
    return (struct text){trimmed.bytes, length};
}

static bool is_word(struct text word, const char *name)
{
    return word.length == strlen(name) && strncasecmp(word.bytes, name, word.length) == 0;
}

static const struct verb *find_verb(struct text word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (is_word(word, verbs[i].name)) {
            return &verbs[i];
        }
    }
    return NULL;
}

bool client_is_entry(struct text line)
{
    const struct verb *verb = find_verb(next_word(&line));

    return verb != NULL && verb->needs == NAME_AND_PASSWORD;
}

/* ---- questions ---- */

/* NULL: it is one. Else what is wrong. */
static const char *check_line(const struct client *client, const struct verb *verb, struct text name,
                              struct text rest)
{
    bool on_terminal = client->prompt.source == PROMPT_TERMINAL;
    bool own_history = verb->service == SERVICE_HISTORY && name.length == 0;
    bool needs_rest = verb->needs == NAME_AND_TEXT || (verb->service == SERVICE_REGISTER && !on_terminal);

    if ((verb->needs != NOTHING && name.length == 0) || (needs_rest && rest.length == 0)) {
        return _("something is missing: help shows the commands");
    }
    if (verb->needs == NAME_AND_PASSWORD && on_terminal && rest.length > 0) {
        return _("the name alone, please: the password is asked for, and not shown");
    }
    if ((verb->by_user || own_history) && client->user[0] == '\0') {
        return _("login first");
    }
    if (name.length > NAME_MAX_LENGTH || !text_is_utf8(name) || !text_is_utf8(rest)) {
        return _("no such name: 1 to 64 bytes of UTF-8 are allowed");
    }
    return NULL;
}

/* The question that a sound line is; its texts stay the line's. */
static struct chat_message question_of(const struct client *client, const struct verb *verb, struct text name,
                                       struct text rest)
{
    struct chat_message question = {.service = verb->service, .user = text_of(client->user)};

    if (verb->needs == NAME_AND_PASSWORD) {
        question.user = name;
        question.password = rest;
    } else if (verb->service == SERVICE_MESSAGE) {
        question.source = text_of(client->user);
        question.receiver = name;
    } else if (verb->needs != NOTHING || name.length > 0) {
        question.channel = name;
    }
    question.message = verb->needs == NAME_AND_TEXT ? rest : (struct text){0};
    return question;
}

void client_ask(struct client *client, struct chat_message *question)
{
    bool enters = question->service == SERVICE_LOGIN || question->service == SERVICE_REGISTER;
    struct text about = enters ? question->user : question->channel;
    struct error error;

    if (about.bytes != client->asked) {
        snprintf(client->asked, sizeof client->asked, "%.*s", (int)about.length,
                 about.bytes != NULL ? about.bytes : "");
    }
    if (session_ask(&client->session, question, &error) != 0) {
        client_refuse_line(client, error.words);
    }
}

static void ask(struct client *client, const struct verb *verb, struct text rest)
{
    bool two = verb->needs == NAME_AND_TEXT || verb->needs == NAME_AND_PASSWORD;
    struct text name = two ? next_word(&rest) : rest;
    const char *wrong = check_line(client, verb, name, rest);
    struct chat_message question;

    if (wrong != NULL) {
        client_refuse_line(client, wrong);
        return;
    }
    question = question_of(client, verb, name, rest);
    if (verb->service == SERVICE_REGISTER && rest.length == 0) {
        snprintf(client->asked, sizeof client->asked, "%.*s", (int)name.length, name.bytes);
        client_want_password(client, SERVICE_REGISTER);
        return;
    }
    client->sets_clock = strcmp(verb->name, "sync_time") == 0;
    client_ask(client, &question);
}

void client_obey(struct client *client, struct text line)
{
    struct text rest = line;
    struct text word = next_word(&rest);
    const struct verb *verb = find_verb(word);

    if (word.length == 0) {
        return;
    }
    if (is_word(word, "help")) {
        help(client);
    } else if (is_word(word, "quit") || is_word(word, "exit")) {
        process_leave(&client->process);
    } else if (verb == NULL) {
        client_refuse_line(client, _("no such command: help shows those that there are"));
    } else {
        ask(client, verb, rest);
    }
}
