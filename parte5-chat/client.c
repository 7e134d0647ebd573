/* The client: what is typed becomes a question, and its answer a line; what others say appears above what is being typed.
 *
 * Lines are carried out one after the other, also those of a script, which may come faster than answers do. A script
 * ends with status 1 if one of its lines was refused. */
#include "parte5-chat/client.h"

#include "common/config.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "common/words.h"
#include "parte5-chat/client_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_HELD 1000                        /* so many may wait before no more are read; */
#define LINES_MAX  (LINES_HELD + PROMPT_BLOCK) /* so many, at most, are read already then */

void client_refuse_line(struct client *client, const char *why)
{
    client->failed = true;
    prompt_answer(&client->prompt, "%s\n", why);
}

/* ---- lines that wait ---- */

/* A line of a script may hold a password. */
static void forget_line(struct line *line)
{
    explicit_bzero(line->text, strlen(line->text));
    free(line->text);
    free(line);
}

static bool is_busy(const struct client *client)
{
    return client->session.asking || client->wants_password;
}

void client_go_on(struct client *client)
{
    while (client->lines != NULL && !is_busy(client) && !client->process.leaving) {
        struct line *line = client->lines;
        client->lines = line->next;
        client->last = client->lines == NULL ? &client->lines : client->last;
        client->line_count--;
        client_obey(client, text_of(line->text));
        forget_line(line);
    }
    if (client->lines == NULL && !is_busy(client)) {
        if (client->ended) {
            process_leave(&client->process);
        } else {
            prompt_hold(&client->prompt, false);
        }
    }
}

/* What is typed behind a login may be the password already: it is not looked at before it is known whether one is needed. */
static void on_line(struct prompt *prompt, struct text text)
{
    struct client *client = container_of(prompt, struct client, prompt);

    if (client->line_count == LINES_MAX) {
        client_refuse_line(client, _("too many lines wait for their answers"));
        return;
    }
    struct line *line = memory_new(sizeof *line);
    line->next = NULL;
    line->text = memory_copy_text(text.bytes, text.length);
    *client->last = line;
    client->last = &line->next;
    client->line_count++;
    if (client_is_entry(text) || client->line_count >= LINES_HELD) {
        prompt_hold(prompt, true);
    }
    client_go_on(client);
}

static void on_refused(struct prompt *prompt, const struct error *error)
{
    client_refuse_line(container_of(prompt, struct client, prompt), error->words);
}

static void on_end(struct prompt *prompt)
{
    struct client *client = container_of(prompt, struct client, prompt);

    client->ended = true;
    client->wants_password = false; /* nobody will type it */
    client_go_on(client);
}

/* ---- passwords ---- */

void client_want_password(struct client *client, enum chat_service service)
{
    client->wants_password = true;
    client->entry = service;
    prompt_ask_secret(&client->prompt, _("password: "));
}

static void on_secret(struct prompt *prompt, struct text secret)
{
    struct client *client = container_of(prompt, struct client, prompt);
    struct chat_message question = {.service = client->entry,
                                    .user = text_of(client->asked),
                                    .password = secret};

    client->wants_password = false;
    if (secret.length == 0 || !text_is_utf8(secret)) {
        client_refuse_line(client, _("that is no password"));
    } else {
        client_ask(client, &question);
    }
    client_go_on(client);
}

/* ---- living ---- */

static void on_tick(struct process *process, uint64_t now_ms)
{
    session_tick(&container_of(process, struct client, process)->session, now_ms);
}

static void on_leave(struct process *process)
{
    struct client *client = container_of(process, struct client, process);

    prompt_close(&client->prompt);
    session_close(&client->session);
}

static void free_lines(struct client *client)
{
    while (client->lines != NULL) {
        struct line *line = client->lines;
        client->lines = line->next;
        forget_line(line);
    }
}

int client_main(void)
{
    static struct client client = {
        .process = {.role = "client", .quiet = true, .on_tick = on_tick, .on_leave = on_leave},
        .session = {.on_answer = client_on_answer, .on_publication = client_on_publication},
        .prompt = {.on_line = on_line, .on_secret = on_secret, .on_refused = on_refused, .on_end = on_end}};
    struct process *process = &client.process;
    struct error error;

    client.last = &client.lines;
    if (process_open(process, &error) != 0 || session_open(&client.session, process, &error) != 0 ||
        prompt_open(&client.prompt, &process->runtime.loop, &process->log, "chat", &error) != 0) {
        return process_refuse_start(process, &error);
    }
    if (client.prompt.source == PROMPT_NONE) {
        error_set(&error, ERROR_COMMAND, "standard input holds no commands (docker exec needs -i for that)");
        return process_refuse_start(process, &error);
    }
    bool typed = client.prompt.source == PROMPT_TERMINAL;
    if (typed) {
        prompt_answer(&client.prompt, "%s\n", _("chat: type help for the commands"));
    }
    process_run(process);
    prompt_free(&client.prompt);
    session_free(&client.session);
    free_lines(&client);
    return client.failed && !typed ? EXIT_FAILURE : EXIT_SUCCESS;
}
