/* The secret that tokens are signed with: from a setting, or from a file that is made once. */
#include "common/uuid.h"
#include "common/words.h"
#include "parte5-chat/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_KEY_LENGTH 32
#define FILE_LENGTH     (2 * FILE_KEY_LENGTH + 1) /* in hexadecimal digits, and a line break */

int token_key_from_text(struct token_key *key, struct text secret, struct error *error)
{
    if (secret.length < TOKEN_KEY_MIN || secret.length > TOKEN_KEY_MAX) {
        return error_set(error, ERROR_CONFIG, "JWT_SECRET has %zu bytes: %d to %d are allowed", secret.length,
                         TOKEN_KEY_MIN, TOKEN_KEY_MAX);
    }
    memcpy(key->bytes, secret.bytes, secret.length);
    key->length = (int)secret.length;
    return 0;
}

static int refuse(const char *path, const char *why, struct error *error)
{
    error_set(error, ERROR_FILE, "%.240s cannot be used", path);
    error_because(error, why);
    return ERROR_FILE;
}

static int refuse_errno(const char *path, int reason, struct error *error)
{
    error_set(error, ERROR_FILE, "%.240s cannot be used", path);
    error_because_errno(error, reason);
    return ERROR_FILE;
}

/* ---- making it ---- */

static int write_fresh(int descriptor)
{
    unsigned char bytes[FILE_KEY_LENGTH];
    char digits[FILE_LENGTH + 1];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(digits, sizeof digits, bytes, sizeof bytes);
    digits[FILE_LENGTH - 1] = '\n';
    errno = EIO; /* what a write that is cut short means */
    bool written = write(descriptor, digits, FILE_LENGTH) == FILE_LENGTH && fsync(descriptor) == 0;
    int reason = written ? 0 : errno;
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(digits, sizeof digits);
    return reason;
}

/* Under a name of its own, and linked to the real one when it is whole: whoever finds `jwt_secret` finds all of it, and who
 * comes second finds the first one's. */
static int make_file(const char *folder, const char *path, struct error *error)
{
    char fresh[PATH_MAX];
    struct uuid uuid = uuid_new();

    snprintf(fresh, sizeof fresh, "%s/jwt_secret.%s", folder, uuid.text);
    int descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return refuse_errno(path, errno, error);
    }
    int reason = write_fresh(descriptor);
    close(descriptor);
    if (reason == 0 && link(fresh, path) != 0 && errno != EEXIST) {
        reason = errno;
    }
    unlink(fresh);
    int parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (reason == 0 && (parent < 0 || fsync(parent) != 0)) {
        reason = errno;
    }
    if (parent >= 0) {
        close(parent);
    }
    return reason == 0 ? 0 : refuse_errno(path, reason, error);
}

/* ---- reading it ---- */

static int check_file(int descriptor, const char *path, struct error *error)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0) {
        return refuse_errno(path, errno, error);
    }
    if (!S_ISREG(status.st_mode)) {
        return refuse(path, N_("not a file"), error);
    }
    if ((status.st_mode & 077) != 0) {
        return refuse(path, N_("others may read or write it (chmod 600), and may have done so"), error);
    }
    return 0;
}

static int read_key(int descriptor, const char *path, struct token_key *key, struct error *error)
{
    char digits[FILE_LENGTH + 1];
    size_t length = 0;
    const char *end = NULL;
    ssize_t got = read(descriptor, digits, sizeof digits);
    bool sound =
        got == FILE_LENGTH && digits[FILE_LENGTH - 1] == '\n' &&
        sodium_hex2bin(key->bytes, FILE_KEY_LENGTH, digits, FILE_LENGTH - 1, NULL, &length, &end) == 0 &&
        length == FILE_KEY_LENGTH && end == digits + FILE_LENGTH - 1;

    key->length = FILE_KEY_LENGTH;
    sodium_memzero(digits, sizeof digits);
    return sound ? 0 : refuse(path, N_("it does not hold 64 hexadecimal digits on a line"), error);
}

int token_key_from_folder(struct token_key *key, const char *folder, struct error *error)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/jwt_secret", folder) > (int)sizeof path - UUID_LENGTH - 2) {
        return refuse_errno(folder, ENAMETOOLONG, error);
    }
    int descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT) {
        int code = make_file(folder, path, error);
        if (code != 0) {
            return code;
        }
        descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    }
    if (descriptor < 0) {
        return refuse_errno(path, errno, error);
    }
    int code = check_file(descriptor, path, error);
    if (code == 0) {
        code = read_key(descriptor, path, key, error);
    }
    close(descriptor);
    return code;
}
