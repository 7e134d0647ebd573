/* What the chat is measured against: libzmq alone, with the proxy that it brings along.
 *
 *     bare_zmq queue             ROUTER and DEALER, as the chat's broker
 *     bare_zmq forward           XSUB and XPUB, as the chat's proxy
 *     bare_zmq reply ENDPOINT    REP at a queue's second port: answers every question with its own bytes
 *
 * The first two say "ready PORT PORT": the clients' and the servers' of a queue, the publishers' and the subscribers' of
 * the other. They run until they are killed. */
#include "bench.h"

#include <zmq.h>

static void *open_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);

    if (socket == NULL) {
        die("zmq_socket");
    }
    return socket;
}

/* Binds to any port of this machine; which one it is stands behind the last colon. */
static void *listen_somewhere(void *context, int type)
{
    char endpoint[64];
    size_t size = sizeof endpoint;
    void *socket = open_socket(context, type);

    if (zmq_bind(socket, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0) {
        die("zmq_bind");
    }
    printf(" %s", strrchr(endpoint, ':') + 1);
    return socket;
}

static void proxy(void *context, int front_type, int back_type)
{
    printf("ready");
    void *front = listen_somewhere(context, front_type);
    void *back = listen_somewhere(context, back_type);

    tell_now();
    zmq_proxy(front, back, NULL);
    die("zmq_proxy");
}

static void reply(void *context, const char *endpoint)
{
    void *socket = open_socket(context, ZMQ_REP);
    zmq_msg_t message;

    if (zmq_connect(socket, endpoint) != 0) {
        die(endpoint);
    }
    for (;;) {
        zmq_msg_init(&message);
        if (zmq_msg_recv(&message, socket, 0) < 0 || zmq_msg_send(&message, socket, 0) < 0) {
            die("an echo");
        }
    }
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();

    if (context == NULL) {
        die("zmq_ctx_new");
    }
    if (argc == 2 && strcmp(argv[1], "queue") == 0) {
        proxy(context, ZMQ_ROUTER, ZMQ_DEALER);
    } else if (argc == 2 && strcmp(argv[1], "forward") == 0) {
        proxy(context, ZMQ_XSUB, ZMQ_XPUB);
    } else if (argc == 3 && strcmp(argv[1], "reply") == 0) {
        reply(context, argv[2]);
    }
    fputs("usage: bare_zmq queue | forward | reply ENDPOINT\n", stderr);
    return 2;
}
