/* A run under way: what run.c and the files run_*.c share. */
#ifndef ORDEM_RUN_STATE_H
#define ORDEM_RUN_STATE_H

#include "common/buffer.h"
#include "common/lab/clients.h"
#include "common/lab/group.h"
#include "common/lab/leader_finder.h"
#include "common/lab/part_plan.h"
#include "common/lab/ports.h"
#include "common/lab/run.h"
#include "common/lab/workload.h"
#include "common/log.h"

#include <stdint.h>
#include <stdio.h>

enum run_phase { PHASE_STARTING, PHASE_GREETING, PHASE_DRIVING, PHASE_QUIETING, PHASE_STOPPING };

struct run {
    const struct run_options *options;
    const struct part_plan *plan;
    struct run_host *host;
    struct workload workload;
    struct group group;
    uv_timer_t turn;
    enum run_phase phase;
    uint64_t time_ms, turned_ms;      /* the run's own time, and the loop's at its latest turn */
    uint64_t phase_since_ms, grew_ms; /* the run's time */
    bool finished, killed;
    struct error error;          /* the first thing that went wrong, */
    const struct member *blamed; /* and with whom; NULL for nobody in particular */

    unsigned *typed; /* parte1: lines, by writer; owned */
    struct buffer lines;

    char suffix[16]; /* QUEUE_SUFFIX */
    struct ports held_ports;
    uint16_t *ports;       /* by member, where it serves; 0 where it does not; owned */
    uint16_t *inner_ports; /* the same, for the other members; owned */
    uint16_t heard_port;   /* where USERS_ZMQ hear */
    const char **asked;    /* whom the clients ask: names; owned, the texts are the members' */
    uint16_t *asked_ports; /* and their ports; owned */
    unsigned asked_count;
    bool clients_open, finder_open, has_log; /* of the following */
    struct clients clients;                  /* where users do not type */
    struct leader_finder finder;             /* where somebody is elected */
    struct log log;                          /* of the events; not open if none is planned */
    char log_path[4200];

    const char *leaders[SCHEDULE_ACTIONS];   /* by what was done to it: who led then; NULL */
    const char *followers[SCHEDULE_ACTIONS]; /* the same, who was the first that did not */
    size_t events_done;                      /* of the schedule, */
    uint64_t event_ms;                       /* when the latest one happened, in this phase, */
    bool happened[SCHEDULE_EVENTS_MAX];      /* which, */
    uint64_t late_ms[SCHEDULE_EVENTS_MAX];   /* and how much later than planned each is due */
};

/* ---- run_phases.c ---- */

/* Starts the members; from then on the loop carries the run through its phases, until `finished`. */
void run_begin(struct run *run);

/* The first Ctrl-C lets the members leave; the second does not wait for them. */
void run_interrupt(struct run_host *host);

/* A member ended, or the broker did: if that was not planned, it is the end of the run. */
void run_lose_member(struct group *group, struct member *member);
void run_lose_broker(struct run_host *host, const struct error *error);

/* ---- run_quiet.c ---- */

/* Has nobody anything left to do, as far as can be known? To be asked when no log has grown for some time. */
bool run_is_idle(struct run *run);

/* ---- run_members.c ---- */

/* Puts the group together and starts it. ERROR_PROCESS, ERROR_FILE, ERROR_NETWORK. */
int run_start_members(struct run *run, struct error *error);

/* What the members were told, for the reader of an error; without passwords. */
void run_print_environment(const struct run *run, FILE *out);

/* Removes what an earlier run left in the directory and this one would not replace. */
void run_remove_old_logs(const struct run_options *options);

/* ---- run_tidy.c ---- */

/* Removes the run's queues and exchanges from a broker that is not ours, and says on `out` (if that is not NULL) if it
 * cannot. Waits, for some seconds at most. */
void run_tidy_broker(const struct run *run, FILE *out);

/* ---- run_leader.c ---- */

/* Prepares to find out who leads, if somebody is elected. ERROR_CONFIG. */
int run_open_leader(struct run *run, struct error *error);

/* Does somebody lead, where somebody must before anything can be done? */
bool run_is_led(struct run *run);

/* Who leads, NULL while that is not known: to be called often. The first who does not, likewise. */
const char *run_find_leader(struct run *run);
const char *run_find_follower(const struct run *run);

/* ---- run_typing.c ---- */

/* Types what is due at the prompts; returns how many lines have been typed in all. */
unsigned run_type_lines(struct run *run, uint64_t elapsed_ms);

/* ---- run_events.c ---- */

/* Opens lab.jsonl, if anything is planned. ERROR_FILE. */
int run_open_events(struct run *run, struct error *error);

/* Lets happen what is due. ERROR_PROCESS (somebody could not be started again), ERROR_FILE. */
int run_turn_events(struct run *run, uint64_t elapsed_ms, struct error *error);

/* Has everything happened, and is everybody who was started again ready? */
bool run_events_are_over(const struct run *run);

/* Is there a broker node of ours that was killed and will not return? */
bool run_broker_is_lost(const struct run *run);

void run_close_events(struct run *run);

/* ---- run_network.c ---- */

/* The file that tells members how bad their network is, beyond what they were told as they started. */
void run_network_path(const struct run_options *options, char *out, size_t size);

/* Cuts off those of the list `side` from all others; makes the network whole again. ERROR_FILE. */
int run_part_network(const struct run *run, const char *side, struct error *error);
int run_heal_network(const struct run *run, struct error *error);

#endif
