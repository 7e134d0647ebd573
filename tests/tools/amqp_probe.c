/* One link (common/net/amqp_link.h), driven by lines on standard input and telling all that comes on standard output:
 * what tests/e2e/test_amqp.py needs to look at a link from outside, with a real broker.
 *
 *   amqp_probe [quiet:COUNT] [forget] STEP...    exchange:NAME queue:NAME exclusive:NAME short:NAME (one message long)
 *                                       bind:QUEUE:EXCHANGE look:QUEUE consume:QUEUE
 *
 *   publish EXCHANGE KEY FIRST COUNT [SIZE]   messages that hold their number, as fast as the link takes them
 *   flood EXCHANGE KEY COUNT SIZE             messages at once, until one is refused
 *   reply EXCHANGE KEY QUEUE                  one message with a reply_to
 *   hold | release                            acknowledge nothing; all that was held, the last first
 *   ping                                      answers pong: the loop goes on
 *   close                                     as the end of the input
 *
 * With quiet:COUNT deliveries are counted, and only "counted COUNT MICROSECONDS" is told. */
#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/amqp_link.h"
#include "common/net/runtime.h"
#include "common/term/prompt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX      16
#define SIZE_MAX_BYTES (32 * 1024 * 1024)

struct message {
    struct amqp_publish publish;
    struct probe *probe;
    uint64_t number;
};

struct held {
    uint64_t connection, tag;
};

struct probe {
    struct runtime runtime;
    struct log log;
    struct prompt prompt;
    struct amqp_link link;
    struct amqp_step steps[STEPS_MAX];
    size_t step_count;
    char exchange[256], key[256]; /* being published to */
    uint64_t next, end, not_done; /* numbers of messages */
    int64_t started_us;
    char *body;
    size_t size;
    bool holding, closing;
    struct held *held;
    size_t held_count, held_capacity;
    uint64_t expected, counted; /* quiet:COUNT */
    int64_t first_us;
};

/* ---- publishing ---- */

static void publish_more(struct probe *probe);

static void on_done(struct amqp_publish *publish, int code)
{
    struct message *message = container_of(publish, struct message, publish);
    struct probe *probe = message->probe;

    if (code != 0 || probe->expected == 0) {
        printf("done %" PRIu64 " %s%s\n", message->number, error_name(code),
               code != 0 && probe->link.forget && probe->link.connected ? " while connected" : "");
    }
    free(message);
    if (--probe->not_done == 0) {
        printf("published %" PRIu64 " %" PRId64 "\n", probe->end, clock_wall_us() - probe->started_us);
    } else {
        publish_more(probe);
    }
}

static int publish_one(struct probe *probe, const char *reply_to, struct error *error)
{
    struct message *message = memory_new_zeroed(1, sizeof *message);
    int length = snprintf(probe->body, 32, "%" PRIu64 " ", probe->next);
    size_t size = probe->size > (size_t)length ? probe->size : (size_t)length;

    message->probe = probe;
    message->number = probe->next;
    message->publish.on_done = on_done;
    probe->body[length] = '.';
    int code = amqp_link_publish(&probe->link, &message->publish, probe->exchange, probe->key,
                                 text_of(reply_to), (struct text){probe->body, size}, error);
    if (code != 0) {
        free(message);
    } else {
        probe->next++;
    }
    return code;
}

static void publish_more(struct probe *probe)
{
    while (probe->next < probe->end && publish_one(probe, "", NULL) == 0) {
    }
}

static void flood(struct probe *probe)
{
    struct error error;
    uint64_t first = probe->next;

    while (probe->next < probe->end) {
        int code = publish_one(probe, "", &error);
        if (code != 0) {
            printf("refused %" PRIu64 " %s %s\n", probe->next - first, error_name(code), error.text);
            break;
        }
    }
    probe->end = probe->next;
    probe->not_done = probe->next - first;
}

/* ---- what the link tells ---- */

static void on_state(struct amqp_link *link, const struct amqp_connection_state *state)
{
    (void)link;
    printf("state %s made=%d %s %s\n", state->connected ? "connected" : "disconnected", state->queue_made,
           state->broker, state->reason != NULL ? state->reason : "-");
}

static void count(struct probe *probe)
{
    if (probe->counted++ == 0) {
        probe->first_us = clock_wall_us();
    }
    if (probe->counted == probe->expected) {
        printf("counted %" PRIu64 " %" PRId64 "\n", probe->counted, clock_wall_us() - probe->first_us);
    }
}

static void on_delivery(struct amqp_link *link, const struct amqp_delivery *delivery)
{
    struct probe *probe = container_of(link, struct probe, link);
    size_t length = delivery->body.length < 24 ? delivery->body.length : 24;

    if (probe->expected > 0) {
        count(probe);
    } else {
        printf("%s %.*s size=%zu again=%d reply_to=%.*s body=%.*s\n", delivery->looked_at ? "look" : "got",
               (int)delivery->queue.length, delivery->queue.bytes, delivery->body.length,
               delivery->redelivered, (int)delivery->reply_to.length,
               delivery->reply_to.bytes != NULL ? delivery->reply_to.bytes : "", (int)length,
               delivery->body.bytes);
    }
    if (!probe->holding) {
        amqp_link_ack(link, delivery->connection, delivery->tag);
        return;
    }
    probe->held = memory_grow(probe->held, &probe->held_capacity, probe->held_count + 1, sizeof *probe->held);
    probe->held[probe->held_count++] = (struct held){delivery->connection, delivery->tag};
}

static void on_closed(struct amqp_link *link)
{
    struct probe *probe = container_of(link, struct probe, link);

    puts("closed");
    runtime_close(&probe->runtime);
}

/* ---- what is typed ---- */

static void leave(struct probe *probe)
{
    if (!probe->closing) {
        probe->closing = true;
        prompt_close(&probe->prompt);
        amqp_link_close(&probe->link);
    }
}

static void set_target(struct probe *probe, const char *exchange, const char *key, uint64_t count_wanted,
                       size_t size)
{
    snprintf(probe->exchange, sizeof probe->exchange, "%s", strcmp(exchange, "-") == 0 ? "" : exchange);
    snprintf(probe->key, sizeof probe->key, "%s", strcmp(key, "-") == 0 ? "" : key);
    probe->end = probe->next + count_wanted;
    probe->not_done = count_wanted;
    probe->size = size < SIZE_MAX_BYTES ? size : SIZE_MAX_BYTES;
    probe->started_us = clock_wall_us();
}

static void release(struct probe *probe)
{
    while (probe->held_count > 0) {
        struct held *held = &probe->held[--probe->held_count];
        amqp_link_ack(&probe->link, held->connection, held->tag);
    }
    probe->holding = false;
}

static void on_line(struct prompt *prompt, struct text line)
{
    struct probe *probe = container_of(prompt, struct probe, prompt);
    char text[1024];
    char exchange[256];
    char key[256];
    char queue[256];
    uint64_t first;
    uint64_t messages;
    size_t size = 0;

    snprintf(text, sizeof text, "%.*s", (int)line.length, line.bytes);
    if (sscanf(text, "publish %255s %255s %" SCNu64 " %" SCNu64 " %zu", exchange, key, &first, &messages,
               &size) >= 4) {
        probe->next = first;
        set_target(probe, exchange, key, messages, size);
        publish_more(probe);
    } else if (sscanf(text, "flood %255s %255s %" SCNu64 " %zu", exchange, key, &messages, &size) == 4) {
        set_target(probe, exchange, key, messages, size);
        flood(probe);
    } else if (sscanf(text, "reply %255s %255s %255s", exchange, key, queue) == 3) {
        set_target(probe, exchange, key, 1, 0);
        publish_one(probe, queue, NULL);
    } else if (strcmp(text, "hold") == 0) {
        probe->holding = true;
    } else if (strcmp(text, "release") == 0) {
        release(probe);
    } else if (strcmp(text, "ping") == 0) {
        puts("pong");
    } else if (strcmp(text, "close") == 0) {
        leave(probe);
    } else {
        printf("not understood: %s\n", text);
    }
}

static void on_refused(struct prompt *prompt, const struct error *error)
{
    (void)prompt;
    printf("not understood: %s\n", error->text);
}

static void on_end(struct prompt *prompt)
{
    leave(container_of(prompt, struct probe, prompt));
}

static void on_signal(struct runtime *runtime, const char *name)
{
    (void)name;
    leave(container_of(runtime, struct probe, runtime));
}

static void on_tick(struct runtime *runtime, uint64_t now_ms)
{
    (void)runtime;
    (void)now_ms;
}

/* ---- starting ---- */

static bool add_step(struct probe *probe, char *word)
{
    static const struct {
        const char *prefix;
        struct amqp_step step;
    } kinds[] = {{"exchange:", {.type = AMQP_EXCHANGE}},
                 {"queue:", {.type = AMQP_QUEUE}},
                 {"exclusive:", {.type = AMQP_QUEUE, .exclusive = true}},
                 {"short:", {.type = AMQP_QUEUE, .max_length = 1}},
                 {"bind:", {.type = AMQP_BIND}},
                 {"look:", {.type = AMQP_LOOK}},
                 {"consume:", {.type = AMQP_CONSUME}}};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].prefix);
        if (strncmp(word, kinds[i].prefix, length) == 0 && probe->step_count < STEPS_MAX) {
            struct amqp_step step = kinds[i].step;
            char *colon = strchr(word + length, ':');
            step.name = word + length;
            if (colon != NULL) {
                *colon = '\0';
                step.exchange = colon + 1;
            }
            probe->steps[probe->step_count++] = step;
            return true;
        }
    }
    return false;
}

static int open_all(struct probe *probe, struct error *error)
{
    struct amqp_options options;
    struct log_options log_options = {0};
    int code = amqp_options_read(&options, "amqp://127.0.0.1", error);

    if (code == 0) {
        code = log_options_read(&log_options, "probe", error);
    }
    if (code == 0) {
        code = log_open(&probe->log, &log_options, error);
    }
    if (code == 0) {
        code = runtime_open(&probe->runtime, &probe->log, error);
    }
    if (code == 0) {
        code = amqp_link_open(&probe->link, &probe->runtime.loop, &probe->log, "probe", &options,
                              probe->steps, probe->step_count, error);
    }
    return code == 0 ? prompt_open(&probe->prompt, &probe->runtime.loop, &probe->log, "probe", error) : code;
}

int main(int argc, char **argv)
{
    static struct probe probe;
    struct error error;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "forget") == 0) {
            probe.link.forget = true;
        } else if (sscanf(argv[i], "quiet:%" SCNu64, &probe.expected) != 1 && !add_step(&probe, argv[i])) {
            fprintf(stderr, "amqp_probe: not understood: %s\n", argv[i]);
            return 2;
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    probe.body = memory_new(SIZE_MAX_BYTES);
    memset(probe.body, '.', SIZE_MAX_BYTES);
    probe.runtime.on_signal = on_signal;
    probe.runtime.on_tick = on_tick;
    probe.prompt.on_line = on_line;
    probe.prompt.on_refused = on_refused;
    probe.prompt.on_end = on_end;
    probe.link.on_state = on_state;
    probe.link.on_delivery = on_delivery;
    probe.link.on_closed = on_closed;
    if (open_all(&probe, &error) != 0) {
        fprintf(stderr, "amqp_probe: %s\n", error.text);
        return 1;
    }
    runtime_run(&probe.runtime);
    prompt_free(&probe.prompt);
    log_close(&probe.log);
    free(probe.held);
    free(probe.body);
    return 0;
}
