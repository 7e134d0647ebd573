/* Clients of the chat, each of which asks, waits for the answer, and asks again:
 *
 *     chat_blaster echo|users|publish CLIENTS MILLISECONDS ENDPOINT
 *     chat_blaster idle CLIENTS ENDPOINT
 *
 * Each client has a connection of its own to the clients' port of a broker, or, for `echo`, of bare_zmq's queue; the same
 * program asks both, so that what asking costs stands on both sides of a ratio. Questions are encoded beforehand, and only
 * the request id is written anew; of an answer only that id and the absence of an error are looked at. A publication has
 * BODY_LENGTH bytes.
 *
 * But for `echo`, each client logs in first, by a name of its own, and asks until a server agrees. Then it says "ready".
 * `idle` does nothing more, and waits for the end of its input. The others measure after a line of input and WARM_MS of
 * asking, until MILLISECONDS have passed, and say "done ANSWERED SECONDS P50 P99", these in microseconds. */
#include "bench.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/zmq_socket.h"
#include "common/uuid.h"
#include "parte5-chat/chat_message.h"

#define SOCKETS_MAX  1000 /* libzmq has 1023 for a process */
#define WARM_MS      300
#define INSIST_MS    100   /* between two times that a server is asked before it is ready */
#define GIVE_UP_MS   60000 /* it never was */
#define CHANNEL      "bench"
#define BODY_LENGTH  100
#define COUNT_DIGITS 12 /* of a request id: the last ones count the questions */

struct client {
    struct zmq_socket socket; /* [][question], [][answer] */
    char name[32];
    struct uuid request_id;
    struct buffer question;
    size_t id_at; /* there the request id stands in the question */
    uint64_t asked_ns;
    bool answered, refused; /* while it gets ready */
};

static struct blaster {
    uv_loop_t loop;
    struct zmq_hub hub;
    uv_timer_t timer;
    struct client *clients;
    size_t count;
    uint64_t number;            /* of questions so far */
    bool running;               /* all ask, again and again; */
    uint64_t from_ns, until_ns; /* what is answered in between counts */
    uint32_t *waits_us;         /* of each answer that counts */
    size_t wait_count, wait_capacity;
} blaster;

static void say(const char *word)
{
    fputs(word, stdout);
    tell_now();
}

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* ---- a question ---- */

static void prepare(struct client *client, struct chat_message *question)
{
    struct error error;

    client->request_id = uuid_new();
    question->request_id = text_of(client->request_id.text);
    question->timestamp_ms = 1;
    question->clock = 1;
    buffer_clear(&client->question);
    if (chat_message_encode(question, CHAT_REQUEST, CHAT_MESSAGEPACK, CHAT_MESSAGE_MAX, &client->question,
                            &error) != 0) {
        fail(error.text);
    }
    const char *id =
        memmem(client->question.bytes, client->question.length, client->request_id.text, UUID_LENGTH);
    client->id_at = (size_t)(id - client->question.bytes);
}

static void ask(struct client *client)
{
    struct text frames[] = {text_of(""), buffer_text(&client->question)};
    char digits[COUNT_DIGITS + 1];
    char *id_end = client->request_id.text + UUID_LENGTH - COUNT_DIGITS;
    struct error error;

    snprintf(digits, sizeof digits, "%012llx", (unsigned long long)blaster.number++);
    memcpy(id_end, digits, COUNT_DIGITS);
    memcpy(client->question.bytes + client->id_at, client->request_id.text, UUID_LENGTH);
    client->asked_ns = uv_hrtime();
    if (zmq_socket_send(&client->socket, frames, 2, &error) != 0) {
        fail(error.text);
    }
}

/* ---- answers ---- */

static void note_wait(uint64_t now_ns, uint64_t asked_ns)
{
    if (now_ns < blaster.from_ns || now_ns >= blaster.until_ns) {
        return;
    }
    blaster.waits_us = memory_grow(blaster.waits_us, &blaster.wait_capacity, blaster.wait_count + 1,
                                   sizeof *blaster.waits_us);
    blaster.waits_us[blaster.wait_count++] = (uint32_t)((now_ns - asked_ns) / 1000);
}

static bool holds(struct text text, const char *string)
{
    return memmem(text.bytes, text.length, string, strlen(string)) != NULL;
}

static void on_answer(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct client *client = container_of(socket, struct client, socket);
    struct text answer = frames[count - 1];
    uint64_t now_ns = uv_hrtime();

    if (!holds(answer, client->request_id.text)) {
        return; /* to an earlier question, which was asked in vain before all were ready */
    }
    bool refused = holds(answer, "erro");
    if (!blaster.running) {
        client->answered = !refused || holds(answer, "exists already"); /* the channel, from an earlier run */
        client->refused = refused;
        uv_stop(&blaster.loop);
        return;
    }
    if (refused) {
        fail("a question was answered erro");
    }
    note_wait(now_ns, client->asked_ns);
    if (now_ns >= blaster.until_ns) {
        uv_stop(&blaster.loop);
    } else {
        ask(client);
    }
}

/* ---- getting ready ---- */

static void on_insist(uv_timer_t *timer)
{
    (void)timer;
    uv_stop(&blaster.loop);
}

static void wait_a_little(void)
{
    uv_timer_start(&blaster.timer, on_insist, INSIST_MS, 0);
    uv_run(&blaster.loop, UV_RUN_DEFAULT);
    uv_timer_stop(&blaster.timer);
}

/* Asks until a server agrees. */
static void insist(struct client *client, struct chat_message *question)
{
    uint64_t give_up_ns = uv_hrtime() + GIVE_UP_MS * UINT64_C(1000000);

    prepare(client, question);
    client->answered = client->refused = false;
    for (;;) {
        ask(client);
        wait_a_little();
        if (client->answered) {
            return;
        }
        if (uv_hrtime() > give_up_ns) {
            fail(client->refused ? "the servers refuse" : "no server answers");
        }
        if (client->refused) {
            wait_a_little();
        }
    }
}

static void open_client(struct client *client, const char *endpoint)
{
    const struct zmq_options options = {.type = ZMQ_DEALER};
    struct error error;

    client->socket.on_message = on_answer;
    if (zmq_socket_open(&client->socket, &blaster.hub, &options, &error) != 0 ||
        zmq_socket_connect(&client->socket, endpoint, &error) != 0) {
        fail(error.text);
    }
}

static void open_clients(size_t count, bool log_in, const char *endpoint)
{
    blaster.count = count;
    blaster.clients = memory_new_zeroed(count, sizeof *blaster.clients);
    for (size_t i = 0; i < count; i++) {
        struct client *client = &blaster.clients[i];
        snprintf(client->name, sizeof client->name, "client-%zu", i);
        open_client(client, endpoint);
        if (log_in) {
            insist(client, &(struct chat_message){.service = SERVICE_LOGIN, .user = text_of(client->name)});
        }
    }
}

/* ---- measuring ---- */

static void prepare_all(enum chat_service service)
{
    static char body[BODY_LENGTH + 1];
    struct chat_message question = {.service = service};

    memset(body, 'x', BODY_LENGTH);
    if (service == SERVICE_PUBLISH) {
        insist(&blaster.clients[0],
               &(struct chat_message){.service = SERVICE_CHANNEL, .channel = text_of(CHANNEL)});
        question.channel = text_of(CHANNEL);
        question.message = text_of(body);
    }
    for (size_t i = 0; i < blaster.count; i++) {
        if (service == SERVICE_PUBLISH) {
            question.user = text_of(blaster.clients[i].name);
        }
        prepare(&blaster.clients[i], &question);
    }
}

static int compare_waits(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a;
    uint32_t second = *(const uint32_t *)b;

    return (first > second) - (first < second);
}

static void measure(unsigned long milliseconds)
{
    say("ready");
    if (getchar() == EOF) {
        exit(0);
    }
    blaster.running = true;
    blaster.from_ns = uv_hrtime() + WARM_MS * UINT64_C(1000000);
    blaster.until_ns = blaster.from_ns + milliseconds * 1000000;
    for (size_t i = 0; i < blaster.count; i++) {
        ask(&blaster.clients[i]);
    }
    uv_run(&blaster.loop, UV_RUN_DEFAULT);
    if (blaster.wait_count == 0) {
        fail("nothing was answered in that time");
    }
    qsort(blaster.waits_us, blaster.wait_count, sizeof *blaster.waits_us, compare_waits);
    printf("done %zu %.6f %u %u", blaster.wait_count, (double)milliseconds / 1000,
           blaster.waits_us[blaster.wait_count / 2], blaster.waits_us[blaster.wait_count * 99 / 100]);
    tell_now();
}

static int usage(void)
{
    fputs("usage: chat_blaster echo|users|publish CLIENTS MILLISECONDS ENDPOINT\n"
          "       chat_blaster idle CLIENTS ENDPOINT\n",
          stderr);
    return 2;
}

/* What `echo` asks for does not matter. */
static enum chat_service service_of(const char *kind)
{
    return strcmp(kind, "publish") == 0                              ? SERVICE_PUBLISH
           : strcmp(kind, "users") == 0 || strcmp(kind, "echo") == 0 ? SERVICE_USERS
                                                                     : SERVICE_COUNT;
}

int main(int argc, char **argv)
{
    struct error error;

    uv_loop_init(&blaster.loop);
    uv_timer_init(&blaster.loop, &blaster.timer);
    if (zmq_hub_open(&blaster.hub, &blaster.loop, &error) != 0) {
        fail(error.text);
    }
    if (argc == 5 && service_of(argv[1]) != SERVICE_COUNT) {
        open_clients(number_of(argv[2], SOCKETS_MAX), strcmp(argv[1], "echo") != 0, argv[4]);
        prepare_all(service_of(argv[1]));
        measure(number_of(argv[3], 3600000));
    } else if (argc == 4 && strcmp(argv[1], "idle") == 0) {
        open_clients(number_of(argv[2], SOCKETS_MAX), true, argv[3]);
        say("ready");
    } else {
        return usage();
    }
    while (getchar() != EOF) {
    }
    return 0;
}
