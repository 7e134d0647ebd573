/* One publisher and many subscribers, through a proxy:
 *
 *     fan_out SUBSCRIBERS MILLISECONDS WINDOW PUBLISHERS_ENDPOINT SUBSCRIBERS_ENDPOINT
 *
 * It publishes a chat's publication of BODY_LENGTH bytes, again and again, so fast that at most WINDOW of them have not
 * reached all subscribers: below the high-water mark nothing may be lost, and a publication that does not come is waited
 * for in vain. The same program uses the chat's proxy and bare_zmq's, so that what it costs stands on both sides of a ratio.
 *
 * It says "ready" when every subscription has arrived at the publisher, measures after a line of input and WARM_MS, until
 * MILLISECONDS have passed, and says "done DELIVERED SECONDS". Each publication is numbered; one that comes in the wrong
 * order, or a hole between two, ends the program. */
#include "bench.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/zmq_socket.h"
#include "common/uuid.h"
#include "parte5-chat/chat_message.h"

#define WARM_MS       300
#define INSIST_MS     50
#define GIVE_UP_MS    60000
#define BODY_LENGTH   100
#define NUMBER_DIGITS 12 /* of a request id: the last ones are the publication's number */
#define TOPIC         "bench"

struct subscriber {
    struct zmq_socket socket;
    uint64_t next; /* this number comes next; 0 until it has heard anything */
};

static struct fan_out {
    uv_loop_t loop;
    struct zmq_hub hub;
    uv_timer_t timer;
    struct zmq_socket publisher;
    struct subscriber *subscribers;
    size_t count, ready;

    struct buffer publication;
    size_t number_at; /* there its number stands */
    uint64_t number;  /* of the next one; number 0 is repeated until all have heard it */
    uint64_t all_had; /* every subscriber has had those before this one */
    size_t *had_by;   /* so many have had it: a ring, by number */
    size_t window;

    bool running;
    uint64_t from_ns, until_ns; /* what comes in between counts */
    uint64_t delivered;
} fan_out;

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void say(const char *word)
{
    fputs(word, stdout);
    tell_now();
}

/* ---- publishing ---- */

static void prepare_publication(void)
{
    static char body[BODY_LENGTH];
    struct uuid id = uuid_new();
    struct chat_message publication = {.service = SERVICE_PUBLICATION,
                                       .timestamp_ms = 1,
                                       .clock = 1,
                                       .request_id = text_of(id.text),
                                       .user = text_of("ana"),
                                       .channel = text_of(TOPIC),
                                       .message = {body, BODY_LENGTH}};
    struct error error;

    memset(body, 'x', BODY_LENGTH);
    if (chat_message_encode(&publication, CHAT_REQUEST, CHAT_MESSAGEPACK, CHAT_MESSAGE_MAX,
                            &fan_out.publication, &error) != 0) {
        fail(error.text);
    }
    const char *start = fan_out.publication.bytes;
    const char *found = memmem(start, fan_out.publication.length, id.text, UUID_LENGTH);
    fan_out.number_at = (size_t)(found - start) + UUID_LENGTH - NUMBER_DIGITS;
}

static void publish(uint64_t number)
{
    struct text frames[] = {text_of(TOPIC), buffer_text(&fan_out.publication)};
    char digits[NUMBER_DIGITS + 1];
    struct error error;

    snprintf(digits, sizeof digits, "%012llu", (unsigned long long)number);
    memcpy(fan_out.publication.bytes + fan_out.number_at, digits, NUMBER_DIGITS);
    if (zmq_socket_send(&fan_out.publisher, frames, 2, &error) != 0) {
        fail(error.text);
    }
}

static void fill_window(void)
{
    while (fan_out.number < fan_out.all_had + fan_out.window) {
        publish(fan_out.number++);
    }
}

/* ---- listening ---- */

/* Number 0: it hears us. */
static void hear_first(struct subscriber *subscriber)
{
    if (subscriber->next == 0) {
        subscriber->next = 1;
        fan_out.ready++;
    }
}

static void hear_next(struct subscriber *subscriber, uint64_t number)
{
    size_t *had_by = &fan_out.had_by[number % fan_out.window];

    if (number != subscriber->next) {
        fail("a publication was lost, or came in the wrong order");
    }
    subscriber->next++;
    if (++*had_by == fan_out.count) { /* in order for each one, so in order for all */
        *had_by = 0;
        fan_out.all_had = number + 1;
        fill_window();
    }
}

static void on_publication(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct subscriber *subscriber = container_of(socket, struct subscriber, socket);
    char digits[NUMBER_DIGITS + 1] = "";

    if (count != 2 || frames[1].length != fan_out.publication.length) {
        fail("a publication came that was not published");
    }
    memcpy(digits, frames[1].bytes + fan_out.number_at, NUMBER_DIGITS);
    uint64_t number = strtoull(digits, NULL, 10);
    uint64_t now_ns = uv_hrtime();
    if (number == 0) {
        hear_first(subscriber);
    } else if (fan_out.running && now_ns >= fan_out.until_ns) {
        uv_stop(&fan_out.loop);
    } else {
        fan_out.delivered += now_ns >= fan_out.from_ns;
        hear_next(subscriber, number);
    }
}

static void on_nothing(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    (void)socket; /* a publisher hears nothing */
    (void)frames;
    (void)count;
}

/* ---- all of it ---- */

static void open_socket(struct zmq_socket *socket, int type, const char *endpoint)
{
    const struct zmq_options options = {.type = type};
    struct error error;

    if (zmq_socket_open(socket, &fan_out.hub, &options, &error) != 0 ||
        zmq_socket_connect(socket, endpoint, &error) != 0) {
        fail(error.text);
    }
}

static void open_all(const char *publishers, const char *subscribers)
{
    struct error error;

    fan_out.publisher.on_message = on_nothing;
    open_socket(&fan_out.publisher, ZMQ_PUB, publishers);
    fan_out.subscribers = memory_new_zeroed(fan_out.count, sizeof *fan_out.subscribers);
    for (size_t i = 0; i < fan_out.count; i++) {
        struct zmq_socket *socket = &fan_out.subscribers[i].socket;
        socket->on_message = on_publication;
        open_socket(socket, ZMQ_SUB, subscribers);
        if (zmq_socket_subscribe(socket, text_of(TOPIC), &error) != 0) {
            fail(error.text);
        }
    }
}

static void on_insist(uv_timer_t *timer)
{
    (void)timer;
    uv_stop(&fan_out.loop);
}

/* Subscriptions take their time: publishes number 0 until all have heard it. */
static void get_ready(void)
{
    uint64_t give_up_ns = uv_hrtime() + GIVE_UP_MS * UINT64_C(1000000);

    uv_timer_start(&fan_out.timer, on_insist, INSIST_MS, INSIST_MS);
    while (fan_out.ready < fan_out.count) {
        publish(0);
        uv_run(&fan_out.loop, UV_RUN_DEFAULT);
        if (uv_hrtime() > give_up_ns) {
            fail("not every subscriber hears what is published");
        }
    }
    uv_timer_stop(&fan_out.timer);
}

static void measure(unsigned long milliseconds)
{
    say("ready");
    if (getchar() == EOF) {
        exit(0);
    }
    fan_out.number = fan_out.all_had = 1;
    fan_out.from_ns = uv_hrtime() + WARM_MS * UINT64_C(1000000);
    fan_out.until_ns = fan_out.from_ns + milliseconds * 1000000;
    fan_out.running = true;
    fill_window();
    uv_run(&fan_out.loop, UV_RUN_DEFAULT);
    printf("done %llu %.6f", (unsigned long long)fan_out.delivered, (double)milliseconds / 1000);
    tell_now();
}

int main(int argc, char **argv)
{
    struct error error;

    if (argc != 6) {
        fputs("usage: fan_out SUBSCRIBERS MILLISECONDS WINDOW PUBLISHERS_ENDPOINT SUBSCRIBERS_ENDPOINT\n",
              stderr);
        return 2;
    }
    fan_out.count = number_of(argv[1], 10000);
    fan_out.window = number_of(argv[3], 100000);
    fan_out.had_by = memory_new_zeroed(fan_out.window, sizeof *fan_out.had_by);
    uv_loop_init(&fan_out.loop);
    uv_timer_init(&fan_out.loop, &fan_out.timer);
    if (zmq_hub_open(&fan_out.hub, &fan_out.loop, &error) != 0) {
        fail(error.text);
    }
    prepare_publication();
    open_all(argv[4], argv[5]);
    get_ready();
    measure(number_of(argv[2], 3600000));
    while (getchar() != EOF) {
    }
    return 0;
}
