/* A whole cluster of Paxos in one process: the pure roles, a network that loses, doubles and reorders, disks that keep
 * what was synchronised, a clock that jumps, clients. A schedule is a seed: step i of it does what number i of the seed's
 * says, so that a step can be left out and the others stay; that is how a schedule that fails is made shorter. */
#ifndef ORDEM_SIM_PAXOS_WORLD_H
#define ORDEM_SIM_PAXOS_WORLD_H

#include "common/lab/linearizability.h"
#include "paxos/acceptor.h"
#include "paxos/learner.h"
#include "paxos/proposer.h"

#define PAXOS_STEPS      600
#define WORLD_PROPOSERS  5
#define WORLD_ACCEPTORS  5 /* at most */
#define WORLD_LEARNERS   2
#define WORLD_CLIENTS    5
#define WORLD_MEMBERS    (WORLD_PROPOSERS + WORLD_ACCEPTORS + WORLD_LEARNERS)
#define WORLD_PACKETS    512
#define WORLD_OPERATIONS 512
#define WORLD_BALLOTS    4096
#define WORLD_APPLIED    1024

/* What a bad implementation does; the simulation distorts what goes into or comes out of the pure role. */
enum paxos_variant {
    PAXOS_RIGHT,
    PAXOS_ANSWERS_EARLY,    /* an acceptor answers before its disk has it */
    PAXOS_FORGETS_PROMISE,  /* an acceptor does not record what it promised */
    PAXOS_COUNTS_TWICE,     /* an answer that comes again counts as another acceptor's */
    PAXOS_SKIPS_PREPARE,    /* a leader that lost its ballot goes on in a higher one */
    PAXOS_ACROSS_BALLOTS,   /* a learner counts who accepted, whatever the ballot */
    PAXOS_IGNORES_ACCEPTED, /* a proposer does not look at what promises tell */
    PAXOS_REUSES_ROUND,     /* a proposer does not record its round */
    PAXOS_READS_AT_ONCE,    /* a leader answers reads without asking whether it still leads */
    PAXOS_VARIANTS,
};

struct world_options {
    uint64_t seed;
    unsigned acceptors;
    enum paxos_variant variant;
    const bool *skipped; /* PAXOS_STEPS of them, or NULL */
    unsigned steps;
    bool tell; /* on standard error */
};

/* What a role wants done, and how many of its records must be durable before. */
struct waiting {
    struct paxos_action action;
    size_t after;
};

struct member {
    enum paxos_to role;
    uint32_t id;
    bool up;
    struct acceptor acceptor;
    struct proposer proposer;
    struct learner learner;
    uint64_t state; /* learner: the value of the register, and how many commands made it so */
    size_t applied;

    /* its disk: the first `durable` records are on it */
    struct paxos_record *records;
    size_t records_count, records_capacity, durable;
    uint64_t saved_instance, saved_state;
    size_t saved_applied;
    struct sessions saved_sessions;

    struct waiting *waiting;
    size_t waiting_count, waiting_capacity;
};

struct packet {
    struct paxos_message *message;
    unsigned from, to; /* places in members */
    bool again;        /* a copy of it was delivered before */
};

struct world_operation {
    unsigned client;
    struct register_operation judged;
    bool waits; /* for learner `learner` to come to `instance` */
    unsigned learner;
    uint64_t instance;
};

/* A ballot and instance in which something was proposed. */
struct balloted {
    uint64_t instance;
    struct ballot ballot;
    struct value *value;
    uint32_t accepted; /* by whom, as they said */
};

struct world {
    struct world_options options;
    struct member members[WORLD_MEMBERS];
    unsigned count;
    struct packet packets[WORLD_PACKETS];
    size_t packets_count;
    bool cut[WORLD_MEMBERS][WORLD_MEMBERS]; /* from, to */
    uint64_t clock_ms, jump_ms;
    bool healing;
    struct paxos_actions actions;
    unsigned step;
    unsigned snapshots; /* that a learner installed */

    struct world_operation operations[WORLD_OPERATIONS];
    unsigned operations_count;
    unsigned current[WORLD_CLIENTS]; /* 1 + the operation that a client waits for; 0: none */
    uint32_t moment;

    struct balloted balloted[WORLD_BALLOTS];
    size_t balloted_count;
    struct ballot told[WORLD_MEMBERS]; /* per acceptor: the highest promise that it told anybody of */
    uint64_t applied[WORLD_APPLIED];   /* the one order: the operation's number */
    size_t applied_count;
    char finding[200];
};

/* Runs a schedule. Returns the step at which something was found, PAXOS_STEPS if it was after the last one, and -1 if
 * nothing was; what it was is in `finding`. */
int world_run(struct world *world, const struct world_options *options);

/* ---- what its files share ---- */

__attribute__((format(printf, 2, 3))) void world_find(struct world *world, const char *format, ...);
__attribute__((format(printf, 2, 3))) void world_tell(const struct world *world, const char *format, ...);
struct member *world_member(struct world *world, enum paxos_to role, uint32_t id);
unsigned world_place(const struct world *world, const struct member *member);
const char *world_name(const struct member *member);

/* paxos_members.c: what members do, and their disks */
void member_start(struct world *world, struct member *member);
void member_crash(struct world *world, struct member *member, uint64_t draw);
void member_sync(struct world *world, struct member *member);
void member_tick(struct world *world, struct member *member, uint64_t draw);
void member_checkpoint(struct world *world, struct member *member);
void member_deliver(struct world *world, size_t packet, uint64_t draw);
void member_perform(struct world *world, struct member *member);
void member_free(struct member *member);

/* paxos_clients.c */
void client_act(struct world *world, uint64_t draw);
void client_applied(struct world *world, struct member *learner, const struct paxos_action *action);
void client_may_read(struct world *world, const struct paxos_action *action);
void clients_read(struct world *world, struct member *learner);
void clients_check(struct world *world);

/* paxos_check.c */
void check_send(struct world *world, const struct member *member, const struct paxos_message *message);
void check_free(struct world *world);

/* paxos_distort.c: a message as a bad role would have taken it; a reference of the caller's own */
struct paxos_message *distort_message(const struct world *world, struct member *member,
                                      const struct packet *packet);
bool distort_drops_record(const struct world *world, const struct paxos_record *record);
bool distort_sends_early(const struct world *world, const struct member *member);
bool distort_receive(const struct world *world, struct member *member, const struct paxos_message *message);

#endif
