#include "common/lab/demo_children.h"

#include "common/container_of.h"
#include "common/directory.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So many at once: most of a run is waiting, but RabbitMQ and a dozen nodes must keep up with the rest. */
#define AT_ONCE 5

#define WORDS_MAX 4096

static void start_more(struct demo_children *children);

/* ---- a child ---- */

static void on_child_end(struct guard *guard, int64_t status, int signal_number)
{
    struct demo_child *child = container_of(guard, struct demo_child, guard);
    struct demo_children *children = child->children;

    (void)status; /* what it left behind tells more */
    (void)signal_number;
    child->state = CHILD_ENDED;
    children->running--;
    children->ended++;
    environment_free(&child->environment);
    children->on_end(children, (size_t)(child - children->items));
    start_more(children);
}

static int words_path(const struct demo_run *run, char *path, size_t size)
{
    return snprintf(path, size, "%s/verdict.txt", run->options.directory);
}

/* What it prints stays beside its logs. */
static int open_words(const struct demo_run *run, struct error *error)
{
    char path[4200];
    int file;

    words_path(run, path, sizeof path);
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        error_set(error, ERROR_FILE, "%.250s", path);
        error_because_errno(error, errno);
    }
    return file;
}

static int start(struct demo_child *child, struct error *error)
{
    const struct demo_run *run = child->run;
    const char *words[] = {"/proc/self/exe", "run", "--again", run->options.directory, NULL};
    uv_stdio_container_t streams[3] = {{.flags = UV_IGNORE}};
    int file;
    int code = directory_make(run->options.directory, "--out", error);

    code = code == 0 ? run_write_description(&run->options, error) : code;
    if (code != 0) {
        return code;
    }
    file = open_words(run, error);
    if (file < 0) {
        return ERROR_FILE;
    }
    streams[1] = streams[2] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = file};
    environment_add(&child->environment, "AMQP_URL=%s",
                    run->own_broker || child->children->host->url == NULL ? "" : child->children->host->url);
    environment_inherit(&child->environment, NULL);
    child->guard.on_end = on_child_end;
    code = guard_start(&child->guard, &child->children->host->loop, words,
                       (uv_process_options_t){.env = child->environment.variables,
                                              .stdio = streams,
                                              .stdio_count = 3},
                       error);
    close(file);
    return code;
}

void demo_child_last_words(const struct demo_run *run, char *out, size_t size)
{
    char path[4200];
    char words[WORDS_MAX + 1];

    words_path(run, path, sizeof path);
    FILE *file = fopen(path, "re");
    out[0] = '\0';
    if (file == NULL) {
        return;
    }
    if (fseek(file, -WORDS_MAX, SEEK_END) != 0) {
        rewind(file);
    }
    size_t length = fread(words, 1, WORDS_MAX, file);
    fclose(file);
    while (length > 0 && words[length - 1] == '\n') {
        length--;
    }
    words[length] = '\0';
    const char *line = strrchr(words, '\n');
    snprintf(out, size, "%s", line != NULL ? line + 1 : words);
    text_make_printable(out);
}

/* ---- all of them ---- */

/* Does it wait for the shared broker, which takes some seconds to start? */
static bool lacks_broker(const struct demo_child *child)
{
    return child->children->host->url == NULL && !child->run->own_broker &&
           part_plan_find(child->run->options.part)->has_broker;
}

static bool somebody_waits(const struct demo_children *children)
{
    for (size_t i = 0; i < children->count; i++) {
        if (children->items[i].state == CHILD_WAITS) {
            return true;
        }
    }
    return false;
}

/* The next one that may start now; NULL if there is none. */
static struct demo_child *choose(struct demo_children *children)
{
    for (size_t i = 0; i < children->count; i++) {
        struct demo_child *child = &children->items[i];
        enum demo_stage stage = child->run->stage;
        bool begins_stage = i == 0 || stage != child[-1].run->stage;

        if (child->state == CHILD_RUNS && stage == STAGE_ALONE) {
            return NULL;
        }
        if (begins_stage && children->ended < i) {
            return NULL; /* somebody of the stage before is at it still */
        }
        if (child->state == CHILD_WAITS && !lacks_broker(child)) {
            return children->running < AT_ONCE ? child : NULL;
        }
    }
    return NULL;
}

static void start_more(struct demo_children *children)
{
    struct demo_child *child;

    while (children->error.code == ERROR_NONE && children->host->interrupts == 0 &&
           (child = choose(children)) != NULL) {
        child->state = CHILD_ENDED;
        if (start(child, &children->error) == 0) {
            child->state = CHILD_RUNS;
            children->running++;
        }
    }
    bool stops = children->error.code != ERROR_NONE || children->host->interrupts > 0;
    children->finished = children->running == 0 && (stops || !somebody_waits(children));
}

void demo_children_begin(struct demo_children *children)
{
    for (size_t i = 0; i < children->count; i++) {
        children->items[i] = (struct demo_child){.children = children, .run = &children->runs[i]};
    }
    start_more(children);
}

void demo_children_go_on(struct demo_children *children)
{
    start_more(children);
}

static void signal_all(struct demo_children *children, int number)
{
    for (size_t i = 0; i < children->count; i++) {
        guard_signal(&children->items[i].guard, number);
    }
    start_more(children); /* nobody, but it may be over */
}

void demo_children_fail(struct demo_children *children, const struct error *error)
{
    children->error = children->error.code == ERROR_NONE ? *error : children->error;
    signal_all(children, SIGTERM);
}

unsigned demo_children_give_up_row(struct demo_children *children, size_t row)
{
    unsigned given_up = 0;

    for (size_t i = 0; i < children->count; i++) {
        struct demo_child *child = &children->items[i];
        if (child->state == CHILD_WAITS && child->run->row == row && !child->run->own_broker) {
            child->state = CHILD_ENDED;
            children->ended++;
            given_up++;
        }
    }
    return given_up;
}

void demo_children_interrupt(struct demo_children *children)
{
    signal_all(children, children->host->interrupts > 1 ? SIGKILL : SIGTERM);
}

void demo_children_free(struct demo_children *children)
{
    for (size_t i = 0; i < children->count; i++) {
        environment_free(&children->items[i].environment);
    }
}
