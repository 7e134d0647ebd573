/* One ZeroMQ socket that does what it is told, for the tests of common/net/zmq_socket:
 *
 *     zmq_probe TYPE bind|connect ENDPOINT [NAME=NUMBER]...
 *
 * TYPE is router, dealer, …; the numbers are those of struct zmq_options (frame_max, high_water, waiting_max, linger_ms,
 * heartbeat_ms), and echo=1 sends every message back. Prints {"port":N}, then one JSON object for each message, its
 * frames as text or, if they are long, as their length. Reads lines:
 *
 *     send FRAME FRAME…       "-" is an empty frame; answers {"sent":true} or {"sent":false,"error":"full"}
 *     flood COUNT SIZE [T]    so many messages of so many bytes, numbered, behind the topic T; {"flooded":N}: taken
 *     subscribe TOPIC, unsubscribe TOPIC, connect ENDPOINT, disconnect ENDPOINT, pause, resume
 *     quiet                   prints no messages from now on
 *     counters                {"received":…,"sent":…,…}
 *
 * The end of its input closes the socket. */
#include "common/container_of.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/net/zmq_socket.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 200 /* bytes of a frame */

static uv_loop_t loop;
static struct zmq_hub hub;
static struct zmq_socket probe;
static uv_pipe_t input;
static struct buffer line;
static bool echo, quiet;

/* ---- messages ---- */

static void print_message(const struct text *frames, size_t count)
{
    struct buffer out = {0};

    buffer_add_string(&out, "{\"frames\":[");
    for (size_t i = 0; i < count; i++) {
        buffer_add_string(&out, i > 0 ? "," : "");
        if (frames[i].length > SHOWN_MAX || !text_is_utf8(frames[i])) {
            buffer_add_int(&out, (int64_t)frames[i].length);
        } else {
            json_write_string(&out, frames[i]);
        }
    }
    buffer_add_string(&out, "]}\n");
    fwrite(out.bytes, 1, out.length, stdout);
    fflush(stdout);
    buffer_free(&out);
}

static void on_message(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    if (!quiet) {
        print_message(frames, count);
    }
    if (echo) {
        (void)zmq_socket_send(socket, frames, count, NULL); /* the counters tell what became of it */
    }
}

static void on_drained(struct zmq_socket *socket)
{
    (void)socket;
    puts("{\"drained\":true}");
    fflush(stdout);
}

static void on_closed(struct zmq_socket *socket)
{
    (void)socket;
    puts("{\"closed\":true}");
    fflush(stdout);
}

/* ---- what it is told ---- */

static void send_words(char *words)
{
    struct text frames[ZMQ_FRAMES_MAX];
    struct error error = {0};
    size_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(words, " ", &rest); word != NULL && count < ZMQ_FRAMES_MAX;
         word = strtok_r(NULL, " ", &rest)) {
        frames[count++] = text_of(strcmp(word, "-") == 0 ? "" : word);
    }
    if (count > 0 && zmq_socket_send(&probe, frames, count, &error) == 0) {
        puts("{\"sent\":true}");
    } else {
        printf("{\"sent\":false,\"error\":\"%s\"}\n", error_name(error.code));
    }
}

static void flood(const char *words)
{
    unsigned count = 0;
    size_t size = 0;
    char topic[64] = "";
    unsigned taken = 0;

    if (sscanf(words, "%u %zu %63s", &count, &size, topic) < 2) {
        return;
    }
    char *bytes = memory_new_zeroed(1, size + 16);
    for (unsigned i = 0; i < count; i++) {
        int length = snprintf(bytes, size + 16, "%u ", i);
        struct text frames[] = {text_of(topic), {bytes, size > (size_t)length ? size : (size_t)length}};
        bool has_topic = topic[0] != '\0';
        taken += zmq_socket_send(&probe, has_topic ? frames : frames + 1, has_topic ? 2 : 1, NULL) == 0;
    }
    free(bytes);
    printf("{\"flooded\":%u}\n", taken);
}

static void print_counters(void)
{
    const struct zmq_counters *counters = &probe.counters;

    printf("{\"received\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"unreachable\":%" PRIu64
           ",\"overflowed\":%" PRIu64 ",\"malformed\":%" PRIu64 ",\"waiting\":%zu}\n",
           counters->received, counters->sent, counters->refused, counters->unreachable, counters->overflowed,
           counters->malformed, probe.waiting_count);
}

static void report(int code, const struct error *error)
{
    if (code != 0) {
        printf("{\"error\":\"%s\",\"text\":\"", error_name(code));
        printf("%s\"}\n", strchr(error->text, '"') == NULL ? error->text : "");
    }
}

static void obey(char *command)
{
    struct error error = {0};
    char *rest = strchr(command, ' ');

    rest = rest != NULL ? rest : command + strlen(command);
    if (*rest != '\0') {
        *rest++ = '\0';
    }
    if (strcmp(command, "send") == 0) {
        send_words(rest);
    } else if (strcmp(command, "flood") == 0) {
        flood(rest);
    } else if (strcmp(command, "subscribe") == 0) {
        report(zmq_socket_subscribe(&probe, text_of(rest), &error), &error);
    } else if (strcmp(command, "unsubscribe") == 0) {
        report(zmq_socket_unsubscribe(&probe, text_of(rest), &error), &error);
    } else if (strcmp(command, "connect") == 0) {
        report(zmq_socket_connect(&probe, rest, &error), &error);
    } else if (strcmp(command, "disconnect") == 0) {
        report(zmq_socket_disconnect(&probe, rest, &error), &error);
    } else if (strcmp(command, "pause") == 0 || strcmp(command, "resume") == 0) {
        zmq_socket_pause(&probe, command[0] == 'p');
    } else if (strcmp(command, "quiet") == 0) {
        quiet = true;
    } else if (strcmp(command, "counters") == 0) {
        print_counters();
    }
    fflush(stdout);
}

/* ---- its input ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    static char bytes[65536];

    (void)handle;
    (void)suggested;
    *room = uv_buf_init(bytes, sizeof bytes);
}

static void on_input(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    for (ssize_t i = 0; i < length; i++) {
        if (bytes->base[i] != '\n') {
            buffer_add_char(&line, bytes->base[i]);
            continue;
        }
        buffer_add_char(&line, '\0');
        obey(line.bytes);
        buffer_clear(&line);
    }
    if (length < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        zmq_socket_close(&probe);
    }
}

/* ---- starting ---- */

static int find_type(const char *name)
{
    static const struct {
        const char *name;
        int type;
    } types[] = {{"router", ZMQ_ROUTER}, {"dealer", ZMQ_DEALER}, {"rep", ZMQ_REP},   {"req", ZMQ_REQ},
                 {"pub", ZMQ_PUB},       {"sub", ZMQ_SUB},       {"xpub", ZMQ_XPUB}, {"xsub", ZMQ_XSUB}};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) {
            return types[i].type;
        }
    }
    return -1;
}

static void set_option(struct zmq_options *options, const char *argument)
{
    const char *value = strchr(argument, '=');
    size_t length = value != NULL ? (size_t)(value - argument) : 0;
    int number = value != NULL ? atoi(value + 1) : 0;
    struct text name = {argument, length};

    if (text_equal(name, text_of("frame_max"))) {
        options->frame_max = (size_t)number;
    } else if (text_equal(name, text_of("high_water"))) {
        options->high_water = number;
    } else if (text_equal(name, text_of("waiting_max"))) {
        options->waiting_max = (size_t)number;
    } else if (text_equal(name, text_of("linger_ms"))) {
        options->linger_ms = number;
    } else if (text_equal(name, text_of("heartbeat_ms"))) {
        options->heartbeat_ms = number;
    } else if (text_equal(name, text_of("echo"))) {
        echo = number != 0;
    }
}

static int open_probe(int argc, char **argv, struct error *error)
{
    struct zmq_options options = {.type = find_type(argv[1])};

    for (int i = 4; i < argc; i++) {
        set_option(&options, argv[i]);
    }
    probe.on_message = on_message;
    probe.on_drained = on_drained;
    probe.on_closed = on_closed;
    int code = zmq_hub_open(&hub, &loop, error);
    if (code == 0) {
        code = zmq_socket_open(&probe, &hub, &options, error);
    }
    if (code != 0) {
        return code;
    }
    return strcmp(argv[2], "bind") == 0 ? zmq_socket_bind(&probe, argv[3], error)
                                        : zmq_socket_connect(&probe, argv[3], error);
}

int main(int argc, char **argv)
{
    struct error error = {0};

    if (argc < 4) {
        fputs("zmq_probe TYPE bind|connect ENDPOINT [NAME=NUMBER]...\n", stderr);
        return EXIT_FAILURE;
    }
    uv_loop_init(&loop);
    if (open_probe(argc, argv, &error) != 0) {
        fprintf(stderr, "%s: %s\n", error_name(error.code), error.text);
        return EXIT_FAILURE;
    }
    printf("{\"port\":%u}\n", zmq_socket_port(&probe));
    fflush(stdout);
    uv_pipe_init(&loop, &input, 0);
    uv_pipe_open(&input, 0);
    uv_read_start((uv_stream_t *)&input, on_alloc, on_input);
    uv_run(&loop, UV_RUN_DEFAULT);
    zmq_hub_close(&hub);
    uv_loop_close(&loop);
    buffer_free(&line);
    return 0;
}
