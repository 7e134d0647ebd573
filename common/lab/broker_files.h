/* What stands in a private broker's scratch folder, and in its environment. */
#ifndef ORDEM_BROKER_FILES_H
#define ORDEM_BROKER_FILES_H

#include "common/lab/broker.h"
#include "common/lab/environment.h"

/* What a scratch folder's path begins with: in `directory`, or in the system's temporary folder if that is "" or holds
 * characters that RabbitMQ's scripts do not bear, such as quotes. ERROR_FILE. */
int broker_choose_place(const char *directory, char *out, size_t size, struct error *error);

/* The server's program: the one behind Debian's wrapper, which insists on another user, or else whatever stands in
 * PATH. ERROR_PROCESS if it is not installed. */
int broker_find_program(char *out, size_t size, struct error *error);

/* Writes the configuration of all nodes, their cookie, and the script `rabbitmqctl`, which talks to the first node (or,
 * with RABBITMQ_NODENAME set, to another). ERROR_FILE. */
int broker_files_write(const struct broker *broker, struct error *error);

/* The environment in which a node runs, complete. */
void broker_files_environment(const struct broker_node *node, struct environment *environment);

/* The path of one of a node's files: "output" (what it writes to its standard output and error) or "log". */
void broker_files_path(const struct broker_node *node, const char *name, char *out, size_t size);

#endif
