/* A TCP port that is listened on. */
#ifndef ORDEM_LISTENER_H
#define ORDEM_LISTENER_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define LISTENER_PEER_LENGTH 64

/* Listens on `port` of every address of this machine (IPv6 and IPv4), or of `host`, an address, if it is not NULL; 0 for
 * a port that the kernel chooses. Raises the soft limit of open files to the hard one, since every connection is one.
 * Returns 0 and the port; else the listener is closed and need not be. Errors: ERROR_NETWORK, telling what to do when
 * the port is taken; ERROR_CONFIG, `host` is not an address. */
int listener_open(uv_tcp_t *listener, uv_loop_t *loop, const char *host, uint16_t port,
                  uv_connection_cb on_connection, uint16_t *bound, struct error *error);

/* Raises the soft limit of open files to the hard one, as listener_open does: the soft one is often 1024. */
void listener_raise_file_limit(void);

/* Who is at the other end: "127.0.0.1:40312", "[fe80::1]:40312", "?:0" where that is not known. */
void listener_peer_name(const uv_tcp_t *tcp, char out[LISTENER_PEER_LENGTH]);

#endif
