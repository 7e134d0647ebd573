#include "paxos/snapshot.h"

#include "common/words.h"
#include "paxos/fields.h"
#include "paxos/limits.h"

#define SESSIONS_PAGE 8192 /* remembered commands in one page */

void snapshot_free(struct snapshot *snapshot)
{
    learner_state_free(&snapshot->state);
    sessions_free(&snapshot->sessions);
    buffer_free(&snapshot->name);
    writes_free(&snapshot->writes);
    *snapshot = (struct snapshot){0};
}

/* ---- giving ---- */

/* Returns the last one that it told. */
static uint64_t put_sessions(struct buffer *out, const struct sessions *sessions, uint64_t after)
{
    uint64_t first = after < sessions->forgotten ? sessions->forgotten + 1 : after + 1;
    uint64_t last = sessions->noted;

    if (first <= last && last - first >= SESSIONS_PAGE) {
        last = first + SESSIONS_PAGE - 1;
    }
    buffer_add_format(out, ",\"noted\":%llu,\"forgotten\":%llu,\"from\":%llu,\"sessions\":[",
                      (unsigned long long)sessions->noted, (unsigned long long)sessions->forgotten,
                      (unsigned long long)first);
    for (uint64_t i = first; i <= last; i++) {
        struct session session = sessions_get(sessions, i);
        buffer_add_format(out, "%s%llu,%llu", i > first ? "," : "", (unsigned long long)session.client,
                          (unsigned long long)session.timestamp);
    }
    buffer_add_char(out, ']');
    return last;
}

int snapshot_put_page(struct buffer *out, uint32_t learner, uint64_t instance,
                      const struct learner_state *state, const struct sessions *sessions,
                      const struct json_object *question, struct error *error)
{
    const struct resource *first = NULL;
    uint64_t noted = 0;
    int code = writes_find_page(&state->resources, question, &first, error);

    if (code == 0) {
        code = field_number_or(question, "noted", 0, PAXOS_INSTANCE_MAX, 0, &noted, error);
    }
    if (code != 0) {
        return code;
    }
    buffer_add_format(out,
                      "{\"learnerId\":%u,\"instanceId\":%llu,\"commands\":%llu,\"first\":1,\"last\":%llu",
                      learner, (unsigned long long)instance, (unsigned long long)state->commands,
                      (unsigned long long)state->writes);
    const struct resource *last = writes_put(out, first);
    bool part = put_sessions(out, sessions, noted) < sessions->noted || (last != NULL && last->next != NULL);
    buffer_add_format(out, ",\"part\":%s}", part ? "true" : "false");
    return 0;
}

/* ---- taking ---- */

void snapshot_put_question(struct buffer *out, const struct snapshot *snapshot)
{
    buffer_add_format(out, "{\"after\":%llu,\"noted\":%llu,\"resource\":",
                      (unsigned long long)resources_version(&snapshot->state.resources),
                      (unsigned long long)snapshot->sessions.noted);
    json_write_string(out, buffer_text(&snapshot->name));
    buffer_add_char(out, '}');
}

static int take_sessions(struct snapshot *snapshot, const struct json_object *page, struct error *error)
{
    struct field_items items = {0};
    struct text client_text;
    struct text timestamp_text;
    uint64_t from = 0;
    uint64_t client = 0;
    uint64_t timestamp = 0;
    int code = field_number(page, "from", 1, PAXOS_INSTANCE_MAX, &from, error);

    if (code == 0) {
        code = field_array(page, "sessions", &items, error);
    }
    if (code == 0 && snapshot->sessions.noted == 0) {
        sessions_forget(&snapshot->sessions, from - 1);
    }
    if (code == 0 && from != snapshot->sessions.noted + 1) {
        code = error_set(error, ERROR_FIELD_VALUE, "remembered commands are missing");
    }
    while (code == 0 && field_next(&items, &client_text)) {
        if (!field_next(&items, &timestamp_text) || !field_item_number(client_text, &client) ||
            !field_item_number(timestamp_text, &timestamp) ||
            !sessions_note(&snapshot->sessions, client, timestamp)) {
            code = error_set(error, ERROR_FIELD_VALUE, "a remembered command is missing, or there twice");
        }
    }
    return code;
}

static int take_resources(struct snapshot *snapshot, const struct json_object *page, struct error *error)
{
    struct writes *writes = &snapshot->writes;
    struct resources *resources = &snapshot->state.resources;
    int code = writes_read(writes, page, true, error);

    for (size_t i = 0; code == 0 && i < writes->count; i++) {
        const struct resource *item = &writes->items[i];
        if (item->version <= resources_version(resources) || item->version > writes->last) {
            return error_set(error, ERROR_FIELD_VALUE, "a version is out of order");
        }
        resources_set(resources, item);
    }
    if (code == 0 && writes->count > 0) {
        struct text name = writes->items[writes->count - 1].name;
        buffer_clear(&snapshot->name);
        buffer_add(&snapshot->name, name.bytes, name.length);
    }
    return code;
}

/* What every page says, and only the last one's counts. */
static int take_numbers(struct snapshot *snapshot, const struct json_object *page, struct error *error)
{
    struct learner_state *state = &snapshot->state;
    uint64_t noted = 0;
    int code = field_number(page, "instanceId", 0, PAXOS_INSTANCE_MAX, &snapshot->instance, error);

    if (code == 0) {
        code = field_number(page, "commands", 0, PAXOS_INSTANCE_MAX, &state->commands, error);
    }
    if (code == 0) {
        code = field_number(page, "noted", 0, PAXOS_INSTANCE_MAX, &noted, error);
    }
    state->writes = snapshot->writes.last;
    snapshot->whole = code == 0 && !snapshot->writes.part;
    if (snapshot->whole && (noted != snapshot->sessions.noted || state->writes > state->commands ||
                            resources_version(&state->resources) != state->writes)) {
        code = error_set(error, ERROR_FIELD_VALUE, "the snapshot of another learner");
        error_because(error, N_("its numbers do not fit together"));
    }
    return code;
}

int snapshot_take_page(struct snapshot *snapshot, const struct json_object *page, struct error *error)
{
    int code = take_sessions(snapshot, page, error);

    if (code == 0) {
        code = take_resources(snapshot, page, error);
    }
    return code == 0 ? take_numbers(snapshot, page, error) : code;
}
