/* What a simulated run leaves behind for the judge: the logs that real nodes would have written. Every call does nothing
 * where there is no log. */
#ifndef ORDEM_BROKER_LOG_H
#define ORDEM_BROKER_LOG_H

#include "common/message.h"
#include "tests/sim/made_logs.h"

void broker_log_start(struct made_logs *log, const char *node, const char *part, const char *role);
void broker_log_kill(struct made_logs *log, const char *node);
void broker_log_send(struct made_logs *log, const char *node, const struct message *message);
void broker_log_deliver(struct made_logs *log, const char *node, const struct message *message);
void broker_log_install(struct made_logs *log, const char *node, int64_t seq, const char *from);

/* All is quiet, and then the node leaves. */
void broker_log_stop(struct made_logs *log, const char *node);

#endif
