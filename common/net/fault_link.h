/* The bad network, carried out: stands between a transport and the node, and loses, doubles, delays or cuts off
 * messages as common/faults.h decides. With no fault set it hands them straight on.
 *
 * Datagrams only: a delayed one may be overtaken by the next. Every fault is a `fault` event in the log. */
#ifndef ORDEM_FAULT_LINK_H
#define ORDEM_FAULT_LINK_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/faults.h"
#include "common/log.h"
#include "common/message.h"
#include "common/net/file_watch.h"

#include <stdbool.h>
#include <uv.h>

#define FAULT_LINK_DELAYED_MAX 100000 /* messages under way; above that they are lost, and the log says so */

struct delayed;

struct fault_link {
    struct faults faults;
    struct fault_settings from_environment; /* what holds where the file is silent */
    bool active;                            /* is there a fault set at all? */
    struct log *log;
    uv_loop_t *loop;
    const char *file; /* NET_FAULTS_FILE, or NULL; not owned */
    struct file_watch file_watch;
    struct delayed *delayed; /* a list, owned */
    size_t delayed_count;

    /* A message got through; the callee takes a reference if it keeps it. */
    void (*on_message)(struct fault_link *, struct message *);
};

/* Reads the NET_* variables and starts watching NET_FAULTS_FILE. `self` is this node's name, not owned. */
int fault_link_open(struct fault_link *link, uv_loop_t *loop, struct log *log, struct text self,
                    struct error *error);

/* A message arrived; on_message is called at once, later, twice or never. The caller keeps its reference. */
void fault_link_receive(struct fault_link *link, struct message *message);

/* Drops what is still under way. The handles may be freed once the loop has run their close callbacks. */
void fault_link_close(struct fault_link *link);

#endif
