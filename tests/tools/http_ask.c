/* Calls a server, for the tests of common/net/http_client:
 *
 *     http_ask TARGET [CONNECTIONS [TIMEOUT_MS]]
 *
 * Reads lines "METHOD PATH [BODY]" and makes all these calls at once; after a line "wait" it first lets those end that are
 * under way, and after "sleep MS" it lets so much time pass. Prints one JSON object for each call as it ends. */
#include "common/container_of.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/net/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LENGTH 4096

struct ask {
    struct http_call call;
    unsigned number;
};

static uv_loop_t *loop;
static struct http_client client;
static unsigned asked, open_count;
static bool in_call;

static void on_done(struct http_call *call, const struct http_response *response)
{
    struct ask *ask = container_of(call, struct ask, call);
    struct buffer out = {0};
    struct text body = response->body;

    if (body.length > 200) {
        body.length = 200;
    }
    buffer_add_format(
        &out, "{\"call\":%u,\"status\":%d,\"length\":%zu,\"retry_after\":%lld,\"during\":%s,\"location\":",
        ask->number, response->status, response->body.length, (long long)response->retry_after_s,
        in_call ? "true" : "false");
    json_write_string(&out, response->location);
    buffer_add_string(&out, ",\"body\":");
    json_write_string(&out, body);
    buffer_add_string(&out, "}\n");
    fwrite(out.bytes, 1, out.length, stdout);
    fflush(stdout);
    buffer_free(&out);
    http_call_free(call);
    free(ask);
    open_count--;
}

static void start(char *line, uint64_t timeout_ms)
{
    struct ask *ask = memory_new_zeroed(1, sizeof *ask);
    char *rest = NULL;
    const char *method = strtok_r(line, " ", &rest);
    const char *path = strtok_r(NULL, " ", &rest);

    ask->number = ++asked;
    ask->call.on_done = on_done;
    open_count++;
    in_call = true;
    http_client_call(&client, &ask->call, method, path != NULL ? path : "/",
                     *rest != '\0' ? text_of(rest) : (struct text){0}, timeout_ms);
    in_call = false;
}

static void on_slept(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
    uv_stop(loop);
}

static void sleep_for(unsigned long ms)
{
    uv_timer_t timer;

    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_slept, ms, 0);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_run(loop, UV_RUN_NOWAIT); /* its close callback */
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_LENGTH];
    struct error error;
    uint64_t timeout_ms = argc > 3 ? strtoul(argv[3], NULL, 10) : 10000;

    loop = uv_default_loop();
    if (argc < 2 ||
        http_client_init(&client, loop, argv[1], argc > 2 ? strtoul(argv[2], NULL, 10) : 0, &error) != 0) {
        fprintf(stderr, "http_ask: %s\n", argc < 2 ? "whom?" : error.text);
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "sleep ", 6) == 0) {
            sleep_for(strtoul(line + 6, NULL, 10));
        } else if (strcmp(line, "wait") == 0) {
            while (open_count > 0) {
                uv_run(loop, UV_RUN_ONCE);
            }
        } else {
            start(line, timeout_ms);
        }
    }
    while (open_count > 0) {
        uv_run(loop, UV_RUN_ONCE);
    }
    http_client_close(&client);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    return 0;
}
