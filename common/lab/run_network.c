/* The network of a run, parted and healed while it runs: through the file that every member reads again when it changes. */
#include "common/json.h"
#include "common/lab/run_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int refuse(const char *path, struct error *error)
{
    int number = errno;

    error_set(error, ERROR_FILE, "%.200s", path);
    error_because_errno(error, number);
    return ERROR_FILE;
}

void run_network_path(const struct run_options *options, char *out, size_t size)
{
    snprintf(out, size, "%s/faults.json", options->directory);
}

static bool is_named(const char *list, const char *wanted)
{
    char name[SCHEDULE_TARGET_MAX];
    bool found = false;

    while (schedule_next_name(&list, name, sizeof name)) {
        found |= strcmp(name, wanted) == 0;
    }
    return found;
}

/* {"NET_PARTITION":"a,b|c,d,e"}: those on one side, and all others who could be cut off. */
static void describe(const struct run *run, const char *side, struct buffer *json)
{
    const char *before = "|";

    buffer_add_format(json, "{\"NET_PARTITION\":\"%s", side);
    for (size_t i = 0; i < run->group.count; i++) {
        const struct member *member = &run->group.members[i];
        if (!is_named(side, member->name) && !part_plan_settings(member->kind)->only_passes_on) {
            buffer_add_format(json, "%s%s", before, member->name);
            before = ",";
        }
    }
    buffer_add_string(json, "\"}\n");
}

/* A file of its own first: nobody reads half of it. */
static int replace(const char *path, const struct buffer *content, struct error *error)
{
    char new_path[4300];

    snprintf(new_path, sizeof new_path, "%s.new", path);
    FILE *file = fopen(new_path, "we");
    if (file == NULL) {
        return refuse(new_path, error);
    }
    bool written = fwrite(content->bytes, 1, content->length, file) == content->length;
    if (fclose(file) != 0 || !written || rename(new_path, path) != 0) {
        return refuse(path, error);
    }
    return 0;
}

int run_part_network(const struct run *run, const char *side, struct error *error)
{
    struct buffer json = {0};
    char path[4200];

    run_network_path(run->options, path, sizeof path);
    describe(run, side, &json);
    int code = replace(path, &json, error);
    buffer_free(&json);
    return code;
}

int run_heal_network(const struct run *run, struct error *error)
{
    char path[4200];

    run_network_path(run->options, path, sizeof path);
    return unlink(path) == 0 || errno == ENOENT ? 0 : refuse(path, error);
}
