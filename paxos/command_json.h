/* What a client asks for, as JSON. Two forms are taken:
 *
 *     {"clientId": "c1", "timestamp": 17, "operation": "SET", "resource": "x", "data": 1, "notify": "client-1:8080"}
 *     {"command_type": "SET", "key": "x", "value": 1, "sender_id": "node1", "message_uuid": "5f1d…", "timestamp": 0.5}
 *
 * The second is the CommandMessage of parts 1 to 4 (common/message.h). The operation is SET (or WRITE), GET (or READ) or
 * PRINT, in any letter case; `data` may be any JSON; unknown members are ignored. A timestamp may be any number: with its
 * clientId it names the command. `notify` may be left out.
 *
 * In the cluster a command is the same object in its canonical form: no white space, members sorted by name, only those
 * that are known. These bytes are made once, where a client asks, and passed on unread. */
#ifndef ORDEM_PAXOS_COMMAND_JSON_H
#define ORDEM_PAXOS_COMMAND_JSON_H

#include "common/json.h"
#include "common/message.h"
#include "paxos/limits.h"
#include "paxos/value.h"

#define OPERATION_CLIENT_MAX    256 /* bytes of clientId and sender_id */
#define OPERATION_TIMESTAMP_MAX 32  /* characters */
#define OPERATION_NOTIFY_MAX    256 /* bytes */

/* What a command says. Its texts are somebody else's; one that is not there has no bytes. */
struct operation {
    enum command_type type;
    struct text resource;     /* of SET and GET */
    struct text data;         /* of SET, canonical JSON */
    struct text client;       /* clientId or sender_id, decoded; of a number its digits */
    struct text timestamp;    /* a JSON number, as it was written */
    struct text message_uuid; /* of a CommandMessage */
    struct text notify;       /* "host:port" of who wants to be told when it is applied */
};

/* Reads a client's body. Its canonical form is put in place of what `bytes` held, and `command` points there; the texts of
 * `operation` point there and into `object`. Errors: ERROR_FIELD_MISSING, ERROR_FIELD_TYPE, ERROR_FIELD_VALUE (which
 * field, what it held, what is allowed); ERROR_TOO_LONG beyond PAXOS_COMMAND_MAX bytes. */
int command_json_read(const struct json_object *object, struct buffer *bytes, struct operation *operation,
                      struct client_command *command, struct error *error);

/* What names the command whose canonical form that is, without reading all of it: fills `command`, which then points to
 * `bytes`. False if that is no canonical form. */
bool command_json_identify(struct text bytes, struct client_command *command);

/* What most commands look like in their canonical form: strings that are ASCII and hold nothing that must be escaped, and
 * for time a whole number:
 *
 *     {"clientId":"c1","data":"1","operation":"SET","resource":"x","timestamp":17}
 *
 * If the text begins with such a command: its length, and `operation` and `command` as command_json_read would give them,
 * at a fraction of what that costs; all of it points into the text. 0 if it is any other, right or wrong. */
size_t command_json_read_plain(struct text text, struct operation *operation, struct client_command *command);

/* As the events of the log tell of it (common/event.h): who has no message_uuid is given one, made of what names the
 * command, so that it is the same in every process. Its texts are those of `operation` and `uuid`. */
struct message command_json_message(const struct operation *operation, const struct client_command *command,
                                    struct uuid *uuid);

#endif
