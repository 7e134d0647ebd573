#include "paxos/client_members.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define LOG_PATH "/logs/important"
#define ROLES    (sizeof roles / sizeof *roles)

static const struct {
    const char *role, *variable;
} roles[] = {{"proposer", "PROPOSERS"},
             {"acceptor", "ACCEPTORS"},
             {"learner", "LEARNERS"},
             {"store", "STORES"},
             {"client", "CLIENTS"}};

/* What a call was for; a question of somebody else has a number of its own, above these. */
enum { TAG_STATUS = 1, TAG_LOG = 2 };

/* Somebody waits for a member's answer. */
struct member_question {
    struct http_exchange *exchange;
    uint64_t tag;
    struct member_question *prev, *next;
};

static uint64_t now_of(const struct client_members *members)
{
    return uv_now(&members->process->runtime.loop);
}

/* ---- what members tell ---- */

/* Who it talks to is for those who ask for it: it is most of a status. */
static void keep_status(struct client_members *members, struct member *member, struct text body)
{
    bool first = true;

    if (body.length > MEMBERS_STATUS || json_object_read(&members->object, body, NULL) != 0) {
        return;
    }
    buffer_clear(&member->status);
    buffer_add_char(&member->status, '{');
    for (size_t i = 0; i < members->object.count; i++) {
        const struct json_member *item = &members->object.members[i];
        if (text_equal(item->name, text_of("peers"))) {
            continue;
        }
        buffer_add_string(&member->status, first ? "" : ",");
        json_write_string(&member->status, item->name);
        buffer_add_char(&member->status, ':');
        json_write_member(&member->status, item);
        first = false;
    }
    buffer_add_char(&member->status, '}');
    member->status_ms = now_of(members);
}

static void on_status(struct client_members *members, struct member *member, const struct peer_reply *reply)
{
    member->polled = false;
    member->state = reply->status == HTTP_OK ? MEMBER_UP : MEMBER_DOWN;
    if (reply->status == HTTP_OK) {
        keep_status(members, member, reply->body);
    }
}

/* A line, if it is younger than `after`. */
static void keep_line(struct client_members *members, struct member *member, struct text after,
                      struct text line)
{
    int64_t time_us;

    if (json_object_read(&members->object, line, NULL) != 0) {
        return;
    }
    const struct json_member *ts = json_object_get(&members->object, "ts");
    if (ts == NULL || ts->kind != JSON_STRING || !clock_parse(ts->text, &time_us) ||
        text_compare(ts->text, after) <= 0) {
        return;
    }
    snprintf(member->log_after, sizeof member->log_after, "%.*s", (int)ts->text.length, ts->text.bytes);
    snprintf(member->log_path, sizeof member->log_path, LOG_PATH "?after=%.*s", (int)ts->text.length,
             ts->text.bytes);
    client_history_add(&members->lines, line);
}

/* A log is told with each of its lines on a line of its own (log_book_write). */
static void on_log(struct client_members *members, struct member *member, const struct peer_reply *reply)
{
    struct text rest = reply->body;
    char after[sizeof member->log_after]; /* what was asked: several lines may be of one microsecond */

    memcpy(after, member->log_after, sizeof after);
    member->read = false;
    while (reply->status == HTTP_OK && rest.length > 0) {
        const char *end = memchr(rest.bytes, '\n', rest.length);
        struct text line = {rest.bytes, end != NULL ? (size_t)(end - rest.bytes) : rest.length};
        size_t used = end != NULL ? line.length + 1 : line.length;
        rest = (struct text){rest.bytes + used, rest.length - used};
        if (end == NULL && line.length >= 2) {
            line.length -= 2; /* the end of the array, and of the object around it */
        } else if (line.length > 0 && line.bytes[line.length - 1] == ',') {
            line.length--;
        }
        keep_line(members, member, text_of(after), line);
    }
}

static void on_question(struct client_members *members, const struct peer *peer,
                        const struct peer_reply *reply)
{
    struct member_question *question = members->questions;
    char sentence[PROCESS_NAME_MAX + 40];

    while (question != NULL && question->tag != reply->tag) {
        question = question->next;
    }
    if (question == NULL) {
        return;
    }
    if (reply->status > 0) {
        http_reply(question->exchange, (enum http_status)reply->status, "application/json", reply->body);
    } else {
        snprintf(sentence, sizeof sentence, "%s does not answer", peer->name);
        http_fail(question->exchange, HTTP_UNAVAILABLE, sentence);
    }
    DL_DELETE(members->questions, question);
    members->question_count--;
    free(question);
}

static void on_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply)
{
    struct member_role *role = container_of(peers, struct member_role, peers);
    struct member *member = &role->items[peer->number - 1];

    if (reply->tag == TAG_STATUS) {
        on_status(role->members, member, reply);
    } else if (reply->tag == TAG_LOG) {
        on_log(role->members, member, reply);
    } else {
        on_question(role->members, peer, reply);
    }
}

/* ---- asking them ---- */

static void poll_member(struct member_role *role, uint32_t number)
{
    struct member *member = &role->items[number - 1];
    const struct text none = {0};

    if (!member->polled) {
        member->polled =
            peers_call(&role->peers, number, "GET", "/status", none, TAG_STATUS, MEMBERS_WAIT_MS);
        member->state = member->polled ? member->state : MEMBER_DOWN; /* its circuit is open */
    }
    if (!member->read && member->state == MEMBER_UP) {
        const char *path = member->log_path[0] != '\0' ? member->log_path : LOG_PATH;
        member->read = peers_call(&role->peers, number, "GET", path, none, TAG_LOG, MEMBERS_WAIT_MS);
    }
}

static void poll_all(struct client_members *members)
{
    members->polled_ms = now_of(members);
    for (size_t i = 0; i < ROLES; i++) {
        for (uint32_t number = 1; number <= members->roles[i].peers.count; number++) {
            poll_member(&members->roles[i], number);
        }
    }
}

void client_members_tick(struct client_members *members)
{
    uint64_t now_ms = now_of(members);

    if (members->looked_ms != 0 && now_ms - members->looked_ms < MEMBERS_LOOK_MS &&
        now_ms - members->polled_ms >= MEMBERS_POLL_MS) {
        poll_all(members);
    }
}

void client_members_look(struct client_members *members)
{
    members->looked_ms = now_of(members);
    client_members_tick(members);
}

/* The role and the number of a member; NULL for a name that nobody has. */
static struct member_role *find_member(struct client_members *members, struct text name, uint32_t *number)
{
    for (size_t i = 0; i < ROLES; i++) {
        const struct peers *peers = &members->roles[i].peers;
        for (uint32_t n = 1; n <= peers->count; n++) {
            if (text_equal(text_of(peers->items[n - 1].name), name)) {
                *number = n;
                return &members->roles[i];
            }
        }
    }
    return NULL;
}

void client_members_ask(struct client_members *members, struct http_exchange *exchange, struct text name,
                        const char *path)
{
    uint32_t number = 0;
    struct member_role *role = find_member(members, name, &number);

    if (role == NULL) {
        http_fail(exchange, HTTP_NOT_FOUND, "there is no member of that name");
        return;
    }
    if (members->question_count >= MEMBERS_ASKED_MAX) {
        http_fail(exchange, HTTP_UNAVAILABLE, "too many wait for members' answers already");
        return;
    }
    uint64_t tag = ++members->last_tag + TAG_LOG;
    if (!peers_call(&role->peers, number, "GET", path, (struct text){0}, tag, MEMBERS_WAIT_MS)) {
        http_fail(exchange, HTTP_UNAVAILABLE, "that member has not answered for a while");
        return;
    }
    struct member_question *question = memory_new_zeroed(1, sizeof *question);
    question->exchange = exchange;
    question->tag = tag;
    DL_APPEND(members->questions, question);
    members->question_count++;
}

/* ---- what is known ---- */

static void write_member(const struct client_members *members, const struct peer *peer,
                         const struct member *member, struct buffer *out)
{
    static const char *const states[] = {"unknown", "up", "down"};

    buffer_add_format(out, "{\"name\":\"%s\",\"role\":\"%s\",\"number\":%" PRIu32 ",\"address\":", peer->name,
                      peer->peers->role, peer->number);
    json_write_string(out, text_of(peer->client.target.authority));
    buffer_add_format(out, ",\"state\":\"%s\",\"error\":", states[member->state]);
    json_write_string(out, text_of(member->state == MEMBER_DOWN ? peer->last_error : ""));
    if (member->status.length > 0) {
        buffer_add_format(out, ",\"ageMs\":%" PRIu64 ",\"status\":", now_of(members) - member->status_ms);
        buffer_add(out, member->status.bytes, member->status.length);
    } else {
        buffer_add_string(out, ",\"ageMs\":null");
        buffer_add_string(out, ",\"status\":null");
    }
    buffer_add_char(out, '}');
}

void client_members_write(const struct client_members *members, struct buffer *out)
{
    const char *between = "\n";

    buffer_add_char(out, '[');
    for (size_t i = 0; i < ROLES; i++) {
        const struct member_role *role = &members->roles[i];
        for (uint32_t n = 0; n < role->peers.count; n++, between = ",\n") {
            buffer_add_string(out, between);
            write_member(members, &role->peers.items[n], &role->items[n], out);
        }
    }
    buffer_add_char(out, ']');
}

const char *client_members_address(const struct client_members *members)
{
    const struct peers *clients = &members->roles[ROLES - 1].peers;
    uint32_t id = members->process->id;

    return id <= clients->count ? clients->items[id - 1].client.target.authority : NULL;
}

/* ---- opening and closing ---- */

int client_members_open(struct client_members *members, struct process *process, struct error *error)
{
    int code = 0;

    members->process = process;
    for (size_t i = 0; i < ROLES && code == 0; i++) {
        members->roles[i].members = members;
        members->roles[i].peers.on_reply = on_reply;
        code = peers_open(&members->roles[i].peers, process, roles[i].role, roles[i].variable, false, error);
    }
    return code;
}

void client_members_free(struct client_members *members)
{
    for (size_t i = 0; i < ROLES; i++) {
        for (size_t n = 0; n < PAXOS_MEMBERS_MAX; n++) {
            buffer_free(&members->roles[i].items[n].status);
        }
        peers_free(&members->roles[i].peers);
    }
    client_history_free(&members->lines);
    json_object_free(&members->object);
}
