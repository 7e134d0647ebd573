#include "common/config.h"
#include "common/directory.h"
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

#define MEMBERS_REMOVED_MAX 1000
#define CLOCK_DRIFT_MS      150 /* so wrong are clocks that are to be set right */

/* ---- logs ---- */

bool run_log_path(const struct run_options *options, unsigned index, char *out, size_t size)
{
    const struct part_plan *plan = part_plan_find(options->part);
    size_t members = part_plan_member_count(plan, options->members);
    struct part_member member;
    const char *names[2];
    size_t more = 0;

    if (part_plan_member(plan, options->members, index, &member)) {
        snprintf(out, size, "%s/%s.jsonl", options->directory, member.name);
        return true;
    }
    if (plan->users != USERS_TYPE) {
        names[more++] = "clients";
    }
    if (options->schedule.count > 0) {
        names[more++] = "lab";
    }
    if (index - members < more) {
        snprintf(out, size, "%s/%s.jsonl", options->directory, names[index - members]);
    }
    return index - members < more;
}

static bool remove_file(const struct run_options *options, const char *name, const char *ending)
{
    char path[4200];

    snprintf(path, sizeof path, "%s/%s%s", options->directory, name, ending);
    return unlink(path) == 0;
}

/* Those of one kind, from the first on as far as there are any. */
static void remove_members(const struct run_options *options, enum member_kind kind)
{
    struct part_member member;
    bool was_there = true;

    for (unsigned number = 1; was_there && number <= MEMBERS_REMOVED_MAX; number++) {
        part_plan_name(kind, number, member.name, sizeof member.name);
        was_there = remove_file(options, member.name, ".jsonl");
        remove_file(options, member.name, ".screen.txt");
    }
}

void run_remove_old_logs(const struct run_options *options)
{
    static const char *const others[] = {"clients", "lab"};

    for (enum member_kind kind = 0; kind < MEMBER_KINDS; kind++) {
        remove_members(options, kind);
    }
    remove_file(options, "run", ".json");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        remove_file(options, others[i], ".jsonl");
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

    bool shared = run->plan->has_shared && member->kind == run->plan->shares;
    snprintf(path, sizeof path, "%s/%s.data", run->options->directory, shared ? "shared" : member->name);
    environment_add(&member->environment, "DATA_DIR=%s", path);
    return directory_remove(path, error);
}

static void add_broker(struct run *run)
{
    struct uuid uuid = uuid_new(); /* this run's queues are its own, also on a broker that others use */

    snprintf(run->suffix, sizeof run->suffix, ".%.8s", uuid.text);
    for (size_t i = 0; i < run->group.count; i++) {
        struct environment *environment = &run->group.members[i].environment;
        environment_add(environment, "AMQP_URL=%s", run->host->url);
        environment_add(environment, "QUEUE_SUFFIX=%s", run->suffix);
    }
}

/* Gives each member that serves a port of its own, and what it keeps on its disk a folder. */
static int add_services(struct run *run, struct error *error)
{
    unsigned count = (unsigned)run->group.count;
    int code = ports_hold(&run->held_ports, 2 * count, 1, error);

    run->inner_ports = memory_new_zeroed(run->group.count, sizeof *run->inner_ports);
    run->ports = memory_new_zeroed(run->group.count, sizeof *run->ports);
    run->asked = memory_new_zeroed(run->group.count, sizeof *run->asked);
    run->asked_ports = memory_new_zeroed(run->group.count, sizeof *run->asked_ports);
    for (size_t i = 0; code == 0 && i < run->group.count; i++) {
        struct member *member = &run->group.members[i];
        const struct member_settings *settings = part_plan_settings(member->kind);
        if (settings->port != NULL) {
            run->ports[i] = (uint16_t)(run->held_ports.first + i);
            environment_add(&member->environment, "%s=127.0.0.1", settings->host);
            environment_add(&member->environment, "%s=%u", settings->port, run->ports[i]);
            run->inner_ports[i] = run->ports[i];
        }
        if (settings->inner_port != NULL) {
            run->inner_ports[i] = (uint16_t)(run->held_ports.first + count + i);
            environment_add(&member->environment, "%s=%u", settings->inner_port, run->inner_ports[i]);
        }
        if (settings->clock_drift != NULL) { /* each otherwise: 0, 150, -150, 0, … */
            environment_add(&member->environment, "%s=%d", settings->clock_drift,
                            ((int)(member->number % 3) - 1) * CLOCK_DRIFT_MS);
        }
        if (run->plan->users == USERS_ZMQ && member->kind == run->plan->heard) {
            run->heard_port = run->ports[i];
        }
        if (member->kind == run->plan->asked) {
            run->asked_ports[run->asked_count] = run->ports[i];
            run->asked[run->asked_count++] = member->name;
        }
        code = add_data_folder(run, member, error);
    }
    return code;
}

/* "127.0.0.1:9001,127.0.0.1:9002": where those of one kind are. */
static void list_addresses(const struct run *run, enum member_kind kind, struct buffer *out)
{
    bool named = part_plan_settings(kind)->named;

    buffer_clear(out);
    for (size_t i = 0; i < run->group.count; i++) {
        const struct member *member = &run->group.members[i];
        if (member->kind == kind) {
            buffer_add_format(out, "%s%s%s127.0.0.1:%u", out->length > 0 ? "," : "",
                              named ? member->name : "", named ? "=" : "", run->inner_ports[i]);
        }
    }
    buffer_add_char(out, '\0');
}

/* Tells everybody where everybody is. */
static void add_addresses(struct run *run)
{
    struct buffer list = {0};

    for (enum member_kind kind = 0; kind < MEMBER_KINDS; kind++) {
        const char *variable = part_plan_settings(kind)->addresses;
        list_addresses(run, kind, &list);
        for (size_t i = 0; variable != NULL && list.length > 1 && i < run->group.count; i++) {
            environment_add(&run->group.members[i].environment, "%s=%s", variable, list.bytes);
        }
    }
    buffer_free(&list);
}

/* What the part asks for. */
static void add_own_settings(struct run *run)
{
    for (const char *const *setting = run->plan->settings; setting != NULL && *setting != NULL; setting++) {
        for (size_t i = 0; i < run->group.count; i++) {
            environment_add(&run->group.members[i].environment, "%s", *setting);
        }
    }
}

static bool is_parted(const struct schedule *schedule)
{
    bool found = false;

    for (size_t i = 0; i < schedule->count; i++) {
        found |= schedule->events[i].action == SCHEDULE_PARTITION;
    }
    return found;
}

static void add_network(struct run *run)
{
    const struct fault_settings *network = &run->options->network;
    char path[4200];

    run_network_path(run->options, path, sizeof path);

    for (size_t i = 0; i < run->group.count; i++) {
        struct environment *environment = &run->group.members[i].environment;
        environment_add(environment, "NET_DELAY_MS=%u-%u", network->delay_min_ms, network->delay_max_ms);
        environment_add(environment, "NET_LOSS=%.17g", network->loss);
        environment_add(environment, "NET_DUPLICATE=%.17g", network->duplicate);
        environment_add(environment, "NET_SEED=%" PRIu64, network->seed);
        if (is_parted(&run->options->schedule)) {
            environment_add(environment, "NET_FAULTS_FILE=%s", path);
        }
    }
}

static int add_settings(struct run *run, struct error *error)
{
    const struct part_plan *plan = run->plan;

    add_network(run);
    if (plan->users == USERS_TYPE) {
        add_multicast(run);
        return 0;
    }
    if (plan->has_broker) {
        add_broker(run);
    }
    int code = add_services(run, error);
    if (code == 0) {
        add_addresses(run);
        add_own_settings(run);
    }
    return code;
}

int run_start_members(struct run *run, struct error *error)
{
    struct part_member what;
    int code;

    while (part_plan_member(run->plan, run->options->members, run->group.count, &what)) {
        group_add(&run->group, &what, run->options->directory);
    }
    code = add_settings(run, error);
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
