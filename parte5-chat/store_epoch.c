/* The epoch that a server promised to obey, in a file of its own: replaced in one piece, so that a crash leaves the old one
 * or the new one. */
#include "parte5-chat/store_parts.h"

#include "common/json.h"
#include "parte5-chat/coordination.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char epoch_name[] = "epoch.json";
static const char fresh_name[] = "epoch.json.new";

/* Writes and flushes it beside the old one. Returns 0 or an errno. */
static int write_fresh(int descriptor, int64_t epoch)
{
    char json[40];
    int length = snprintf(json, sizeof json, "{\"epoch\":%lld}\n", (long long)epoch);
    int reason = store_write_all(descriptor, (struct text){json, (size_t)length});

    if (reason == 0 && fdatasync(descriptor) != 0) {
        reason = errno;
    }
    return reason;
}

int store_write_epoch(struct store *store, struct error *error)
{
    char path[STORE_PATH_MAX + 32];
    char fresh[STORE_PATH_MAX + 32];
    int descriptor = store_open_file(store, fresh_name, O_WRONLY | O_CREAT | O_TRUNC, error);

    if (descriptor < 0) {
        return descriptor;
    }
    snprintf(path, sizeof path, "%s/%s", store->folder, epoch_name);
    snprintf(fresh, sizeof fresh, "%s/%s", store->folder, fresh_name);
    int reason = write_fresh(descriptor, store->promise);
    close(descriptor);
    if (reason == 0 && rename(fresh, path) != 0) {
        reason = errno;
    }
    if (reason != 0) {
        unlink(fresh); /* a later one begins anew in any case */
        return store_refuse(store, epoch_name, reason, error);
    }
    store->promised = store->promise;
    return store_flush_folder(store, error);
}

static bool parse(struct text bytes, int64_t *epoch)
{
    struct json_object object = {0};
    const struct json_member *member = NULL;
    char digits[20] = "";
    char *end = NULL;

    if (json_object_read(&object, bytes, NULL) == 0) {
        member = json_object_get(&object, "epoch");
    }
    bool sound = member != NULL && member->kind == JSON_NUMBER && member->text.length < sizeof digits;
    if (sound) {
        memcpy(digits, member->text.bytes, member->text.length);
        errno = 0;
        *epoch = strtoll(digits, &end, 10);
        sound = errno == 0 && *end == '\0' && *epoch >= 0 && *epoch <= EPOCH_MAX;
    }
    json_object_free(&object);
    return sound;
}

int store_read_epoch(struct store *store, struct error *error)
{
    char bytes[100];
    char path[STORE_PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/%s", store->folder, epoch_name);
    if (access(path, F_OK) != 0 && errno == ENOENT) { /* it never promised anything */
        return 0;
    }
    int descriptor = store_open_file(store, epoch_name, O_RDONLY, error);
    if (descriptor < 0) {
        return descriptor;
    }
    ssize_t length = read(descriptor, bytes, sizeof bytes);
    close(descriptor);
    bool sound = length > 0 && parse((struct text){bytes, (size_t)length}, &store->promised);
    return sound ? 0 : store_refuse(store, epoch_name, EINVAL, error);
}
