/* The reference for parts 2 to 4: rabbitmq-c and nothing else, moving the same bytes through the same broker. No
 * replica behind that broker can be faster than this.
 *
 *     bare_amqp publish URL NAME DURABLE WINDOW COUNT RATE     COUNT commands to the fanout exchange NAME
 *     bare_amqp consume URL NAME DURABLE PREFETCH COUNT QUEUE  takes COUNT of them from QUEUE, which it binds to NAME
 *
 * The publisher keeps up to WINDOW commands (of 200 bytes, as a node would publish them) unconfirmed: it publishes
 * whenever that leaves room, as our nodes do. RATE commands a second, 0 for as fast as it goes. The consumer has up to
 * PREFETCH commands unacknowledged, and acknowledges all that it has taken whenever nothing more has arrived. DURABLE
 * (1 or 0) is for exchange, queue and messages.
 *
 * Both say "ready" when the broker has what they need. The publisher starts at the first line of input. "done SECONDS"
 * (of CLOCK_MONOTONIC) says when the last command was confirmed, or taken. A line of input then makes the consumer print
 * how many microseconds old each command was when it came, one number a line. Both wait for the end of their input. */
#include "bench.h"
#include "common/clock.h"
#include "common/memory.h"
#include "common/net/amqp_library.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <time.h>

#define CHANNEL   1
#define FRAME_MAX 131072

/* 200 bytes, of which the last but one are the time at which it was published. */
#define STAMP_LENGTH 17
static const char command[] =
    "{\"command_type\":\"SET\",\"key\":\"key-000001\",\"value\":"
    "\"a value to make up all of the 200 bytes ....\",\"sender_id\":\"node1\","
    "\"message_uuid\":\"8c5e0f1e-64a1-4c4b-9f0e-0d9f4a1f2b3c\",\"timestamp\":0000000000.000000}";
_Static_assert(sizeof command - 1 == 200, "as long as what a node publishes");

struct bare {
    amqp_connection_state_t connection;
    amqp_bytes_t name;
    bool durable;
    unsigned long count;
};

static uint64_t now_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        die("clock_gettime");
    }
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void say(const char *word)
{
    fputs(word, stdout);
    tell_now();
}

static void say_done(void)
{
    printf("done %.6f", (double)now_ns() / 1e9);
    tell_now();
}

/* ---- the broker ---- */

__attribute__((noreturn)) static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void expect_ok(int status, const char *what)
{
    if (status != AMQP_STATUS_OK) {
        give_up(what, amqp_error_string2(status));
    }
}

static void expect_reply(amqp_rpc_reply_t reply, const char *what)
{
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
        give_up(what, amqp_error_string2(reply.library_error));
    } else if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        give_up(what, "the broker refused");
    }
}

static void expect(const struct bare *bare, const char *what)
{
    expect_reply(amqp_get_rpc_reply(bare->connection), what);
}

static void connect_to_broker(struct bare *bare, char *url)
{
    struct amqp_connection_info info;

    expect_ok(amqp_parse_url(url, &info), "the URL of the broker");
    bare->connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(bare->connection);
    if (socket == NULL) {
        give_up("connecting", "out of memory");
    }
    expect_ok(amqp_socket_open(socket, info.host, info.port), "connecting");
    expect_reply(amqp_login(bare->connection, info.vhost, 0, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN, info.user,
                            info.password),
                 "connecting");
    amqp_channel_open(bare->connection, CHANNEL);
    expect(bare, "opening a channel");
    amqp_exchange_declare(bare->connection, CHANNEL, bare->name, amqp_cstring_bytes("fanout"), 0,
                          bare->durable, 0, 0, amqp_empty_table);
    expect(bare, "declaring the exchange");
}

static void wait_for_frame(const struct bare *bare, amqp_frame_t *frame)
{
    amqp_maybe_release_buffers(bare->connection);
    expect_ok(amqp_simple_wait_frame(bare->connection, frame), "waiting for the broker");
}

/* ---- publishing ---- */

static void publish(const struct bare *bare)
{
    char body[sizeof command];
    char stamp[CLOCK_EPOCH_LENGTH + 1];
    const amqp_basic_properties_t properties = {._flags = AMQP_BASIC_CONTENT_TYPE_FLAG |
                                                          AMQP_BASIC_DELIVERY_MODE_FLAG,
                                                .content_type = amqp_cstring_bytes("application/json"),
                                                .delivery_mode = bare->durable ? AMQP_DELIVERY_PERSISTENT
                                                                               : AMQP_DELIVERY_NONPERSISTENT};

    clock_format_epoch(clock_wall_us(), stamp);
    memcpy(body, command, sizeof body);
    memcpy(body + sizeof body - 2 - STAMP_LENGTH, stamp, STAMP_LENGTH);
    expect_ok(amqp_basic_publish(bare->connection, CHANNEL, bare->name, amqp_empty_bytes, 0, 0, &properties,
                                 (amqp_bytes_t){sizeof body - 1, body}),
              "publishing");
}

/* Waits for a confirm; returns how many more commands are confirmed now. `done` tells of each tag. */
static unsigned long wait_for_confirm(const struct bare *bare, bool *done, uint64_t *first)
{
    unsigned long more = 0;
    amqp_frame_t frame;

    wait_for_frame(bare, &frame);
    if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
        give_up("waiting for a confirm", "the broker said something else");
    }
    const amqp_basic_ack_t *ack = frame.payload.method.decoded;
    for (uint64_t tag = ack->multiple ? *first : ack->delivery_tag; tag <= ack->delivery_tag; tag++) {
        more += tag <= bare->count && !done[tag];
        done[tag <= bare->count ? tag : 0] = true;
    }
    *first = ack->multiple ? ack->delivery_tag + 1 : *first;
    return more;
}

static void sleep_until(uint64_t then_ns)
{
    struct timespec then = {.tv_sec = (time_t)(then_ns / 1000000000),
                            .tv_nsec = (long)(then_ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL) == EINTR) {
    }
}

static void publish_all(const struct bare *bare, unsigned long window, unsigned long rate)
{
    bool *done = memory_new_zeroed(bare->count + 1, sizeof *done);
    uint64_t first = 1; /* every tag before it is confirmed */
    uint64_t start_ns = now_ns();
    unsigned long confirmed = 0;

    for (unsigned long sent = 0; confirmed < bare->count;) {
        if (sent < bare->count && sent - confirmed < window) {
            if (rate > 0) {
                sleep_until(start_ns + sent * 1000000000 / rate);
            }
            publish(bare);
            sent++;
        } else {
            confirmed += wait_for_confirm(bare, done, &first);
        }
    }
    free(done);
}

static int run_publisher(const struct bare *bare, unsigned long window, unsigned long rate)
{
    amqp_confirm_select(bare->connection, CHANNEL);
    expect(bare, "asking for confirms");
    say("ready");
    if (getchar() == EOF) {
        return 0;
    }
    publish_all(bare, window, rate);
    say_done();
    return 0;
}

/* ---- consuming ---- */

static void open_queue(const struct bare *bare, const char *name, unsigned long prefetch)
{
    amqp_bytes_t queue = amqp_cstring_bytes(name);

    amqp_queue_declare(bare->connection, CHANNEL, queue, 0, bare->durable, 0, 0, amqp_empty_table);
    expect(bare, "declaring the queue");
    amqp_queue_bind(bare->connection, CHANNEL, queue, bare->name, amqp_empty_bytes, amqp_empty_table);
    expect(bare, "binding the queue");
    amqp_basic_qos(bare->connection, CHANNEL, 0, (uint16_t)prefetch, 0);
    expect(bare, "asking for a prefetch");
    amqp_basic_consume(bare->connection, CHANNEL, queue, amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    expect(bare, "consuming");
}

/* Microseconds since the command was published, by the stamp at its end. */
static int64_t age_of(amqp_bytes_t body)
{
    const char *stamp = (const char *)body.bytes + body.len - 1 - STAMP_LENGTH;

    return body.len == sizeof command - 1
               ? clock_wall_us() - strtoll(stamp, NULL, 10) * 1000000 - strtoll(stamp + 11, NULL, 10)
               : -1;
}

static void consume_all(const struct bare *bare, int64_t *ages)
{
    uint64_t tag = 0;
    amqp_frame_t frame;

    for (unsigned long taken = 0; taken < bare->count;) {
        wait_for_frame(bare, &frame);
        if (frame.frame_type == AMQP_FRAME_BODY) { /* a command is never cut in two */
            ages[taken++] = age_of(frame.payload.body_fragment);
        } else if (frame.frame_type == AMQP_FRAME_METHOD) {
            if (frame.payload.method.id != AMQP_BASIC_DELIVER_METHOD) {
                give_up("consuming", "the broker said something else");
            }
            tag = ((const amqp_basic_deliver_t *)frame.payload.method.decoded)->delivery_tag;
            continue;
        }
        if (frame.frame_type == AMQP_FRAME_BODY && !amqp_frames_enqueued(bare->connection) &&
            !amqp_data_in_buffer(bare->connection)) {
            expect_ok(amqp_basic_ack(bare->connection, CHANNEL, tag, 1), "acknowledging");
        }
    }
}

static int run_consumer(const struct bare *bare, unsigned long prefetch, const char *queue)
{
    int64_t *ages = memory_new_zeroed(bare->count + 1, sizeof *ages);

    open_queue(bare, queue, prefetch);
    say("ready");
    consume_all(bare, ages);
    say_done();
    if (getchar() != EOF) {
        for (unsigned long i = 0; i < bare->count; i++) {
            printf("%lld\n", (long long)ages[i]);
        }
        say("end");
    }
    free(ages);
    return 0;
}

int main(int argc, char **argv)
{
    bool publishes = argc == 8 && strcmp(argv[1], "publish") == 0;

    if (!publishes && (argc != 8 || strcmp(argv[1], "consume") != 0)) {
        fputs("usage: bare_amqp publish URL NAME DURABLE WINDOW COUNT RATE\n"
              "       bare_amqp consume URL NAME DURABLE PREFETCH COUNT QUEUE\n",
              stderr);
        return 2;
    }
    /* It does not read its input while it works, and so would not see that the harness is gone. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        die("prctl");
    }
    struct bare bare = {.name = amqp_cstring_bytes(argv[3]),
                        .durable = number_of(argv[4], 1) != 0,
                        .count = number_of(argv[6], 100000000)};
    unsigned long limit = number_of(argv[5], 65535);
    connect_to_broker(&bare, argv[2]);
    int status = publishes ? run_publisher(&bare, limit, number_of(argv[7], 1000000))
                           : run_consumer(&bare, limit, argv[7]);
    while (getchar() != EOF) {
    }
    amqp_destroy_connection(bare.connection);
    return status;
}
