/* Reads on their way to a learner. Those that are let through together are one request; where a learner does not answer,
 * the next one is asked. */
#include "paxos/proposer_process.h"

#include "common/json_scan.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utlist.h>

#define READS_TOGETHER 256 /* so that a request stays small */

/* ---- asking ---- */

static void free_batch(struct proposer_process *proposer, struct read_batch *batch)
{
    struct reading *reading;

    while ((reading = batch->readings) != NULL) {
        LL_DELETE(batch->readings, reading);
        reading_free(reading);
    }
    if (batch->tag > 0) {
        HASH_DEL(proposer->batches, batch);
    }
    buffer_free(&batch->body);
    free(batch);
}

static void fail_batch(struct proposer_process *proposer, struct read_batch *batch, const char *sentence)
{
    for (struct reading *reading = batch->readings; reading != NULL; reading = reading->next) {
        reading_fail(proposer, reading, sentence);
    }
    free_batch(proposer, batch);
}

/* Asks the next learner that was not asked yet: they take turns in being the first. */
static void ask(struct proposer_process *proposer, struct read_batch *batch)
{
    uint32_t count = proposer->learners.count;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = 1 + (uint32_t)((batch->tag + i) % count);
        if ((batch->tried & members_bit(number)) == 0) {
            batch->tried |= members_bit(number);
            if (peers_post(&proposer->learners, number, "/read", buffer_text(&batch->body), batch->tag)) {
                return;
            }
        }
    }
    fail_batch(proposer, batch, "no learner answers: ask again");
}

static struct read_batch *new_batch(uint64_t instance)
{
    struct read_batch *batch = memory_new_zeroed(1, sizeof *batch);

    buffer_add_format(&batch->body, "{\"instanceId\":%" PRIu64 ",\"reads\":[", instance);
    return batch;
}

static void add_to_batch(struct read_batch *batch, struct reading *reading)
{
    if (batch->count++ > 0) {
        buffer_add_char(&batch->body, ',');
        batch->last->next = reading;
    } else {
        batch->readings = reading;
    }
    batch->last = reading;
    reading->next = NULL;
    if (reading->resource.bytes != NULL) {
        buffer_add_string(&batch->body, "{\"resource\":");
        json_write_string(&batch->body, reading->resource);
        buffer_add_char(&batch->body, '}');
    } else {
        buffer_add_string(&batch->body, "{\"all\":true}");
    }
}

static void send_batch(struct proposer_process *proposer, struct read_batch *batch)
{
    buffer_add_string(&batch->body, "]}");
    batch->tag = ++proposer->last_tag;
    HASH_ADD(hh, proposer->batches, tag, sizeof batch->tag, batch);
    ask(proposer, batch);
}

/* A stale read, which waits for no instance. */
void batches_send_one(struct proposer_process *proposer, struct reading *reading)
{
    struct read_batch *batch = new_batch(0);

    add_to_batch(batch, reading);
    send_batch(proposer, batch);
}

/* All that the role lets through at once waits for the same instance, or nearly so. */
void batches_let_through(struct proposer_process *proposer, const struct paxos_actions *actions)
{
    struct read_batch *batch = NULL;
    uint64_t instance = 0;

    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].type == PAXOS_READ && actions->items[i].instance > instance) {
            instance = actions->items[i].instance;
        }
    }
    for (size_t i = 0; i < actions->count; i++) {
        struct reading *reading = NULL;
        if (actions->items[i].type == PAXOS_READ) {
            HASH_FIND(hh, proposer->readings, &actions->items[i].token, sizeof(uint64_t), reading);
        }
        if (reading == NULL) {
            continue;
        }
        HASH_DEL(proposer->readings, reading);
        batch = batch != NULL ? batch : new_batch(instance);
        add_to_batch(batch, reading);
        if (batch->count == READS_TOGETHER) {
            send_batch(proposer, batch);
            batch = NULL;
        }
    }
    if (batch != NULL) {
        send_batch(proposer, batch);
    }
}

/* ---- answers ---- */

/* {"instanceId":…,"values":[…]} */
static bool read_answer(struct text body, uint64_t *applied, struct text *values)
{
    struct json_scan scan = json_scan_of(body);
    struct text name;
    struct text other;

    *applied = UINT64_MAX;
    *values = (struct text){0};
    json_scan_enter(&scan, '{');
    while (json_scan_member(&scan, &name)) {
        if (text_equal(name, text_of("values")) && json_scan_peek(&scan) == '[') {
            json_scan_skip(&scan, values);
        } else if (!text_equal(name, text_of("instanceId")) || !json_scan_number(&scan, applied)) {
            json_scan_skip(&scan, &other);
        }
    }
    return json_scan_end(&scan) && *applied <= PAXOS_INSTANCE_MAX && values->bytes != NULL;
}

/* One value for each read, in their order? */
static bool reply_batch(struct proposer_process *proposer, struct read_batch *batch, struct text body)
{
    struct text values;
    struct text item;
    uint64_t applied;

    if (!text_is_utf8(body) || !read_answer(body, &applied, &values)) {
        return false;
    }
    struct json_scan scan = json_scan_of(values);
    json_scan_enter(&scan, '[');
    while (batch->readings != NULL && json_scan_item(&scan) && json_scan_skip(&scan, &item)) {
        struct reading *reading = batch->readings;
        reading_reply(proposer, reading, applied, item);
        LL_DELETE(batch->readings, reading);
        reading_free(reading);
    }
    return batch->readings == NULL;
}

void batches_answered(struct peers *peers, struct peer *peer, const struct peer_reply *answer)
{
    struct proposer_process *proposer = proposer_of(peers->process);
    struct read_batch *batch;

    (void)peer;
    HASH_FIND(hh, proposer->batches, &answer->tag, sizeof answer->tag, batch);
    if (batch == NULL) {
        return; /* a heartbeat */
    }
    if (answer->status == HTTP_CANCELLED) {
        fail_batch(proposer, batch, "this proposer ends");
    } else if (answer->status != HTTP_OK) {
        ask(proposer, batch);
    } else if (reply_batch(proposer, batch, answer->body)) {
        free_batch(proposer, batch);
    } else {
        proposer->stats.bad_replies++;
        fail_batch(proposer, batch, reading_bad_answer);
    }
}
