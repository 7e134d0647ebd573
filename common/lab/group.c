#include "common/lab/group.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READY_WITHIN (64 * 1024) /* bytes of a log in which its ready event must stand */

static char *join(const char *directory, const char *name, const char *ending)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s%s", directory, name, ending);
    return memory_copy_text(path, (size_t)length < sizeof path ? (size_t)length : sizeof path - 1);
}

void group_init(struct group *group, uv_loop_t *loop, size_t count, const char *directory)
{
    group->loop = loop;
    group->members = memory_new_zeroed(count, sizeof *group->members);
    group->count = count;
    group->running = 0;
    for (size_t i = 0; i < count; i++) {
        struct member *member = &group->members[i];
        member->group = group;
        snprintf(member->name, sizeof member->name, "node%zu", i + 1);
        member->log_path = join(directory, member->name, ".jsonl");
        member->screen_path = join(directory, member->name, ".screen.txt");
    }
}

/* ---- starting ---- */

/* A list of "NAME=value", NULL-terminated once it is complete; the texts are not owned. */
struct environment {
    char **variables;
    size_t count, capacity;
};

static void environment_add(struct environment *environment, char *variable)
{
    environment->variables = memory_grow(environment->variables, &environment->capacity,
                                         environment->count + 1, sizeof *environment->variables);
    environment->variables[environment->count++] = variable;
}

static bool names_same_variable(const char *a, const char *b)
{
    return strncmp(a, b, strcspn(a, "=") + 1) == 0;
}

/* This process's environment with `own` and `settings` in the place of what bears their names. */
static struct environment make_environment(const char *const *settings, char **own)
{
    struct environment environment = {0};
    size_t replacements;

    for (; *settings != NULL; settings++) {
        environment_add(&environment, (char *)*settings);
    }
    for (; *own != NULL; own++) {
        environment_add(&environment, *own);
    }
    replacements = environment.count;
    for (char **variable = environ; *variable != NULL; variable++) {
        bool replaced = false;
        for (size_t i = 0; i < replacements; i++) {
            replaced |= names_same_variable(*variable, environment.variables[i]);
        }
        if (!replaced) {
            environment_add(&environment, *variable);
        }
    }
    environment_add(&environment, NULL);
    return environment;
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal_number)
{
    struct member *member = container_of(process, struct member, process);

    member->exited = true;
    member->exit_status = status;
    member->exit_signal = signal_number;
    member->group->running--;
    uv_close((uv_handle_t *)process, NULL);
    uv_close((uv_handle_t *)&member->input, NULL);
    member->group->on_exit(member->group, member);
}

static int spawn(struct member *member, const char *program, char **environment, int screen,
                 struct error *error)
{
    char *arguments[] = {(char *)program, (char *)"node", NULL};
    uv_stdio_container_t streams[3];
    uv_process_options_t options = {
        .file = program,
        .args = arguments,
        .env = environment,
        .stdio = streams,
        .stdio_count = 3,
        .exit_cb = on_process_exit,
        /* a session of its own: Ctrl-C reaches the lab, which stops them in order */
        .flags = UV_PROCESS_DETACHED};

    uv_pipe_init(member->group->loop, &member->input, 0);
    streams[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
    streams[0].data.stream = (uv_stream_t *)&member->input;
    streams[1].flags = streams[2].flags = UV_INHERIT_FD;
    streams[1].data.fd = streams[2].data.fd = screen;
    int status = uv_spawn(member->group->loop, &member->process, &options);
    if (status != 0) {
        uv_close((uv_handle_t *)&member->input, NULL);
        uv_close((uv_handle_t *)&member->process, NULL);
        return error_set(error, ERROR_PROCESS, "%s cannot be started: %s", program, uv_strerror(status));
    }
    member->started = true;
    member->group->running++;
    return 0;
}

int group_start(struct group *group, size_t number, const char *program, const char *const *settings,
                struct error *error)
{
    struct member *member = &group->members[number];
    char log_file[4200];
    char node_id[64];
    char *own[] = {node_id, log_file, (char *)"LOG_LEVEL=debug", (char *)"LOG_FORMAT=text", NULL};

    snprintf(node_id, sizeof node_id, "NODE_ID=%s", member->name);
    snprintf(log_file, sizeof log_file, "LOG_FILE=%s", member->log_path);
    if (unlink(member->log_path) != 0 && errno != ENOENT) {
        return error_set(error, ERROR_FILE, "%s: %s", member->log_path, strerror(errno));
    }
    int screen = open(member->screen_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (screen < 0) {
        return error_set(error, ERROR_FILE, "%s: %s", member->screen_path, strerror(errno));
    }
    struct environment environment = make_environment(settings, own);
    int code = spawn(member, program, environment.variables, screen, error);
    free(environment.variables);
    close(screen);
    return code;
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

static bool log_says_ready(const struct member *member)
{
    char *start = memory_new(READY_WITHIN);
    bool ready = false;
    int descriptor = open(member->log_path, O_RDONLY | O_CLOEXEC);

    if (descriptor >= 0) {
        ssize_t length = read(descriptor, start, READY_WITHIN);
        const char *event = "\"event\":\"ready\"";
        ready = length > 0 && memmem(start, (size_t)length, event, strlen(event)) != NULL;
        close(descriptor);
    }
    free(start);
    return ready;
}

bool group_look(struct group *group)
{
    bool grew = false;

    for (size_t i = 0; i < group->count; i++) {
        struct member *member = &group->members[i];
        struct stat status;
        if (stat(member->log_path, &status) != 0 || (uint64_t)status.st_size == member->log_bytes) {
            continue;
        }
        member->log_bytes = (uint64_t)status.st_size;
        member->ready = member->ready || log_says_ready(member);
        grew = true;
    }
    return grew;
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
        struct member *member = &group->members[i];
        if (member->started && !member->exited) {
            uv_process_kill(&member->process, number);
        }
    }
}

void group_free(struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        free(group->members[i].log_path);
        free(group->members[i].screen_path);
    }
    free(group->members);
}
