#include "parte5-chat/reign.h"

#include "common/directory.h"
#include "common/memory.h"
#include "parte5-chat/lock_file.h"
#include "parte5-chat/store_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LENGTH (REIGN_PATH_MAX + 300)
#define COPY_CHUNK  ((size_t)1024 * 1024) /* bytes */

static const char *const names[STORE_FILES] = {"usuarios.json", "canais.json", "publicacoes.json",
                                               "mensagens.json"};

static int refuse(const char *path, int reason, struct error *error)
{
    error_set(error, ERROR_FILE, "%.200s cannot be read or written", path);
    error_because_errno(error, reason);
    return ERROR_FILE;
}

/* ---- the copy ---- */

static int flush(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int reason = descriptor < 0 || fsync(descriptor) != 0 ? errno : 0;

    if (descriptor >= 0) {
        close(descriptor);
    }
    return reason;
}

/* As far as the file goes when it is read: who is stopped over there may wake and write. Returns 0 or an errno. */
static int copy_bytes(int from, int to)
{
    char *bytes = memory_new(COPY_CHUNK);
    ssize_t length;
    int reason = 0;

    while (reason == 0 && (length = read(from, bytes, COPY_CHUNK)) != 0) {
        if (length > 0) {
            reason = store_write_all(to, (struct text){bytes, (size_t)length});
        } else if (errno != EINTR) {
            reason = errno;
        }
    }
    free(bytes);
    return reason == 0 && fdatasync(to) != 0 ? errno : reason;
}

static int copy_file(const char *source, const char *target, struct error *error)
{
    int from = open(source, O_RDONLY | O_CLOEXEC);

    if (from < 0) {
        return refuse(source, errno, error);
    }
    int to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int reason = to < 0 ? errno : copy_bytes(from, to);
    if (to >= 0) {
        close(to);
    }
    close(from);
    return reason == 0 ? 0 : refuse(target, reason, error);
}

static int copy_if_there(const char *from, const char *to, const char *name, struct error *error)
{
    char source[PATH_LENGTH];
    char target[PATH_LENGTH];

    snprintf(source, sizeof source, "%s/%s", from, name);
    snprintf(target, sizeof target, "%s/%s", to, name);
    return access(source, F_OK) == 0 || errno != ENOENT ? copy_file(source, target, error) : 0;
}

static int copy_all(const char *from, const char *to, struct error *error)
{
    int code = copy_if_there(from, to, "dropped.json", error);

    for (unsigned i = 0; i < STORE_FILES && code == 0; i++) {
        code = copy_if_there(from, to, names[i], error);
    }
    return code;
}

/* The last reign before `fence` with files that are whole; 0 if there is none. */
static int find_source(const char *volume, int64_t fence, int64_t *source, struct error *error)
{
    char path[REIGN_PATH_MAX];
    DIR *folder = opendir(volume);
    const struct dirent *entry;

    *source = 0;
    if (folder == NULL) {
        return refuse(volume, errno, error);
    }
    errno = 0;
    while ((entry = readdir(folder)) != NULL) {
        int64_t number = reign_number(entry->d_name);
        reign_path(path, volume, number, "data");
        if (number > *source && number < fence && access(path, F_OK) == 0) {
            *source = number;
        }
        errno = 0;
    }
    int reason = errno;
    closedir(folder);
    return reason == 0 ? 0 : refuse(volume, reason, error);
}

static int copy_reign(const char *volume, int64_t source, int64_t fence, struct error *error)
{
    char from[REIGN_PATH_MAX];
    char fresh[REIGN_PATH_MAX];
    char to[REIGN_PATH_MAX];
    char reign[REIGN_PATH_MAX];

    reign_path(from, volume, source, "data");
    reign_path(fresh, volume, fence, "data.new");
    reign_path(to, volume, fence, "data");
    reign_path(reign, volume, fence, "");
    if (mkdir(fresh, 0777) != 0) {
        return refuse(fresh, errno, error);
    }
    int code = source > 0 ? copy_all(from, fresh, error) : 0;
    if (code != 0) {
        (void)directory_remove(fresh, NULL); /* it takes room */
        return code;
    }
    int reason = flush(fresh);
    if (reason == 0 && rename(fresh, to) != 0) {
        reason = errno;
    }
    reason = reason == 0 ? flush(reign) : reason;
    return reason == 0 ? 0 : refuse(to, reason, error);
}

/* ---- what nobody needs any more ---- */

/* Reigns before `source`, and what was prepared and never became one. Not one that somebody might still read: who takes
 * over after us begins with our files, or with those that we began with. */
static void remove_old(const char *volume, int64_t source)
{
    char path[PATH_LENGTH];
    DIR *folder = opendir(volume);
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        int64_t number = reign_number(entry->d_name);
        if ((number > 0 && number < source) || strncmp(entry->d_name, "claim-", 6) == 0) {
            snprintf(path, sizeof path, "%.511s/%.255s", volume, entry->d_name);
            (void)directory_remove(path, NULL); /* whoever comes next tries again */
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

/* The copy of what cannot be read goes; the files that it was made of stay as they are. */
static int refuse_files(struct store *store, struct chat *chat, const char *copy, const struct error *why,
                        struct error *error)
{
    store_close(store);
    chat_free(chat);
    (void)directory_remove(copy, NULL);
    error_set(error, ERROR_FILE, "what the last reign left cannot be taken over");
    error_because_of(error, why);
    return ERROR_FILE;
}

int reign_open(struct store *store, const char *volume, int64_t fence, struct log *log, struct chat *chat,
               struct error *error)
{
    char path[REIGN_PATH_MAX];
    int64_t source;
    struct error why;
    int code = find_source(volume, fence, &source, error);

    if (code == 0) {
        code = copy_reign(volume, source, fence, error);
    }
    if (code != 0) {
        return code;
    }
    reign_path(path, volume, fence, "data");
    if (store_open(store, path, names, log, chat, &why) != 0) {
        return refuse_files(store, chat, path, &why, error);
    }
    remove_old(volume, source);
    return 0;
}

/* ---- for whoever looks on ---- */

/* Replaces a link as one step. Returns 0 or an errno. */
static int show(const char *volume, const char *name, const char *target)
{
    char path[PATH_LENGTH];
    char fresh[PATH_LENGTH];
    char held[100];

    snprintf(path, sizeof path, "%.511s/%s", volume, name);
    snprintf(fresh, sizeof fresh, "%.511s/%s.new", volume, name);
    ssize_t length = readlink(path, held, sizeof held);
    if (length < 0 && errno != ENOENT) {
        return errno;
    }
    if (length == (ssize_t)strlen(target) && memcmp(held, target, strlen(target)) == 0) {
        return 0;
    }
    (void)unlink(fresh); /* of whoever died here */
    return symlink(target, fresh) == 0 && rename(fresh, path) == 0 ? 0 : errno;
}

int reign_show(const char *volume, int64_t fence, struct error *error)
{
    char target[100];

    snprintf(target, sizeof target, "reign-%lld", (long long)fence);
    int reason = show(volume, "current", target);
    reason = reason == 0 ? show(volume, "leader.lock", "current/leader.lock") : reason;
    for (unsigned i = 0; i < STORE_FILES && reason == 0; i++) {
        snprintf(target, sizeof target, "current/data/%s", names[i]);
        reason = show(volume, names[i], target);
    }
    return reason == 0 ? 0 : refuse(volume, reason, error);
}
