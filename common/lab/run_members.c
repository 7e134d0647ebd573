#include "common/config.h"
#include "common/directory.h"
#include "common/lab/ports.h"
#include "common/lab/run_state.h"
#include "common/memory.h"
#include "common/random.h"
#include "common/uuid.h"
#include "common/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- logs ---- */

bool run_log_path(const struct run_options *options, unsigned index, char *out, size_t size)
{
    const struct part_plan *plan = part_plan_find(options->part);
    const char *names[3];
    unsigned more = 0;

    if (index < options->nodes) {
        snprintf(out, size, "%s/node%u.jsonl", options->directory, index + 1);
        return true;
    }
    if (plan->coordinator != NULL) {
        names[more++] = plan->coordinator;
    }
    if (plan->has_broker) {
        names[more++] = "clients";
    }
    if (options->schedule.count > 0) {
        names[more++] = "lab";
    }
    index -= options->nodes;
    if (index < more) {
        snprintf(out, size, "%s/%s.jsonl", options->directory, names[index]);
    }
    return index < more;
}

static bool remove_file(const struct run_options *options, const char *name, const char *ending)
{
    char path[4200];

    snprintf(path, sizeof path, "%s/%s%s", options->directory, name, ending);
    return unlink(path) == 0;
}

void run_remove_old_logs(const struct run_options *options)
{
    static const char *const others[] = {"sequencer", "clients", "lab"};
    char name[32];
    bool was_there = true;

    for (unsigned number = options->nodes + 1; was_there; number++) {
        snprintf(name, sizeof name, "node%u", number);
        was_there = remove_file(options, name, ".jsonl");
        remove_file(options, name, ".screen.txt");
    }
    remove_file(options, "run", ".json");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        remove_file(options, others[i], ".jsonl");
        remove_file(options, others[i], ".screen.txt");
    }
}

/* ---- settings ---- */

/* A group address and a port that nobody else on this machine uses, so that runs do not hear each other. */
static void choose_group(unsigned *third, unsigned *fourth, unsigned *port)
{
    struct random random = {random_hash(text_of(uuid_new().text))};
    int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool taken;

    do { /* bound without SO_REUSEADDR: fails if anybody has the port */
        *port = 20000 + (unsigned)random_below(&random, 40000);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
        taken = probe >= 0 && bind(probe, (struct sockaddr *)&address, sizeof address) != 0 &&
                errno == EADDRINUSE;
    } while (taken);
    if (probe >= 0) {
        close(probe);
    }
    *third = (unsigned)random_below(&random, 256);
    *fourth = 1 + (unsigned)random_below(&random, 254);
}

static void add_multicast(struct run *run)
{
    unsigned third;
    unsigned fourth;
    unsigned port;
    /* What the user chose stays; else the group is ours alone, and its datagrams never leave this machine. */
    bool is_chosen =
        config_text("MULTICAST_GROUP", NULL) != NULL || config_text("MULTICAST_PORT", NULL) != NULL;

    choose_group(&third, &fourth, &port);
    for (size_t i = 0; i < run->group.count; i++) {
        struct environment *environment = &run->group.members[i].environment;
        if (!is_chosen) {
            environment_add(environment, "MULTICAST_GROUP=239.255.%u.%u", third, fourth);
            environment_add(environment, "MULTICAST_PORT=%u", port);
        }
        if (config_text("MULTICAST_INTERFACE", NULL) == NULL) {
            environment_add(environment, "MULTICAST_INTERFACE=lo");
        }
    }
}

/* Where a member keeps what outlives it, empty to begin with. */
static int add_data_folder(const struct run *run, struct member *member, struct error *error)
{
    char path[4100];

    snprintf(path, sizeof path, "%s/%s.data", run->options->directory, member->name);
    environment_add(&member->environment, "DATA_DIR=%s", path);
    return directory_remove(path, error);
}

static int add_broker(struct run *run, struct error *error)
{
    struct uuid uuid = uuid_new(); /* this run's queues are its own, also on a broker that others use */
    uint16_t first_port = 0;
    int code = ports_choose(run->options->nodes, 1, &first_port, error);

    snprintf(run->suffix, sizeof run->suffix, ".%.8s", uuid.text);
    run->ports = memory_new_zeroed(run->options->nodes, sizeof *run->ports);
    run->names = memory_new_zeroed(run->options->nodes, sizeof *run->names);
    for (size_t i = 0; code == 0 && i < run->group.count; i++) {
        struct member *member = &run->group.members[i];
        environment_add(&member->environment, "AMQP_URL=%s", run->host->url);
        environment_add(&member->environment, "QUEUE_SUFFIX=%s", run->suffix);
        if (i < run->options->nodes) {
            run->ports[i] = (uint16_t)(first_port + i);
            run->names[i] = member->name;
            environment_add(&member->environment, "RPC_HOST=127.0.0.1");
            environment_add(&member->environment, "RPC_PORT=%u", run->ports[i]);
        }
        code = add_data_folder(run, member, error);
    }
    return code;
}

static void add_network(struct run *run)
{
    const struct fault_settings *network = &run->options->network;

    for (size_t i = 0; i < run->group.count; i++) {
        struct environment *environment = &run->group.members[i].environment;
        environment_add(environment, "NET_DELAY_MS=%u-%u", network->delay_min_ms, network->delay_max_ms);
        environment_add(environment, "NET_LOSS=%.17g", network->loss);
        environment_add(environment, "NET_DUPLICATE=%.17g", network->duplicate);
        environment_add(environment, "NET_SEED=%" PRIu64, network->seed);
    }
}

int run_start_members(struct run *run, struct error *error)
{
    const struct part_plan *plan = run->plan;
    int code = 0;

    for (unsigned i = 0; i < run->options->nodes; i++) {
        char name[32];
        snprintf(name, sizeof name, "node%u", i + 1);
        group_add(&run->group, name, i == 0 ? plan->first_role : plan->other_role, run->options->directory);
    }
    if (plan->coordinator != NULL) {
        group_add(&run->group, plan->coordinator, plan->coordinator, run->options->directory);
    }
    add_network(run);
    if (plan->has_broker) {
        code = add_broker(run, error);
    } else {
        add_multicast(run);
    }
    for (size_t i = 0; i < run->group.count; i++) {
        struct member *member = &run->group.members[i];
        member->own_settings = member->environment.count;
        environment_inherit(&member->environment, NULL);
    }
    for (size_t i = 0; code == 0 && i < run->group.count; i++) {
        code = member_start(&run->group.members[i], error);
    }
    return code;
}

/* ---- for people ---- */

/* Shows a setting; of a URL, what stands between "//user:" and "@" is not for the eyes of all. */
static void print_setting(const char *setting, FILE *out)
{
    const char *rest = setting;
    bool is_url = strncmp(setting, "AMQP_URL=", 9) == 0;

    fputs("  ", out);
    while (is_url && strstr(rest, "//") != NULL) {
        const char *user = strstr(rest, "//") + 2;
        const char *end = user + strcspn(user, "/,");
        const char *at = memrchr(user, '@', (size_t)(end - user));
        const char *colon = at != NULL ? memchr(user, ':', (size_t)(at - user)) : NULL;
        if (colon != NULL) {
            fprintf(out, "%.*s:***", (int)(colon - rest), rest);
            rest = at;
        }
        fprintf(out, "%.*s", (int)(end - rest), rest);
        rest = end;
    }
    fprintf(out, "%s\n", rest);
}

void run_print_environment(const struct run *run, FILE *out)
{
    if (run->group.count > 0) {
        const struct member *member = run->blamed != NULL ? run->blamed : &run->group.members[0];
        fprintf(out, _("%s was started with:\n"), member->name);
        for (size_t i = 0; i < member->own_settings; i++) {
            print_setting(member->environment.variables[i], out);
        }
    }
}
