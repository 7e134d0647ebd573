#include "paxos/message_json.h"

#include "common/memory.h"

/* ---- parts ---- */

static void write_number(struct buffer *out, const char *before, uint64_t number)
{
    buffer_add_string(out, before);
    buffer_add_int(out, (int64_t)number); /* none is larger than 2^53 */
}

static void write_ballot(struct buffer *out, struct ballot ballot)
{
    write_number(out, "\"proposalNumber\":", ballot.round);
    write_number(out, ",\"proposerId\":", ballot.proposer);
}

void message_json_write_value(struct buffer *out, const struct value *value)
{
    if (value == NULL) {
        buffer_add_string(out, "null");
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        buffer_add_char(out, i == 0 ? '[' : ',');
        buffer_add(out, value->commands[i].bytes, value->commands[i].length);
    }
    buffer_add_char(out, ']');
}

void message_json_write_proposal(struct buffer *out, const struct proposal *proposal)
{
    write_number(out, "{\"instanceId\":", proposal->instance);
    buffer_add_char(out, ',');
    write_ballot(out, proposal->ballot);
    buffer_add_string(out, ",\"value\":");
    message_json_write_value(out, proposal->value);
    buffer_add_char(out, '}');
}

/* `"accepted":[…]}` from one of them on, until there is enough. Returns the first that is left. */
static size_t write_accepted(struct buffer *out, const struct paxos_message *message, size_t from,
                             size_t enough)
{
    size_t start = out->length;

    buffer_add_string(out, ",\"accepted\":[");
    for (; from < message->count && out->length - start < enough; from++) {
        buffer_add_string(out, out->bytes[out->length - 1] == '[' ? "" : ",");
        message_json_write_proposal(out, &message->proposals[from]);
    }
    buffer_add_string(out, "]}");
    return from;
}

/* ---- from proposers ---- */

static void write_from_proposer(struct buffer *out, const struct paxos_message *message, const char *name,
                                uint64_t number)
{
    buffer_add_char(out, '{');
    write_ballot(out, message->ballot);
    buffer_add_string(out, name);
    buffer_add_int(out, (int64_t)number);
    buffer_add_char(out, '}');
}

static void write_accept(struct buffer *out, const struct paxos_message *message)
{
    buffer_add_char(out, '{');
    write_ballot(out, message->ballot);
    buffer_add_string(out, ",\"proposals\":[");
    for (size_t i = 0; i < message->count; i++) {
        write_number(out, i > 0 ? ",{\"instanceId\":" : "{\"instanceId\":", message->proposals[i].instance);
        buffer_add_string(out, ",\"value\":");
        message_json_write_value(out, message->proposals[i].value);
        buffer_add_char(out, '}');
    }
    buffer_add_string(out, "]}");
}

/* ---- from acceptors ---- */

static void write_from_acceptor(struct buffer *out, const struct paxos_message *message, const char *outcome)
{
    write_number(out, "{\"acceptorId\":", message->from);
    buffer_add_string(out, outcome);
    write_ballot(out, message->ballot);
}

static void write_promise(struct buffer *out, const struct paxos_message *message)
{
    write_from_acceptor(out, message, ",\"promised\":true,");
    write_number(out, ",\"instanceId\":", message->number);
    write_number(out, ",\"forgotten\":", message->instance);
    write_accepted(out, message, 0, SIZE_MAX);
}

static void write_answer_to_accept(struct buffer *out, const struct paxos_message *message)
{
    write_from_acceptor(out, message, ",\"accepted\":true,");
    write_number(out, ",\"forgotten\":", message->instance);
    buffer_add_string(out, ",\"instances\":[");
    for (size_t i = 0; i < message->count; i++) {
        write_number(out, i > 0 ? "," : "", message->proposals[i].instance);
    }
    buffer_add_string(out, "]}");
}

static void write_confirmed(struct buffer *out, const struct paxos_message *message)
{
    write_from_acceptor(out, message, ",\"confirmed\":true,");
    write_number(out, ",\"number\":", message->number);
    buffer_add_char(out, '}');
}

size_t message_json_write_learn(struct buffer *out, const struct paxos_message *message, size_t from)
{
    write_number(out, "{\"acceptorId\":", message->from);
    write_number(out, ",\"forgotten\":", message->instance);
    return write_accepted(out, message, from, MESSAGE_JSON_FULL);
}

/* ---- from learners ---- */

static void write_from_learner(struct buffer *out, const struct paxos_message *message)
{
    write_number(out, "{\"learnerId\":", message->from);
    write_number(out, ",\"instanceId\":", message->instance);
    buffer_add_char(out, '}');
}

void message_json_write(struct buffer *out, const struct paxos_message *message)
{
    switch (message->type) {
    case PAXOS_PREPARE:
    case PAXOS_HEARTBEAT:
        write_from_proposer(out, message, ",\"instanceId\":", message->instance);
        break;
    case PAXOS_CONFIRM:
        write_from_proposer(out, message, ",\"number\":", message->number);
        break;
    case PAXOS_ACCEPT:
        write_accept(out, message);
        break;
    case PAXOS_PROMISE:
        write_promise(out, message);
        break;
    case PAXOS_ACCEPTED:
        write_answer_to_accept(out, message);
        break;
    case PAXOS_NACK:
        write_from_acceptor(out, message, ",\"promised\":false,");
        buffer_add_char(out, '}');
        break;
    case PAXOS_CONFIRMED:
        write_confirmed(out, message);
        break;
    case PAXOS_FETCH:
    case PAXOS_CHECKPOINT:
        write_from_learner(out, message);
        break;
    }
}
