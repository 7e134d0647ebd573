/* What the simulated replicas hold, and what is found wrong with them.
 *
 * A store is the list of the commands that it is made of, in order: so that two stores are equal exactly if they are
 * made of the same, and a state that is handed over is a copy of the list. */
#ifndef ORDEM_BROKER_STORE_H
#define ORDEM_BROKER_STORE_H

#include "common/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMANDS_MAX 64  /* of one run */
#define STORE_MAX    256 /* a broken rule may apply a command more than once */

struct store {
    size_t count;
    unsigned commands[STORE_MAX]; /* their numbers */
};

/* A client's command. */
struct command {
    struct message *message; /* a reference */
    unsigned node, life;     /* the node that it was given to first, and in which of its lives */
    bool again;              /* it was given to some node again */
    bool answered;           /* its client was told `ok` */
};

/* The first thing that was found wrong; "" if nothing was. */
struct finding {
    char text[160];
};

struct commands {
    struct command all[COMMANDS_MAX];
    unsigned count;
    struct finding finding;
};

/* A new command, given to that node; the message stays the list's. */
struct message *commands_add(struct commands *commands, unsigned node, unsigned life);

/* The number of the command that a message is. */
unsigned command_number(const struct message *message);

/* Keeps the first finding, and shows it where steps are shown. */
void finding_add(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool finding_exists(const struct finding *finding);

void store_apply(struct store *store, const struct message *message, struct finding *finding);

/* How often is the command in it? */
unsigned store_count(const struct store *store, unsigned command);

bool store_equal(const struct store *a, const struct store *b);

/* Finds every answered command that is not in the store exactly once, and every other that is there twice. */
void store_check(const struct store *store, const char *whose, struct commands *commands);

/* Finds two commands of one sender, neither of them given again, that stand the wrong way around. */
void store_check_fifo(const struct store *store, const char *whose, struct commands *commands);

void commands_free(struct commands *commands);

#endif
