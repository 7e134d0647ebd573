/* What goes through a ZeroMQ socket. Nobody but zmq_socket.c includes this; see there. */
#ifndef ORDEM_ZMQ_EXCHANGE_H
#define ORDEM_ZMQ_EXCHANGE_H

#include "common/net/zmq_socket.h"

/* Receives, and sends what waited, at most ZMQ_TURN_MAX messages each. False: there is nothing more to do, and the
 * descriptor will tell when there is. The socket may have been closed on the way. */
bool zmq_exchange_turn(struct zmq_socket *socket);

/* zmq_socket_send, but for the turn that must follow. */
int zmq_exchange_send(struct zmq_socket *socket, const struct text *frames, size_t count,
                      struct error *error);

/* Forgets what waited. */
void zmq_exchange_free(struct zmq_socket *socket);

#endif
