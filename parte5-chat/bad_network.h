/* The bad network that was asked for (NET_…), between the servers and the reference server: what comes from one of them is
 * held back on its way in.
 *
 * ZeroMQ speaks TCP, which loses and repeats nothing and keeps its order. So what is delayed stalls all that follows from
 * the same sender, a loss stalls it until the sender would have sent again, and a partition until it heals. What happens to
 * the k-th message is decided by common/faults.c; each fault is a `fault` event. */
#ifndef ORDEM_CHAT_BAD_NETWORK_H
#define ORDEM_CHAT_BAD_NETWORK_H

#include "common/faults.h"
#include "common/log.h"
#include "common/net/fault_watch.h"
#include "common/net/zmq_socket.h"

#define BAD_NETWORK_STALLED_MAX 100000 /* messages; of one that is cut off for so long the rest is lost */

struct stalled;

/* Zeroed to start with. */
struct bad_network {
    struct faults faults;
    struct fault_watch watch;
    struct log *log;
    uv_timer_t release;
    struct stalled *stalled; /* a list, owned: what waits, in the order in which it came */
    size_t stalled_count;

    /* A message got through. */
    void (*on_frames)(struct bad_network *, struct zmq_socket *socket, const struct text *frames,
                      size_t count);
};

/* Reads the settings. `self` (not owned) is this process's name; on_frames is set already. ERROR_CONFIG. */
int bad_network_open(struct bad_network *network, uv_loop_t *loop, struct log *log, struct text self,
                     struct error *error);

/* Is there anything that could happen to a message? If not, who sent it need not be known. */
bool bad_network_is_bad(const struct bad_network *network);

/* A message came from `sender` to that socket; on_frames is called, now or later. */
void bad_network_receive(struct bad_network *network, struct text sender, struct zmq_socket *socket,
                         const struct text *frames, size_t count);

/* What is on its way is lost. */
void bad_network_close(struct bad_network *network);

#endif
