/* What every long-running process of the chat has, whatever its role: a name, a log, a loop, a logical clock, and sockets
 * that are closed when it is told to leave. */
#ifndef ORDEM_CHAT_PROCESS_H
#define ORDEM_CHAT_PROCESS_H

#include "common/event.h"
#include "common/log.h"
#include "common/net/runtime.h"
#include "common/net/target.h"
#include "common/net/zmq_socket.h"
#include "parte5-chat/chat_message.h"
#include "parte5-chat/lamport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_ENDPOINT_MAX (TARGET_HOST_MAX + 20)
#define PROCESS_TICK_MS      50
#define PROCESS_LINGER_MS    1000 /* that what was sent last has to leave when the process does */
#define PROCESS_HEARTBEAT_MS 2000 /* between processes of one chat */

#define NAME_OF_REFERENCE "reference" /* whatever its NODE_ID: where a bad network cuts it off */

/* Where the processes of a chat listen, unless told otherwise. */
#define PORT_BROKER_CLIENTS 5555
#define PORT_BROKER_SERVERS 5556
#define PORT_PROXY_SERVERS  5557
#define PORT_PROXY_CLIENTS  5558
#define PORT_REFERENCE      5559

struct process {
    const char *role;        /* not owned */
    const char *standard_id; /* the name where NODE_ID is unset; NULL: the role; not owned */
    char id[65];
    struct log log;
    struct runtime runtime;
    struct zmq_hub hub;
    struct lamport clock;
    int64_t ahead_us; /* messages are dated by the wall clock and this; a client's sync_time sets it */
    struct discards discards;
    uv_timer_t tick; /* the rules count no more than TICK_MAX_MS from one to the next */
    unsigned open_sockets;
    bool quiet; /* somebody sits at the screen: the log is not for it. Set before opening */
    bool leaving;

    /* Set before opening; may be NULL. */
    void (*on_tick)(struct process *, uint64_t now_ms);
    /* It has been told to leave, and must close its sockets. */
    void (*on_leave)(struct process *);
};

/* Reads NODE_ID and the settings of the log, and logs the start. Role and callbacks are set already. */
int process_open(struct process *process, struct error *error);

/* Opens a socket whose on_message is set already, and binds it to the port that the setting `variable` holds, or to
 * `standard`; a random free one for 0. On the host of BIND_HOST, if that is set. ERROR_CONFIG, ERROR_NETWORK,
 * ERROR_PROCESS. */
int process_listen(struct process *process, struct zmq_socket *socket, const struct zmq_options *options,
                   const char *variable, uint16_t standard, struct error *error);

/* The same, but connects to "host:port", which the setting `variable` holds, or `standard`. */
int process_connect(struct process *process, struct zmq_socket *socket, const struct zmq_options *options,
                    const char *variable, const char *standard, struct error *error);

/* The same, for an address that stands nowhere else. ERROR_CONFIG, ERROR_NETWORK, ERROR_PROCESS. */
int process_connect_to(struct process *process, struct zmq_socket *socket, const struct zmq_options *options,
                       const char *address, struct error *error);

/* As process_connect, but does not connect yet: tells the endpoint for zmq_socket_connect. */
int process_open_unconnected(struct process *process, struct zmq_socket *socket,
                             const struct zmq_options *options, const char *variable, const char *standard,
                             char endpoint[PROCESS_ENDPOINT_MAX], struct error *error);

/* Logs that it is ready, and runs until it has left. */
void process_run(struct process *process);

/* As if it had been told to, by a signal; only once. */
void process_leave(struct process *process);

/* Prints an error of starting up; returns the exit status. */
int process_refuse_start(struct process *process, const struct error *error);

/* What came from a peer is no message: a warning. */
void process_discard(struct process *process, const struct error *error, const char *from);

/* A message is about to be sent: its time, by the wall clock and by Lamport's. */
void process_stamp(struct process *process, struct chat_message *message);

/* A message came from a server, in these bytes: its clock is believed. */
void process_follow(struct process *process, const struct chat_message *message, struct text bytes);

/* A message came from a client. ERROR_FIELD_VALUE: what it bears is no time of a clock. */
int process_witness(struct process *process, const struct chat_message *message, struct text bytes,
                    struct error *error);

#endif
