#include "paxos/client_load.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define READ_UNIT 1000000 /* a share of reads is drawn in millionths */

/* One operation under way. */
struct load_item {
    struct ask ask;
    struct client_load *load;
    struct load_item *prev, *next;
    bool is_read;
    uint64_t key;
};

/* ---- settings ---- */

static int read_count(const struct json_object *object, const char *name, uint64_t low, uint64_t high,
                      uint64_t standard, uint64_t *number, struct error *error)
{
    const struct json_member *member = json_object_get(object, name);
    char digits[24];
    char *end = digits;

    *number = standard;
    if (member == NULL) {
        return 0;
    }
    if (member->kind == JSON_NUMBER && member->text.length < sizeof digits && member->text.bytes[0] != '-') {
        memcpy(digits, member->text.bytes, member->text.length);
        digits[member->text.length] = '\0';
        errno = 0;
        *number = strtoull(digits, &end, 10);
    }
    if (end == digits || *end != '\0' || errno != 0 || *number < low || *number > high) {
        return error_set(error, ERROR_FIELD_VALUE,
                         "%s is %.*s: a whole number from %" PRIu64 " to %" PRIu64 " is allowed", name,
                         (int)(member->text.length < 40 ? member->text.length : 40), member->text.bytes, low,
                         high);
    }
    return 0;
}

static int read_share(const struct json_object *object, double *share, struct error *error)
{
    const struct json_member *member = json_object_get(object, "readShare");
    char digits[32];
    char *end = digits;

    *share = 0.5;
    if (member == NULL) {
        return 0;
    }
    if (member->kind == JSON_NUMBER && member->text.length < sizeof digits) {
        memcpy(digits, member->text.bytes, member->text.length);
        digits[member->text.length] = '\0';
        *share = strtod(digits, &end);
    }
    if (end == digits || !(*share >= 0 && *share <= 1)) {
        return error_set(error, ERROR_FIELD_VALUE, "readShare is %.*s: a number from 0 to 1 is allowed",
                         (int)(member->text.length < 40 ? member->text.length : 40), member->text.bytes);
    }
    return 0;
}

int client_load_read(struct client_load_settings *settings, const struct json_object *object,
                     struct error *error)
{
    int code = read_count(object, "rate", 1, LOAD_RATE_MAX, 50, &settings->rate, error);

    if (code == 0) {
        code = read_count(object, "operations", 0, LOAD_OPERATIONS_MAX, 0, &settings->operations, error);
    }
    if (code == 0) {
        code = read_count(object, "keys", 1, LOAD_KEYS_MAX, 10, &settings->keys, error);
    }
    if (code == 0) {
        code = read_count(object, "size", 1, LOAD_SIZE_MAX, 16, &settings->size, error);
    }
    return code == 0 ? read_share(object, &settings->read_share, error) : code;
}

/* ---- asking ---- */

/* Without its value, which is not kept. */
static struct client_operation operation_of(struct client_load *load, const struct load_item *item)
{
    struct client_operation operation = {.operation = text_of(item->is_read ? "GET" : "SET")};

    buffer_clear(&load->resource);
    buffer_add_format(&load->resource, "\"key%" PRIu64 "\"", item->key);
    operation.resource = buffer_text(&load->resource);
    return operation;
}

static void end_if_done(struct client_load *load)
{
    if (!load->running && load->in_flight == 0 && load->on_end != NULL) {
        load->on_end(load);
    }
}

static void on_done(struct ask *ask, const struct ask_answer *answer)
{
    struct load_item *item = container_of(ask, struct load_item, ask);
    struct client_load *load = item->load;
    struct client_operation operation = operation_of(load, item);

    if (answer->status >= 200 && answer->status < 300) {
        load->done++;
        latencies_add(&load->latencies, answer->latency_us);
    } else {
        load->failed++;
    }
    load->on_answer(load, &operation, answer);
    DL_DELETE(load->items, item);
    LL_PREPEND(load->spare, item);
    load->in_flight--;
    end_if_done(load);
}

/* Every value is another one: it begins with the number of the operation, as far as there is room. */
static void number_value(struct client_load *load)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64 "-", load->sent);

    memcpy(load->value.bytes + 1, digits,
           (uint64_t)length < load->settings.size ? (size_t)length : (size_t)load->settings.size);
}

static void ask_one(struct client_load *load)
{
    struct load_item *item = load->spare;

    if (item != NULL) {
        LL_DELETE(load->spare, item);
    } else {
        item = memory_new_zeroed(1, sizeof *item);
        item->load = load;
        item->ask.on_done = on_done;
    }
    item->is_read =
        random_below(&load->random, READ_UNIT) < (uint64_t)(load->settings.read_share * READ_UNIT);
    item->key = random_below(&load->random, load->settings.keys);
    load->sent++;
    load->in_flight++;
    struct client_operation operation = operation_of(load, item);
    if (!item->is_read) {
        number_value(load);
        operation.data = buffer_text(&load->value);
    }
    buffer_clear(&load->request);
    client_operation_write(&load->request, load->identity, &operation, clock_wall_us());
    DL_APPEND(load->items, item);
    asker_ask(load->asker, &item->ask, client_operation_path(&operation), buffer_text(&load->request),
              load->timeout_ms);
}

static void on_timer(uv_timer_t *timer)
{
    struct client_load *load = container_of(timer, struct client_load, timer);
    const struct client_load_settings *settings = &load->settings;
    uint64_t passed_us = (uv_hrtime() - load->started_ns) / 1000;
    uint64_t due = passed_us / 1000000 * settings->rate + passed_us % 1000000 * settings->rate / 1000000 + 1;

    if (settings->operations > 0 && due > settings->operations + load->left_out) {
        due = settings->operations + load->left_out;
    }
    while (load->sent + load->left_out < due && load->in_flight < LOAD_FLIGHT_MAX) {
        ask_one(load);
    }
    if (settings->operations > 0 && load->sent >= settings->operations) {
        client_load_stop(load);
    } else if (load->sent + load->left_out < due) {
        load->left_out = due - load->sent;
    }
}

/* ---- from outside ---- */

void client_load_open(struct client_load *load, uv_loop_t *loop)
{
    uv_timer_init(loop, &load->timer);
}

void client_load_start(struct client_load *load, const struct client_load_settings *settings)
{
    load->settings = *settings;
    load->running = true;
    load->sent = load->done = load->failed = load->left_out = 0;
    load->latencies = (struct latencies){0};
    load->started_ns = uv_hrtime();
    load->random.state = load->started_ns;
    buffer_clear(&load->value);
    buffer_add_char(&load->value, '"');
    memset(buffer_reserve(&load->value, settings->size), 'x', settings->size);
    load->value.length += settings->size;
    buffer_add_char(&load->value, '"');
    uv_timer_start(&load->timer, on_timer, 0, LOAD_TURN_MS);
}

void client_load_stop(struct client_load *load)
{
    if (load->running) {
        load->running = false;
        uv_timer_stop(&load->timer);
        end_if_done(load);
    }
}

void client_load_write(const struct client_load *load, struct buffer *out)
{
    const struct client_load_settings *settings = &load->settings;

    buffer_add_format(out,
                      ",\"running\":%s,\"sent\":%" PRIu64 ",\"done\":%" PRIu64 ",\"failed\":%" PRIu64
                      ",\"leftOut\":%" PRIu64 ",\"inFlight\":%u",
                      load->running ? "true" : "false", load->sent, load->done, load->failed, load->left_out,
                      load->in_flight);
    buffer_add_format(out, ",\"p50Us\":%" PRIu64 ",\"p99Us\":%" PRIu64,
                      latencies_percentile(&load->latencies, 50), latencies_percentile(&load->latencies, 99));
    buffer_add_format(out,
                      ",\"rate\":%" PRIu64 ",\"operations\":%" PRIu64 ",\"keys\":%" PRIu64
                      ",\"size\":%" PRIu64 ",\"readShare\":",
                      settings->rate, settings->operations, settings->keys, settings->size);
    json_write_double(out, settings->read_share);
}

void client_load_close(struct client_load *load)
{
    load->running = false;
    uv_close((uv_handle_t *)&load->timer, NULL);
}

void client_load_free(struct client_load *load)
{
    struct load_item *item;

    while ((item = load->spare) != NULL) {
        LL_DELETE(load->spare, item);
        ask_free(&item->ask);
        free(item);
    }
    buffer_free(&load->value);
    buffer_free(&load->resource);
    buffer_free(&load->request);
}
