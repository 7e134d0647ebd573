/* Passwords, as Argon2id hashes (RFC 9106; libsodium): each guess costs whoever stole the hashes the same 64 MiB and the same
 * time that it costs the server. That is too long for a loop that answers others meanwhile, so it happens in libuv's pool of
 * threads, a few at once for the memory's sake; the rest wait in line, and the line is bounded.
 *
 * Passwords are wiped from our memory after use. What libzmq and the kernel had in theirs on the way is not ours to wipe. */
#ifndef ORDEM_CHAT_PASSWORDS_H
#define ORDEM_CHAT_PASSWORDS_H

#include "common/error.h"
#include "common/text.h"
#include "parte5-chat/chat_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define PASSWORD_HASH_SIZE 128 /* bytes of the text of a hash, with its NUL */
#define PASSWORDS_AT_ONCE  2   /* 64 MiB each */
#define PASSWORDS_WAITING  200

/* Embedded in what its owner knows about it, as libuv's requests are. Zeroed to start with. */
struct password_task {
    uv_work_t request;
    struct passwords *passwords;
    struct password_task *prev, *next; /* while it waits for its turn */
    char password[CHAT_PASSWORD_MAX + 1];
    size_t length;
    bool makes_hash;               /* else it compares with one */
    char hash[PASSWORD_HASH_SIZE]; /* made, or to be compared with */
    bool done;                     /* the hash is made; or it is the password's */

    /* On the loop, once, with the password wiped; may free the task. */
    void (*on_done)(struct password_task *);
};

struct passwords {
    uv_loop_t *loop;               /* not owned */
    struct password_task *waiting; /* a list; not owned */
    unsigned waiting_count, running;
    char nobody[PASSWORD_HASH_SIZE]; /* the hash of a password that nobody knows */
};

/* ERROR_PROCESS: libsodium cannot start, or there is no memory for a hash. */
int passwords_open(struct passwords *passwords, uv_loop_t *loop, struct error *error);

/* Makes the password's hash. The task's on_done is set already. ERROR_FULL: too many wait, and on_done will not come. */
int passwords_hash(struct passwords *passwords, struct password_task *task, struct text password,
                   struct error *error);

/* Is it the password with this hash? No hash (there is no such account) costs as much time as a wrong password. The same. */
int passwords_compare(struct passwords *passwords, struct password_task *task, struct text password,
                      struct text hash, struct error *error);

/* Ends those that wait, as not done; the few that run end by themselves, and the loop waits for them. */
void passwords_close(struct passwords *passwords);

#endif
