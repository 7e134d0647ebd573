#include "paxos/client_console.h"
#include "paxos/client_options.h"
#include "paxos/client_service.h"
#include "paxos/roles.h"

int client_main(int argc, char **argv)
{
    struct client_options options;
    int status = client_options_read(&options, argc, argv);

    if (status >= 0) {
        return status;
    }
    return options.service ? client_service_run(&options) : client_console_run(&options);
}
