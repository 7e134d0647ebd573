#include "parte5-chat/store.h"

#include "common/directory.h"
#include "parte5-chat/chat_message_change.h"
#include "parte5-chat/store_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ROOM_TO_GO_ON                                                                                        \
    (64 * 1024) /* bytes in each file: or a disk that is nearly full stops us at every turn */

const char *const store_names[STORE_FILES] = {"users.json", "channels.json", "publications.json",
                                              "messages.json"};

unsigned store_file_of(enum change_type type)
{
    switch (type) {
    case CHANGE_CHANNEL:
    case CHANGE_SUBSCRIBE:
    case CHANGE_LEAVE:
        return 1;
    case CHANGE_PUBLISH:
        return 2;
    case CHANGE_MESSAGE:
        return 3;
    default:
        return 0;
    }
}

int store_refuse(const struct store *store, const char *name, int reason, struct error *error)
{
    bool is_full = reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
    int code = is_full ? ERROR_FULL : ERROR_FILE;

    error_set(error, code, "%.200s/%s cannot be read or written", store->folder, name);
    error_because_errno(error, reason);
    return code;
}

int store_open_file(const struct store *store, const char *name, int flags, struct error *error)
{
    char path[STORE_PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/%s", store->folder, name);
    int descriptor = open(path, flags | O_CLOEXEC, 0600); /* private messages, and hashes of passwords */
    return descriptor >= 0 ? descriptor : store_refuse(store, name, errno, error);
}

int store_write_all(int descriptor, struct text bytes)
{
    while (bytes.length > 0) {
        ssize_t written = write(descriptor, bytes.bytes, bytes.length);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            bytes.bytes += written;
            bytes.length -= (size_t)written;
        }
    }
    return 0;
}

int store_flush_folder(const struct store *store, struct error *error)
{
    int folder = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int reason = folder < 0 || fsync(folder) != 0 ? errno : 0;

    if (folder >= 0) {
        close(folder);
    }
    return reason == 0 ? 0 : store_refuse(store, ".", reason, error);
}

/* ---- opening and closing ---- */

void store_init(struct store *store)
{
    *store = (struct store){0};
    for (unsigned i = 0; i < STORE_FILES; i++) {
        store->files[i].descriptor = -1;
    }
}

int store_open(struct store *store, const char *folder, const char *const names[STORE_FILES], struct log *log,
               struct chat *chat, struct error *error)
{
    int code = directory_make(folder, "DATA_DIR", error);

    store_init(store);
    store->log = log;
    snprintf(store->folder, sizeof store->folder, "%.500s", folder);
    for (unsigned i = 0; i < STORE_FILES; i++) {
        store->files[i].name = names[i];
    }
    for (unsigned i = 0; i < STORE_FILES && code == 0; i++) {
        int descriptor = store_open_file(store, names[i], O_RDWR | O_CREAT | O_APPEND, error);
        code = descriptor < 0 ? descriptor : 0;
        store->files[i].descriptor = descriptor;
    }
    if (code == 0 && flock(store->files[0].descriptor, LOCK_EX | LOCK_NB) != 0) {
        code = error_set(error, ERROR_FILE, "%.200s is in use by another server", store->folder);
    }
    if (code == 0) {
        code = store_read_epoch(store, error);
    }
    if (code == 0) {
        code = store_load(store, chat, error);
    }
    if (code == 0) {
        code = store_flush_folder(store, error);
    }
    store->promise = store->promised;
    store->recorded = store->flushed = chat_last_seq(chat);
    return code;
}

void store_close(struct store *store)
{
    for (unsigned i = 0; i < STORE_FILES; i++) {
        if (store->files[i].descriptor >= 0) {
            close(store->files[i].descriptor);
        }
        buffer_free(&store->files[i].pending);
    }
}

/* ---- what is to be written ---- */

void store_record(struct store *store, const struct change *change)
{
    struct buffer *pending = &store->files[store_file_of(change->type)].pending;

    change_to_json(change, pending);
    buffer_add_char(pending, '\n');
    store->recorded = change->seq;
}

void store_promise(struct store *store, int64_t epoch)
{
    store->promise = epoch;
}

bool store_has_promised(const struct store *store)
{
    return store->promise == store->promised;
}

static void clear_pending(struct store *store)
{
    for (unsigned i = 0; i < STORE_FILES; i++) {
        buffer_clear(&store->files[i].pending);
    }
}

void store_forget(struct store *store)
{
    store->forget = true;
    store->recorded = CHANGE_NO_SEQ;
    clear_pending(store);
}

bool store_is_dirty(const struct store *store)
{
    bool dirty = store->forget || !store_has_promised(store);

    for (unsigned i = 0; i < STORE_FILES; i++) {
        dirty = dirty || store->files[i].pending.length > 0;
    }
    return dirty;
}

/* ---- writing ---- */

/* Whatever stands behind what is sound goes. Returns 0 or an errno. */
static int cut(const struct store_file *file)
{
    return ftruncate(file->descriptor, file->length) != 0 || fdatasync(file->descriptor) != 0 ? errno : 0;
}

static int forget_all(struct store *store, struct error *error)
{
    int code = 0;

    store->flushed = CHANGE_NO_SEQ;
    for (unsigned i = 0; i < STORE_FILES && code == 0; i++) {
        store->files[i].length = 0;
        int reason = cut(&store->files[i]);
        code = reason == 0 ? 0 : store_refuse(store, store->files[i].name, reason, error);
    }
    return code;
}

static int append(const struct store *store, const struct store_file *file, struct error *error)
{
    if (file->pending.length == 0) {
        return 0;
    }
    int reason = store_write_all(file->descriptor, buffer_text(&file->pending));
    if (reason == 0 && fdatasync(file->descriptor) != 0) {
        reason = errno;
    }
    return reason == 0 ? 0 : store_refuse(store, file->name, reason, error);
}

/* All files, for what follows a gap in one of them would be worth nothing. False: it is not known what they hold. */
static bool take_back(struct store *store)
{
    bool done = true;

    for (unsigned i = 0; i < STORE_FILES; i++) {
        done = cut(&store->files[i]) == 0 && done;
    }
    return done;
}

static int write_everything(struct store *store, struct error *error)
{
    int code = store_has_promised(store) ? 0 : store_write_epoch(store, error);

    if (code == 0 && store->forget) {
        code = forget_all(store, error);
    }
    for (unsigned i = 0; i < STORE_FILES && code == 0; i++) {
        code = append(store, &store->files[i], error);
    }
    return code;
}

int store_commit(struct store *store, struct error *error)
{
    int code = store->lost ? error_set(error, ERROR_FILE, "what %.200s holds is not known", store->folder)
                           : write_everything(store, error);

    for (unsigned i = 0; i < STORE_FILES && code == 0; i++) {
        store->files[i].length += (off_t)store->files[i].pending.length;
    }
    if (code != 0 && !store->lost) { /* taken back even then: nobody shall find half of it after a restart */
        store->lost = !take_back(store) || code != ERROR_FULL;
    }
    store->flushed = code == 0 ? store->recorded : store->flushed;
    store->recorded = store->flushed;
    store->promise = store->promised;
    store->forget = false;
    clear_pending(store);
    return store->lost ? ERROR_FILE : code;
}

bool store_has_room(struct store *store)
{
    char spaces[4096]; /* without a line's end: should we die now, they are a line that was cut */
    bool room = !store->lost;

    memset(spaces, ' ', sizeof spaces);
    for (unsigned i = 0; i < STORE_FILES && room; i++) {
        struct store_file *file = &store->files[i];
        for (unsigned written = 0; written < ROOM_TO_GO_ON && room; written += sizeof spaces) {
            room = store_write_all(file->descriptor, (struct text){spaces, sizeof spaces}) == 0;
        }
        room = room && fdatasync(file->descriptor) == 0;
        store->lost = cut(file) != 0;
        room = room && !store->lost;
    }
    return room;
}
