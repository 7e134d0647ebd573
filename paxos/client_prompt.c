#include "paxos/client_prompt.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "common/words.h"

#include <stdio.h>

static const char *const help = N_("SET <key> <value>   write it; the value is the rest of the line\n"
                                   "GET <key>           read what was written last\n"
                                   "PRINT               read everything\n"
                                   "HELP                this text\n"
                                   "EXIT                leave (also QUIT)\n");

static void go_on(struct client_prompt *client);

/* ---- showing ---- */

static void end(struct client_prompt *client)
{
    if (!client->closed) {
        client->on_end(client);
    }
}

static void show_output(struct client_prompt *client)
{
    buffer_add_char(&client->output, '\n');
    prompt_answer(&client->prompt, "%.*s", (int)client->output.length, client->output.bytes);
    buffer_free(&client->output); /* it may have been a large snapshot */
    if (ferror(stdout) != 0) {
        client->failed = true; /* nobody reads the answers any more */
        end(client);
    }
}

static void show_error(struct client_prompt *client, const char *sentence)
{
    client->failed = true;
    buffer_add_string(&client->output, "{\"error\":");
    json_write_string(&client->output, text_of(sentence));
    buffer_add_char(&client->output, '}');
    show_output(client);
}

/* ---- one command ---- */

static void on_answer(struct ask *ask, const struct ask_answer *answer)
{
    struct client_prompt *client = container_of(ask, struct client_prompt, ask);
    struct client_result result = {.status = answer->status,
                                   .body = answer->body,
                                   .error = answer->error != NULL ? answer->error->words : NULL,
                                   .proposer = answer->proposer,
                                   .tries = answer->tries,
                                   .latency_us = answer->latency_us};

    client->asking = false;
    if (!client_result_write(&client->output, &result, false, &client->object)) {
        client->failed = true;
    }
    show_output(client);
    if (client->on_answer != NULL) {
        client->on_answer(client, &client->operation, answer);
    }
    go_on(client);
}

static void ask_cluster(struct client_prompt *client, const struct command *command)
{
    struct client_operation *operation = &client->operation;

    *operation = (struct client_operation){.operation = text_of(command->verb == VERB_SET   ? "SET"
                                                                : command->verb == VERB_GET ? "GET"
                                                                                            : "PRINT")};
    buffer_clear(&client->resource);
    buffer_clear(&client->data);
    if (command->verb != VERB_PRINT) {
        json_write_string(&client->resource, command->key);
        operation->resource = buffer_text(&client->resource);
    }
    if (command->verb == VERB_SET) { /* a value that was typed is text */
        json_write_string(&client->data, command->value);
        operation->data = buffer_text(&client->data);
    }
    buffer_clear(&client->request);
    client_operation_write(&client->request, client->identity, operation, clock_wall_us());
    client->asking = true;
    client->ask.on_done = on_answer;
    asker_ask(client->asker, &client->ask, client_operation_path(operation), buffer_text(&client->request),
              client->timeout_ms);
}

static void run_line(struct client_prompt *client, struct text line)
{
    struct command command;
    struct error error;

    if (command_parse(line, &command, &error) != 0) {
        show_error(client, error.words);
        return;
    }
    switch (command.verb) {
    case VERB_NOTHING:
        break;
    case VERB_SET:
    case VERB_GET:
    case VERB_PRINT:
        ask_cluster(client, &command);
        break;
    case VERB_HELP:
        prompt_answer(&client->prompt, "%s", _(help));
        break;
    case VERB_EXIT:
        end(client);
        break;
    }
}

/* ---- one after the other ---- */

/* Carries out the lines that wait, until one has to wait for its answer. */
static void go_on(struct client_prompt *client)
{
    while (!client->asking && !client->closed && !line_queue_is_empty(&client->lines)) {
        struct text line;
        if (line_queue_take(&client->lines, &line)) {
            run_line(client, line);
        } else {
            show_error(client, _("the line is too long"));
        }
    }
    if (client->ended && !client_prompt_is_busy(client)) {
        end(client);
    }
}

static void on_line(struct prompt *prompt, struct text line)
{
    struct client_prompt *client = container_of(prompt, struct client_prompt, prompt);

    line_queue_add(&client->lines, line);
    go_on(client);
}

static void on_refused(struct prompt *prompt, const struct error *error)
{
    struct client_prompt *client = container_of(prompt, struct client_prompt, prompt);

    (void)error;
    line_queue_add_refusal(&client->lines);
    go_on(client);
}

static void on_end(struct prompt *prompt)
{
    struct client_prompt *client = container_of(prompt, struct client_prompt, prompt);

    client->ended = true;
    go_on(client);
}

/* ---- opening and closing ---- */

int client_prompt_open(struct client_prompt *client, uv_loop_t *loop, struct log *log, const char *name,
                       struct error *error)
{
    client->prompt.on_line = on_line;
    client->prompt.on_refused = on_refused;
    client->prompt.on_end = on_end;
    return prompt_open(&client->prompt, loop, log, name, error);
}

bool client_prompt_has_ended(const struct client_prompt *client)
{
    return client->ended;
}

bool client_prompt_is_busy(const struct client_prompt *client)
{
    return client->asking || !line_queue_is_empty(&client->lines);
}

void client_prompt_close(struct client_prompt *client)
{
    client->closed = true;
    prompt_close(&client->prompt);
}

void client_prompt_free(struct client_prompt *client)
{
    prompt_free(&client->prompt);
    line_queue_free(&client->lines);
    ask_free(&client->ask);
    buffer_free(&client->resource);
    buffer_free(&client->data);
    buffer_free(&client->request);
    buffer_free(&client->output);
    json_object_free(&client->object);
}
