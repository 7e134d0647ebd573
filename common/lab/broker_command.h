/* `lab broker`: a private RabbitMQ for nodes that are started by hand, or by a test.
 *
 * On standard output, when it is ready:  AMQP_URL=amqp://…   and then one answer to each line of standard input:
 *
 *     kill [N]      SIGKILL to node N (1)                   killed N
 *     start [N]     a killed node again                     started N     when it answers again
 *     pause [N]     SIGSTOP                                 paused N
 *     resume [N]    SIGCONT                                 resumed N
 *     folder        its scratch folder, with rabbitmqctl    folder PATH
 *     anything else, or what cannot be done                 error SENTENCE
 *
 * Ctrl-C, SIGTERM or the end of standard input ends it. */
#ifndef ORDEM_BROKER_COMMAND_H
#define ORDEM_BROKER_COMMAND_H

#include "common/error.h"

/* Runs until it is ended; `directory` is where the scratch folder is made (made itself if it is not there), "" for the
 * system's temporary folder. Errors: what broker_start and on_failed say. */
int broker_command(unsigned nodes, const char *directory, struct error *error);

#endif
