/* Clients for measurements of parts 2 to 4, on our own gRPC client:
 *
 *     kv_blaster flood COUNT KEYS CONNECTIONS STREAMS WRITERS TARGET...   COUNT Sets as fast as they are answered
 *     kv_blaster pace COUNT PAUSE WRITERS TARGET...                       COUNT Sets, one in PAUSE milliseconds
 *     kv_blaster idle CONNECTIONS TARGET                                  connections that are used once and kept
 *
 * The first WRITERS of the targets (host:port) take the Sets, in equal parts; each with CONNECTIONS connections of
 * STREAMS calls under way, over KEYS different keys. Each command is 200 bytes long when a node publishes it (and a little
 * more where it has a seq). A Set that is not answered "ok" ends the program.
 *
 * When is a command applied at a node? In a flood, nobody looks at each one. When every Set is answered, one more Set
 * through each writer, the marker, goes the same way behind them; and each node is asked for it, with "wait": true,
 * until it knows it. In parts 2 and 3 that question itself crosses the broker behind everything that was confirmed
 * before, so that the first answer is the last; in part 4 it is answered from the store. In a pace, each Set has a
 * message_uuid, and the harness looks in the nodes' logs for when that was delivered.
 *
 * It says "ready" when every target has answered and a first marker has arrived everywhere (idle: when every
 * connection was used), and starts at the first line of input. Then it says "answered SECONDS" and "applied SECONDS" (a
 * flood), or "sent UUID MICROSECONDS ANSWERED" for each Set (a pace): when it was sent, since 1970, and how many
 * microseconds later it was answered. It waits for the end of its input. */
#include "bench.h"
#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/grpc_client.h"
#include "common/uuid.h"

#include <signal.h>

#define SET         "/kv.KvService/Set"
#define GET         "/kv.KvService/Get"
#define TARGETS_MAX 16
#define TIMEOUT_MS  60000
#define QUESTION_MS 500 /* for one question to a node that may not be ready */
#define READY_MS    60000
#define NAP_MS      2 /* between two questions */
#define REQUEST_MAX 256

struct blaster {
    uv_loop_t loop;
    struct grpc_client controls[TARGETS_MAX]; /* for markers and questions, one for each target */
    size_t target_count, writer_count;

    unsigned long to_start, to_end, number, keys;
    uv_timer_t pacer;
    struct set *sets; /* of a pace */
    uint64_t start_ns;
    uint64_t pause_ms; /* between two Sets of a pace */
};

static struct blaster blaster;

/* ---- one call at a time ---- */

struct question {
    struct grpc_request request;
    bool done, answered;
    char reply[512];
};

static void on_answer(struct grpc_request *request, int status, struct text reply, bool sent)
{
    struct question *question = container_of(request, struct question, request);

    (void)sent;
    question->answered = status == GRPC_OK;
    snprintf(question->reply, sizeof question->reply, "%.*s", (int)reply.length, reply.bytes);
    question->done = true;
    uv_stop(&blaster.loop);
}

/* The reply; NULL if none came. Valid until the next one is asked. */
static const char *ask(struct grpc_client *client, const char *method, const char *message)
{
    static struct question question;

    question = (struct question){.request.on_done = on_answer};
    grpc_client_call(client, &question.request, method, text_of(message), QUESTION_MS);
    while (!question.done) {
        uv_run(&blaster.loop, UV_RUN_DEFAULT);
    }
    return question.answered ? question.reply : NULL;
}

/* Asks again and again, until the reply holds `expected`. */
static void insist(struct grpc_client *client, const char *method, const char *message, const char *expected)
{
    uint64_t until_ms = clock_monotonic_ms() + READY_MS;
    const char *reply = ask(client, method, message);

    while (reply == NULL || strstr(reply, expected) == NULL) {
        if (clock_monotonic_ms() >= until_ms) {
            fprintf(stderr, "%s %s: %s\n", method, message, reply != NULL ? reply : "no answer");
            exit(1);
        }
        uv_sleep(NAP_MS);
        reply = ask(client, method, message);
    }
}

/* Returns when a Set that is sent now through every writer has arrived everywhere. */
static void pass_marker(const char *name)
{
    char message[REQUEST_MAX];
    char value[REQUEST_MAX];

    for (size_t i = 0; i < blaster.writer_count; i++) {
        snprintf(message, sizeof message, "{\"key\":\"marker-%zu\",\"value\":\"%s\"}", i, name);
        insist(&blaster.controls[i], SET, message, "\"status\":\"ok\"");
    }
    snprintf(value, sizeof value, "\"local_value\":\"\\\"%s\\\"\"", name);
    for (size_t i = 0; i < blaster.target_count; i++) {
        for (size_t j = 0; j < blaster.writer_count; j++) {
            snprintf(message, sizeof message, "{\"key\":\"marker-%zu\",\"wait\":true}", j);
            insist(&blaster.controls[i], GET, message, value);
        }
    }
}

/* ---- many calls at once ---- */

/* One of the calls under way. */
struct slot {
    struct grpc_request request;
    struct grpc_client *client;
};

/* A Set of a pace. */
struct set {
    struct grpc_request request;
    struct uuid uuid;
    int64_t sent_us, answered_us; /* since 1970 */
};

static void expect_ok(int status, struct text reply)
{
    static const char ok[] = "{\"status\":\"ok\"";

    if (status != GRPC_OK || reply.length < sizeof ok - 1 || memcmp(reply.bytes, ok, sizeof ok - 1) != 0) {
        fprintf(stderr, "a Set was answered %s: %.*s\n", grpc_status_name(status), (int)reply.length,
                reply.bytes);
        exit(1);
    }
}

static void end_one(void)
{
    if (--blaster.to_end == 0) {
        uv_stop(&blaster.loop);
    }
}

static void start_slot(struct slot *slot);

static void on_slot_done(struct grpc_request *request, int status, struct text reply, bool sent)
{
    (void)sent;
    expect_ok(status, reply);
    if (blaster.to_start > 0) {
        start_slot(container_of(request, struct slot, request));
    }
    end_one();
}

static void start_slot(struct slot *slot)
{
    char message[REQUEST_MAX];
    unsigned long number = blaster.number++;
    int length = snprintf(message, sizeof message,
                          "{\"key\":\"key-%07lu\",\"value\":\"%09lu of values as long as they must be\"}",
                          number % blaster.keys, number);

    blaster.to_start--;
    slot->request.on_done = on_slot_done;
    grpc_client_call(slot->client, &slot->request, SET, (struct text){message, (size_t)length}, TIMEOUT_MS);
}

static void on_set_done(struct grpc_request *request, int status, struct text reply, bool sent)
{
    (void)sent;
    expect_ok(status, reply);
    container_of(request, struct set, request)->answered_us = clock_wall_us();
    end_one();
}

static void start_set(struct set *set, unsigned long number, struct grpc_client *client)
{
    char message[REQUEST_MAX];

    set->uuid = uuid_new();
    int length = snprintf(message, sizeof message,
                          "{\"key\":\"key-%07lu\",\"value\":\"%09lu of values as long as they must "
                          "be\",\"message_uuid\":\"%s\"}",
                          number % 1000, number, set->uuid.text);
    set->request.on_done = on_set_done;
    set->sent_us = clock_wall_us();
    grpc_client_call(client, &set->request, SET, (struct text){message, (size_t)length}, TIMEOUT_MS);
}

static void on_pace(uv_timer_t *timer)
{
    unsigned long number = blaster.number++;

    start_set(&blaster.sets[number], number, &blaster.controls[number % blaster.writer_count]);
    if (--blaster.to_start == 0) {
        uv_timer_stop(timer);
    }
}

/* ---- what it is asked for ---- */

static void say(const char *word)
{
    fputs(word, stdout);
    tell_now();
}

static void open_client(struct grpc_client *client, const char *target)
{
    struct error error;

    *client = (struct grpc_client){0};
    if (grpc_client_init(client, &blaster.loop, target, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        exit(2);
    }
}

static void open_targets(unsigned long writers, char **targets, int count)
{
    if (count < 1 || count > TARGETS_MAX || writers < 1 || writers > (unsigned long)count) {
        fprintf(stderr, "1 to %d targets, and no more writers than that\n", TARGETS_MAX);
        exit(2);
    }
    blaster.writer_count = writers;
    blaster.target_count = (size_t)count;
    for (int i = 0; i < count; i++) {
        open_client(&blaster.controls[i], targets[i]);
        insist(&blaster.controls[i], GET, "{\"key\":\"marker-0\",\"wait\":true}", "\"status\":\"ok\"");
    }
    pass_marker("begin");
}

static void wait_for_start(void)
{
    say("ready");
    if (getchar() == EOF) {
        exit(0);
    }
    blaster.start_ns = uv_hrtime();
}

static void say_seconds(const char *word)
{
    printf("%s %.6f", word, (double)(uv_hrtime() - blaster.start_ns) / 1e9);
    tell_now();
}

static void flood(unsigned long connections, unsigned long streams, char **targets)
{
    size_t client_count = blaster.writer_count * connections;
    struct grpc_client *clients = memory_new_zeroed(client_count, sizeof *clients);
    struct slot *slots = memory_new_zeroed(client_count * streams, sizeof *slots);

    for (size_t i = 0; i < client_count; i++) {
        open_client(&clients[i], targets[i % blaster.writer_count]);
    }
    wait_for_start();
    for (size_t i = 0; i < client_count * streams && blaster.to_start > 0; i++) {
        slots[i].client = &clients[i % client_count];
        start_slot(&slots[i]);
    }
    uv_run(&blaster.loop, UV_RUN_DEFAULT);
    say_seconds("answered");
    pass_marker("end");
    say_seconds("applied");
}

static void pace(unsigned long count)
{
    blaster.sets = memory_new_zeroed(count, sizeof *blaster.sets);
    uv_timer_init(&blaster.loop, &blaster.pacer);
    wait_for_start();
    uv_timer_start(&blaster.pacer, on_pace, 0, blaster.pause_ms);
    uv_run(&blaster.loop, UV_RUN_DEFAULT);
    pass_marker("end");
    for (unsigned long i = 0; i < count; i++) {
        const struct set *set = &blaster.sets[i];
        printf("sent %s %lld %lld\n", set->uuid.text, (long long)set->sent_us,
               (long long)(set->answered_us - set->sent_us));
    }
    say("end");
}

static void idle(unsigned long connections, const char *target)
{
    struct grpc_client *clients = memory_new_zeroed(connections, sizeof *clients);

    for (size_t i = 0; i < connections; i++) {
        open_client(&clients[i], target);
        insist(&clients[i], GET, "{\"key\":\"x\"}", "\"status\":\"ok\"");
    }
    say("ready");
}

static int usage(void)
{
    fputs("usage: kv_blaster flood COUNT KEYS CONNECTIONS STREAMS WRITERS TARGET...\n"
          "       kv_blaster pace COUNT PAUSE WRITERS TARGET...\n"
          "       kv_blaster idle CONNECTIONS TARGET\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&blaster.loop);
    if (argc >= 8 && strcmp(argv[1], "flood") == 0) {
        blaster.to_start = blaster.to_end = number_of(argv[2], 100000000);
        blaster.keys = number_of(argv[3], 100000000);
        blaster.keys += blaster.keys == 0;
        open_targets(number_of(argv[6], TARGETS_MAX), argv + 7, argc - 7);
        flood(number_of(argv[4], 1000), number_of(argv[5], 1000), argv + 7);
    } else if (argc >= 6 && strcmp(argv[1], "pace") == 0) {
        blaster.to_start = blaster.to_end = number_of(argv[2], 1000000);
        blaster.pause_ms = number_of(argv[3], 10000);
        open_targets(number_of(argv[4], TARGETS_MAX), argv + 5, argc - 5);
        pace(blaster.to_end);
    } else if (argc == 4 && strcmp(argv[1], "idle") == 0) {
        idle(number_of(argv[2], 10000), argv[3]);
    } else {
        return usage();
    }
    while (getchar() != EOF) {
    }
    return 0;
}
