/* Where the memory of the server's HTTP/2 sessions comes from.
 *
 * Every nghttp2 session has a buffer for the largest frame that it may have to write, 16 KiB, of which ours never write
 * more than the beginning. On the heap these buffers soon share their pages with other things, and an idle connection
 * costs all of it. Here each has pages of its own: those that nobody wrote to cost nothing, and those of a connection
 * that is closed go back to the system. */
#ifndef ORDEM_GRPC_POOL_H
#define ORDEM_GRPC_POOL_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grpc_pool {
    nghttp2_mem memory; /* for nghttp2_session_server_new3; lives as long as the sessions */
    char *pages; /* a range of addresses for all buffers; NULL if the system has none: then the heap serves */
    uint16_t *spare; /* a stack of the places that are free */
    size_t spare_count, count;
};

/* A pool with room for `count` buffers, at most 65,535; others come from the heap. */
void grpc_pool_open(struct grpc_pool *pool, size_t count);

/* Once no session is left. */
void grpc_pool_close(struct grpc_pool *pool);

#endif
