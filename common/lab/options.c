#include "common/lab/options.h"

#include "common/config.h"
#include "common/lab/broker.h"
#include "common/lab/demo_plan.h"
#include "common/lab/part_plan.h"
#include "common/words.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMBERS_MAX 31 /* of one role of Paxos */

static const struct option long_options[] = {{"nodes", required_argument, NULL, 'n'},
                                             {"proposers", required_argument, NULL, 'p'},
                                             {"acceptors", required_argument, NULL, 'c'},
                                             {"learners", required_argument, NULL, 'L'},
                                             {"stores", required_argument, NULL, 'T'},
                                             {"writers", required_argument, NULL, 'w'},
                                             {"ops", required_argument, NULL, 'o'},
                                             {"keys", required_argument, NULL, 'k'},
                                             {"rate", required_argument, NULL, 'r'},
                                             {"reads", required_argument, NULL, 'R'},
                                             {"delay", required_argument, NULL, 'd'},
                                             {"loss", required_argument, NULL, 'l'},
                                             {"duplicate", required_argument, NULL, 'u'},
                                             {"seed", required_argument, NULL, 's'},
                                             {"out", required_argument, NULL, 'O'},
                                             {"json", no_argument, NULL, 'j'},
                                             {"shiviz", required_argument, NULL, 'z'},
                                             {"kill", required_argument, NULL, 'K'},
                                             {"pause", required_argument, NULL, 'P'},
                                             {"partition", required_argument, NULL, 'C'},
                                             {"for", required_argument, NULL, 'F'},
                                             {"restart-after", required_argument, NULL, 'A'},
                                             {"wait", no_argument, NULL, 'W'},
                                             {"in-flight", required_argument, NULL, 'f'},
                                             {"timeout", required_argument, NULL, 't'},
                                             {"brokers", required_argument, NULL, 'b'},
                                             {"again", required_argument, NULL, 'a'},
                                             {"seeds", required_argument, NULL, 'S'},
                                             {"quick", no_argument, NULL, 'q'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

static int read_number(const char *name, const char *text, unsigned low, unsigned high, unsigned *value,
                       struct error *error)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number < low || number > high) {
        return error_set(error, ERROR_CONFIG, "--%s is \"%.60s\": a whole number from %u to %u is allowed",
                         name, text, low, high);
    }
    *value = (unsigned)number;
    return 0;
}

/* The network's settings are read as the nodes read them, and their errors name the option. */
static int read_network(struct run_options *run, const char *name, const char *setting, const char *text,
                        struct error *error)
{
    if (fault_settings_set(&run->network, setting, text_of(text), NULL) != 0) {
        error_set(error, ERROR_CONFIG, "--%s is \"%.60s\"", name, text);
        error_because(error, fault_setting_allows(setting));
        return ERROR_CONFIG;
    }
    return 0;
}

/* A share, kept in thousandths. */
static int read_reads(struct run_options *run, const char *text, struct error *error)
{
    char *end;
    double share = strtod(text, &end);

    if (*text < '0' || *text > '9' || *end != '\0' || !(share <= 1)) {
        return error_set(error, ERROR_CONFIG, "--reads is \"%.60s\": a number from 0 to 1 is allowed", text);
    }
    run->reads = (unsigned)(share * 1000 + 0.5);
    return 0;
}

static int read_directory(struct run_options *run, const char *text, struct error *error)
{
    int length = snprintf(run->directory, sizeof run->directory, "%s", text);
    if (length == 0 || (size_t)length >= sizeof run->directory) {
        return error_set(error, ERROR_CONFIG, "--out is \"%.60s\": a path is allowed", text);
    }
    return 0;
}

static int read_option(struct lab_options *options, int letter, const char *text, struct error *error)
{
    struct run_options *run = &options->run;

    switch (letter) {
    case 'n':
        return read_number("nodes", text, 1, 50, &run->members[MEMBER_NODE], error);
    case 'p':
        return read_number("proposers", text, 1, MEMBERS_MAX, &run->members[MEMBER_PROPOSER], error);
    case 'c':
        return read_number("acceptors", text, 1, MEMBERS_MAX, &run->members[MEMBER_ACCEPTOR], error);
    case 'L':
        return read_number("learners", text, 1, MEMBERS_MAX, &run->members[MEMBER_LEARNER], error);
    case 'T':
        return read_number("stores", text, 0, MEMBERS_MAX, &run->members[MEMBER_STORE], error);
    case 'w':
        return read_number("writers", text, 1, 50, &run->writers, error);
    case 'o':
        options->pace.operations = 1;
        return read_number("ops", text, 1, 10000000, &run->operations, error);
    case 'k':
        return read_number("keys", text, 1, 1000000, &run->keys, error);
    case 'r':
        options->pace.rate = 1;
        return read_number("rate", text, 0, 1000000, &run->rate, error);
    case 'd':
        return read_network(run, "delay", "NET_DELAY_MS", text, error);
    case 'l':
        return read_network(run, "loss", "NET_LOSS", text, error);
    case 'u':
        return read_network(run, "duplicate", "NET_DUPLICATE", text, error);
    case 's':
        return read_network(run, "seed", "NET_SEED", text, error);
    case 'O':
        return read_directory(run, text, error);
    case 'R':
        return read_reads(run, text, error);
    case 'K':
        return schedule_add_kill(&run->schedule, text, error);
    case 'P':
        return schedule_add_pause(&run->schedule, text, error);
    case 'C':
        return schedule_add_partition(&run->schedule, text, error);
    case 'A':
        options->restarts = true;
        return schedule_read_time("restart-after", text, &options->restart_after_ms, error);
    case 'F':
        return schedule_read_time("for", text, &options->for_ms, error);
    case 'W':
        run->wait = true;
        return 0;
    case 'f':
        return read_number("in-flight", text, 1, 1000, &run->in_flight, error);
    case 't':
        options->pace.timeout_ms = 1;
        return schedule_read_time("timeout", text, &run->timeout_ms, error);
    case 'b':
        return read_number("brokers", text, 1, BROKER_NODES_MAX, &run->brokers, error);
    case 'a':
        options->again = text;
        return 0;
    case 'S':
        return read_number("seeds", text, 1, DEMO_SEEDS_MAX, &options->seeds, error);
    case 'q':
        options->quick = true;
        return 0;
    case 'j':
        options->json = true;
        return 0;
    case 'z':
        options->shiviz = text;
        return 0;
    case 'h':
        options->command = LAB_HELP;
        return 0;
    default:
        return error_set(error, ERROR_CONFIG,
                         "\"%.60s\" is no option here, or lacks its value: lab --help lists the options",
                         text);
    }
}

static int read_command(struct lab_options *options, const char *name, struct error *error)
{
    if (strcmp(name, "run") == 0) {
        options->command = LAB_RUN;
    } else if (strcmp(name, "compare") == 0) {
        options->command = LAB_COMPARE;
    } else if (strcmp(name, "report") == 0) {
        options->command = LAB_REPORT;
    } else if (strcmp(name, "demo") == 0) {
        options->command = LAB_DEMO;
        /* Few enough commands to look at, and a network bad enough to break every promise. */
        options->run.operations = 120;
        options->run.keys = 8;
        options->run.reads = 250;
        options->run.rate = 120;
        options->run.network.delay_max_ms = 40;
        options->run.network.loss = 0.02;
        options->run.network.duplicate = 0.02;
    } else if (strcmp(name, "broker") == 0) {
        options->command = LAB_BROKER;
        options->run.members[MEMBER_NODE] = 1;
    } else if (strcmp(name, "help") != 0 && strcmp(name, "--help") != 0 && strcmp(name, "-h") != 0) {
        return error_set(error, ERROR_CONFIG,
                         "unknown command \"%.60s\": run, compare, report, demo and broker are known", name);
    }
    return 0;
}

/* What was not asked for is as the part has it. */
static void complete_pace(struct lab_options *options, const struct pace *pace)
{
    struct run_options *run = &options->run;

    run->operations =
        options->pace.operations == 0 && pace->operations > 0 ? pace->operations : run->operations;
    run->rate = options->pace.rate == 0 && pace->operations > 0 ? pace->rate : run->rate;
    run->timeout_ms =
        options->pace.timeout_ms == 0 && pace->operations > 0 ? pace->timeout_ms : run->timeout_ms;
}

/* The part, and what depends on it. */
static int complete_run(struct lab_options *options, const char *part, struct error *error)
{
    struct run_options *run = &options->run;
    const struct part_plan *plan = part_plan_find(part);
    bool own_broker = plan != NULL && plan->has_broker && config_text("AMQP_URL", NULL) == NULL;

    if (plan == NULL) {
        return error_set(
            error, ERROR_CONFIG,
            "\"%.60s\" cannot be run: parte1, parte2, parte3, parte4, parte5, parte5-ha and paxos can", part);
    }
    run->part = plan->name;
    if (options->again == NULL) {
        complete_pace(options, &plan->pace);
    }
    if (plan->users == USERS_TYPE &&
        run->writers > run->members[MEMBER_NODE]) { /* each node has one prompt */
        run->writers = run->members[MEMBER_NODE];
    }
    if (options->restarts && schedule_add_restarts(&run->schedule, options->restart_after_ms, error) != 0) {
        return error->code;
    }
    return schedule_add_ends(&run->schedule, options->for_ms, error) == 0
               ? part_plan_complete(plan, run->members, own_broker ? run->brokers : 0, &run->schedule, error)
               : error->code;
}

/* A run that was, once more: all its options but where it goes. */
static int complete_again(struct lab_options *options, int count, struct error *error)
{
    struct run_options *run = &options->run;
    char directory[sizeof run->directory];

    if (count != 0) {
        return error_set(error, ERROR_CONFIG, "lab run --again takes no part: it is that of the run there");
    }
    memcpy(directory, run->directory, sizeof directory);
    if (run_read_description(options->again, run, error) != 0) {
        return error->code;
    }
    if (directory[0] != '\0') {
        memcpy(run->directory, directory, sizeof directory);
    }
    return complete_run(options, run->part, error);
}

/* What is left after the options: the part of a run, the files of a comparison. */
static int read_rest(struct lab_options *options, char **rest, int count, struct error *error)
{
    static const char *const names[] = {[LAB_DEMO] = "demo", [LAB_BROKER] = "broker"};

    options->files = rest;
    options->file_count = count;
    switch (options->command) {
    case LAB_RUN:
        if (options->again != NULL) {
            return complete_again(options, count, error);
        }
        if (count != 1) {
            return error_set(
                error, ERROR_CONFIG,
                "lab run needs one part: parte1, parte2, parte3, parte4, parte5, parte5-ha or paxos");
        }
        return complete_run(options, rest[0], error);
    case LAB_COMPARE:
        return count > 0
                   ? 0
                   : error_set(error, ERROR_CONFIG,
                               "lab compare needs logs: files, folders, patterns, or - for standard input");
    case LAB_REPORT:
        return count > 0 ? 0
                         : error_set(error, ERROR_CONFIG,
                                     "lab report needs the logs of runs: a folder for each, or a file");
    case LAB_DEMO:
    case LAB_BROKER:
        if (count != 0) {
            return error_set(error, ERROR_CONFIG, "lab %s takes no \"%.60s\"", names[options->command],
                             rest[0]);
        }
        break;
    case LAB_HELP:
        return 0;
    }
    if (options->command == LAB_DEMO) {
        return complete_run(options, options->run.part, error);
    }
    if (options->run.members[MEMBER_NODE] > BROKER_NODES_MAX) {
        return error_set(error, ERROR_CONFIG, "--nodes is %u: RabbitMQ runs with at most %d here",
                         options->run.members[MEMBER_NODE], BROKER_NODES_MAX);
    }
    return 0;
}

static int choose_directory(struct run_options *run, const char *name, struct error *error)
{
    char folder[3800];
    char here[3800];

    if (run->directory[0] != '\0') {
        return 0;
    }
    if (run_program_folder(folder, sizeof folder, error) != 0) {
        return error->code;
    }
    /* Shorter to read and to type where the user stands above it: build/runs/… */
    size_t above = getcwd(here, sizeof here) != NULL ? strlen(here) : 0;
    bool inside = above > 0 && strncmp(folder, here, above) == 0 && folder[above] == '/';
    snprintf(run->directory, sizeof run->directory, "%s/runs/%s-seed%llu",
             inside ? folder + above + 1 : folder, name, (unsigned long long)run->network.seed);
    return 0;
}

int lab_options_read(struct lab_options *options, int argc, char **argv, struct error *error)
{
    int code = 0;
    int letter;

    *options = (struct lab_options){.command = LAB_HELP, .run = run_options_standard("parte1")};
    if (argc < 2) {
        return error_set(error, ERROR_CONFIG, "run, compare, report, demo or broker? lab --help tells more");
    }
    code = read_command(options, argv[1], error);
    optind = 2;
    opterr = 0; /* what is wrong is said here, in the user's language */
    while (code == 0 && options->command != LAB_HELP &&
           (letter = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        code = read_option(options, letter, letter == '?' ? argv[optind - 1] : optarg, error);
    }
    if (code != 0 || options->command == LAB_HELP) {
        return code;
    }
    code = read_rest(options, argv + optind, argc - optind, error);
    return code == 0 && (options->command == LAB_RUN || options->command == LAB_DEMO)
               ? choose_directory(&options->run, options->command == LAB_DEMO ? "demo" : options->run.part,
                                  error)
               : code;
}
