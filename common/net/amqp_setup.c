#include "common/net/amqp_setup.h"

#include "common/clock.h"
#include "common/net/amqp_connect.h"
#include "common/net/amqp_look.h"
#include "common/net/amqp_reason.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define LOOK_AGAIN_MS 20

/* The broker's refusals (AMQP 0-9-1, 1.2): it closes the channel. */
enum { NOT_FOUND = 404, RESOURCE_LOCKED = 405, PRECONDITION_FAILED = 406 };

struct setup {
    struct amqp_thread *thread;
    amqp_connection_state_t connection;
    amqp_channel_t channel; /* the steps' present one */
    struct error *error;
};

/* ---- channels and refusals ---- */

static int open_channel(struct setup *setup, amqp_channel_t channel)
{
    if (amqp_channel_open(setup->connection, channel) == NULL) {
        return amqp_reason_reply(setup->error, "no channel", amqp_get_rpc_reply(setup->connection));
    }
    return 0;
}

/* What the last call on the steps' channel came to: 0; the broker's code, with a fresh channel; or ERROR_BROKER. */
static int result(struct setup *setup, const char *kind, const char *name)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(setup->connection);
    amqp_channel_close_ok_t close_ok = {0};
    char what[96];
    int code;

    if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
        return 0;
    }
    snprintf(what, sizeof what, "%s %.60s", kind, name);
    amqp_reason_reply(setup->error, what, reply);
    code = amqp_reason_channel_code(reply);
    if (code == 0) {
        return ERROR_BROKER;
    }
    int status = amqp_send_method(setup->connection, setup->channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &close_ok);
    if (status != AMQP_STATUS_OK) {
        return amqp_reason_status(setup->error, what, status);
    }
    /* Never the same number again: what the broker sent on the old one may still be on its way. */
    int opened = open_channel(setup, ++setup->channel);
    return opened == 0 ? code : opened;
}

/* ---- steps ---- */

static bool has_step(const struct amqp_thread *thread, enum amqp_step_type type, const char *name)
{
    for (size_t i = 0; i < thread->step_count; i++) {
        if (thread->steps[i].type == type && strcmp(thread->steps[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static int step_exchange(struct setup *setup, const struct amqp_step *step)
{
    amqp_exchange_declare(setup->connection, setup->channel, amqp_bytes_of(text_of(step->name)),
                          amqp_bytes_of(text_of("fanout")), 0, setup->thread->options.durable, 0, 0,
                          amqp_empty_table);
    int code = result(setup, "exchange", step->name);
    if (code == PRECONDITION_FAILED && strstr(setup->error->text, "'type'") == NULL) {
        amqp_thread_note(setup->thread, LOG_INFO,
                         "exchange %s exists with other properties, and is joined as it is", step->name);
        return 0;
    }
    return code == 0 ? 0 : ERROR_BROKER;
}

static amqp_table_entry_t number_entry(const char *key, int64_t number)
{
    amqp_table_entry_t entry = {.key = amqp_bytes_of(text_of(key)), .value.kind = AMQP_FIELD_KIND_I64};
    entry.value.value.i64 = number;
    return entry;
}

static amqp_table_entry_t flag_entry(const char *key, bool flag)
{
    amqp_table_entry_t entry = {.key = amqp_bytes_of(text_of(key)), .value.kind = AMQP_FIELD_KIND_BOOLEAN};
    entry.value.value.boolean = flag;
    return entry;
}

static amqp_table_entry_t type_entry(const char *type)
{
    amqp_table_entry_t entry = {.key = amqp_bytes_of(text_of("x-queue-type")),
                                .value.kind = AMQP_FIELD_KIND_UTF8};
    entry.value.value.bytes = amqp_bytes_of(text_of(type));
    return entry;
}

static int declare_queue(struct setup *setup, const struct amqp_step *step)
{
    const struct amqp_options *options = &setup->thread->options;
    amqp_table_entry_t entries[4];
    amqp_table_t arguments = {0, entries};

    if (step->max_length > 0) {
        entries[arguments.num_entries++] = number_entry("x-max-length", step->max_length);
    }
    if (step->exclusive) {
        entries[arguments.num_entries++] = type_entry("classic"); /* whatever the virtual host's default is */
    } else if (options->quorum) {
        entries[arguments.num_entries++] = type_entry("quorum");
        /* RabbitMQ 4 drops what a quorum queue delivered 20 times without success, and a node that is killed again and
         * again, or AMQP_LOOK, is no success. */
        entries[arguments.num_entries++] = number_entry("x-delivery-limit", INT_MAX);
        /* The consumer at a broker that died may stay known to the others for seconds. Every second message would be put
         * by for it, and come later, behind those that were sent after it. Not where AMQP_LOOK is to be: RabbitMQ refuses
         * basic.get from such a queue. */
        entries[arguments.num_entries++] =
            flag_entry("x-single-active-consumer", !has_step(setup->thread, AMQP_LOOK, step->name));
    }
    amqp_queue_declare(setup->connection, setup->channel, amqp_bytes_of(text_of(step->name)), 0,
                       options->durable && !step->exclusive, step->exclusive, 0, arguments);
    return result(setup, "queue", step->name);
}

/* `found`, if it is not NULL: what the broker says about the queue. */
static int find_queue(struct setup *setup, const char *name, amqp_queue_declare_ok_t *found)
{
    const amqp_queue_declare_ok_t *answer =
        amqp_queue_declare(setup->connection, setup->channel, amqp_bytes_of(text_of(name)), 1, 0, 0, 0,
                           amqp_empty_table);

    if (answer != NULL && found != NULL) {
        *found = *answer;
    }
    return result(setup, "queue", name);
}

static int step_queue(struct setup *setup, const struct amqp_step *step)
{
    int code = step->exclusive ? NOT_FOUND : find_queue(setup, step->name, NULL);

    if (code == NOT_FOUND) {
        code = declare_queue(setup, step);
        setup->thread->queue_made |= code == 0 && has_step(setup->thread, AMQP_CONSUME, step->name);
    }
    if (code == RESOURCE_LOCKED) {
        return error_set(setup->error, ERROR_BROKER,
                         "queue %.100s is held by another connection, and only one may have it", step->name);
    }
    return code == 0 ? 0 : ERROR_BROKER;
}

static int step_bind(struct setup *setup, const struct amqp_step *step)
{
    amqp_queue_bind(setup->connection, setup->channel, amqp_bytes_of(text_of(step->name)),
                    amqp_bytes_of(text_of(step->exchange)), amqp_empty_bytes, amqp_empty_table);
    return result(setup, "binding of queue", step->name) == 0 ? 0 : ERROR_BROKER;
}

/* What a consumer has not acknowledged does not wait in the queue, and nobody can see it; a consumer that died, the one
 * of the last look too, may be there for a moment yet. 0 and `count` when there is none any more. */
static int wait_for_consumers(struct setup *setup, const char *name, uint32_t *count)
{
    uint64_t until_ms = clock_monotonic_ms() + AMQP_CONNECT_MS;
    amqp_queue_declare_ok_t found = {0};

    do {
        if (find_queue(setup, name, &found) != 0) {
            return ERROR_BROKER;
        }
        *count = found.message_count;
        if (found.consumer_count == 0) {
            return 0;
        }
        amqp_thread_wait(setup->thread, -1, 0, LOOK_AGAIN_MS);
        amqp_thread_take(setup->thread);
    } while (clock_monotonic_ms() < until_ms && !amqp_thread_is_over(setup->thread, clock_monotonic_ms()));
    return error_set(setup->error, ERROR_BROKER,
                     "queue %.100s has a consumer already, and cannot be looked into", name);
}

static int step_look(struct setup *setup, uint32_t number)
{
    const char *name = setup->thread->steps[number].name;
    uint32_t count;
    int code = wait_for_consumers(setup, name, &count);

    if (code == 0) {
        code = amqp_look(setup->thread, setup->connection, setup->channel, number, count, setup->error);
    }
    if (code == 0) {
        code = open_channel(setup, ++setup->channel);
    }
    return code == 0 ? wait_for_consumers(setup, name, &count) : code; /* until all is back */
}

static int step_consume(struct setup *setup, uint32_t number)
{
    const struct amqp_step *step = &setup->thread->steps[number];
    char tag[16];
    char what[96];

    snprintf(tag, sizeof tag, "%u", (unsigned)number); /* tells deliveries of one link apart */
    amqp_basic_consume(setup->connection, AMQP_MAIN_CHANNEL, amqp_bytes_of(text_of(step->name)),
                       amqp_bytes_of(text_of(tag)), 0, 0, 0, amqp_empty_table);
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(setup->connection);
    snprintf(what, sizeof what, "consuming queue %.60s", step->name);
    return reply.reply_type == AMQP_RESPONSE_NORMAL ? 0 : amqp_reason_reply(setup->error, what, reply);
}

static int take_step(struct setup *setup, uint32_t number)
{
    const struct amqp_step *step = &setup->thread->steps[number];

    switch (step->type) {
    case AMQP_EXCHANGE:
        return step_exchange(setup, step);
    case AMQP_QUEUE:
        return step_queue(setup, step);
    case AMQP_BIND:
        return step_bind(setup, step);
    case AMQP_LOOK:
        return step_look(setup, number);
    case AMQP_CONSUME:
        break; /* later: until then, what arrives is for the steps */
    }
    return 0;
}

/* ---- all of them ---- */

static int open_main_channel(struct setup *setup)
{
    int code = open_channel(setup, AMQP_MAIN_CHANNEL);

    if (code == 0 && amqp_confirm_select(setup->connection, AMQP_MAIN_CHANNEL) == NULL) {
        code = amqp_reason_reply(setup->error, "publisher confirms", amqp_get_rpc_reply(setup->connection));
    }
    if (code == 0 && amqp_basic_qos(setup->connection, AMQP_MAIN_CHANNEL, 0,
                                    (uint16_t)setup->thread->options.prefetch, 0) == NULL) {
        code = amqp_reason_reply(setup->error, "prefetch", amqp_get_rpc_reply(setup->connection));
    }
    return code;
}

int amqp_setup(struct amqp_thread *thread, amqp_connection_state_t connection, struct error *error)
{
    struct setup setup = {.thread = thread,
                          .connection = connection,
                          .channel = AMQP_MAIN_CHANNEL + 1,
                          .error = error};
    int code = open_channel(&setup, setup.channel);

    for (uint32_t i = 0; code == 0 && i < thread->step_count; i++) {
        code = take_step(&setup, i);
    }
    if (code == 0) {
        code = open_main_channel(&setup);
    }
    for (uint32_t i = 0; code == 0 && i < thread->step_count; i++) {
        if (thread->steps[i].type == AMQP_CONSUME) {
            code = step_consume(&setup, i);
        }
    }
    return code;
}
