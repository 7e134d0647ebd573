/* Reading a server's disk: the changes of all files, by their places; see store.h. */
#include "parte5-chat/store_parts.h"

#include "common/memory.h"
#include "parte5-chat/chat_message_change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One file, as it is read: its changes, and where the line of each begins. */
struct reading {
    FILE *file;
    struct change_list changes;
    off_t *starts; /* one more than there are changes: where the last line ends */
    size_t capacity;
    size_t applied; /* so many of them */
    struct buffer unpacked;
};

static void note_start(struct reading *reading, off_t start)
{
    reading->starts =
        memory_grow(reading->starts, &reading->capacity, reading->changes.count + 1, sizeof *reading->starts);
    reading->starts[reading->changes.count] = start;
}

static int refuse_line(const struct store *store, unsigned number, size_t line, const struct error *why,
                       struct error *error)
{
    error_set(error, ERROR_FILE, "%.150s/%s is damaged in line %zu", store->folder, store->files[number].name,
              line);
    error_because_of(error, why);
    return ERROR_FILE;
}

static int read_line(struct reading *reading, unsigned number, struct text line, struct error *why)
{
    const struct change_list *before = &reading->changes;
    int64_t last = before->count > 0 ? before->items[before->count - 1]->seq : CHANGE_NO_SEQ;
    struct change fields;
    int code = change_from_json(line, &fields, &reading->unpacked, why);

    if (code != 0) {
        return code;
    }
    if (store_file_of(fields.type) != number || fields.seq <= last) {
        return error_set(why, ERROR_FIELD_VALUE, "this change has its place elsewhere");
    }
    struct change *change = change_new(&fields);
    change_list_add(&reading->changes, change);
    change_unref(change);
    return 0;
}

/* All whole lines. One without an end was being written when the server died. */
static int read_file(struct store *store, unsigned number, struct reading *reading, struct error *error)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    off_t at = 0;
    struct error why;
    int code = 0;

    note_start(reading, 0);
    while (code == 0 && (length = getline(&line, &room, reading->file)) > 0 && line[length - 1] == '\n') {
        code = read_line(reading, number, (struct text){line, (size_t)length - 1}, &why);
        if (code != 0) {
            code = refuse_line(store, number, reading->changes.count + 1, &why, error);
        } else {
            at += length;
            note_start(reading, at);
        }
    }
    if (code == 0 && ferror(reading->file)) {
        code = store_refuse(store, store->files[number].name, EIO, error);
    } else if (code == 0 && length > 0) {
        log_say(store->log, LOG_WARNING, "recover", "%s: the last line was cut, and is dropped",
                store->files[number].name);
    }
    free(line);
    return code;
}

/* Applies the changes of all files in the order of their places, up to the first place that is in none. */
static void apply_all(struct reading *readings, struct chat *chat)
{
    bool found = true;

    while (found) {
        found = false;
        for (unsigned i = 0; i < STORE_FILES && !found; i++) {
            struct reading *reading = &readings[i];
            if (reading->applied < reading->changes.count &&
                reading->changes.items[reading->applied]->seq == chat_last_seq(chat) + 1) {
                chat_apply(chat, reading->changes.items[reading->applied++]);
                found = true;
            }
        }
    }
}

/* What follows a gap is kept, for whoever wants to look. */
static int keep_dropped(const struct store *store, const struct reading *reading, struct error *error)
{
    struct buffer lines = {0};
    int descriptor = store_open_file(store, "dropped.json", O_WRONLY | O_CREAT | O_APPEND, error);

    if (descriptor < 0) {
        return descriptor;
    }
    for (size_t i = reading->applied; i < reading->changes.count; i++) {
        change_to_json(reading->changes.items[i], &lines);
        buffer_add_char(&lines, '\n');
    }
    ssize_t written = write(descriptor, lines.bytes, lines.length);
    bool done = written == (ssize_t)lines.length && fdatasync(descriptor) == 0;
    int reason = errno;
    close(descriptor);
    buffer_free(&lines);
    return done ? 0 : store_refuse(store, "dropped.json", reason, error);
}

static int cut(struct store *store, unsigned number, const struct reading *reading, struct error *error)
{
    struct store_file *file = &store->files[number];
    size_t dropped = reading->changes.count - reading->applied;
    int code = 0;

    if (dropped > 0) {
        log_say(store->log, LOG_WARNING, "recover",
                "%s: %zu changes follow a gap, and are moved to dropped.json", file->name, dropped);
        code = keep_dropped(store, reading, error);
    }
    off_t end = reading->starts[reading->applied];
    if (code == 0 && lseek(file->descriptor, 0, SEEK_END) != end &&
        (ftruncate(file->descriptor, end) != 0 || fdatasync(file->descriptor) != 0)) {
        code = store_refuse(store, file->name, errno, error);
    }
    file->length = end;
    return code;
}

static int open_reading(const struct store *store, const struct store_file *file, struct reading *reading,
                        struct error *error)
{
    int copy = dup(file->descriptor);

    reading->file = copy < 0 || lseek(copy, 0, SEEK_SET) < 0 ? NULL : fdopen(copy, "r");
    if (reading->file == NULL) {
        int reason = errno;
        if (copy >= 0) {
            close(copy);
        }
        return store_refuse(store, file->name, reason, error);
    }
    return 0;
}

int store_load(struct store *store, struct chat *chat, struct error *error)
{
    struct reading readings[STORE_FILES] = {0};
    int code = 0;

    for (unsigned i = 0; i < STORE_FILES && code == 0; i++) {
        code = open_reading(store, &store->files[i], &readings[i], error);
        code = code == 0 ? read_file(store, i, &readings[i], error) : code;
    }
    if (code == 0) {
        apply_all(readings, chat);
    }
    for (unsigned i = 0; i < STORE_FILES && code == 0; i++) {
        code = cut(store, i, &readings[i], error);
    }
    for (unsigned i = 0; i < STORE_FILES; i++) {
        if (readings[i].file != NULL) {
            fclose(readings[i].file);
        }
        change_list_free(&readings[i].changes);
        free(readings[i].starts);
        buffer_free(&readings[i].unpacked);
    }
    return code;
}
