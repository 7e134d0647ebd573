/* common/net/grpc_client: a connection that is made before anybody calls. */
#include "common/net/grpc_client.h"

#include "common/container_of.h"
#include "common/lab/ports.h"
#include "common/net/grpc_server.h"
#include "tests/unit/unit_log.h"

#include <stdio.h>

struct fixture {
    uv_loop_t loop;
    struct unit_log log;
    struct grpc_server server;
    struct grpc_client client;
    struct grpc_request request;
    int status; /* of the call; -1 before it ends */
};

static void on_call(struct grpc_server *server, struct grpc_call *call, struct text method,
                    struct text request)
{
    (void)server;
    (void)method;
    grpc_call_reply(call, request);
}

static void on_done(struct grpc_request *request, int status, struct text reply, bool sent)
{
    struct fixture *fixture = container_of(request, struct fixture, request);

    assert_true(sent);
    assert_text_equal(reply, TEXT("hello"));
    fixture->status = status;
}

static void open_all(struct fixture *fixture)
{
    *fixture = (struct fixture){.status = -1, .server.on_call = on_call, .request.on_done = on_done};
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    unit_log_open(&fixture->log, (struct log_options){.node = "node1"});
}

static void open_server(struct fixture *fixture, uint16_t port)
{
    struct error error;
    int code =
        grpc_server_open(&fixture->server, &fixture->loop, &fixture->log.log, "127.0.0.1", port, &error);

    assert_int_equal(code, 0);
}

static void open_client(struct fixture *fixture, uint16_t port)
{
    char target[32];
    struct error error;

    snprintf(target, sizeof target, "127.0.0.1:%u", port);
    assert_int_equal(grpc_client_init(&fixture->client, &fixture->loop, target, &error), 0);
}

static void connect_client(struct fixture *fixture)
{
    while (!grpc_client_connect(&fixture->client)) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->server.connection_count, 1);
}

static void close_all(struct fixture *fixture)
{
    grpc_client_close(&fixture->client);
    grpc_server_close(&fixture->server, 0);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    unit_log_close(&fixture->log);
}

static void test_connected_before_the_first_call(void **state)
{
    struct fixture fixture;
    (void)state;

    open_all(&fixture);
    open_server(&fixture, 0);
    open_client(&fixture, fixture.server.port);
    connect_client(&fixture);
    assert_null(fixture.client.waiting);

    grpc_client_call(&fixture.client, &fixture.request, "/echo", TEXT("hello"), 60000);
    while (fixture.status < 0) {
        uv_run(&fixture.loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture.status, GRPC_OK);
    assert_true(grpc_client_connect(&fixture.client));
    assert_int_equal(fixture.server.connection_count, 1); /* the call used the one that there was */
    close_all(&fixture);
}

static void test_connected_once_somebody_listens(void **state)
{
    struct fixture fixture;
    struct ports ports = {0}; /* on which nobody listens, and nobody else will */
    struct error error;
    (void)state;

    open_all(&fixture);
    assert_int_equal(ports_hold(&ports, 1, 1, &error), 0);
    open_client(&fixture, ports.first);
    for (int refused = 0; refused < 2; refused++) {
        while (fixture.client.state != CLIENT_PAUSING) {
            assert_false(grpc_client_connect(&fixture.client));
            uv_run(&fixture.loop, UV_RUN_ONCE);
        }
        while (fixture.client.state == CLIENT_PAUSING) {
            assert_false(grpc_client_connect(&fixture.client));
            uv_run(&fixture.loop, UV_RUN_ONCE);
        }
    }
    fixture.server = (struct grpc_server){.on_call = on_call};
    open_server(&fixture, ports.first);
    connect_client(&fixture);
    close_all(&fixture);
    ports_release(&ports);
}

UNIT_MAIN(cmocka_unit_test(test_connected_before_the_first_call),
          cmocka_unit_test(test_connected_once_somebody_listens))
