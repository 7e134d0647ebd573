#include "paxos/client_console.h"

#include "common/container_of.h"
#include "common/net/runtime.h"
#include "common/words.h"
#include "paxos/asker.h"
#include "paxos/client_prompt.h"

struct console {
    struct runtime runtime;
    struct log log; /* the prompt wants one; nothing is written to it */
    struct asker asker;
    struct client_identity identity;
    struct client_prompt prompt;
    bool leaving;
};

static void leave(struct console *console)
{
    if (console->leaving) {
        return;
    }
    console->leaving = true;
    client_prompt_close(&console->prompt);
    asker_close(&console->asker);
    runtime_close(&console->runtime);
}

static void on_signal(struct runtime *runtime, const char *name)
{
    struct console *console = container_of(runtime, struct console, runtime);

    (void)name;
    console->prompt.failed = console->prompt.failed || client_prompt_is_busy(&console->prompt);
    leave(console);
}

static void on_tick(struct runtime *runtime, uint64_t now_ms)
{
    (void)runtime;
    (void)now_ms;
}

static void on_end(struct client_prompt *prompt)
{
    leave(container_of(prompt, struct console, prompt));
}

static int open_all(struct console *console, const struct client_options *options, struct error *error)
{
    const struct log_options log_options = {.node = "client", .level = LOG_ERROR, .screen = -1};
    const struct uuid uuid = uuid_new();
    int code = log_open(&console->log, &log_options, error);

    client_identity_init(&console->identity, "client", &uuid);
    console->runtime.on_signal = on_signal;
    console->runtime.on_tick = on_tick;
    console->prompt.asker = &console->asker;
    console->prompt.identity = &console->identity;
    console->prompt.timeout_ms = options->timeout_ms;
    console->prompt.on_end = on_end;
    if (code == 0) {
        code = runtime_open(&console->runtime, &console->log, error);
    }
    if (code == 0) {
        code =
            asker_open(&console->asker, &console->runtime.loop, options->targets, options->variable, error);
    }
    if (code == 0) {
        code = client_prompt_open(&console->prompt, &console->runtime.loop, &console->log, "paxos", error);
    }
    if (code == 0 && console->prompt.prompt.source == PROMPT_NONE) {
        code = error_set(error, ERROR_COMMAND,
                         "standard input holds no commands (docker exec needs -i for that)");
    }
    return code;
}

int client_console_run(const struct client_options *options)
{
    static struct console console;
    struct error error;

    if (open_all(&console, options, &error) != 0) {
        return client_refuse(error.words);
    }
    bool typed = console.prompt.prompt.source == PROMPT_TERMINAL;
    if (typed) {
        prompt_answer(&console.prompt.prompt, _("%s: type HELP for the commands\n"),
                      asker_leader(&console.asker));
    }
    runtime_run(&console.runtime);
    client_prompt_free(&console.prompt);
    asker_free(&console.asker);
    log_close(&console.log);
    return console.prompt.failed && !typed ? 1 : 0;
}
