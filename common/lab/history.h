/* What a group of nodes did, as their logs tell it: the material of every verdict.
 *
 * Built line by line (history_add), whatever the order of files and however their lines are mixed; only the order of
 * the lines of one node counts. Everything is known by its number: processes, commands, events, keys, values. */
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
    EVENT_STOP
};

struct event {
    enum event_kind kind;
    uint32_t process;
    uint32_t command; /* HISTORY_NONE for start, ready, stop */
    int64_t wall_us;
    int64_t ordem_local; /* deliver and stop; LOG_RECORD_NO_NUMBER elsewhere */
    struct line_place place;
};

/* One command, as the first line that mentions it tells. */
struct command_record {
    uint32_t uuid, sender, key, value; /* numbers in `texts`; key and value NAMES_NONE where there is none */
    uint32_t first_event;              /* the line that told it */
    uint32_t sender_process; /* whose log tells the send, or who would; HISTORY_NONE without its log */
    uint32_t send_event;     /* HISTORY_NONE if no log tells that it was sent */
    uint32_t send_index;     /* its place among its sender's commands, from 1; 0 if not sent */
    int8_t type;             /* enum command_type */
};

/* Two lines that tell one command differently. */
struct contradiction {
    uint32_t command, first_event, second_event;
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

/* One node's log. */
struct process {
    uint32_t name;    /* in `texts` */
    uint32_t part;    /* in `texts`; NAMES_NONE if its log does not say */
    uint32_t source;  /* the file that its lines come from */
    uint32_t *events; /* its own, in the order of its log; owned */
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
    struct fault_record *faults;
    size_t fault_count, fault_capacity;
    struct contradiction *contradictions;
    size_t contradiction_count, contradiction_capacity;
    struct problem *problems;
    size_t problem_count, problem_capacity;
    uint64_t further_problems; /* above HISTORY_PROBLEMS_MAX they are only counted */
    uint64_t lines;            /* that were lines of an Ordem log */
};

/* Adds what one line says. Lines of one process must come in their order. */
void history_add(struct history *history, const struct log_record *record, struct line_place place);

/* After the last line: connects commands with their senders and looks for gaps. */
void history_complete(struct history *history);

/* Notes that a log cannot be trusted. */
void history_add_problem(struct history *history, uint32_t process, bool missing_deliveries,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Lines of that file could not be read: no node that it tells of can be said not to have delivered something. */
void history_distrust_source(struct history *history, uint32_t source);

/* The first fault of a command at a process, NULL if none was injected there. `kind` may be NULL for any. */
const struct fault_record *history_find_fault(const struct history *history, uint32_t process,
                                              uint32_t command, const char *kind);

/* "start", "ready", …: as the log names it. */
const char *event_kind_name(enum event_kind kind);

struct text history_process_name(const struct history *history, uint32_t process);

void history_free(struct history *history);

#endif
