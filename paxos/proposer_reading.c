/* Reads. The role lets one through when it is sure that this proposer leads (paxos/proposer_read.c); then any learner may
 * answer that has applied enough (proposer_batches.c). A stale read is let through at once, and told how old its answer
 * may be. */
#include "paxos/proposer_process.h"

#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

const char reading_bad_answer[] = "a learner gave no answer that can be read";

/* ---- answers ---- */

/* A read changes nothing: 503 is right whatever became of it. */
void reading_fail(struct proposer_process *proposer, struct reading *reading, const char *sentence)
{
    if (reading->exchange != NULL) {
        http_add_header(reading->exchange, "Retry-After", text_of("1"));
        http_fail(reading->exchange, HTTP_UNAVAILABLE, sentence);
        reading->exchange = NULL;
        proposer->stats.reads_failed++;
    }
}

void reading_free(struct reading *reading)
{
    free((char *)reading->resource.bytes);
    free(reading);
}

/* How long ago may what this learner has not applied have been decided? Since when a leader said so for the last time. */
static void write_age(const struct proposer_process *proposer, struct buffer *out, uint64_t applied)
{
    uint64_t now_ms = uv_now(&proposer->process.runtime.loop);

    for (size_t i = 1; i <= proposer->sights_count; i++) {
        const struct sight *sight =
            &proposer->sights[(proposer->sights_next + PROPOSER_SIGHTS - i) % PROPOSER_SIGHTS];
        if (sight->first <= applied + 1) {
            buffer_add_format(out, ",\"ageMs\":%" PRIu64, now_ms - sight->at_ms);
            return;
        }
    }
    buffer_add_string(out, ",\"ageMs\":null");
}

/* `item` is what the learner says: {"data":…,"version":…} of a resource, {"snapshot":{…}} of all of them. */
void reading_reply(struct proposer_process *proposer, struct reading *reading, uint64_t applied,
                   struct text item)
{
    bool is_one = reading->resource.bytes != NULL;
    struct buffer *out = process_body(&proposer->process);

    if (reading->exchange == NULL) {
        return;
    }
    int code = json_object_read(&proposer->object, item, NULL);
    const struct json_member *data =
        code == 0 ? json_object_get(&proposer->object, is_one ? "data" : "snapshot") : NULL;
    const struct json_member *version = code == 0 ? json_object_get(&proposer->object, "version") : NULL;
    if (data == NULL) {
        reading_fail(proposer, reading, reading_bad_answer);
        return;
    }
    buffer_add_format(out, "{\"status\":\"%s\",\"instanceId\":%" PRIu64 ",\"proposerId\":%" PRIu32,
                      reading->is_stale ? "stale" : "decided", applied, proposer->process.id);
    if (is_one) {
        buffer_add_string(out, ",\"resource\":");
        json_write_string(out, reading->resource);
    }
    buffer_add_string(out, is_one ? ",\"value\":" : ",\"snapshot\":");
    json_write_member(out, data);
    if (is_one && version != NULL) {
        buffer_add_string(out, ",\"version\":");
        json_write_member(out, version);
    }
    if (reading->is_stale) {
        write_age(proposer, out, applied);
    }
    buffer_add_char(out, '}');
    process_reply(reading->exchange, HTTP_OK, out);
    reading->exchange = NULL;
    proposer->stats.reads += !reading->is_stale;
    proposer->stats.reads_stale += reading->is_stale;
}

/* ---- one read ---- */

static struct reading *new_reading(struct proposer_process *proposer, struct http_exchange *exchange,
                                   const struct operation *operation, bool is_stale)
{
    struct reading *reading = memory_new(sizeof *reading);

    *reading = (struct reading){.token = ++proposer->last_token,
                                .exchange = exchange,
                                .since_ms = uv_now(&proposer->process.runtime.loop),
                                .is_stale = is_stale};
    if (operation->type == COMMAND_GET) {
        reading->resource.bytes = memory_copy_text(operation->resource.bytes, operation->resource.length);
        reading->resource.length = operation->resource.length;
    }
    return reading;
}

void reading_begin(struct proposer_process *proposer, struct http_exchange *exchange,
                   const struct operation *operation, bool is_stale, struct text query)
{
    struct reading *reading = new_reading(proposer, exchange, operation, is_stale);

    if (is_stale) {
        batches_send_one(proposer, reading);
        return;
    }
    proposer_read(&proposer->proposer, reading->token, &proposer->actions);
    if (proposer->actions.count > 0) { /* it gives nothing but a refusal */
        uint32_t leader = proposer->actions.items[0].number;
        paxos_actions_clear(&proposer->actions);
        clients_refuse(proposer, exchange, leader, query);
        reading_free(reading);
        return;
    }
    HASH_ADD(hh, proposer->readings, token, sizeof reading->token, reading);
}

/* It led, and does not any more. */
void reading_refused(struct proposer_process *proposer, const struct paxos_action *action)
{
    struct reading *reading;

    HASH_FIND(hh, proposer->readings, &action->token, sizeof action->token, reading);
    if (reading != NULL) {
        HASH_DEL(proposer->readings, reading);
        reading_fail(proposer, reading, "this proposer leads no more: ask again");
        reading_free(reading);
    }
}

/* ---- time ---- */

/* A leader says how far all is decided; so does this one, where it leads. */
void reading_see(struct proposer_process *proposer, uint64_t now_ms)
{
    proposer->sights[proposer->sights_next] = (struct sight){now_ms, proposer->proposer.first};
    proposer->sights_next = (proposer->sights_next + 1) % PROPOSER_SIGHTS;
    proposer->sights_count += proposer->sights_count < PROPOSER_SIGHTS;
}

/* Nobody waits for ever. The read stays here until the role or the learner has spoken. */
void reading_tick(struct proposer_process *proposer, uint64_t now_ms)
{
    for (struct reading *reading = proposer->readings; reading != NULL; reading = reading->hh.next) {
        if (now_ms - reading->since_ms < PROPOSER_WAIT_MS) {
            return;
        }
        reading_fail(proposer, reading, "it cannot be told whether this proposer leads: ask again");
    }
}

void reading_leave(struct proposer_process *proposer)
{
    struct reading *reading = proposer->readings;

    HASH_CLEAR(hh, proposer->readings);
    while (reading != NULL) {
        struct reading *next = reading->hh.next;
        reading_fail(proposer, reading, "this proposer ends");
        reading_free(reading);
        reading = next;
    }
}
