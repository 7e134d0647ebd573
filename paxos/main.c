/* paxos: the same key-value store, which now survives any minority of its members.
 *
 * One program for every role: what a proposer, an acceptor, a learner and a store may do stands in files of these names,
 * which are pure; the process around each of them in <role>_main.c. */
#include "common/config.h"
#include "common/words.h"
#include "paxos/roles.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(void); /* NULL where it is not built yet */
} roles[] = {
    {"proposer", proposer_main},
    {"acceptor", acceptor_main},
    {"learner", learner_main},
    {"store", store_main},
};

static int usage(FILE *out, int status)
{
    fputs(_("usage: paxos proposer     takes commands from clients, and leads or follows\n"
            "       paxos acceptor     the memory of the cluster: what is promised and accepted\n"
            "       paxos learner      finds out what is decided, applies it, and answers reads\n"
            "       paxos store        a copy of the data, written by two-phase commit\n"
            "       paxos client       a prompt, a load, and a page to watch the cluster\n"
            "A replicated key-value store by Multi-Paxos, over HTTP and JSON.\n"
            "Settings: ROLE, NODE_ID, HOST, PORT, DEBUG, ACCEPTORS, PROPOSERS, LEARNERS, STORES, CLIENTS,\n"
            "USE_CLUSTER_STORE, DATA_DIR, HEARTBEAT_MS, TIMEOUT_MS, LOG_LEVEL, LOG_FORMAT, LOG_FILE,\n"
            "NET_DELAY_MS, NET_LOSS, NET_PARTITION, NET_SEED, NET_FAULTS_FILE (see README.md).\n"),
          out);
    return status;
}

int main(int argc, char **argv)
{
    const char *role = argc > 1 ? argv[1] : config_text("ROLE", "");

    words_open();
    if (strcmp(role, "--help") == 0) {
        return usage(stdout, 0);
    }
    if (strcmp(role, "client") == 0) { /* the only one that takes arguments */
        return client_main(argc, argv);
    }
    for (size_t i = 0; argc <= 2 && i < sizeof roles / sizeof *roles; i++) {
        if (strcmp(role, roles[i].name) == 0 && roles[i].run != NULL) {
            return roles[i].run();
        }
        if (strcmp(role, roles[i].name) == 0) {
            fprintf(stderr, _("paxos: the %s is not built yet\n"), role);
            return 2;
        }
    }
    return usage(stderr, 2);
}
