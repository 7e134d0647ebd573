#include "paxos/client_options.h"

#include "common/config.h"
#include "common/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS     10000 /* unless --timeout says otherwise */
#define TIMEOUT_MAX_S  86400
#define EXIT_ARGUMENTS 2

static int usage(FILE *out, int status)
{
    fputs(
        _("usage: paxos client [--target HOST:PORT[,HOST:PORT…]] [--timeout SECONDS]\n"
          "With --target, or without NODE_ID: a prompt; also takes commands from a pipe or a file. Type HELP "
          "there.\n"
          "With NODE_ID: a service with a page that shows the cluster, on PORT and PAGE_PORT (see "
          "README.md).\n"
          "  --target HOST:PORT   the proposers to ask, one after the other (or set PROPOSERS)\n"
          "  --timeout SECONDS    how long a command may take, tries included; 10 unless told\n"),
        out);
    return status;
}

int client_refuse(const char *what)
{
    fprintf(stderr, "paxos %s: %s\n", "client", what);
    return EXIT_ARGUMENTS;
}

static bool read_timeout(const char *text, uint64_t *timeout_ms)
{
    char *end;

    errno = 0;
    double seconds = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !(seconds >= 0.001 && seconds <= TIMEOUT_MAX_S)) {
        return false;
    }
    *timeout_ms = (uint64_t)(seconds * 1000);
    return true;
}

int client_options_read(struct client_options *options, int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "client") == 0 ? 2 : 1;

    *options = (struct client_options){.targets = config_text("PROPOSERS", NULL),
                                       .variable = "PROPOSERS",
                                       .service = config_text("NODE_ID", NULL) != NULL,
                                       .timeout_ms = TIMEOUT_MS};
    for (int i = first; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--help") == 0) {
            return usage(stdout, 0);
        }
        if (strcmp(argv[i], "--target") == 0 && has_value) {
            options->targets = argv[++i];
            options->variable = "--target";
            options->service = false;
        } else if (strcmp(argv[i], "--timeout") == 0 && has_value) {
            if (!read_timeout(argv[++i], &options->timeout_ms)) {
                return client_refuse(_("--timeout takes seconds, from 0.001 to 86400"));
            }
        } else {
            return usage(stderr, EXIT_ARGUMENTS);
        }
    }
    if (options->targets == NULL) {
        return client_refuse(_("whom shall I ask? Give --target HOST:PORT, or set PROPOSERS"));
    }
    return -1;
}
