/* A server's disk: every change that it has, before anybody hears of it; and the epoch that it promised to obey.
 *
 *     users.json         {"type":"login","user":"ana","seq":2,"epoch":65,…}     one change on each line, in order;
 *     channels.json      {"type":"channel","target":"geral","seq":3,…}         jq reads them
 *     publications.json
 *     messages.json
 *     epoch.json         {"epoch":65}                                          replaced as a whole
 *
 * A change is appended to the file of its type. What one turn of the loop appends is written and flushed together ("group
 * commit"), so that appending the millionth costs what appending the first did.
 *
 * Why not one document of all users, and one of all channels, that are replaced as a whole? What the servers share is a
 * sequence of changes, each with a place, by which they find what a returning one lacks: whatever a line says, its place
 * must be there, and so no line is ever dropped, nor are two made one. And a document is written anew with each login:
 * 10,000 of them, one after the other, took twelve times as long as to append them, and wrote 8 GB instead of 2 MB.
 *
 * A crash may cut the last line of a file, which is dropped with a warning. It may also keep what was appended to one
 * file and lose what was to stand before that in another: what follows such a gap was not acknowledged to anybody; it is
 * moved to dropped.json, with a warning. Anything else that is wrong is refused, and left as it is.
 *
 * A full disk. What does not fit is taken back from all files, and the store is as it was before the commit, on the disk,
 * too: that much is known, for a file system that has no room (ENOSPC, EDQUOT, EFBIG) has touched nothing else. It is not
 * known after any other failure. A flush that failed (EIO) may have marked pages clean that never reached the disk, and
 * the next flush of the same file then says that all is well ("fsyncgate", PostgreSQL 2018; Rebello et al. 2020, "Can
 * applications recover from fsync failures?"). So nothing is flushed twice in the hope of better luck: such a store is
 * lost, and takes nothing any more. */
#ifndef ORDEM_CHAT_STORE_H
#define ORDEM_CHAT_STORE_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/log.h"
#include "parte5-chat/chat.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_FILES    4
#define STORE_PATH_MAX 512

/* What the files hold, in this order: users, channels, publications, private messages. */
extern const char *const store_names[STORE_FILES];

struct store_file {
    const char *name;      /* not owned */
    int descriptor;        /* -1 before it is open */
    off_t length;          /* so far it is sound, and flushed */
    struct buffer pending; /* lines that are to be appended */
};

struct store {
    char folder[STORE_PATH_MAX];
    struct log *log;
    struct store_file files[STORE_FILES];
    bool forget;      /* before `pending` is written, all files are emptied */
    bool lost;        /* nobody knows what is on the disk */
    int64_t recorded; /* the place of the last change that was recorded, */
    int64_t flushed;  /* and of the last one on the disk */
    int64_t promised; /* the epoch on the disk, */
    int64_t promise;  /* and the one to be written */
};

/* A store that is not open: it may be asked whether it is dirty, and closed. */
void store_init(struct store *store);

/* Opens the folder, with files of these names, and applies what is there to `chat`, an empty one; `store->promised` is the
 * promise. ERROR_FILE, and what is wrong with a line: the file and the line are named. */
int store_open(struct store *store, const char *folder, const char *const names[STORE_FILES], struct log *log,
               struct chat *chat, struct error *error);

/* What is to be on the disk after the next commit. */
void store_record(struct store *store, const struct change *change);
void store_promise(struct store *store, int64_t epoch);
void store_forget(struct store *store);

/* Is the last promise on the disk? */
bool store_has_promised(const struct store *store);

/* Is there anything to commit? */
bool store_is_dirty(const struct store *store);

/* Writes and flushes it, all or nothing.
 * ERROR_FULL: there is no room, and on the disk is what was there before (nothing, if that was to be forgotten), up to
 * `store->flushed`; with chat_cut the state is the same.
 * ERROR_FILE: it is not known what is on the disk. The store is lost. */
int store_commit(struct store *store, struct error *error);

/* Is there room again? Tries. */
bool store_has_room(struct store *store);

void store_close(struct store *store);

#endif
