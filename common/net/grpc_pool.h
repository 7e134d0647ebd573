/* Where the memory of the server's HTTP/2 sessions comes from.
 *
 * Every nghttp2 session has a buffer for the largest frame that it may have to write, 16 KiB, of which ours use only the
 * beginning. On the heap these buffers soon share their pages with other things, and an idle connection costs all of it.
 * Here each has pages of its own: those that nobody wrote to cost nothing, those of a connection that rests or is closed
 * go back to the system. All else that a session needs comes from the heap. */
#ifndef ORDEM_GRPC_POOL_H
#define ORDEM_GRPC_POOL_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grpc_pool {
    char *pages; /* a range of addresses for all buffers; NULL if the system has none: then the heap serves */
    uint16_t *spare; /* a stack of the places that are free */
    size_t spare_count, count;
};

/* One session's part of it. */
struct grpc_place {
    nghttp2_mem memory; /* for nghttp2_session_server_new3 */
    struct grpc_pool *pool;
    char *buffer; /* NULL if it is on the heap */
    bool open;    /* the session is being made: its frame buffer is still to come */
};

/* A pool with room for `count` buffers, at most 65,535; others come from the heap. */
void grpc_pool_open(struct grpc_pool *pool, size_t count);

/* Once no session is left. */
void grpc_pool_close(struct grpc_pool *pool);

/* A place for a session that is made next. It lives as long as the session. */
void grpc_place_open(struct grpc_place *place, struct grpc_pool *pool);

/* The session is made: whatever it asks for later is no frame buffer, and of the heap. */
void grpc_place_settle(struct grpc_place *place);

/* The session has nothing to write, and so nothing in its buffer. */
void grpc_place_rest(struct grpc_place *place);

#endif
