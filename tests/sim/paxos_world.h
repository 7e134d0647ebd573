/* A whole cluster of Paxos in one process: the pure roles, a network that loses, doubles, reorders and is cut one way, disks
 * that keep what was synchronised, clocks that jump, clients, and stores that both learners drive. A schedule is a seed:
 * step i of it does what number i of the seed's says, so that a step can be left out and the others stay; that is how a
 * schedule that fails is made shorter. What kind of world it is, is the seed's, too: see paxos_steps.c. */
#ifndef ORDEM_SIM_PAXOS_WORLD_H
#define ORDEM_SIM_PAXOS_WORLD_H

#include "common/lab/linearizability.h"
#include "paxos/acceptor.h"
#include "paxos/coordinator.h"
#include "paxos/learner.h"
#include "paxos/proposer.h"

#define WORLD_STEPS      6000 /* at most */
#define WORLD_PROPOSERS  5
#define WORLD_ACCEPTORS  5 /* at most */
#define WORLD_LEARNERS   2
#define WORLD_STORES     3 /* or none */
#define WORLD_CLIENTS    5
#define WORLD_MEMBERS    (WORLD_PROPOSERS + WORLD_ACCEPTORS + WORLD_LEARNERS + WORLD_STORES)
#define WORLD_RESOURCES  2 /* at most */
#define WORLD_PACKETS    512
#define WORLD_OPERATIONS 1024
#define WORLD_BALLOTS    4096
#define WORLD_INSTANCES  512 /* what is beyond is checked less */
#define WORLD_TIMEOUT    80

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
    PAXOS_DECIDES_ALONE,    /* a leader tells that a command is decided when one acceptor has it */
    PAXOS_REFUSES_LATE,     /* a leader that ends says "refused" of what is under way */
    PAXOS_KEEPS_SILENT,     /* a leader that ends does not say what it does not know */
    PAXOS_APPLIES_TWICE,    /* a learner takes a command that comes again for a new one */
    STORE_ANSWERS_EARLY,    /* a store says ready before its disk has it */
    STORE_REJOINS_UNSEEN,   /* a coordinator takes a store without comparing what it has */
    STORE_READS_ANYHOW,     /* a store answers reads whatever it has synchronised */
    STORE_SHUT_OUT,         /* a coordinator lets no store take part again while it commits: liveness */
    STORE_COUNTS_GAPS,      /* a store takes its last write for all of them */
    PAXOS_VARIANTS,
};

struct world_options {
    uint64_t seed;
    unsigned acceptors, stores;
    enum paxos_variant variant;
    const bool *skipped; /* WORLD_STEPS of them, or NULL */
    unsigned steps;
    bool tell;  /* on standard error */
    bool brief; /* little of the end: where nothing comes, nothing is to be told */
};

enum step_kind {
    STEP_DELIVER,
    STEP_SYNC,
    STEP_TICK,
    STEP_CLIENT,
    STEP_CHECKPOINT,
    STEP_TROUBLE,
    STEP_KINDS,
};

/* What kind of world it is. */
struct temper {
    unsigned weights[STEP_KINDS]; /* how often each kind of step is */
    unsigned loss, again;         /* of 64 packets */
    unsigned reach;               /* a packet is one of the oldest so many */
    unsigned pace;                /* milliseconds in a step */
    unsigned proposers;           /* that try to lead: the fewer, the more often is it the same one again */
    unsigned target;              /* the role that all trouble hits, if it is one */
    bool buries;                  /* of each role as many as the others can do without stay down */
    unsigned eager;               /* of 8 crashes: it starts again at once */
    unsigned resources;
};

/* What coordinators and stores say to one another: what the roles do not, as their callers do. */
enum talk_type {
    TALK_PREPARE, /* coordinator → store: the writes from `first` to `last` */
    TALK_COMMIT,  /* coordinator → store: those */
    TALK_ANSWER,  /* store → coordinator: `answer`, to the writes up to `last` */
    TALK_COMPARE, /* coordinator → store: it has finished all up to `last` */
    TALK_HAS,     /* store → coordinator: it is complete up to `last`; `first` is 1 after a state */
    TALK_STATE,   /* learner or store → store: the resources as they were after write `last` */
    TALK_COPY,    /* learner → store: ask store `last` for its state */
    TALK_WANT,    /* store → store: what is your state? */
    TALK_DOUBT,   /* store → learners: is write `last` committed? */
    TALK_OUTCOME, /* learner → store: it is */
    TALK_READ,    /* learner → store: `token` reads `resource`, and must see write `last` */
    TALK_VALUE,   /* store → learner: what `token` reads */
};

struct cell {
    uint64_t version; /* the number of the write */
    uint64_t value;
};

struct talk {
    enum talk_type type;
    enum store_answer answer;
    uint64_t first, last;
    unsigned token, resource;
    struct cell cells[WORLD_RESOURCES];
};

/* A call that changed a store: made again in the same order, they make the store that it was. */
enum store_call_type { CALL_PREPARE, CALL_COMMIT, CALL_ABORT, CALL_FETCH, CALL_COMPLETED };

struct store_call {
    enum store_call_type type;
    unsigned resource;
    uint64_t first, number;
    uint32_t value;
};

/* What a role wants done once all its records are durable. */
struct waiting {
    struct paxos_action action;
    bool talks; /* else it is `action` */
    struct talk talk;
    unsigned to;
};

/* The state of a learner: what a checkpoint saves. */
struct replica {
    uint64_t instance;
    size_t applied; /* writes */
    struct cell cells[WORLD_RESOURCES];
};

enum { STORE_ROLE = TO_LEARNERS + 1 };

struct member {
    unsigned role; /* an enum paxos_to, or STORE_ROLE */
    uint32_t id;
    bool up;
    int64_t jump_ms; /* what its clock is off by */
    struct acceptor acceptor;
    struct proposer proposer;
    struct learner learner;
    struct coordinator coordinator; /* a learner's, where there are stores */
    struct replica replica;         /* a learner's */
    struct store store;
    uint64_t told_ready; /* store: the last of the writes that it said ready to */

    /* its disk: the first `durable` of `written` records are on it; of a store, calls */
    size_t written, durable;
    struct paxos_record *records;
    size_t records_capacity;
    struct store_call *calls;
    size_t calls_capacity;
    struct replica saved; /* of a proposer only `instance`: all up to there is decided */
    struct sessions saved_sessions;

    struct waiting *waiting;
    size_t waiting_count, waiting_capacity;
};

struct packet {
    struct paxos_message *message; /* NULL: it is `talk` */
    struct talk talk;
    unsigned from, to; /* places in members */
    bool again;        /* a copy of it was delivered before */
};

struct world_operation {
    unsigned client, resource;
    struct register_operation judged;
    bool waits; /* for learner `learner` to come to `instance` */
    unsigned learner;
    uint64_t instance;
    unsigned asked, refused; /* how often */
    uint32_t owing;          /* the set of proposers that owe an answer */
    bool decided, applied;   /* a client was told so; a learner did so */
};

/* A ballot and instance in which something was proposed. */
struct balloted {
    uint64_t instance;
    struct ballot ballot;
    struct value *value;
    uint32_t accepted; /* by whom, as they said */
    unsigned next;     /* 1 + the next one of this instance, or of another one that shares its place */
};

struct world {
    struct world_options options;
    struct temper temper;
    struct member members[WORLD_MEMBERS];
    unsigned count;
    struct packet packets[WORLD_PACKETS];
    size_t packets_count;
    unsigned cut_until[WORLD_MEMBERS][WORLD_MEMBERS]; /* from, to: before that step nothing passes */
    uint64_t clock_ms;
    bool healing;
    struct paxos_actions actions;
    unsigned step;
    unsigned work;                         /* steps and packets so far */
    unsigned snapshots, leaders, finished; /* that happened; writes that a coordinator finished */

    struct world_operation operations[WORLD_OPERATIONS];
    unsigned operations_count;
    unsigned current[WORLD_CLIENTS]; /* 1 + the operation that a client waits for; 0: none */
    uint32_t moment;

    struct balloted balloted[WORLD_BALLOTS];
    unsigned balloted_count;
    unsigned balloted_first[WORLD_INSTANCES]; /* 1 + the first one of an instance */
    struct ballot promised[WORLD_MEMBERS];    /* per acceptor: the highest promise that it told anybody of */
    struct ballot accepted[WORLD_ACCEPTORS + 1][WORLD_INSTANCES]; /* and what it said that it accepted */
    unsigned applied[WORLD_OPERATIONS]; /* the one order: write n is operation applied[n - 1] */
    size_t applied_count;
    char finding[200];
};

/* The world of a seed: how many acceptors, with stores or without, how long. */
struct world_options world_options_of(uint64_t seed, enum paxos_variant variant);

/* Runs a schedule. Returns the step at which something was found, the number of steps if it was after the last one, and -1
 * if nothing was; what it was is in `finding`. */
int world_run(struct world *world, const struct world_options *options);

/* Leaves out as many steps as it can, as long as the same property is violated; `skipped` has room for WORLD_STEPS, all
 * false. Returns how many are left; the world is as it was found with these. */
unsigned world_shrink(struct world *world, struct world_options *options, bool *skipped);

/* ---- what its files share ---- */

__attribute__((format(printf, 2, 3))) void world_find(struct world *world, const char *format, ...);
__attribute__((format(printf, 2, 3))) void world_tell(const struct world *world, const char *format, ...);
struct member *world_member(struct world *world, unsigned role, uint32_t id);
unsigned world_place(const struct world *world, const struct member *member);
const char *world_name(const struct member *member);

/* paxos_steps.c */
struct temper temper_of(uint64_t seed);
void world_step(struct world *world, uint64_t draw, bool skipped);

/* paxos_heal.c */
void world_heal(struct world *world);

/* paxos_network.c */
void network_send(struct world *world, const struct member *member, const struct paxos_action *action);
void network_talk(struct world *world, const struct member *from, const struct member *to,
                  const struct talk *talk);
void network_deliver(struct world *world, size_t packet, uint64_t draw, bool skipped);
void network_trouble(struct world *world, struct member *member, uint64_t draw);

/* paxos_members.c: what members do; paxos_disks.c: what they keep */
void member_tick(struct world *world, struct member *member, uint64_t draw);
void member_receive(struct world *world, struct member *member, const struct paxos_message *message,
                    uint64_t draw);
void member_perform(struct world *world, struct member *member);
void member_carry_out(struct world *world, struct member *member, const struct paxos_action *action);
void member_start(struct world *world, struct member *member);
void member_crash(struct world *world, struct member *member, uint64_t draw);
void member_write(struct world *world, struct member *member, struct paxos_record *record);
void member_wait(struct member *member, const struct waiting *waiting);
void member_sync(struct world *world, struct member *member);
void member_checkpoint(struct world *world, struct member *member);
void member_free(struct member *member);

/* paxos_coordinators.c: a learner as the stores' driver; paxos_stores.c: a store, as a site of what is written */
void driver_start(const struct world *world, struct member *learner);
void driver_begin(struct world *world, struct member *learner);
void driver_tick(struct world *world, struct member *learner);
void driver_hear(struct world *world, struct member *learner, uint32_t store, const struct talk *talk);
void driver_read(struct world *world, struct member *learner, unsigned token);
void site_start(struct world *world, struct member *store);
void site_tick(struct world *world, struct member *store);
void site_hear(struct world *world, struct member *store, const struct member *from, const struct talk *talk);
void site_abort(struct world *world, struct member *store, uint64_t draw);

/* paxos_clients.c */
void client_act(struct world *world, uint64_t draw);
void client_applied(struct world *world, struct member *learner, const struct paxos_action *action);
void client_told(struct world *world, const struct member *proposer, const struct paxos_action *action);
void clients_lose(struct world *world, const struct member *member);
void client_may_read(struct world *world, const struct paxos_action *action);
void client_read(struct world *world, unsigned token, uint32_t value);
void clients_read(struct world *world, struct member *learner);

/* paxos_check.c */
void check_send(struct world *world, const struct member *member, const struct paxos_message *message);
void check_store(struct world *world, const struct member *store);
void check_live(struct world *world);
void check_clients(struct world *world);
void check_free(struct world *world);

/* paxos_distort.c: a message as a bad role would have taken it; a reference of the caller's own */
struct paxos_message *distort_message(const struct world *world, struct member *member,
                                      const struct packet *packet);
bool distort_drops_record(const struct world *world, const struct paxos_record *record);
bool distort_sends_early(const struct world *world, const struct member *member);
bool distort_receive(struct world *world, struct member *member, const struct paxos_message *message);
void distort_action(struct world *world, const struct member *member, struct paxos_action *action);

#endif
