#include "paxos/proposer_state.h"

#include "common/container_of.h"
#include "common/directory.h"
#include "common/json.h"
#include "common/words.h"
#include "paxos/ballot.h"
#include "paxos/limits.h"
#include "paxos/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX       4096 /* bytes; ours have a hundred */
#define STATE_PATH_MAX (PROCESS_PATH_MAX + 64)

/* ---- whole files ---- */

static int fail(struct error *error, const char *path, const char *what)
{
    int number = errno;

    error_set(error, ERROR_FILE, "%s", path);
    error_because(error, what);
    error_because_errno(error, number);
    return ERROR_FILE;
}

/* 0 and no bytes if there is no such file. */
static int read_file(const char *path, struct buffer *out, struct error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);

    buffer_clear(out);
    if (file < 0) {
        return errno == ENOENT ? 0 : fail(error, path, N_("cannot be read"));
    }
    ssize_t length = read(file, buffer_reserve(out, FILE_MAX + 1), FILE_MAX + 1);
    int code = length < 0 ? fail(error, path, N_("cannot be read")) : 0;
    close(file);
    out->length = length > 0 ? (size_t)length : 0;
    if (code == 0 && (length == 0 || length > FILE_MAX)) {
        code = error_set(error, ERROR_FILE, "%s is not a proposer's state: it has %zd bytes", path, length);
    }
    return code;
}

static int sync_folder(const char *path, struct error *error)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0 || fsync(folder) != 0) {
        int code = fail(error, path, N_("cannot be synchronised"));
        if (folder >= 0) {
            close(folder);
        }
        return code;
    }
    close(folder);
    return 0;
}

static int write_new(const char *path, struct text text, struct error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (file < 0) {
        return fail(error, path, N_("cannot be written"));
    }
    ssize_t written = write(file, text.bytes, text.length);
    if (written >= 0 && (size_t)written < text.length) {
        written = -1;
        errno = ENOSPC;
    }
    if (written < 0 || fsync(file) != 0) {
        int code = fail(error, path, N_("cannot be written"));
        close(file);
        return code;
    }
    return close(file) == 0 ? 0 : fail(error, path, N_("cannot be written"));
}

/* The file has its old content or its new one, whenever the power fails. */
static int replace_file(const char *folder, const char *path, struct text text, struct error *error)
{
    char beside[STATE_PATH_MAX + 8];

    snprintf(beside, sizeof beside, "%s.new", path);
    int code = write_new(beside, text, error);
    if (code == 0 && rename(beside, path) != 0) {
        code = fail(error, path, N_("cannot be replaced"));
    }
    return code == 0 ? sync_folder(folder, error) : code;
}

/* ---- what they say ---- */

static void write_state(struct buffer *out, uint32_t id, uint64_t round, uint64_t first)
{
    buffer_add_format(out, "{\"nodeId\":%" PRIu32 ",\"proposalNumber\":%" PRIu64, id, round);
    if (first > 0) {
        buffer_add_format(out, ",\"firstUndecided\":%" PRIu64, first);
    }
    buffer_add_string(out, "}\n");
}

static int read_count(const struct json_object *object, const char *name, uint64_t low, uint64_t high,
                      uint64_t *number, struct error *error)
{
    const struct json_member *member = json_object_get(object, name);

    if (member == NULL || member->kind != JSON_NUMBER) {
        return error_set(error, ERROR_FIELD_TYPE, "%s is not there, or no number", name);
    }
    return process_read_number(member->text, name, low, high, number, error);
}

static int read_state(struct text text, uint32_t id, bool has_first, uint64_t *round, uint64_t *first,
                      struct error *error)
{
    struct json_object object = {0};
    uint64_t owner;
    int code = json_object_read(&object, text, error);

    if (code == 0) {
        code = read_count(&object, "nodeId", id, id, &owner, error);
    }
    if (code == 0) {
        code = read_count(&object, "proposalNumber", 0, BALLOT_ROUND_MAX, round, error);
    }
    if (code == 0 && has_first) {
        code = read_count(&object, "firstUndecided", 1, PAXOS_INSTANCE_MAX, first, error);
    }
    json_object_free(&object);
    return code;
}

/* ---- checkpoints ---- */

static void name_state(const struct proposer_state *state, char path[STATE_PATH_MAX])
{
    snprintf(path, STATE_PATH_MAX, "%s/proposer_%" PRIu32 "_state.json", state->folder, state->id);
}

static void name_folder(const struct proposer_state *state, char path[STATE_PATH_MAX])
{
    snprintf(path, STATE_PATH_MAX, "%s/checkpoints", state->folder);
}

static void name_checkpoint(const struct proposer_state *state, uint64_t number, char path[STATE_PATH_MAX])
{
    snprintf(path, STATE_PATH_MAX, "%s/checkpoints/proposer_%" PRIu32 "_%010" PRIu64 ".json", state->folder,
             state->id, number);
}

/* Its number; 0 if the file is none of this proposer's. */
static uint64_t number_of(const struct proposer_state *state, const char *name)
{
    char wanted[64];
    uint32_t id;
    uint64_t number;

    if (sscanf(name, "proposer_%" SCNu32 "_%" SCNu64 ".json", &id, &number) != 2 || id != state->id) {
        return 0;
    }
    snprintf(wanted, sizeof wanted, "proposer_%" PRIu32 "_%010" PRIu64 ".json", id, number);
    return strcmp(name, wanted) == 0 ? number : 0;
}

/* One that is hurt says nothing, and nothing hangs on it. */
static void read_checkpoint(struct proposer_state *state, uint64_t number)
{
    char path[STATE_PATH_MAX];
    struct buffer text = {0};
    uint64_t round = 0;
    uint64_t first = 0;

    name_checkpoint(state, number, path);
    if (read_file(path, &text, NULL) == 0 &&
        read_state(buffer_text(&text), state->id, true, &round, &first, NULL) == 0 && first > state->first) {
        state->first = first;
    }
    buffer_free(&text);
}

static int read_checkpoints(struct proposer_state *state, struct error *error)
{
    char path[STATE_PATH_MAX];

    name_folder(state, path);
    int code = directory_make(path, "DATA_DIR", error);
    if (code != 0) {
        return code;
    }
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return fail(error, path, N_("cannot be read"));
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        uint64_t number = number_of(state, entry->d_name);
        if (number > 0) {
            read_checkpoint(state, number);
            state->checkpoint_number = number > state->checkpoint_number ? number : state->checkpoint_number;
        }
    }
    closedir(folder);
    return 0;
}

static void on_work(uv_work_t *work)
{
    struct proposer_checkpoint *checkpoint = container_of(work, struct proposer_checkpoint, work);
    struct proposer_state *state = container_of(checkpoint, struct proposer_state, checkpoint);
    char path[STATE_PATH_MAX];
    char folder[STATE_PATH_MAX];
    struct buffer text = {0};

    write_state(&text, state->id, checkpoint->round, checkpoint->first);
    name_folder(state, folder);
    name_checkpoint(state, checkpoint->number, path);
    if (replace_file(folder, path, buffer_text(&text), &checkpoint->error) == 0 &&
        checkpoint->number > PROPOSER_CHECKPOINTS) {
        name_checkpoint(state, checkpoint->number - PROPOSER_CHECKPOINTS, path);
        unlink(path); /* it may be gone: then there is one less */
    }
    buffer_free(&text);
}

static void on_written(uv_work_t *work, int status)
{
    struct proposer_checkpoint *checkpoint = container_of(work, struct proposer_checkpoint, work);
    struct proposer_state *state = container_of(checkpoint, struct proposer_state, checkpoint);
    const struct error *error = checkpoint->error.code != ERROR_NONE ? &checkpoint->error : NULL;

    state->writing = false;
    if (status == 0) {
        if (error == NULL) {
            state->first = checkpoint->first;
        }
        state->on_checkpoint(state, error);
    }
}

void proposer_state_checkpoint(struct proposer_state *state, uv_loop_t *loop, uint64_t first)
{
    if (state->writing || first <= state->first) {
        return;
    }
    state->checkpoint = (struct proposer_checkpoint){.number = state->checkpoint_number + 1,
                                                     .round = state->round,
                                                     .first = first};
    if (uv_queue_work(loop, &state->checkpoint.work, on_work, on_written) == 0) {
        state->writing = true;
        state->checkpoint_number++;
    }
}

/* ---- the state ---- */

int proposer_state_open(struct proposer_state *state, const char *folder, uint32_t id, struct error *error)
{
    char path[STATE_PATH_MAX];
    struct buffer text = {0};
    struct error cause = {0};

    *state = (struct proposer_state){.folder = folder,
                                     .id = id,
                                     .first = 1,
                                     .on_checkpoint = state->on_checkpoint};
    name_state(state, path);
    int code = read_checkpoints(state, error);
    if (code == 0) {
        code = read_file(path, &text, error);
    }
    if (code == 0 && text.length == 0 && state->checkpoint_number > 0) {
        code = error_set(
            error, ERROR_FILE,
            "%s is gone, and checkpoints say that there was one: a proposer that does not know which "
            "rounds it used must not use any",
            path);
    } else if (code == 0 && text.length > 0 &&
               read_state(buffer_text(&text), id, false, &state->round, NULL, &cause) != 0) {
        code = error_set(error, ERROR_FILE, "%s is hurt, and was left as it is", path);
        error_because_of(error, &cause);
    }
    if (code == 0 && text.length == 0) {
        code = proposer_state_save(state, 0, error); /* so that it can be missed */
    }
    buffer_free(&text);
    return code;
}

int proposer_state_save(struct proposer_state *state, uint64_t round, struct error *error)
{
    char path[STATE_PATH_MAX];
    struct buffer text = {0};

    name_state(state, path);
    write_state(&text, state->id, round, 0);
    int code = replace_file(state->folder, path, buffer_text(&text), error);
    buffer_free(&text);
    if (code == 0) {
        state->round = round;
    }
    return code;
}
