/* Parte 5: the chat. One program, whose role is its first argument. */
#include "common/config.h"
#include "common/words.h"
#include "parte5-chat/bot.h"
#include "parte5-chat/broker.h"
#include "parte5-chat/client.h"
#include "parte5-chat/proxy.h"
#include "parte5-chat/reference_main.h"
#include "parte5-chat/server.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(FILE *out, int status)
{
    fputs(
        _("usage: parte5 broker       questions of clients to servers, and the answers back\n"
          "       parte5 proxy        what servers publish to whoever subscribed\n"
          "       parte5 reference    who is there, and who comes before whom\n"
          "       parte5 server       answers clients, and replicates: one of several\n"
          "       parte5 client       a prompt; reads commands from a pipe, too\n"
          "       parte5 bot          a client without a person, for traffic\n"
          "A chat on ZeroMQ, whose servers are a primary and its backups.\n"
          "Settings: ROLE, NODE_ID, SERVERS, BROKER, PROXY, REFERENCE, BIND_HOST, CLIENTS_PORT,\n"
          "SERVERS_PORT, REFERENCE_PORT, SERVER_PORT, DATA_DIR, HEARTBEAT_TIMEOUT_MS,\n"
          "REPLICATION_TIMEOUT_MS, CLOCK_DRIFT_MS, CLOCK_DRIFT_PPM, ENCODING, REQUEST_TIMEOUT_MS, BOT_SEED,\n"
          "BOT_INTERVAL_MS, LOG_LEVEL, LOG_FORMAT, LOG_FILE (see README.md).\n"),
        out);
    fputs(_("Where there are passwords: ACCOUNTS, JWT_SECRET, TOKEN_HOURS, BOT_PASSWORD.\n"), out);
    fputs(_("Where all servers share a volume: COORDINATION, LEASE_MS.\n"), out);
    fputs(_("Option of client and bot: --encoding json, or messagepack, instead of ENCODING.\n"), out);
    return status;
}

struct role {
    const char *name;
    int (*run)(void);
    bool encodes; /* as it is told to; servers answer in kind */
};

/* What stands behind the role. False: nothing that it takes. */
static bool read_options(const struct role *role, int argc, char **argv)
{
    if (argc == 4 && role->encodes && strcmp(argv[2], "--encoding") == 0) {
        return setenv("ENCODING", argv[3], 1) == 0;
    }
    return argc <= 2;
}

int main(int argc, char **argv)
{
    static const struct role roles[] = {{"broker", broker_main, false},       {"proxy", proxy_main, false},
                                        {"reference", reference_main, false}, {"server", server_main, false},
                                        {"client", client_main, true},        {"bot", bot_main, true}};
    const char *role = argc > 1 ? argv[1] : config_text("ROLE", "");

    words_open();
    if (strcmp(role, "--help") == 0) {
        return usage(stdout, 0);
    }
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (strcmp(roles[i].name, role) == 0 && read_options(&roles[i], argc, argv)) {
            return roles[i].run();
        }
    }
    return usage(stderr, 2);
}
