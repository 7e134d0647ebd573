#include "parte5-chat/reference_record.h"

#include "common/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int refuse(const struct reference_record *record, int reason, struct error *error)
{
    error_set(error, ERROR_FILE, "the record of ranks, %.200s, cannot be read or written", record->path);
    error_because_errno(error, reason);
    return ERROR_FILE;
}

static int read_names(struct reference_record *record, FILE *file, struct reference *rule,
                      struct error *error)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    int code = 0;

    while (code >= 0 && (length = getline(&line, &room, file)) > 0 && line[length - 1] == '\n') {
        unsigned before = rule->count;
        code = reference_rank(rule, (struct text){line, (size_t)length - 1}, error);
        if (code > 0 && rule->count == before) {
            code = error_set(error, ERROR_FILE, "%.200s: the name of rank %d stands there twice",
                             record->path, code);
        }
        record->length += length;
    }
    if (code >= 0 && ferror(file)) {
        code = refuse(record, EIO, error);
    }
    free(line);
    return code < 0 ? code : 0;
}

int reference_record_open(struct reference_record *record, const char *folder, struct reference *rule,
                          struct error *error)
{
    int code = directory_make(folder, "DATA_DIR", error);

    if (code != 0) {
        return code;
    }
    *record = (struct reference_record){.lost = false};
    snprintf(record->path, sizeof record->path, "%.480s/ranks.txt", folder);
    record->descriptor = open(record->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    FILE *file = record->descriptor >= 0 ? fopen(record->path, "re") : NULL;
    if (file == NULL) {
        return refuse(record, errno, error);
    }
    code = read_names(record, file, rule, error);
    fclose(file);
    return code == 0 && ftruncate(record->descriptor, record->length) != 0 ? refuse(record, errno, error)
                                                                           : code;
}

/* Behind half a line no other may stand. */
static void take_back(struct reference_record *record)
{
    record->lost = ftruncate(record->descriptor, record->length) != 0 || fdatasync(record->descriptor) != 0;
}

int reference_record_add(struct reference_record *record, struct text name, struct error *error)
{
    char line[NAME_MAX_LENGTH + 2];
    int length = snprintf(line, sizeof line, "%.*s\n", (int)name.length, name.bytes);

    if (record->lost) {
        return refuse(record, EIO, error);
    }
    errno = ENOSPC; /* a short write does not say so itself */
    if (write(record->descriptor, line, (size_t)length) != length || fdatasync(record->descriptor) != 0) {
        int code = refuse(record, errno, error);
        take_back(record);
        return code;
    }
    record->length += length;
    return 0;
}

void reference_record_close(struct reference_record *record)
{
    if (record->descriptor >= 0) {
        close(record->descriptor);
    }
}
