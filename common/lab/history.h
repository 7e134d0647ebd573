/* What a group of nodes did, as their logs tell it: the material of every verdict. With them go the log of the clients,
 * who tell what they asked and what they were answered, and that of the lab, which tells whom it killed.
 *
 * Built line by line (history_add), whatever the order of files and however their lines are mixed; only the order of
 * the lines of one node counts, and of the lines of all clients, whose one file is in the order of real time.
 * Everything is known by its number: processes, commands, events, keys, values. */
#ifndef ORDEM_HISTORY_H
#define ORDEM_HISTORY_H

#include "common/lab/log_record.h"
#include "common/lab/names.h"
#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_NONE         UINT32_MAX
#define HISTORY_PROBLEMS_MAX 16

/* Where a line stands. */
struct line_place {
    uint32_t source; /* number of the file */
    uint32_t number; /* from 1 */
    uint64_t offset; /* bytes from the start of the file */
};

enum event_kind {
    EVENT_START,
    EVENT_READY,
    EVENT_SEND,
    EVENT_RECEIVE,
    EVENT_DELIVER,
    EVENT_FAULT,
    EVENT_STOP,
    EVENT_HOLD,
    EVENT_DISCARD, /* of a command that came once more */
    EVENT_RECOVER,
    EVENT_INVOKE, /* of clients */
    EVENT_COMPLETE,
    EVENT_KILL, /* of the lab */
    EVENT_RESTART,
    EVENT_PAUSE,
    EVENT_RESUME,
    EVENT_PARTITION,
    EVENT_HEAL,
    EVENT_REPLY, /* the rest is only drawn */
    EVENT_CONNECT,
    EVENT_DISCONNECT,
    EVENT_ELECT,
    EVENT_STEP_DOWN,
    EVENT_GIVE_UP,
    EVENT_NETWORK, /* a fault line that tells how the network is asked to be from now on */
    EVENT_SAY,     /* of the chat: a message went out, */
    EVENT_HEAR,    /* or came in, whatever it is about */
    EVENT_CLOCK,   /* likewise: what was done about clocks that show the time of day */
    EVENT_KIND_COUNT
};

struct event {
    enum event_kind kind;
    uint32_t process;
    uint32_t command; /* HISTORY_NONE where it is about none */
    int64_t wall_us;
    int64_t ordem_local; /* deliver and stop; LOG_RECORD_NO_NUMBER elsewhere */
    int64_t seq, epoch;  /* of the command, or of the state that was installed; likewise */
    struct line_place place;
};

/* One command, as the first line that mentions it tells. */
struct command_record {
    uint32_t uuid, sender, key, value; /* numbers in `texts`; key and value NAMES_NONE where there is none */
    uint32_t first_event;              /* the line that told it */
    uint32_t sender_process; /* whose log tells the send, or who would; HISTORY_NONE without its log */
    uint32_t
        send_event; /* a node's send, or a client's invoke; HISTORY_NONE if no log tells that it was sent */
    uint32_t send_index; /* its place among its sender's commands, from 1; 0 if not sent */
    uint32_t
        number_event;   /* the send that carries its seq, or a coordinator's; HISTORY_NONE if there is none */
    uint32_t seq_event; /* the first line of somebody who got it with its seq; HISTORY_NONE if there is none:
                              * a number that was sent, and lost in a crash, was not used */
    int64_t seq, epoch; /* as that line tells; LOG_RECORD_NO_NUMBER where it does not */
    uint32_t operation; /* the client's who asked for it; HISTORY_NONE if no log tells */
    int8_t type;        /* enum command_type; -1 for another, */
    uint32_t type_name; /* whose name is that, in `texts`; NAMES_NONE without one */
};

/* Two lines that tell one command differently. */
struct contradiction {
    uint32_t command, first_event, second_event;
};

enum operation_status { OPERATION_OK, OPERATION_ERROR, OPERATION_UNKNOWN };

/* What a client asked for, and how that ended. */
struct operation {
    uint32_t client; /* a process */
    uint32_t command;
    uint32_t invoke, complete; /* events; HISTORY_NONE where it never ended */
    enum operation_status status;
    uint32_t value; /* what a GET read, in `texts`; NAMES_NONE where it is not told */
    int64_t latency_us;
};

/* What the lab did to a process. */
struct intervention {
    uint32_t event;
    uint32_t target;  /* in `texts` */
    uint32_t process; /* HISTORY_NONE if it has no log: a broker */
};

/* What a process says of itself as it stops, or of its store when it has installed one. */
struct store_record {
    uint32_t event;
    uint32_t from;    /* whose state it installed, in `texts`; NAMES_NONE where it stops */
    int64_t keys;     /* LOG_RECORD_NO_NUMBER where it does not say */
    int64_t messages; /* likewise: between it and others, where it does not log each of them */
    bool says_why;    /* it did not stop because it was told to */
};

/* A fault that was injected on purpose. */
struct fault_record {
    uint32_t event;
    uint32_t name;    /* in `texts`: "loss", "delay", … */
    int64_t delay_ms; /* LOG_RECORD_NO_NUMBER if it has none */
};

/* Something that keeps the judge from trusting a log: it is missing, cut, or was tampered with. */
struct problem {
    uint32_t process;        /* HISTORY_NONE if it concerns no single one */
    bool missing_deliveries; /* lines are gone, so a delivery that is not there may have happened */
    char text[256];
};

/* A last line that is cut, as a kill leaves it. */
struct tear {
    uint32_t file; /* its name, in `texts` */
    struct line_place place;
};

/* One end of a message between processes of the chat: who said or heard it, when by Lamport's clock. */
struct talk_record {
    uint32_t event;
    uint32_t message; /* a number that both ends have */
    uint32_t service; /* in `texts`; NAMES_NONE */
    int64_t clock;    /* LOG_RECORD_NO_NUMBER where it is not told */
};

/* A server of the chat takes writes from here on. */
struct reign_record {
    uint32_t event;
};

/* A round of Berkeley's that is over (with a bound), or what it made of one server's clock (without). */
struct clock_record {
    uint32_t event;   /* which bears the round's epoch */
    int64_t round;    /* its number in that */
    int64_t skew_ms;  /* of a round: so far were the clocks apart before it */
    int64_t bound_ms; /* and so far they may be right after it; LOG_RECORD_NO_NUMBER for a server */
    int64_t after_ms; /* so far is the server's now ahead of its machine's */
};

enum process_role {
    ROLE_REPLICA,
    ROLE_COORDINATOR, /* it has a part in the order, and delivers nothing: a sequencer, a proposer, an acceptor */
    ROLE_CLIENT,
    ROLE_LAB
};

/* One life of a process: from one start to the next. What it remembers, it remembers within one. */
struct incarnation {
    uint32_t process;
    uint32_t number;           /* among those of its process, from 1 */
    size_t first, end;         /* of the process's events */
    int64_t start_us, last_us; /* its first and its last line */
    int64_t ready_us;          /* INT64_MAX if it never was */
    bool left;                 /* it stopped properly */
    bool crashed;        /* it was killed, or died, or nobody knows how it ended before it started again */
    int64_t crashed_us;  /* what it did until then may not be in its log */
    uint32_t kill_event; /* the lab's; HISTORY_NONE */
};

/* One node's log, or one client's. */
struct process {
    uint32_t name; /* in `texts` */
    uint32_t part; /* in `texts`; NAMES_NONE if its log does not say */
    enum process_role role;
    uint32_t role_name; /* as it calls that itself, in `texts`; NAMES_NONE */
    bool shares;        /* of the chat: what it has, it has on a volume that others have, too */
    bool listens;       /* a client's ear: it delivers, and takes no part */
    uint32_t source;    /* the file that its lines come from */
    uint32_t *events;   /* its own, in the order of its log; owned */
    size_t event_count, event_capacity;
    uint32_t send_count;
    size_t delivery_count;
    unsigned starts;
    bool ready, stopped;
    int64_t ready_us, stopped_us, last_us;
    int64_t last_ordem_local; /* of this start of it */
    uint64_t dropped;         /* datagrams that its kernel dropped for want of buffer space */
    struct line_place dropped_place;
    bool cut; /* has a problem with missing deliveries */
    uint32_t first_incarnation, incarnation_count;
};

/* Zeroed to start with. */
struct history {
    struct names texts;
    struct names uuids;         /* a command's number is that of its UUID */
    struct names process_names; /* likewise a process's */
    struct event *events;
    size_t event_count, event_capacity;
    struct command_record *commands;
    size_t command_count, command_capacity;
    struct process *processes;
    size_t process_count, process_capacity;
    struct incarnation *incarnations; /* of replicas and coordinators, by process; made by history_complete */
    size_t incarnation_count, incarnation_capacity;
    struct operation *operations; /* in the order of their invocations */
    size_t operation_count, operation_capacity;
    bool
        operations_unclear; /* lines of clients are missing, or in several files, and so in no certain order */
    struct intervention *interventions;
    size_t intervention_count, intervention_capacity;
    struct store_record *stores;
    size_t store_count, store_capacity;
    struct fault_record *faults;
    size_t fault_count, fault_capacity;
    struct contradiction *contradictions;
    size_t contradiction_count, contradiction_capacity;
    struct contradiction *renumberings; /* two lines that give one command two places */
    size_t renumbering_count, renumbering_capacity;
    struct names messages; /* of the chat; in `talk` by their numbers */
    struct talk_record *talk;
    size_t talk_count, talk_capacity;
    struct clock_record *clocks;
    size_t clock_count, clock_capacity;
    struct reign_record *reigns;
    size_t reign_count, reign_capacity;
    struct tear *tears;
    size_t tear_count, tear_capacity;
    struct problem *problems;
    size_t problem_count, problem_capacity;
    uint64_t further_problems; /* above HISTORY_PROBLEMS_MAX they are only counted */
    uint64_t lines;            /* that were lines of an Ordem log */
};

/* Adds what one line says. Lines of one process must come in their order. */
void history_add(struct history *history, const struct log_record *record, struct line_place place);

/* The last line of a file is cut: a problem, unless that is where its node was killed. */
void history_add_tear(struct history *history, const char *file, struct line_place place);

/* Is the line a start of a process that has started before? */
bool history_is_restart(const struct history *history, const struct log_record *record);

/* After the last line: connects commands with their senders, tells the lives of processes apart and looks for gaps. */
void history_complete(struct history *history);

/* Notes that a log cannot be trusted. */
void history_add_problem(struct history *history, uint32_t process, bool missing_deliveries,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Lines of that file could not be read: no node that it tells of can be said not to have delivered something. */
void history_distrust_source(struct history *history, uint32_t source);

/* The last life of a replica or a coordinator, NULL for another process. */
const struct incarnation *history_last_incarnation(const struct history *history, uint32_t process);

/* The life that an event of a replica or a coordinator belongs to. */
const struct incarnation *history_incarnation_of(const struct history *history, uint32_t event);

/* What a process said of its store in that line, NULL if nothing. */
const struct store_record *history_find_store(const struct history *history, uint32_t event);

/* What the lab did in that line, NULL if it is none of its lines. */
const struct intervention *history_find_intervention(const struct history *history, uint32_t event);

/* The first fault of a command at a process, NULL if none was injected there. `kind` may be NULL for any. */
const struct fault_record *history_find_fault(const struct history *history, uint32_t process,
                                              uint32_t command, const char *kind);

/* Does it tell of the chat, as far as it is read? */
bool history_is_chat(const struct history *history);

/* "start", "ready", …: as the log names it. */
const char *event_kind_name(enum event_kind kind);

struct text history_process_name(const struct history *history, uint32_t process);

void history_free(struct history *history);

#endif
