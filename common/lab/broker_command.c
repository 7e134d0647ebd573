#include "common/lab/broker_command.h"

#include "common/container_of.h"
#include "common/lab/broker_files.h"
#include "common/term/progress.h"
#include "common/text.h"
#include "common/words.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 200 /* a command is shorter */
#define DRAW_MS   200

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNAL_COUNT (sizeof stop_signals / sizeof *stop_signals)

struct session {
    uv_loop_t loop;
    struct broker broker;
    uv_signal_t signals[SIGNAL_COUNT];
    uv_timer_t draw;
    struct progress progress;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
    } input;
    bool reads; /* standard input is one to read from */
    char room[LINE_SIZE], line[LINE_SIZE];
    size_t line_length; /* LINE_SIZE: longer than any command */
    struct error error; /* the first thing that went wrong */
};

/* ---- stopping ---- */

static void stop(struct session *session)
{
    if (!session->broker.stopping) {
        progress_clear(&session->progress);
        uv_timer_stop(&session->draw);
        broker_stop(&session->broker);
    }
}

static void close_handles(struct session *session)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&session->signals[i], NULL);
    }
    uv_close((uv_handle_t *)&session->draw, NULL);
    if (session->reads) {
        uv_close(&session->input.handle, NULL);
    }
}

static void on_stopped(struct broker *broker)
{
    close_handles(container_of(broker, struct session, broker));
}

static void on_failed(struct broker *broker, const struct error *error)
{
    struct session *session = container_of(broker, struct session, broker);

    session->error = *error;
    progress_clear(&session->progress);
    broker_print_log(broker, stderr);
    stop(session);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    stop(handle->data);
}

/* ---- commands ---- */

static void say(const char *word, unsigned number)
{
    printf("%s %u\n", word, number);
    fflush(stdout);
}

static void say_error(const struct error *error)
{
    printf("error %s\n", error->words);
    fflush(stdout);
}

/* Answered later: "killed" and "started" are said when they are true. */
static int obey_now(struct broker *broker, const char *verb, unsigned number, struct error *error)
{
    int code = 0;

    if (strcmp(verb, "kill") == 0) {
        return broker_kill(broker, number, error);
    }
    if (strcmp(verb, "start") == 0) {
        return broker_restart(broker, number, error);
    }
    if (strcmp(verb, "pause") == 0) {
        code = broker_pause(broker, number, error);
    } else if (strcmp(verb, "resume") == 0) {
        code = broker_resume(broker, number, error);
    } else {
        return error_set(error, ERROR_COMMAND,
                         "\"%.20s\" is not known: kill, start, pause, resume and folder are", verb);
    }
    if (code == 0) {
        say(verb[0] == 'p' ? "paused" : "resumed", number);
    }
    return code;
}

static void obey(struct session *session, char *line)
{
    struct error error;
    char verb[LINE_SIZE] = "";
    char digits[4] = "1";
    char behind;
    int words = sscanf(line, "%199s %3[0-9] %c", verb, digits, &behind);
    bool more = words > 2 || (words == 1 && sscanf(line, "%*s %c", &behind) == 1);
    unsigned number = (unsigned)strtoul(digits, NULL, 10);

    if (words <= 0) {
        return;
    }
    if (strcmp(verb, "folder") == 0) {
        printf("folder %s\n", session->broker.scratch.path);
        fflush(stdout);
        return;
    }
    text_make_printable(verb);
    if (more) {
        error_set(&error, ERROR_COMMAND, "\"%.20s\" is followed by one number at most", verb);
    } else if (!session->broker.ready) {
        error_set(&error, ERROR_COMMAND, "RabbitMQ is not ready yet");
    } else if (obey_now(&session->broker, verb, number, &error) == 0) {
        return;
    }
    say_error(&error);
}

static void take(struct session *session, char c)
{
    if (c != '\n') {
        if (session->line_length < LINE_SIZE - 1) {
            session->line[session->line_length++] = c;
        }
        return;
    }
    session->line[session->line_length] = '\0';
    session->line_length = 0;
    obey(session, session->line);
}

static void make_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct session *session = handle->data;

    (void)suggested;
    *room = uv_buf_init(session->room, sizeof session->room);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    struct session *session = stream->data;

    for (ssize_t i = 0; i < length; i++) {
        take(session, bytes->base[i]);
    }
    if (length < 0) {
        stop(session);
    }
}

/* ---- starting ---- */

static void on_draw(uv_timer_t *timer)
{
    struct session *session = container_of(timer, struct session, draw);

    progress_draw(&session->progress, _("starting RabbitMQ"), broker_up_count(&session->broker),
                  session->broker.count);
}

static void on_ready(struct broker *broker)
{
    struct session *session = container_of(broker, struct session, broker);

    uv_timer_stop(&session->draw);
    progress_clear(&session->progress);
    printf("AMQP_URL=%s\n", broker->url);
    fflush(stdout);
    if (session->progress.shown) {
        fputs(_("RabbitMQ runs until Ctrl-C. Commands: kill [N], start [N], pause [N], resume [N], folder\n"),
              stderr);
    }
}

static void on_up(struct broker *broker, struct broker_node *node)
{
    if (broker->ready) {
        say("started", node->number);
    }
}

static void on_down(struct broker *broker, struct broker_node *node)
{
    (void)broker;
    say("killed", node->number);
}

/* Commands come from a pipe, or from a terminal unless this runs in its background; anything else, such as /dev/null,
 * is at its end from the start and means nothing. */
static void open_input(struct session *session)
{
    uv_handle_type kind = uv_guess_handle(STDIN_FILENO);

    if (kind == UV_NAMED_PIPE) {
        uv_pipe_init(&session->loop, &session->input.pipe, 0);
        session->reads = true;
        if (uv_pipe_open(&session->input.pipe, STDIN_FILENO) != 0) {
            return;
        }
    } else if (kind == UV_TTY && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
        if (uv_tty_init(&session->loop, &session->input.tty, STDIN_FILENO, 1) != 0) {
            return;
        }
        session->reads = true;
    } else {
        return;
    }
    session->input.handle.data = session;
    uv_read_start(&session->input.stream, make_room, on_read);
}

static void open_handles(struct session *session)
{
    signal(SIGPIPE, SIG_IGN); /* who no longer reads our answers will end us in another way */
    uv_loop_init(&session->loop);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&session->loop, &session->signals[i]);
        session->signals[i].data = session;
        uv_signal_start(&session->signals[i], on_signal, stop_signals[i]);
    }
    progress_init(&session->progress);
    uv_timer_init(&session->loop, &session->draw);
    uv_timer_start(&session->draw, on_draw, 0, DRAW_MS);
    open_input(session);
}

int broker_command(unsigned nodes, const char *directory, struct error *error)
{
    struct session session = {.broker = {.on_ready = on_ready,
                                         .on_up = on_up,
                                         .on_down = on_down,
                                         .on_failed = on_failed,
                                         .on_stopped = on_stopped}};
    char beginning[4096];

    if (broker_choose_place(directory, beginning, sizeof beginning, error) != 0) {
        return error->code;
    }
    open_handles(&session);
    if (broker_start(&session.broker, &session.loop, beginning, nodes, &session.error) != 0) {
        close_handles(&session);
    }
    uv_run(&session.loop, UV_RUN_DEFAULT);
    progress_clear(&session.progress);
    uv_loop_close(&session.loop);
    *error = session.error;
    return error->code;
}
