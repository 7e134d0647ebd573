/* Who may ask. With ACCOUNTS=passwords, `register` and `login` bring a password, which whoever leads has looked at in another
 * thread (passwords.c), while the question waits here; every other question brings a token (server_tokens.c).
 *
 * A question that has waited is looked at as if it came anew: by then this server may lead no more, and who asks is sent to
 * ask again. Nothing here logs what a question holds. */
#include "parte5-chat/server.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "common/uuid.h"
#include "parte5-chat/chat_message_change.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define ENTRY_MAX 16384 /* bytes of a question that waits: more than a name and a password need */

/* One text for whatever is wrong: it does not tell which names exist. */
static const char wrong_entry[] = "wrong user or password";

/* A question whose password is being looked at. */
struct entry {
    struct entry *prev, *next;
    struct password_task task;
    struct server *server;
    enum chat_service service;
    char request_id[UUID_LENGTH + 1], user[NAME_MAX_LENGTH + 1];
    size_t count, size;                 /* of the frames, and of their bytes */
    struct text frames[ZMQ_FRAMES_MAX]; /* the way back, and the question */
    char *bytes;                        /* owned */
};

/* ---- questions that wait ---- */

/* A password that came in JSON is in a buffer of ours, too. */
static void wipe_heard(struct server *server)
{
    sodium_memzero(server->heard.unpacked.bytes, server->heard.unpacked.length);
}

static void free_frames(struct entry *entry)
{
    sodium_memzero(entry->bytes, entry->size);
    free(entry->bytes);
}

static void keep_frames(struct entry *entry, const struct text *frames, size_t count)
{
    entry->count = count;
    entry->size = 0;
    for (size_t i = 0; i < count; i++) {
        entry->size += frames[i].length;
    }
    char *room = entry->bytes = memory_new(entry->size);
    for (size_t i = 0; i < count; i++) {
        entry->frames[i] = (struct text){room, frames[i].length};
        if (frames[i].length > 0) {
            memcpy(room, frames[i].bytes, frames[i].length);
            room += frames[i].length;
        }
    }
}

/* The same question as the first time, if perhaps with another timestamp: who knows the password may have the answer. */
static bool asks_again(const struct entry *entry, const struct chat_message *heard)
{
    return entry->service == heard->service && text_equal(text_of(entry->request_id), heard->request_id) &&
           text_equal(text_of(entry->user), heard->user) && entry->task.length == heard->password.length &&
           sodium_memcmp(entry->task.password, heard->password.bytes, heard->password.length) == 0;
}

static struct entry *find_retry(struct server *server)
{
    struct entry *entry = server->heard.request_id.length > 0 ? server->accounts.entries : NULL;

    while (entry != NULL && !asks_again(entry, &server->heard)) {
        entry = entry->next;
    }
    return entry;
}

static void forget(struct entry *entry)
{
    DL_DELETE(entry->server->accounts.entries, entry);
    free_frames(entry);
    free(entry);
}

/* ---- register and login ---- */

static bool must_wait(struct server *server, const struct text *frames, size_t count)
{
    char why[80];
    uint64_t wait_ms = accounts_wait_ms(&server->accounts.tries, server->heard.user, clock_monotonic_ms());

    if (wait_ms > 0) {
        snprintf(why, sizeof why, "too many wrong passwords: try again in %" PRIu64 " s",
                 (wait_ms + 999) / 1000);
        server_refuse(server, frames, count, why);
    }
    return wait_ms > 0;
}

/* The password has been looked at. True: it lets them in. */
static bool admits(struct server *server, const struct entry *entry)
{
    bool registers = server->heard.service == SERVICE_REGISTER;

    if (!server_leads(server)) {
        server_refuse(server, entry->frames, entry->count - 1, CHAT_NO_PRIMARY);
        return false;
    }
    if (registers && !entry->task.done) {
        server_refuse(server, entry->frames, entry->count - 1, "no memory for that at this moment");
        return false;
    }
    /* Many may have been asked at once, before the first was found wrong: theirs do not count any more. */
    if (registers || must_wait(server, entry->frames, entry->count - 1)) {
        return registers;
    }
    accounts_note(&server->accounts.tries, server->heard.user, entry->task.done, clock_monotonic_ms());
    if (!entry->task.done) {
        server_refuse(server, entry->frames, entry->count - 1, wrong_entry);
    }
    return entry->task.done;
}

static void on_looked_at(struct password_task *task)
{
    struct entry *entry = container_of(task, struct entry, task);
    struct server *server = entry->server;
    struct change fields;
    struct text question = entry->frames[entry->count - 1];

    if (!server->process.leaving &&
        chat_message_decode(&server->heard, CHAT_REQUEST, question, CHAT_MESSAGE_MAX, NULL) == 0 &&
        admits(server, entry) && change_from_request(&server->heard, &fields)) {
        fields.body = server->heard.service == SERVICE_REGISTER ? text_of(task->hash) : (struct text){0};
        server_take_write(server, &fields, entry->frames, entry->count - 1);
    }
    wipe_heard(server);
    forget(entry);
}

static void look_at_password(struct server *server, const struct text *frames, size_t count)
{
    const struct chat_message *heard = &server->heard;
    struct passwords *passwords = &server->accounts.passwords;
    struct entry *entry = memory_new(sizeof *entry);
    struct error error;
    int code;

    *entry = (struct entry){.server = server, .service = heard->service, .task.on_done = on_looked_at};
    snprintf(entry->user, sizeof entry->user, "%.*s", (int)heard->user.length, heard->user.bytes);
    if (heard->request_id.length > 0) {
        memcpy(entry->request_id, heard->request_id.bytes, UUID_LENGTH);
    }
    keep_frames(entry, frames, count);
    DL_APPEND(server->accounts.entries, entry);
    if (heard->service == SERVICE_REGISTER) {
        code = passwords_hash(passwords, &entry->task, heard->password, &error);
    } else {
        struct text hash = chat_account(&server->chat, heard->user);
        code = passwords_compare(passwords, &entry->task, heard->password, hash, &error);
    }
    if (code != 0) {
        forget(entry);
        server_refuse(server, frames, count - 1, error.text);
    }
}

/* The account is made, or about to be: at most the answer is owed, and no hash for that. */
static bool is_registered(const struct server *server)
{
    return server->heard.service == SERVICE_REGISTER && server->heard.request_id.length > 0 &&
           chat_find_request(&server->chat, server->heard.request_id) != NULL;
}

static void hear_entry(struct server *server, const struct text *frames, size_t count, bool passed)
{
    struct entry *retried = find_retry(server);
    struct change fields;

    if (server->heard.password.length == 0) {
        server_refuse(server, frames, count - 1, CHAT_PASSWORD_NEEDED);
    } else if (frames[count - 1].length > ENTRY_MAX) {
        server_refuse(server, frames, count - 1, "far more than a name and a password");
    } else if (!server_leads(server)) {
        server_pass_or_refuse(server, frames, count, passed);
    } else if (retried != NULL) { /* perhaps from elsewhere */
        free_frames(retried);
        keep_frames(retried, frames, count);
    } else if (is_registered(server) && change_from_request(&server->heard, &fields)) {
        server_take_write(server, &fields, frames, count - 1);
    } else if (server->heard.service == SERVICE_REGISTER || !must_wait(server, frames, count - 1)) {
        look_at_password(server, frames, count);
    }
}

/* ---- every question ---- */

bool server_hold_question(struct server *server, const struct text *frames, size_t count, bool passed)
{
    enum chat_service service = server->heard.service;

    if (!server->accounts.on) {
        return false;
    }
    if (service != SERVICE_REGISTER && service != SERVICE_LOGIN) {
        return !server_check_token(server, frames, count - 1);
    }
    hear_entry(server, frames, count, passed);
    sodium_memzero(server->heard.unpacked.bytes,
                   server->heard.unpacked.length); /* the password, out of JSON */
    return true;
}

/* ---- opening and closing ---- */

static int open_key(struct server *server, const char *folder, struct error *error)
{
    const char *secret = config_text("JWT_SECRET", NULL);

    if (secret != NULL) {
        return token_key_from_text(&server->accounts.key, text_of(secret), error);
    }
    return folder != NULL
               ? token_key_from_folder(&server->accounts.key, folder, error)
               : error_set(error, ERROR_CONFIG,
                           "JWT_SECRET is unset: servers with data of their own need the same one");
}

int server_accounts_open(struct server *server, const char *folder, struct error *error)
{
    static const char *const kinds[] = {"none", "passwords", NULL};
    struct server_accounts *accounts = &server->accounts;
    int kind;
    int64_t hours;
    uint64_t seed;
    int code = config_choice("ACCOUNTS", kinds, 0, &kind, error);

    if (code == 0) {
        code = config_int("TOKEN_HOURS", 1, 24 * 366, 8, &hours, error);
    }
    if (code != 0 || kind == 0) {
        return code;
    }
    accounts->on = true;
    accounts->token_s = hours * 3600;
    code = passwords_open(&accounts->passwords, &server->process.runtime.loop, error);
    if (code != 0) {
        return code;
    }
    randombytes_buf(&seed, sizeof seed);
    accounts_init(&accounts->tries, seed);
    return open_key(server, folder, error);
}

void server_accounts_close(struct server *server)
{
    if (server->accounts.on) {
        passwords_close(&server->accounts.passwords);
    }
}
