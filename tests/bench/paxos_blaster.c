/* Clients of a replicated store, each of which asks, waits for the answer, and asks again:
 *
 *     paxos_blaster SYSTEM write|read CLIENTS MILLISECONDS COUNT TARGET...
 *
 * SYSTEM is `etcd` (KV/Put and linearizable KV/Range, all over one gRPC connection to the first target), `etcd-each` (the
 * same, over a connection for each client), `paxos` (POST /propose?wait=decided to the first target, over a connection for
 * each client), `pipelined` (the same, where PIPELINE clients share a connection, somewhat as those of etcd do) or `bare`
 * (writes only: POST to every target, over a connection for each client and target, done when a majority has answered).
 * The same program asks all of them, so that what asking costs stands on both sides of a ratio. Values are 100 bytes long,
 * in KEYS keys.
 *
 * Says "ready" when every key is written; after a line of input and WARM_MS of asking it measures, until MILLISECONDS have
 * passed or COUNT requests are answered, and says "done ANSWERED SECONDS P50 P99", these in microseconds. */
#include "bench.h"
#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/grpc_client.h"
#include "tests/bench/pipeline.h"

#include <signal.h>

#define KEYS         1000
#define KEY_LENGTH   9
#define VALUE_LENGTH 100
#define WARM_MS      300
#define FILLERS      50 /* requests at a time while the keys are written */
#define PIPELINE     32
#define TARGETS_MAX  5
#define PUT          "/etcdserverpb.KV/Put"
#define RANGE        "/etcdserverpb.KV/Range"
#define TIMEOUT_MS   60000
#define REQUEST_MAX  512

struct client;

/* How a system is asked. */
struct asking {
    const char *name;
    void (*open)(char **targets);
    void (*ask)(struct client *client);
};

/* A write of `bare`, at one of the targets; it may be under way when the write is long done. */
struct copy {
    struct pipeline_ask ask;
    struct bare_write *write;
};

struct bare_write {
    struct client *client;
    unsigned answered;
    struct copy copies[TARGETS_MAX];
};

struct client {
    size_t index;
    bool writes;
    unsigned long number; /* of its request */
    uint64_t asked_ns;
    struct pipeline_ask ask;
    struct grpc_request call;
};

enum stage { FILLING, WARMING, MEASURING };

static const struct asking *asking;
static uv_loop_t loop;
static enum stage stage;
static bool reads;
static unsigned long number; /* of the next request */
static int64_t first_timestamp;
static size_t client_count, target_count;
static struct client *clients;
static uint64_t warm_until_ns, start_ns, end_ns;
static unsigned long count_max;
static uint32_t *latencies; /* in microseconds */
static size_t latency_count, latency_capacity;
static size_t filled;

/* ---- asking in a loop ---- */

static void ask_next(struct client *client)
{
    client->number = number++;
    client->writes = stage == FILLING || !reads;
    client->asked_ns = uv_hrtime();
    asking->ask(client);
}

static void note_latency(uint64_t ns)
{
    latencies = memory_grow(latencies, &latency_capacity, latency_count + 1, sizeof *latencies);
    latencies[latency_count++] = ns / 1000 < UINT32_MAX ? (uint32_t)(ns / 1000) : UINT32_MAX;
}

static void on_answered(struct client *client)
{
    uint64_t now_ns = uv_hrtime();

    if (stage == FILLING) {
        filled++;
        if (number < KEYS) {
            ask_next(client);
        } else if (filled == KEYS) {
            uv_stop(&loop);
        }
        return;
    }
    if (stage == MEASURING) {
        note_latency(now_ns - client->asked_ns);
        if (now_ns >= end_ns || latency_count >= count_max) {
            uv_stop(&loop);
            return;
        }
    } else if (now_ns >= warm_until_ns) {
        stage = MEASURING;
        end_ns += now_ns;
        start_ns = now_ns;
    }
    ask_next(client);
}

static void refuse(int status, struct text answer)
{
    fprintf(stderr, "%s answered %d: %.*s\n", asking->name, status, (int)answer.length, answer.bytes);
    exit(1);
}

/* ---- etcd: two messages of protocol buffers, whose fields are all short byte strings ---- */

static struct grpc_client *etcd; /* connections */
static size_t etcd_count;

static size_t add_field(char *out, unsigned field, const char *bytes, size_t length)
{
    out[0] = (char)(field << 3 | 2); /* wire type LEN */
    out[1] = (char)length;           /* a varint of one byte, below 128 */
    memcpy(out + 2, bytes, length);
    return length + 2;
}

static void on_etcd_done(struct grpc_request *call, int status, struct text reply, bool sent)
{
    struct client *client = container_of(call, struct client, call);

    (void)sent;
    if (status != GRPC_OK || (!client->writes && reply.length < VALUE_LENGTH)) { /* the value is in it */
        refuse(status, reply);
    }
    on_answered(client);
}

static void open_etcd_connections(size_t count, const char *target)
{
    struct error error;

    etcd = memory_new_zeroed(count, sizeof *etcd);
    for (; etcd_count < count; etcd_count++) {
        if (grpc_client_init(&etcd[etcd_count], &loop, target, &error) != 0) {
            fprintf(stderr, "%s\n", error.text);
            exit(2);
        }
    }
}

static void open_etcd(char **targets)
{
    open_etcd_connections(1, targets[0]);
}

static void open_etcd_each(char **targets)
{
    open_etcd_connections(client_count, targets[0]);
}

/* A number with zeros before it. What all of this program costs the systems do not have, so nothing is printed here. */
static void make_digits(char *out, size_t width, unsigned long of)
{
    memset(out, '0', width);
    for (char *at = out + width; of > 0 && at > out; of /= 10) {
        *--at = (char)('0' + of % 10);
    }
}

static void make_key(char key[KEY_LENGTH], unsigned long of)
{
    static const char start[] = {'k', 'e', 'y', '-'};

    memcpy(key, start, sizeof start);
    make_digits(key + sizeof start, KEY_LENGTH - sizeof start, of % KEYS);
}

static void make_value(char value[VALUE_LENGTH], unsigned long of)
{
    make_digits(value, VALUE_LENGTH, of);
}

static void ask_etcd(struct client *client)
{
    char key[KEY_LENGTH];
    char value[VALUE_LENGTH];
    char message[REQUEST_MAX];

    make_key(key, client->number);
    size_t length = add_field(message, 1, key, KEY_LENGTH); /* of PutRequest and RangeRequest alike */
    if (client->writes) {
        make_value(value, client->number);
        length += add_field(message + length, 2, value, VALUE_LENGTH);
    }
    client->call.on_done = on_etcd_done;
    grpc_client_call(&etcd[client->index % etcd_count], &client->call, client->writes ? PUT : RANGE,
                     (struct text){message, length}, TIMEOUT_MS);
}

/* ---- HTTP/1.1 ---- */

static struct wire_hub hub;
static struct pipeline *pipelines;

static void on_paxos_answer(struct pipeline_ask *ask, int status, struct text body)
{
    struct client *client = container_of(ask, struct client, ask);

    if (status != 200 || (!client->writes && body.length < VALUE_LENGTH)) {
        refuse(status, body);
    }
    on_answered(client);
}

/* So many connections, to each of the first targets in turn. */
static void open_pipelines(size_t count, char **targets, size_t of)
{
    pipelines = memory_new_zeroed(count, sizeof *pipelines);
    pipeline_hub_open(&hub, &loop);
    for (size_t i = 0; i < count; i++) {
        pipeline_open(&pipelines[i], &hub, targets[i % of]);
    }
}

static void open_paxos(char **targets)
{
    open_pipelines(client_count, targets, 1);
}

static void open_pipelined(char **targets)
{
    open_pipelines((client_count + PIPELINE - 1) / PIPELINE, targets, 1);
}

/* Stands until the next one is made. */
static struct text make_body(const struct client *client)
{
    static struct buffer body;
    char key[KEY_LENGTH];
    char value[VALUE_LENGTH];

    make_key(key, client->number);
    buffer_clear(&body);
    buffer_add_string(&body, "{\"clientId\":\"bench\",\"timestamp\":");
    buffer_add_int(&body, first_timestamp + (int64_t)client->number);
    buffer_add_string(&body, client->writes ? ",\"operation\":\"SET\",\"resource\":\""
                                            : ",\"operation\":\"GET\",\"resource\":\"");
    buffer_add(&body, key, KEY_LENGTH);
    if (client->writes) {
        make_value(value, client->number);
        buffer_add_string(&body, "\",\"data\":\"");
        buffer_add(&body, value, VALUE_LENGTH);
    }
    buffer_add_string(&body, "\"}");
    return buffer_text(&body);
}

static void propose(struct client *client, struct pipeline *pipeline)
{
    client->ask.on_answer = on_paxos_answer;
    pipeline_post(pipeline, &client->ask, "/propose?wait=decided", make_body(client));
}

static void ask_paxos(struct client *client)
{
    propose(client, &pipelines[client->index]);
}

static void ask_pipelined(struct client *client)
{
    propose(client, &pipelines[client->index / PIPELINE]);
}

static void on_copy_answer(struct pipeline_ask *ask, int status, struct text body)
{
    struct bare_write *write = container_of(ask, struct copy, ask)->write;

    if (status != 200) {
        refuse(status, body);
    }
    write->answered++;
    if (write->answered == target_count / 2 + 1) {
        on_answered(write->client);
    }
    if (write->answered == target_count) {
        free(write);
    }
}

static void open_bare(char **targets)
{
    open_pipelines(client_count * target_count, targets, target_count);
}

static void ask_bare(struct client *client)
{
    struct bare_write *write = memory_new_zeroed(1, sizeof *write);
    struct text body = make_body(client);

    write->client = client;
    for (size_t i = 0; i < target_count; i++) {
        write->copies[i] = (struct copy){.ask.on_answer = on_copy_answer, .write = write};
        pipeline_post(&pipelines[client->index * target_count + i], &write->copies[i].ask, "/log", body);
    }
}

static const struct asking systems[] = {{"etcd", open_etcd, ask_etcd},
                                        {"etcd-each", open_etcd_each, ask_etcd},
                                        {"paxos", open_paxos, ask_paxos},
                                        {"pipelined", open_pipelined, ask_pipelined},
                                        {"bare", open_bare, ask_bare}};

/* ---- what it is asked for ---- */

static void run_clients(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ask_next(&clients[i]);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
}

static int compare_latencies(const void *a, const void *b)
{
    const uint32_t *one = a;
    const uint32_t *other = b;
    return (*one > *other) - (*one < *other);
}

static void measure(unsigned long milliseconds)
{
    stage = WARMING;
    end_ns = milliseconds * UINT64_C(1000000); /* from when it begins */
    warm_until_ns = uv_hrtime() + WARM_MS * UINT64_C(1000000);
    run_clients(client_count);
    double seconds = (double)(uv_hrtime() - start_ns) / 1e9;
    qsort(latencies, latency_count, sizeof *latencies, compare_latencies);
    printf("done %zu %.6f %u %u", latency_count, seconds, latencies[latency_count / 2],
           latencies[latency_count * 99 / 100]);
    tell_now();
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof systems / sizeof *systems; i++) {
        if (strcmp(argv[1], systems[i].name) == 0) {
            asking = &systems[i];
        }
    }
    if (asking == NULL || argc < 7 || argc > 6 + TARGETS_MAX) {
        fputs(
            "usage: paxos_blaster etcd|etcd-each|paxos|pipelined|bare write|read CLIENTS MILLISECONDS COUNT "
            "TARGET...\n",
            stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    reads = strcmp(argv[2], "read") == 0;
    client_count = number_of(argv[3], 10000);
    client_count += client_count == 0;
    unsigned long milliseconds = number_of(argv[4], 86400000);
    count_max = number_of(argv[5], 100000000);
    target_count = (size_t)argc - 6;
    first_timestamp = clock_wall_us(); /* no other run's: nobody asks a million times a second */
    size_t slots = client_count > FILLERS ? client_count : FILLERS;
    clients = memory_new_zeroed(slots, sizeof *clients);
    for (size_t i = 0; i < slots; i++) {
        clients[i].index = i % client_count;
    }
    asking->open(argv + 6);
    run_clients(FILLERS);
    fputs("ready", stdout);
    tell_now();
    if (getchar() != EOF) {
        measure(milliseconds);
    }
    return 0;
}
