/* common/lab/ports: who holds a port shares it with its servers, and with nobody else who holds ports. */
#include "common/lab/ports.h"

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOSTS 2
#define HELD  300 /* so many pairs, drawn without a look at each other, would meet six times */

/* A server at 127.0.0.`host`, or -1. */
static int serve(unsigned host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host)};
    const int on = 1;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (server >= 0 &&
        (setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
         bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 1) != 0)) {
        close(server);
        return -1;
    }
    return server;
}

static void servers_listen_on_held_ports_again_and_again(void **state)
{
    (void)state;
    struct ports ports = {0};
    struct error error;
    assert_int_equal(ports_hold(&ports, 3, HOSTS, &error), 0);
    for (unsigned i = 0; i < 2 * 3 * HOSTS; i++) {
        int server = serve(1 + i % HOSTS, (uint16_t)(ports.first + i / HOSTS % 3));
        assert_true(server >= 0);
        close(server);
    }
    ports_release(&ports);
}

static void nobody_is_given_a_port_that_another_holds(void **state)
{
    (void)state;
    static struct ports held[HELD];
    static bool taken[65536];
    struct error error;
    for (size_t i = 0; i < HELD; i++) {
        assert_int_equal(ports_hold(&held[i], 2, 1, &error), 0);
        assert_false(taken[held[i].first] || taken[held[i].first + 1]);
        taken[held[i].first] = taken[held[i].first + 1] = true;
    }
    for (size_t i = 0; i < HELD; i++) {
        ports_release(&held[i]);
    }
}

UNIT_MAIN(cmocka_unit_test(servers_listen_on_held_ports_again_and_again),
          cmocka_unit_test(nobody_is_given_a_port_that_another_holds))
