#include "parte5-chat/lock_file.h"

#include "common/clock.h"
#include "common/directory.h"
#include "common/json.h"
#include "common/uuid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_MAX 256 /* bytes */

/* ---- names ---- */

void reign_path(char path[REIGN_PATH_MAX], const char *volume, int64_t fence, const char *name)
{
    snprintf(path, REIGN_PATH_MAX, "%.511s/reign-%lld%s%.60s", volume, (long long)fence,
             *name != '\0' ? "/" : "", name);
}

int64_t reign_number(const char *name)
{
    static const char prefix[] = "reign-";
    char again[40];

    if (strncmp(name, prefix, sizeof prefix - 1) != 0) {
        return 0;
    }
    long long number = strtoll(name + sizeof prefix - 1, NULL, 10);
    snprintf(again, sizeof again, "%s%lld", prefix, number);
    return strcmp(again, name) == 0 && number > 0 && number <= EPOCH_MAX ? number : 0;
}

static int refuse(const char *path, int reason, struct error *error)
{
    error_set(error, ERROR_FILE, "%.200s cannot be read or written", path);
    error_because_errno(error, reason);
    return ERROR_FILE;
}

int lock_file_last(const struct lock_file *file, int64_t *fence, struct error *error)
{
    DIR *folder = opendir(file->folder);
    const struct dirent *entry;

    *fence = 0;
    if (folder == NULL) {
        return refuse(file->folder, errno, error);
    }
    errno = 0;
    while ((entry = readdir(folder)) != NULL) {
        int64_t number = reign_number(entry->d_name);
        *fence = number > *fence ? number : *fence;
        errno = 0;
    }
    int reason = errno;
    closedir(folder);
    return reason == 0 ? 0 : refuse(file->folder, reason, error);
}

/* ---- reading ---- */

static bool read_number(const struct json_object *object, const char *name, int64_t *number)
{
    const struct json_member *member = json_object_get(object, name);
    char digits[20] = "";
    char *end;

    if (member == NULL || member->kind != JSON_NUMBER || member->text.length >= sizeof digits) {
        return false;
    }
    memcpy(digits, member->text.bytes, member->text.length);
    *number = strtoll(digits, &end, 10); /* 19 digits fit, or are cut down to what fits */
    return *end == '\0' && *number >= 0 && *number <= EPOCH_MAX;
}

/* It is this server's only if this process wrote it: another that was given the same name by mistake, or a former life, is
 * another server. */
static unsigned owner_of(const struct lock_file *file, struct text name, int64_t fence)
{
    unsigned owner = members_find(file->members, name);

    return owner == NO_SERVER || (owner == file->self && fence != file->fence) ? OTHER_SERVER : owner;
}

static bool parse(const struct lock_file *file, struct text bytes, int64_t fence, struct lock *lock)
{
    struct json_object object = {0};
    bool sound = json_object_read(&object, bytes, NULL) == 0;

    if (sound) {
        const struct json_member *owner = json_object_get(&object, "owner");
        sound = owner != NULL && owner->kind == JSON_STRING && read_number(&object, "fence", &lock->fence) &&
                read_number(&object, "beat", &lock->beat) && lock->fence == fence;
        lock->owner = sound ? owner_of(file, owner->text, fence) : NO_SERVER;
    }
    json_object_free(&object);
    return sound;
}

/* At most RECORD_MAX bytes of a file, which must be one: nobody waits for a pipe. Returns 0 or an errno. */
static int read_record(const char *path, char bytes[RECORD_MAX], size_t *length)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (descriptor < 0) {
        return errno;
    }
    ssize_t got = read(descriptor, bytes, RECORD_MAX);
    int reason = got < 0 ? errno : 0;
    if (fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode)) {
        reason = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    }
    close(descriptor);
    *length = got > 0 ? (size_t)got : 0;
    return reason;
}

static int read_reign(const struct lock_file *file, int64_t fence, struct lock *lock, struct error *error)
{
    char path[REIGN_PATH_MAX];
    char bytes[RECORD_MAX];
    size_t length = 0;

    *lock = (struct lock){.owner = NO_SERVER, .fence = fence};
    if (fence == 0) {
        return 0;
    }
    reign_path(path, file->folder, fence, "leader.lock");
    int reason = read_record(path, bytes, &length);
    if (reason == ENOENT) { /* its owner has left */
        return 0;
    }
    if (reason != 0) {
        return refuse(path, reason, error);
    }
    return length < RECORD_MAX && parse(file, (struct text){bytes, length}, fence, lock)
               ? 0
               : error_set(error, ERROR_FILE, "%.200s is damaged: while no server leads, remove it", path);
}

int lock_file_read(const struct lock_file *file, struct lock *lock, struct error *error)
{
    int64_t fence;
    int code = lock_file_last(file, &fence, error);

    return code == 0 ? read_reign(file, fence, lock, error) : code;
}

/* ---- writing ---- */

/* All records of a reign are of one length, and differ in digits alone: who reads while this is written reads one of
 * them, or a mixture of two, which is not what it expects either. Returns 0 or an errno. */
static int write_record(const struct lock_file *file, int descriptor, int64_t fence, int64_t beat)
{
    char record[RECORD_MAX];
    int length = snprintf(record, sizeof record,
                          "{\"owner\":\"%.64s\",\"fence\":%lld,\"beat\":%10lld,\"renewed\":%13lld}\n",
                          file->members->items[file->self - 1].name, (long long)fence, (long long)beat,
                          (long long)(clock_wall_us() / 1000));
    struct stat status;
    ssize_t written = pwrite(descriptor, record, (size_t)length, 0);

    if (written != length) {
        return written < 0 ? errno : EIO;
    }
    /* Somebody may have written to it by hand, and more than this. */
    bool longer = fstat(descriptor, &status) == 0 && status.st_size > length;
    return longer && ftruncate(descriptor, length) != 0 ? errno : 0;
}

static int flush_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int reason = folder < 0 || fsync(folder) != 0 ? errno : 0;

    if (folder >= 0) {
        close(folder);
    }
    return reason;
}

/* A folder with the first record in it, flushed. Returns its leader.lock's descriptor, or -1 with errno. */
static int prepare(const struct lock_file *file, const char *claim, const struct lock *wanted)
{
    char path[REIGN_PATH_MAX + 20];

    snprintf(path, sizeof path, "%s/leader.lock", claim);
    if (mkdir(claim, 0777) != 0) {
        return -1;
    }
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        return -1;
    }
    int reason = write_record(file, descriptor, wanted->fence, wanted->beat);
    if (reason == 0 && fdatasync(descriptor) != 0) {
        reason = errno;
    }
    reason = reason == 0 ? flush_folder(claim) : reason;
    if (reason != 0) {
        close(descriptor);
        errno = reason;
        return -1;
    }
    return descriptor;
}

/* Of all who try this number, one gets it. That another did is no error. */
static int begin_reign(struct lock_file *file, const struct lock *wanted, struct error *error)
{
    struct uuid id = uuid_new();
    char claim[REIGN_PATH_MAX];
    char path[REIGN_PATH_MAX];

    snprintf(claim, sizeof claim, "%.511s/claim-%s", file->folder, id.text);
    reign_path(path, file->folder, wanted->fence, "");
    int descriptor = prepare(file, claim, wanted);
    int reason = descriptor < 0 ? errno : 0;
    if (reason == 0 && rename(claim, path) == 0) {
        lock_file_close(file);
        file->descriptor = descriptor;
        file->fence = wanted->fence;
        reason = flush_folder(file->folder); /* the number must not go back when the machine dies */
        return reason == 0 ? 0 : refuse(file->folder, reason, error);
    }
    reason = reason == 0 ? errno : reason;
    if (descriptor >= 0) {
        close(descriptor);
    }
    (void)directory_remove(claim, NULL);
    return reason == EEXIST || reason == ENOTEMPTY ? 0 : refuse(path, reason, error);
}

static int end_reign(const struct lock_file *file, struct error *error)
{
    char path[REIGN_PATH_MAX];

    reign_path(path, file->folder, file->fence, "leader.lock");
    return unlink(path) == 0 || errno == ENOENT ? 0 : refuse(path, errno, error);
}

static bool lock_equal(const struct lock *a, const struct lock *b)
{
    return a->owner == b->owner && a->fence == b->fence && a->beat == b->beat;
}

int lock_file_swap(struct lock_file *file, const struct lock *found, const struct lock *wanted,
                   struct lock *holds, struct error *error)
{
    int reason;
    int code = 0;

    if (wanted->fence > file->fence) {
        code = lock_file_read(file, holds, error);
        if (code == 0 && lock_equal(holds, found)) {
            code = begin_reign(file, wanted, error);
        }
    } else if (wanted->owner == NO_SERVER) {
        code = end_reign(file, error);
    } else if ((reason = write_record(file, file->descriptor, wanted->fence, wanted->beat)) != 0) {
        code = refuse("leader.lock", reason, error);
    }
    return code == 0 ? lock_file_read(file, holds, error) : code;
}

/* ---- opening and closing ---- */

int lock_file_open(struct lock_file *file, const char *folder, const struct chat_members *members,
                   unsigned self, struct error *error)
{
    *file = (struct lock_file){.members = members, .self = self, .descriptor = -1};
    if (snprintf(file->folder, sizeof file->folder, "%s", folder) >= (int)sizeof file->folder) {
        return error_set(error, ERROR_CONFIG, "DATA_DIR is longer than %d bytes", LOCK_FOLDER_MAX - 1);
    }
    return directory_make(folder, "DATA_DIR", error);
}

void lock_file_close(struct lock_file *file)
{
    if (file->descriptor >= 0) {
        close(file->descriptor);
        file->descriptor = -1;
    }
}
