#include "common/lab/leader_finder.h"

#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/http_status.h"

#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MS 300 /* who is dead or paused does not answer, and does not lead */

/* ---- what they say ---- */

/* The round of the ballot in which it leads; 0 if it does not. */
static uint64_t round_of(struct leader_finder *finder, struct text body)
{
    const struct json_member *state;
    const struct json_member *ballot;
    const struct json_member *round;
    char digits[24];

    if (json_object_read(&finder->body, body, NULL) != 0) {
        return 0;
    }
    state = json_object_get(&finder->body, "state");
    ballot = json_object_get(&finder->body, "ballot");
    if (state == NULL || !text_equal(state->text, text_of("leading")) || ballot == NULL ||
        json_object_read(&finder->ballot, ballot->text, NULL) != 0) {
        return 0;
    }
    round = json_object_get(&finder->ballot, "proposalNumber");
    if (round == NULL || round->kind != JSON_NUMBER || round->text.length >= sizeof digits) {
        return 0;
    }
    snprintf(digits, sizeof digits, "%.*s", (int)round->text.length, round->text.bytes);
    return strtoull(digits, NULL, 10);
}

static void on_done(struct http_call *call, const struct http_response *response)
{
    struct finder_link *link = container_of(call, struct finder_link, call);
    struct leader_finder *finder = link->finder;
    uint64_t round = response->status == HTTP_OK ? round_of(finder, response->body) : 0;

    if (round > finder->round) {
        finder->round = round;
        finder->leader = (unsigned)(link - finder->links);
    }
    if (--finder->waiting == 0) {
        finder->state = FINDER_KNOWS;
    }
}

static void ask(struct leader_finder *finder)
{
    finder->state = FINDER_ASKS;
    finder->leader = LEADER_NOBODY;
    finder->round = 0;
    finder->waiting = finder->count;
    for (unsigned i = 0; i < finder->count; i++) {
        struct finder_link *link = &finder->links[i];
        link->call.on_done = on_done;
        http_client_call(&link->client, &link->call, "GET", "/status", (struct text){0}, ANSWER_MS);
    }
}

bool leader_finder_poll(struct leader_finder *finder, unsigned *leader)
{
    if (finder->state == FINDER_KNOWS && finder->leader != LEADER_NOBODY) {
        finder->state = FINDER_IDLE;
        *leader = finder->leader;
        return true;
    }
    if (finder->state != FINDER_ASKS) {
        ask(finder);
    }
    return false;
}

/* ---- connections ---- */

static void on_client_closed(struct http_client *client)
{
    struct leader_finder *finder = container_of(client, struct finder_link, client)->finder;

    if (--finder->open == 0) {
        finder->on_closed(finder);
    }
}

int leader_finder_open(struct leader_finder *finder, uv_loop_t *loop, const uint16_t *ports, unsigned count,
                       struct error *error)
{
    int code = 0;

    finder->links = memory_new_zeroed(count, sizeof *finder->links);
    for (unsigned i = 0; code == 0 && i < count; i++) {
        struct finder_link *link = &finder->links[i];
        char target[32];
        snprintf(target, sizeof target, "127.0.0.1:%u", ports[i]);
        link->finder = finder;
        link->client.on_closed = on_client_closed;
        code = http_client_init(&link->client, loop, target, 1, error);
        finder->count += code == 0;
        finder->open += code == 0;
    }
    return code;
}

void leader_finder_close(struct leader_finder *finder)
{
    if (finder->open == 0) {
        finder->on_closed(finder);
    }
    for (unsigned i = 0; i < finder->count; i++) {
        http_client_close(&finder->links[i].client);
    }
}

void leader_finder_free(struct leader_finder *finder)
{
    for (unsigned i = 0; i < finder->count; i++) {
        http_call_free(&finder->links[i].call);
    }
    free(finder->links);
    json_object_free(&finder->body);
    json_object_free(&finder->ballot);
}
