#include "common/net/kv_client_options.h"

#include "common/config.h"
#include "common/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS     10000 /* unless --timeout says otherwise */
#define TIMEOUT_MAX_S  86400
#define EXIT_ARGUMENTS 2

static int usage(const char *program, FILE *out, int status)
{
    fprintf(out,
            _("usage: %s client --target HOST:PORT [--timeout SECONDS] [--wait] [--json]\n"
              "A prompt for a node's key-value service; also takes commands from a pipe or a file. Type HELP "
              "there.\n"
              "  --target HOST:PORT   the node (or set TARGET)\n"
              "  --timeout SECONDS    how long a command may take, retries included; 10 unless told\n"
              "  --wait               have each command answered only when the node has applied it\n"
              "  --json               replies as JSON, one on each line: so they are anyhow\n"),
            program);
    return status;
}

int kv_client_refuse(const char *program, const char *what)
{
    fprintf(stderr, "%s client: %s\n", program, what);
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

int kv_client_options_read(struct kv_client_options *options, int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "client") == 0 ? 2 : 1;

    options->target = config_text("TARGET", NULL);
    options->timeout_ms = TIMEOUT_MS;
    for (int i = first; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--help") == 0) {
            return usage(options->program, stdout, 0);
        }
        if (strcmp(argv[i], "--wait") == 0) {
            options->wait = true;
        } else if (strcmp(argv[i], "--target") == 0 && has_value) {
            options->target = argv[++i];
        } else if (strcmp(argv[i], "--timeout") == 0 && has_value) {
            if (!read_timeout(argv[++i], &options->timeout_ms)) {
                return kv_client_refuse(options->program, _("--timeout takes seconds, from 0.001 to 86400"));
            }
        } else if (strcmp(argv[i], "--json") != 0) {
            return usage(options->program, stderr, EXIT_ARGUMENTS);
        }
    }
    if (options->target == NULL) {
        return kv_client_refuse(options->program,
                                _("whom shall I ask? Give --target HOST:PORT, or set TARGET"));
    }
    return -1;
}
