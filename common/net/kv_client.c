#include "common/net/kv_client.h"

#include "common/command.h"
#include "common/container_of.h"
#include "common/log.h"
#include "common/net/grpc_client.h"
#include "common/net/kv_client_line.h"
#include "common/net/kv_client_options.h"
#include "common/net/runtime.h"
#include "common/term/line_queue.h"
#include "common/term/prompt.h"
#include "common/words.h"

#include <stdio.h>
#include <string.h>

#define RETRY_MIN_MS 100 /* after a server's UNAVAILABLE; doubled from one to the next */
#define RETRY_MAX_MS 1000

struct kv_client {
    struct kv_client_options options;

    struct runtime runtime;
    struct log log; /* the prompt wants one; nothing is written to it */
    struct prompt prompt;
    struct line_queue lines; /* typed, and not carried out yet */
    struct buffer output;    /* the line being shown */
    struct json_object object;

    /* The command under way. */
    struct grpc_client rpc;
    struct grpc_request call;
    bool calling;
    const char *method;
    struct buffer request;
    uint64_t deadline_ms; /* uv_now */
    bool maybe_done;      /* some server may have seen it */
    struct error trouble; /* what came instead of an answer last */
    uv_timer_t retry;
    uint64_t retry_ms;

    bool ended; /* no more lines will come */
    bool leaving;
    bool failed; /* some command was */
};

/* ---- leaving ---- */

static void leave(struct kv_client *client)
{
    if (client->leaving) {
        return;
    }
    client->leaving = true;
    prompt_close(&client->prompt);
    grpc_client_close(&client->rpc);
    uv_close((uv_handle_t *)&client->retry, NULL);
    runtime_close(&client->runtime);
}

static void on_signal(struct runtime *runtime, const char *name)
{
    struct kv_client *client = container_of(runtime, struct kv_client, runtime);

    (void)name;
    client->failed = client->failed || client->calling || !line_queue_is_empty(&client->lines);
    leave(client);
}

static void on_tick(struct runtime *runtime, uint64_t now_ms)
{
    (void)runtime;
    (void)now_ms;
}

/* ---- showing ---- */

static void show_output(struct kv_client *client)
{
    prompt_answer(&client->prompt, "%.*s", (int)client->output.length, client->output.bytes);
    buffer_free(&client->output); /* it may have been a large snapshot */
    if (ferror(stdout) != 0) {
        client->failed = true; /* nobody reads the replies any more */
        leave(client);
    }
}

static void show_error(struct kv_client *client, const char *message)
{
    client->failed = true;
    kv_client_error(&client->output, message);
    show_output(client);
}

static void show_reply(struct kv_client *client, struct text reply)
{
    if (!kv_client_reply(&client->output, reply, &client->object)) {
        client->failed = true;
    }
    show_output(client);
}

/* ---- one command ---- */

static void send_request(struct kv_client *client);
static void go_on(struct kv_client *client);

static void give_up(struct kv_client *client)
{
    struct error error;

    if (client->maybe_done) {
        error_set(&error, ERROR_NETWORK, "no answer from %s within %g s: it may or may not have been done",
                  client->options.target, (double)client->options.timeout_ms / 1000);
    } else {
        error_set(&error, ERROR_NETWORK, "no answer from %s within %g s: it was not done",
                  client->options.target, (double)client->options.timeout_ms / 1000);
    }
    error_because_of(&error, &client->trouble);
    show_error(client, error.words);
}

static void on_retry(uv_timer_t *timer)
{
    send_request(container_of(timer, struct kv_client, retry));
}

/* What the server said is quoted; this side's own reason is told in the user's language. */
static void tell_trouble(struct kv_client *client, int status, struct text reply)
{
    char sentence[201];

    error_set(&client->trouble, ERROR_NETWORK, "%s", grpc_status_name(status));
    if (client->call.error != NULL) {
        error_because_of(&client->trouble, client->call.error);
    } else {
        snprintf(sentence, sizeof sentence, "%.*s", (int)reply.length, reply.bytes);
        error_because(&client->trouble, sentence);
    }
}

static void on_done(struct grpc_request *request, int status, struct text reply, bool sent)
{
    struct kv_client *client = container_of(request, struct kv_client, call);
    uint64_t now_ms = uv_now(&client->runtime.loop);

    client->maybe_done = client->maybe_done || sent;
    if (client->leaving) {
        return;
    }
    if (status == GRPC_OK) {
        show_reply(client, reply);
    } else {
        tell_trouble(client, status, reply);
        if (status == GRPC_UNAVAILABLE && now_ms + client->retry_ms < client->deadline_ms) {
            uv_timer_start(&client->retry, on_retry, client->retry_ms, 0);
            client->retry_ms = client->retry_ms * 2 < RETRY_MAX_MS ? client->retry_ms * 2 : RETRY_MAX_MS;
            return;
        }
        if (status == GRPC_UNAVAILABLE || status == GRPC_DEADLINE_EXCEEDED) {
            give_up(client);
        } else {
            show_error(client, client->trouble.words);
        }
    }
    client->calling = false;
    go_on(client);
}

static void send_request(struct kv_client *client)
{
    uint64_t now_ms = uv_now(&client->runtime.loop);
    uint64_t left_ms = client->deadline_ms > now_ms ? client->deadline_ms - now_ms : 1;

    client->call.on_done = on_done;
    grpc_client_call(&client->rpc, &client->call, client->method, buffer_text(&client->request), left_ms);
}

static void start_command(struct kv_client *client, const struct command *command)
{
    struct uuid uuid = uuid_new();

    client->calling = true;
    client->method = kv_client_method(command->verb);
    buffer_clear(&client->request);
    kv_client_request(&client->request, command, &uuid, client->options.wait);
    client->maybe_done = false;
    client->trouble = (struct error){0};
    client->retry_ms = RETRY_MIN_MS;
    client->deadline_ms = uv_now(&client->runtime.loop) + client->options.timeout_ms;
    send_request(client);
}

static void run_line(struct kv_client *client, struct text line)
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
        start_command(client, &command);
        break;
    case VERB_HELP:
        prompt_answer(&client->prompt, "%s", command_help());
        break;
    case VERB_EXIT:
        leave(client);
        break;
    }
}

/* ---- one after the other ---- */

/* Carries out the lines that wait, until one has to wait for its reply. */
static void go_on(struct kv_client *client)
{
    while (!client->calling && !client->leaving && !line_queue_is_empty(&client->lines)) {
        struct text line;
        if (line_queue_take(&client->lines, &line)) {
            run_line(client, line);
        } else {
            show_error(client, _("the line is too long"));
        }
    }
    if (client->ended && !client->calling && line_queue_is_empty(&client->lines)) {
        leave(client);
    }
}

static void on_line(struct prompt *prompt, struct text line)
{
    struct kv_client *client = container_of(prompt, struct kv_client, prompt);

    line_queue_add(&client->lines, line);
    go_on(client);
}

static void on_refused(struct prompt *prompt, const struct error *error)
{
    struct kv_client *client = container_of(prompt, struct kv_client, prompt);

    (void)error;
    line_queue_add_refusal(&client->lines);
    go_on(client);
}

static void on_end(struct prompt *prompt)
{
    struct kv_client *client = container_of(prompt, struct kv_client, prompt);

    client->ended = true;
    go_on(client);
}

/* ---- starting ---- */

static int open_all(struct kv_client *client, struct error *error)
{
    const struct log_options log_options = {.node = "client", .level = LOG_ERROR, .screen = -1};
    int code = log_open(&client->log, &log_options, error);

    client->runtime.on_signal = on_signal;
    client->runtime.on_tick = on_tick;
    client->prompt.on_line = on_line;
    client->prompt.on_refused = on_refused;
    client->prompt.on_end = on_end;
    if (code == 0) {
        code = runtime_open(&client->runtime, &client->log, error);
    }
    if (code == 0) {
        code = grpc_client_init(&client->rpc, &client->runtime.loop, client->options.target, error);
    }
    if (code == 0) {
        uv_timer_init(&client->runtime.loop, &client->retry);
        code =
            prompt_open(&client->prompt, &client->runtime.loop, &client->log, client->options.target, error);
    }
    if (code == 0 && client->prompt.source == PROMPT_NONE) {
        code = error_set(error, ERROR_COMMAND,
                         "standard input holds no commands (docker exec needs -i for that)");
    }
    return code;
}

int kv_client_main(const char *program, int argc, char **argv)
{
    static struct kv_client client;
    struct error error;

    client.options.program = program;
    int status = kv_client_options_read(&client.options, argc, argv);
    if (status >= 0) {
        return status;
    }
    if (open_all(&client, &error) != 0) {
        return kv_client_refuse(program, error.words);
    }
    if (client.prompt.source == PROMPT_TERMINAL) {
        prompt_answer(&client.prompt, _("%s: type HELP for the commands\n"), client.options.target);
    }
    runtime_run(&client.runtime);
    bool typed = client.prompt.source == PROMPT_TERMINAL;
    prompt_free(&client.prompt);
    json_object_free(&client.object);
    line_queue_free(&client.lines);
    buffer_free(&client.output);
    buffer_free(&client.request);
    log_close(&client.log);
    return client.failed && !typed ? 1 : 0;
}
