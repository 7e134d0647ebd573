/* What the roles say to one another (messages.h), as JSON in the bodies of HTTP:
 *
 *     POST /prepare     {"proposalNumber":3,"proposerId":1,"instanceId":7}
 *          200          {"acceptorId":2,"promised":true,"proposalNumber":3,"proposerId":1,"instanceId":7,"forgotten":5,
 *                        "accepted":[{"instanceId":7,"proposalNumber":2,"proposerId":3,"value":[{…},{…}]}]}
 *     POST /accept      {"proposalNumber":3,"proposerId":1,"proposals":[{"instanceId":7,"value":[{…}]}]}, or for one
 *                       {"proposalNumber":3,"proposerId":1,"instanceId":7,"value":[{…}]}
 *          200          {"acceptorId":2,"accepted":true,"proposalNumber":3,"proposerId":1,"forgotten":5,"instances":[7]}
 *     POST /confirm     {"proposalNumber":3,"proposerId":1,"number":12}
 *          200          {"acceptorId":2,"confirmed":true,"proposalNumber":3,"proposerId":1,"number":12}
 *     409 to the three  {"acceptorId":2,"promised":false,"proposalNumber":4,"proposerId":2}
 *     POST /checkpoint  {"learnerId":1,"instanceId":6}
 *     POST /fetch       {"learnerId":1,"instanceId":7}
 *     POST /learn       {"acceptorId":2,"forgotten":5,"accepted":[…]}
 *     POST /leader-heartbeat  {"proposalNumber":3,"proposerId":1,"instanceId":8}
 *
 * A value is an array of commands in their canonical form (command_json.h), whose bytes are kept as they came; null is a
 * no-op. Pure: nothing is opened or sent here. */
#ifndef ORDEM_PAXOS_MESSAGE_JSON_H
#define ORDEM_PAXOS_MESSAGE_JSON_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/text.h"
#include "paxos/messages.h"

/* Bytes of one body at which message_json_write_learn stops adding instances: what is added last may still be as large as
 * a value can be, and the whole stays within what a server takes (HTTP_BODY_MAX). */
#define MESSAGE_JSON_FULL (512 * 1024)

/* Reads a message of that type; the caller holds the one reference. NULL, and in `error` what is wrong: ERROR_NOT_UTF8,
 * ERROR_NOT_JSON, ERROR_FIELD_MISSING, ERROR_FIELD_TYPE, ERROR_FIELD_VALUE, ERROR_TOO_LONG. One of type PAXOS_ACCEPTED is
 * the answer to /accept, which tells of no values: there they are NULL; the body of /learn has a function of its own. */
struct paxos_message *message_json_read(enum paxos_type type, struct text body, struct error *error);
struct paxos_message *message_json_read_learn(struct text body, struct error *error);

/* Adds the message to `out`; one of type PAXOS_ACCEPTED as an answer to /accept. */
void message_json_write(struct buffer *out, const struct paxos_message *message);

/* Adds a message of type PAXOS_ACCEPTED as the body of /learn, from its proposal `from` on, as many as fit. Returns the
 * first one that is left for another body; message->count if that was all. */
size_t message_json_write_learn(struct buffer *out, const struct paxos_message *message, size_t from);

/* A value, and a proposal as in "accepted". */
void message_json_write_value(struct buffer *out, const struct value *value);
void message_json_write_proposal(struct buffer *out, const struct proposal *proposal);

/* Reads a value: text as message_json_write_value writes it. `name` is what a sentence about it calls it. */
int message_json_read_value(struct text text, const char *name, struct value **value, struct error *error);

#endif
