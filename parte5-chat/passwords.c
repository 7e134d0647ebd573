#include "parte5-chat/passwords.h"

#include "common/container_of.h"

#include <sodium.h>
#include <string.h>
#include <utlist.h>

_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "the text of a hash");

static const unsigned long long operations = crypto_pwhash_OPSLIMIT_INTERACTIVE;
static const size_t memory = crypto_pwhash_MEMLIMIT_INTERACTIVE;

int passwords_open(struct passwords *passwords, uv_loop_t *loop, struct error *error)
{
    unsigned char random[32];

    *passwords = (struct passwords){.loop = loop};
    if (sodium_init() < 0) {
        return error_set(error, ERROR_PROCESS, "libsodium cannot start");
    }
    randombytes_buf(random, sizeof random);
    if (crypto_pwhash_str_alg(passwords->nobody, (const char *)random, sizeof random, operations, memory,
                              crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return error_set(error, ERROR_PROCESS, "no memory for the hash of a password: %zu MiB are needed",
                         memory >> 20);
    }
    return 0;
}

/* ---- in a thread of the pool ---- */

static void work(uv_work_t *request)
{
    struct password_task *task = container_of(request, struct password_task, request);

    if (task->makes_hash) {
        task->done = crypto_pwhash_str_alg(task->hash, task->password, task->length, operations, memory,
                                           crypto_pwhash_ALG_ARGON2ID13) == 0;
    } else {
        task->done = crypto_pwhash_str_verify(task->hash, task->password, task->length) == 0;
    }
}

/* ---- on the loop ---- */

static void start_next(struct passwords *passwords);

static void finish(struct password_task *task)
{
    sodium_memzero(task->password, sizeof task->password);
    task->on_done(task);
}

static void on_worked(uv_work_t *request, int status)
{
    struct password_task *task = container_of(request, struct password_task, request);
    struct passwords *passwords = task->passwords;

    (void)status; /* none is cancelled once it has been given to the pool */
    passwords->running--;
    finish(task);
    start_next(passwords);
}

static void start_next(struct passwords *passwords)
{
    while (passwords->waiting != NULL && passwords->running < PASSWORDS_AT_ONCE) {
        struct password_task *task = passwords->waiting;
        DL_DELETE(passwords->waiting, task);
        passwords->waiting_count--;
        passwords->running++;
        (void)uv_queue_work(passwords->loop, &task->request, work,
                            on_worked); /* refuses NULL, nothing else */
    }
}

static int start(struct passwords *passwords, struct password_task *task, struct text password,
                 struct error *error)
{
    if (password.length > CHAT_PASSWORD_MAX || passwords->waiting_count == PASSWORDS_WAITING) {
        return error_set(error, ERROR_FULL, "too many wait already");
    }
    memcpy(task->password, password.bytes, password.length);
    task->length = password.length;
    task->passwords = passwords;
    DL_APPEND(passwords->waiting, task);
    passwords->waiting_count++;
    start_next(passwords);
    return 0;
}

int passwords_hash(struct passwords *passwords, struct password_task *task, struct text password,
                   struct error *error)
{
    task->makes_hash = true;
    return start(passwords, task, password, error);
}

/* A hash of other costs than ours was not made here: it might ask for any amount of memory. */
static bool is_ours(const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, operations, memory) == 0;
}

int passwords_compare(struct passwords *passwords, struct password_task *task, struct text password,
                      struct text hash, struct error *error)
{
    task->makes_hash = false;
    memset(task->hash, 0, sizeof task->hash);
    if (hash.length > 0 && hash.length < sizeof task->hash) {
        memcpy(task->hash, hash.bytes, hash.length);
    }
    if (!is_ours(task->hash)) {
        memcpy(task->hash, passwords->nobody, sizeof task->hash);
    }
    return start(passwords, task, password, error);
}

void passwords_close(struct passwords *passwords)
{
    while (passwords->waiting != NULL) {
        struct password_task *task = passwords->waiting;
        DL_DELETE(passwords->waiting, task);
        passwords->waiting_count--;
        finish(task);
    }
}
