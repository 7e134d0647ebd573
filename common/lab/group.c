#include "common/lab/group.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_BYTES (64 * 1024) /* of a log, read at once */

static char *join(const char *directory, const char *name, const char *ending)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s%s", directory, name, ending);
    return memory_copy_text(path, (size_t)length < sizeof path ? (size_t)length : sizeof path - 1);
}

void group_init(struct group *group, uv_loop_t *loop, size_t capacity, const char *program)
{
    group->loop = loop;
    group->program = memory_copy_text(program, strlen(program));
    group->members = memory_new_zeroed(capacity, sizeof *group->members);
    group->count = group->running = 0;
}

static void on_end(struct guard *guard, int64_t status, int signal_number);

struct member *group_add(struct group *group, const struct part_member *what, const char *directory)
{
    struct member *member = &group->members[group->count++];
    member->group = group;
    member->guard.on_end = on_end;
    member->kind = what->kind;
    member->number = what->number;
    member->role = what->role;
    memcpy(member->name, what->name, sizeof member->name);
    member->log_path = join(directory, member->name, ".jsonl");
    member->screen_path = join(directory, member->name, ".screen.txt");
    if (part_plan_settings(what->kind)->numbered_id) {
        environment_add(&member->environment, "NODE_ID=%u", member->number);
    } else {
        environment_add(&member->environment, "NODE_ID=%s", member->name);
    }
    environment_add(&member->environment, "LOG_FILE=%s", member->log_path);
    environment_add(&member->environment, "LOG_LEVEL=debug");
    environment_add(&member->environment, "LOG_FORMAT=text");
    return member;
}

struct member *group_find(struct group *group, const char *name)
{
    for (size_t i = 0; i < group->count; i++) {
        if (strcmp(group->members[i].name, name) == 0) {
            return &group->members[i];
        }
    }
    return NULL;
}

/* ---- starting and ending ---- */

static void on_input_closed(uv_handle_t *handle)
{
    struct member *member = container_of((uv_pipe_t *)handle, struct member, input);

    member->exited = true;
    member->group->running--;
    member->group->on_exit(member->group, member);
}

static void on_end(struct guard *guard, int64_t status, int signal_number)
{
    struct member *member = container_of(guard, struct member, guard);

    member->exit_status = status;
    member->exit_signal = signal_number;
    uv_close((uv_handle_t *)&member->input, on_input_closed);
}

static int spawn(struct member *member, int screen, struct error *error)
{
    const char *words[] = {member->group->program, member->role, NULL};
    uv_stdio_container_t streams[3] = {{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
                                        .data.stream = (uv_stream_t *)&member->input},
                                       {.flags = UV_INHERIT_FD, .data.fd = screen},
                                       {.flags = UV_INHERIT_FD, .data.fd = screen}};
    const uv_process_options_t options = {.env = member->environment.variables,
                                          .stdio = streams,
                                          .stdio_count = 3};

    uv_pipe_init(member->group->loop, &member->input, 0);
    if (guard_start(&member->guard, member->group->loop, words, options, error) != 0) {
        uv_close((uv_handle_t *)&member->input, NULL);
        return ERROR_PROCESS;
    }
    member->started = true;
    member->ready = member->exited = member->killed = false;
    member->group->running++;
    return 0;
}

/* With what it shows on the screen going to a file. */
static int start(struct member *member, int flags, struct error *error)
{
    if (access(member->group->program, X_OK) != 0) {
        error_set(error, ERROR_PROCESS, "%.200s cannot be started", member->group->program);
        error_because_errno(error, errno);
        return ERROR_PROCESS;
    }
    int screen = open(member->screen_path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    if (screen < 0) {
        error_set(error, ERROR_FILE, "%.200s", member->screen_path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    int code = spawn(member, screen, error);
    close(screen);
    return code;
}

int member_start(struct member *member, struct error *error)
{
    if (unlink(member->log_path) != 0 && errno != ENOENT) {
        error_set(error, ERROR_FILE, "%.200s", member->log_path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    member->looked_to = member->read_to = 0;
    return start(member, O_TRUNC, error);
}

int member_restart(struct member *member, struct error *error)
{
    struct stat status;

    member->looked_to = member->read_to = stat(member->log_path, &status) == 0 ? (uint64_t)status.st_size : 0;
    member->seq = member->epoch = member->reign = 0;
    member->sends = 0;
    return start(member, O_APPEND, error);
}

void member_kill(struct member *member)
{
    member->killed = true;
    guard_signal(&member->guard, SIGKILL);
}

/* ---- typing ---- */

struct typing {
    uv_write_t request;
    char bytes[]; /* must stay until it is written */
};

static void on_typed(uv_write_t *request, int status)
{
    (void)status; /* a member that is gone reports itself */
    free(container_of(request, struct typing, request));
}

void group_type(struct group *group, size_t number, const char *bytes, size_t length)
{
    struct member *member = &group->members[number];

    if (!member->started || member->exited || length == 0) {
        return;
    }
    struct typing *typing = memory_new(sizeof *typing + length);
    memcpy(typing->bytes, bytes, length);
    uv_buf_t piece = uv_buf_init(typing->bytes, (unsigned)length);
    if (uv_write(&typing->request, (uv_stream_t *)&member->input, &piece, 1, on_typed) != 0) {
        free(typing);
    }
}

/* ---- watching ---- */

/* Reads on in the log, up to its end. */
static bool log_says_ready(struct member *member)
{
    static const char event[] = "\"event\":\"ready\"";
    char *piece = memory_new(LOOK_BYTES);
    bool ready = false;
    ssize_t length = LOOK_BYTES;
    int descriptor = open(member->log_path, O_RDONLY | O_CLOEXEC);

    while (descriptor >= 0 && !ready && length == LOOK_BYTES) {
        length = pread(descriptor, piece, LOOK_BYTES, (off_t)member->looked_to);
        ready = length > 0 && memmem(piece, (size_t)length, event, sizeof event - 1) != NULL;
        if (length >= (ssize_t)sizeof event) { /* it may begin at this piece's end */
            member->looked_to += (uint64_t)length - sizeof event;
        }
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    free(piece);
    return ready;
}

/* Has its log grown? Also notes whether it is ready. */
static bool look(struct member *member)
{
    struct stat status;

    if (stat(member->log_path, &status) != 0 || (uint64_t)status.st_size == member->log_bytes) {
        return false;
    }
    member->log_bytes = (uint64_t)status.st_size;
    member->ready = member->ready || log_says_ready(member);
    if (member->group->reads_on) {
        member_read_on(member);
    }
    return true;
}

/* Do these lines tell of anything but what was done to the network? */
static bool tells_more(const char *lines, size_t length)
{
    static const char fault[] = "\"event\":\"fault\"";
    const char *end = lines + length;

    while (lines < end) {
        const char *line_end = memchr(lines, '\n', (size_t)(end - lines));
        line_end = line_end != NULL ? line_end : end;
        if (memmem(lines, (size_t)(line_end - lines), fault, sizeof fault - 1) == NULL) {
            return true;
        }
        lines = line_end + 1;
    }
    return false;
}

/* Looks at what is new in a log, behind its first `from` bytes. */
static bool log_tells_more(const struct member *member, uint64_t from)
{
    char *piece = memory_new(LOOK_BYTES);
    int descriptor = open(member->log_path, O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor >= 0 ? pread(descriptor, piece, LOOK_BYTES, (off_t)from) : 0;
    bool more = length == LOOK_BYTES || (length > 0 && tells_more(piece, (size_t)length));

    if (descriptor >= 0) {
        close(descriptor);
    }
    free(piece);
    return more;
}

bool group_is_busy(struct group *group)
{
    bool busy = false;

    for (size_t i = 0; i < group->count; i++) {
        struct member *member = &group->members[i];
        uint64_t before = member->log_bytes;
        busy |= look(member) && log_tells_more(member, before);
    }
    return busy;
}

void group_look(struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        look(&group->members[i]);
    }
}

size_t group_ready_count(const struct group *group)
{
    size_t count = 0;
    for (size_t i = 0; i < group->count; i++) {
        count += group->members[i].ready;
    }
    return count;
}

/* ---- stopping ---- */

void group_signal(struct group *group, int number)
{
    for (size_t i = 0; i < group->count; i++) {
        guard_signal(&group->members[i].guard, number);
    }
}

void group_free(struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        environment_free(&group->members[i].environment);
        free(group->members[i].log_path);
        free(group->members[i].screen_path);
    }
    free(group->members);
    free(group->program);
}
