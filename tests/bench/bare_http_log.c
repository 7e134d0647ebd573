/* The reference for Paxos's acceptors: a server that appends what it is sent to a file, has it on the disk, and answers.
 *
 *     bare_http_log FILE          prints "ready PORT", and serves until it is killed
 *
 * It knows no ballot and no instance, and reads nothing of what it is sent. What has come in one turn of the loop shares one
 * fdatasync, as at an acceptor. */
#include "bench.h"
#include "common/buffer.h"
#include "common/memory.h"
#include "common/net/http_server.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static struct http_server server;
static int file;
static struct buffer batch; /* what is to be written */

/* Who waits for that. */
struct asker {
    struct http_exchange *exchange;
};

static struct asker *askers;
static size_t asker_count, asker_capacity;

static void on_request(struct http_server *same, struct http_exchange *exchange,
                       const struct http_request *request)
{
    (void)same;
    buffer_add(&batch, request->body.bytes, request->body.length);
    buffer_add_char(&batch, '\n');
    askers = memory_grow(askers, &asker_capacity, asker_count + 1, sizeof *askers);
    askers[asker_count++].exchange = exchange;
}

static void write_batch(void)
{
    size_t written = 0;

    while (written < batch.length) {
        ssize_t now = write(file, batch.bytes + written, batch.length - written);
        if (now < 0) {
            die("write");
        }
        written += (size_t)now;
    }
    if (fdatasync(file) != 0) {
        die("fdatasync");
    }
    buffer_clear(&batch);
}

/* All that could be read was read. */
static void on_turn(uv_check_t *check)
{
    (void)check;
    if (asker_count == 0) {
        return;
    }
    write_batch();
    for (size_t i = 0; i < asker_count; i++) {
        http_reply(askers[i].exchange, HTTP_OK, "application/json", text_of("{}"));
    }
    asker_count = 0;
}

int main(int argc, char **argv)
{
    static struct log log;
    struct log_options options;
    struct error error;
    uv_check_t turn;
    uv_loop_t *loop = uv_default_loop();

    if (argc != 2) {
        fputs("usage: bare_http_log FILE\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) {
        die(argv[1]);
    }
    server.on_request = on_request;
    if (log_options_read(&options, "bare", &error) != 0 || log_open(&log, &options, &error) != 0 ||
        http_server_open(&server, loop, &log, "127.0.0.1", 0, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    uv_check_init(loop, &turn);
    uv_check_start(&turn, on_turn);
    printf("ready %u", (unsigned)server.port);
    tell_now();
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
