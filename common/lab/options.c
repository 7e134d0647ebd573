#include "common/lab/options.h"

#include "common/lab/broker.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option long_options[] = {
    {"nodes", required_argument, NULL, 'n'}, {"writers", required_argument, NULL, 'w'},
    {"ops", required_argument, NULL, 'o'},   {"keys", required_argument, NULL, 'k'},
    {"rate", required_argument, NULL, 'r'},  {"delay", required_argument, NULL, 'd'},
    {"loss", required_argument, NULL, 'l'},  {"duplicate", required_argument, NULL, 'u'},
    {"seed", required_argument, NULL, 's'},  {"out", required_argument, NULL, 'O'},
    {"json", no_argument, NULL, 'j'},        {"shiviz", required_argument, NULL, 'z'},
    {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};

void lab_usage(FILE *out)
{
    fputs("usage: lab run PART [options]      start the nodes of a part, drive them, judge their logs\n"
          "       lab compare [options] FILE…  judge logs from anywhere: files, folders, patterns, - for "
          "stdin\n"
          "       lab demo [options]           a run of parte1 on a bad network, told as a story\n"
          "       lab broker [--nodes N] [--out DIR]  a private RabbitMQ, or a cluster, until Ctrl-C\n"
          "\n"
          "run and demo:\n"
          "  --nodes N           replicas (3)\n"
          "  --writers N         how many of them a user types at (3)\n"
          "  --ops N             commands typed, of all writers together (300)\n"
          "  --keys N            different keys, so that writers conflict (5)\n"
          "  --rate N            commands a second of each writer; 0 for as fast as it goes (200)\n"
          "  --delay LOW-HIGHms  each message is held back at random (0)\n"
          "  --loss P            probability that a message is lost at a node (0)\n"
          "  --duplicate P       probability that it arrives twice (0)\n"
          "  --seed N            repeats commands and faults (42)\n"
          "  --out DIR           for the logs (runs/PART-seedN beside this program)\n"
          "\n"
          "run and compare:\n"
          "  --json              one JSON object for scripts\n"
          "  --shiviz FILE       also write a log that ShiViz draws\n"
          "\n"
          "exit status: 0 all guarantees hold, 1 something is violated, 2 cannot tell (demo: 0 a divergence "
          "was shown)\n",
          out);
}

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
    struct error inner;

    if (fault_settings_set(&run->network, setting, text_of(text), &inner) != 0) {
        return error_set(error, ERROR_CONFIG, "--%s%s", name, inner.text + strlen(setting));
    }
    return 0;
}

static int read_directory(struct run_options *run, const char *text, struct error *error)
{
    int length = snprintf(run->directory, sizeof run->directory, "%s", text);
    if (length == 0 || (size_t)length >= sizeof run->directory) {
        return error_set(error, ERROR_CONFIG, "--out is \"%.60s\": the path of a folder is allowed", text);
    }
    return 0;
}

static int read_option(struct lab_options *options, int letter, const char *text, struct error *error)
{
    struct run_options *run = &options->run;

    switch (letter) {
    case 'n':
        return read_number("nodes", text, 1, 50, &run->nodes, error);
    case 'w':
        return read_number("writers", text, 1, 50, &run->writers, error);
    case 'o':
        return read_number("ops", text, 1, 10000000, &run->operations, error);
    case 'k':
        return read_number("keys", text, 1, 1000000, &run->keys, error);
    case 'r':
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
    case 'j':
        options->json = true;
        return 0;
    case 'z':
        options->shiviz = text;
        return 0;
    case 'h':
        options->command = LAB_HELP;
        return 0;
    default: /* getopt has already said what is wrong */
        return error_set(error, ERROR_CONFIG, "lab --help lists the options");
    }
}

static int read_command(struct lab_options *options, const char *name, struct error *error)
{
    if (strcmp(name, "run") == 0) {
        options->command = LAB_RUN;
    } else if (strcmp(name, "compare") == 0) {
        options->command = LAB_COMPARE;
    } else if (strcmp(name, "demo") == 0) {
        options->command = LAB_DEMO;
        /* Few enough commands to look at, and a network bad enough to break every promise. */
        options->run.operations = 90;
        options->run.rate = 60;
        options->run.network.delay_max_ms = 30;
        options->run.network.loss = 0.02;
        options->run.network.duplicate = 0.02;
    } else if (strcmp(name, "broker") == 0) {
        options->command = LAB_BROKER;
        options->run.nodes = 1;
    } else if (strcmp(name, "help") != 0 && strcmp(name, "--help") != 0 && strcmp(name, "-h") != 0) {
        return error_set(error, ERROR_CONFIG,
                         "unknown command \"%.60s\": run, compare, demo and broker are known", name);
    }
    return 0;
}

/* What is left after the options: the part of a run, the files of a comparison. */
static int read_rest(struct lab_options *options, char **rest, int count, struct error *error)
{
    struct run_options *run = &options->run;

    options->files = rest;
    options->file_count = count;
    if (options->command == LAB_RUN) {
        if (count != 1) {
            return error_set(error, ERROR_CONFIG, "lab run needs one part: parte1 is there so far");
        }
        if (strcmp(rest[0], "parte1") != 0) {
            return error_set(error, ERROR_CONFIG, "\"%.60s\" cannot be run: parte1 is there so far", rest[0]);
        }
        run->part = rest[0];
    } else if (options->command == LAB_COMPARE && count == 0) {
        return error_set(error, ERROR_CONFIG,
                         "lab compare needs logs: files, folders, patterns, or - for standard input");
    } else if (options->command == LAB_DEMO && count != 0) {
        return error_set(error, ERROR_CONFIG, "lab demo takes no \"%.60s\"", rest[0]);
    } else if (options->command == LAB_BROKER && count != 0) {
        return error_set(error, ERROR_CONFIG, "lab broker takes no \"%.60s\"", rest[0]);
    } else if (options->command == LAB_BROKER && run->nodes > BROKER_NODES_MAX) {
        return error_set(error, ERROR_CONFIG, "--nodes is %u: RabbitMQ runs with at most %d here", run->nodes,
                         BROKER_NODES_MAX);
    }
    /* Fewer nodes than writers were asked for: each node has one. */
    run->writers = run->writers < run->nodes ? run->writers : run->nodes;
    return 0;
}

static int choose_directory(struct run_options *run, struct error *error)
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
             inside ? folder + above + 1 : folder, run->part, (unsigned long long)run->network.seed);
    return 0;
}

int lab_options_read(struct lab_options *options, int argc, char **argv, struct error *error)
{
    int code = 0;
    int letter;

    *options = (struct lab_options){.command = LAB_HELP, .run = run_options_standard("parte1")};
    if (argc < 2) {
        return error_set(error, ERROR_CONFIG, "run, compare, demo or broker? lab --help tells more");
    }
    code = read_command(options, argv[1], error);
    optind = 2;
    while (code == 0 && options->command != LAB_HELP &&
           (letter = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        code = read_option(options, letter, optarg, error);
    }
    if (code != 0 || options->command == LAB_HELP) {
        return code;
    }
    code = read_rest(options, argv + optind, argc - optind, error);
    return code == 0 && (options->command == LAB_RUN || options->command == LAB_DEMO)
               ? choose_directory(&options->run, error)
               : code;
}
