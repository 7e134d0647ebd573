/* Many calls at once through one grpc_client, for tests and measurements:
 *
 *   kv_load TARGET METHOD REQUEST CALLS AT_ONCE [TIMEOUT_MS]
 *
 *   kv_load 127.0.0.1:50051 /kv.KvService/Get '{"key":"x"}' 100000 100
 *
 * keeps AT_ONCE calls under way until CALLS have ended, and prints one JSON object: how many ended with which status,
 * how many of the failed ones were never sent, the bytes of all replies, the seconds of the whole and of the processor. */
#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/grpc_client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STATUSES   17
#define TIMEOUT_MS 10000

struct load {
    uv_loop_t loop;
    struct grpc_client client;
    const char *method;
    struct text request;
    uint64_t timeout_ms;
    long to_start, to_end;
    long by_status[STATUSES];
    long unsent;
    uint64_t reply_bytes;
};

/* One of those under way. */
struct slot {
    struct grpc_request request;
    struct load *load;
};

static void start(struct slot *slot);

static void on_done(struct grpc_request *request, int status, struct text reply, bool sent)
{
    struct slot *slot = container_of(request, struct slot, request);
    struct load *load = slot->load;

    load->by_status[status >= 0 && status < STATUSES ? status : GRPC_UNKNOWN]++;
    load->unsent += status != GRPC_OK && !sent;
    load->reply_bytes += status == GRPC_OK ? reply.length : 0;
    if (load->to_start > 0) {
        start(slot);
    }
    if (--load->to_end == 0) {
        grpc_client_close(&load->client);
    }
}

static void start(struct slot *slot)
{
    struct load *load = slot->load;

    load->to_start--;
    slot->request.on_done = on_done;
    grpc_client_call(&load->client, &slot->request, load->method, load->request, load->timeout_ms);
}

static void print_result(const struct load *load, double seconds)
{
    printf("{");
    for (int status = 0; status < STATUSES; status++) {
        if (load->by_status[status] > 0) {
            printf("\"%s\":%ld,", grpc_status_name(status), load->by_status[status]);
        }
    }
    printf("\"unsent\":%ld,\"reply_bytes\":%llu,\"seconds\":%.3f,\"cpu_seconds\":%.3f}\n", load->unsent,
           (unsigned long long)load->reply_bytes, seconds, (double)clock() / CLOCKS_PER_SEC);
}

static int usage(void)
{
    fputs("usage: kv_load TARGET METHOD REQUEST CALLS AT_ONCE [TIMEOUT_MS]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static struct load load;
    struct error error;

    if (argc < 6 || argc > 7) {
        return usage();
    }
    long at_once = strtol(argv[5], NULL, 10);
    load.to_start = load.to_end = strtol(argv[4], NULL, 10);
    load.timeout_ms = argc > 6 ? strtoull(argv[6], NULL, 10) : TIMEOUT_MS;
    if (load.to_start < 1 || at_once < 1) {
        return usage();
    }
    load.method = argv[2];
    load.request = text_of(argv[3]);
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&load.loop);
    if (grpc_client_init(&load.client, &load.loop, argv[1], &error) != 0) {
        fprintf(stderr, "kv_load: %s\n", error.text);
        return 2;
    }
    struct slot *slots = memory_new_zeroed((size_t)at_once, sizeof *slots);
    uint64_t began_ns = uv_hrtime();
    for (long i = 0; i < at_once && load.to_start > 0; i++) {
        slots[i].load = &load;
        start(&slots[i]);
    }
    uv_run(&load.loop, UV_RUN_DEFAULT);
    print_result(&load, (double)(uv_hrtime() - began_ns) / 1e9);
    free(slots);
    return uv_loop_close(&load.loop) == 0 ? 0 : 1;
}
