#include "tests/sim/broker_log.h"

#include "tests/sim/broker_store.h"

#include <stdio.h>

void broker_log_start(struct made_logs *log, const char *node, const char *part, const char *role)
{
    if (log != NULL) {
        made_start(log, node, part, role);
    }
}

void broker_log_kill(struct made_logs *log, const char *node)
{
    if (log != NULL) {
        made_lab(log, "kill", node);
    }
}

/* Has `write` log the message as a command. */
static void write_message(struct made_logs *log, const char *node, const struct message *message,
                          void (*write)(struct made_logs *, const char *, const struct made_command *))
{
    char sender[16];
    char value[16];

    if (log == NULL) {
        return;
    }
    snprintf(sender, sizeof sender, "%.*s", (int)message->sender_id.length, message->sender_id.bytes);
    snprintf(value, sizeof value, "%u", command_number(message));
    log->epoch = message->epoch;
    write(log, node,
          &(struct made_command){.number = command_number(message) + 1,
                                 .sender = sender,
                                 .key = "key",
                                 .value = value,
                                 .seq = message->seq == MESSAGE_NO_SEQ ? 0 : message->seq});
}

void broker_log_send(struct made_logs *log, const char *node, const struct message *message)
{
    write_message(log, node, message, made_send);
}

void broker_log_deliver(struct made_logs *log, const char *node, const struct message *message)
{
    write_message(log, node, message, made_deliver);
}

void broker_log_install(struct made_logs *log, const char *node, int64_t seq, const char *from)
{
    if (log != NULL) {
        made_install(log, node, seq, from);
    }
}

void broker_log_stop(struct made_logs *log, const char *node)
{
    if (log != NULL) {
        made_wait_ms(log, 1000);
        made_stop(log, node);
    }
}
