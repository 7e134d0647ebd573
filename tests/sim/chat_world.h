/* A whole chat in one process: servers, the reference server or the volume, clients, a subscriber; the rules of
 * parte5-chat, and around them what its programs do. A seed decides how long everything takes and what fails; then all
 * heals, and must end alike. */
#ifndef ORDEM_CHAT_WORLD_H
#define ORDEM_CHAT_WORLD_H

#include "parte5-chat/bully.h"
#include "parte5-chat/lamport.h"
#include "parte5-chat/lease.h"
#include "parte5-chat/reference.h"
#include "tests/sim/broker_schedule.h"
#include "tests/sim/broker_store.h"
#include "tests/sim/chat_events.h"

#define CHAT_SERVERS_MAX 5
#define CHAT_CLIENTS     3
#define CHAT_REQUESTS    80 /* of each client */

/* Processes: the volume is 0, the servers count from 1. */
#define CHAT_REFERENCE  (CHAT_SERVERS_MAX + 1)
#define CHAT_SUBSCRIBER (CHAT_SERVERS_MAX + 2)
#define CHAT_CLIENT     (CHAT_SERVERS_MAX + 3)
#define CHAT_PROCESSES  (CHAT_CLIENT + CHAT_CLIENTS)

#define CHAT_TICK_MS     50
#define CHAT_DELAY_MS    40 /* at most, one way, where nothing is slow */
#define CHAT_PATIENCE_MS 250
#define CHAT_STALL_MS    150 /* at least, of the whole world */
#define CHAT_TIMEOUT_MS  600
#define CHAT_LEASE_MS    600
#define CHAT_DRIFT_PPM   100000
#define CHAT_RETRY_MS    400
#define CHAT_CHAOS_MS    8000
#define CHAT_HEALED_MS   40000 /* so long may it take until all is alike */

enum chat_variant {
    CHAT_AS_IT_IS,
    CHAT_ANSWERS_EARLY,     /* OK before the backups */
    CHAT_FORGETS_REQUESTS,  /* a retry bears another id */
    CHAT_NO_FENCING,        /* the volume takes every write */
    CHAT_CHECKS_LEASE_LATE, /* a write is taken before the lease is looked at */
    CHAT_IMPATIENT_LEASE,   /* a follower waits as long as the leader, by its own clock */
    CHAT_CLOCK_STAYS,       /* a receipt leaves Lamport's clock alone */
    CHAT_ASKS_NOBODY,       /* who takes over goes on from what it has */
    CHAT_TRUSTS_PINGS,      /* a backup counts from when it heard that it counts */
};

struct chat_options {
    uint64_t seed;
    unsigned servers;
    bool leased; /* a shared volume and a lease; else a reference server, elections and backups */
    bool calm;   /* nothing fails */
    bool split;  /* once, the primary is cut off from the servers and from the reference server */
    enum chat_variant variant;
};

struct chat_inbox {
    struct chat_event **items; /* owned */
    size_t count, capacity;
};

struct chat_server {
    unsigned number, life;
    bool up, paused, cut; /* cut: from the other servers, and if `options.split` from the reference server */
    bool tick_due;        /* while it was paused */
    int64_t drift_ppm;    /* of its clock */
    struct chat_inbox inbox; /* what came while it was paused */
    struct change_list disk;
    int64_t promised; /* on the disk as well */
    struct chat chat;
    struct bully bully;
    struct lease lease;
    struct replication replication;
};

struct chat_volume {
    struct lock lock;
    int64_t fence; /* the highest that it has seen */
    struct chat chat;
    struct replication replication; /* keeps the files, as a backup would */
};

struct chat_client {
    unsigned number;  /* of the request that it waits for an answer to; CHAT_REQUESTS: it has done all */
    unsigned attempt; /* how often it has asked */
    unsigned server;  /* whom it asked last */
};

struct chat_world {
    const struct chat_options *options;
    struct schedule schedule;
    struct chat_events events;
    uint64_t last_ms[CHAT_PROCESSES][CHAT_PROCESSES]; /* what one sends to another keeps its order */
    struct lamport clocks[CHAT_PROCESSES];
    bool chaos;
    bool reference_down;
    struct reference reference;
    struct chat_volume volume;
    struct chat_server servers[CHAT_SERVERS_MAX + 1];
    struct chat_client clients[CHAT_CLIENTS];
    bool acknowledged[CHAT_CLIENTS][CHAT_REQUESTS]; /* some server said OK */
    bool refused[CHAT_CLIENTS][CHAT_REQUESTS];      /* and some other: who is refused says the next thing */
    int64_t acknowledging;                          /* the epoch of whoever said OK last */
    int64_t heard_seq;                              /* by the subscriber: */
    unsigned heard[CHAT_CLIENTS];                   /* of each client one more than the last request */
    struct finding finding;
    int64_t last_reign; /* the latest epoch in which somebody took over */
    bool two_primaries;
};

/* Runs until all has healed and is quiet; what was found wrong, if anything. `*two_primaries` (which may be NULL): did
 * two servers take writes at one time? */
struct finding chat_world_run(const struct chat_options *options, bool *two_primaries);

/* chat_world.c: a message, or something without sender and clock that happens later. Takes over what the event owns. */
void chat_send(struct chat_world *world, struct chat_event event, uint64_t delay_ms);
void chat_later(struct chat_world *world, struct chat_event event, uint64_t delay_ms);
uint64_t chat_delay(struct chat_world *world);
bool chat_serves(const struct chat_world *world,
                 const struct chat_server *server); /* its coordination says so */
uint64_t chat_local_ms(const struct chat_world *world, const struct chat_server *server);

/* chat_server.c */
void chat_server_start(struct chat_world *world, struct chat_server *server);
void chat_server_crash(struct chat_world *world, struct chat_server *server);
void chat_server_handle(struct chat_world *world, struct chat_server *server, const struct chat_event *event);

/* chat_peers.c: the reference server and the volume. */
void chat_reference_handle(struct chat_world *world, const struct chat_event *event);
void chat_volume_start(struct chat_world *world);
void chat_volume_handle(struct chat_world *world, const struct chat_event *event);

/* chat_clients.c */
struct change *chat_request_change(const struct chat_world *world, const struct chat_request *request);
bool chat_request_of(const struct change *change, unsigned *client, unsigned *number); /* false: nobody's */
void chat_client_ask(struct chat_world *world, unsigned client);
void chat_client_handle(struct chat_world *world, const struct chat_event *event);
void chat_subscriber_handle(struct chat_world *world, const struct chat_event *event);

/* chat_faults.c */
bool chat_tolerates(const struct chat_world *world, const struct chat_server *failing);
void chat_fault(struct chat_world *world);
void chat_stall(struct chat_world *world);
void chat_return(struct chat_world *world, struct chat_server *server);
void chat_heal(struct chat_world *world);

/* chat_checks.c */
void chat_check_acknowledged(struct chat_world *world, const struct chat *chat, const char *whose);
void chat_check_instant(struct chat_world *world);
void chat_check_readers(struct chat_world *world, const struct change *acknowledged);
void chat_check_end(struct chat_world *world);

#endif
