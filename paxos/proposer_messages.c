/* Between the role and the others: what it wants done is carried out, what they answer and ask is given to it. */
#include "paxos/message_json.h"
#include "paxos/proposer_process.h"

#include "common/clock.h"

#include <inttypes.h>
#include <string.h>

/* ---- what the role wants done ---- */

/* Where a message to others goes. */
static const char *path_of(enum paxos_type type)
{
    switch (type) {
    case PAXOS_PREPARE:
        return "/prepare";
    case PAXOS_ACCEPT:
        return "/accept";
    case PAXOS_CONFIRM:
        return "/confirm";
    default:
        return "/leader-heartbeat";
    }
}

static void send_message(struct proposer_process *proposer, const struct paxos_action *action)
{
    struct peers *peers = action->to == TO_ACCEPTORS   ? &proposer->acceptors
                          : action->to == TO_PROPOSERS ? &proposer->proposers
                                                       : &proposer->learners;

    buffer_clear(&proposer->text);
    message_json_write(&proposer->text, action->message);
    /* The tag tells which kind of answer it is. No batch of reads has it. */
    peers_post_all(peers, path_of(action->message->type), buffer_text(&proposer->text), 0);
}

/* What needs the round must not happen where it is not on the disk: this attempt to lead ends here, another one begins when
 * its time-out is over. */
static bool save_round(struct proposer_process *proposer, const struct paxos_record *record)
{
    struct error error;
    bool is_well = proposer_state_save(&proposer->state, record->ballot.round, &error) == 0;

    if (!is_well && proposer->disk_is_well) {
        log_say(&proposer->process.log, LOG_ERROR, "discard", "no attempt to lead: %s", error.text);
    } else if (is_well && !proposer->disk_is_well) {
        log_say(&proposer->process.log, LOG_INFO, "recover", "the state is on disk again");
    }
    proposer->disk_is_well = is_well;
    return is_well;
}

static void tell_lead(struct proposer_process *proposer, const struct paxos_action *action)
{
    bool leads = action->type == PAXOS_LEAD;

    proposer->stats.elections += leads;
    proposer->stats.step_downs += !leads;
    if (log_begin(&proposer->process.log, leads ? LOG_INFO : LOG_WARNING, leads ? "elect" : "step_down")) {
        log_int(&proposer->process.log, "epoch", (int64_t)action->ballot.round);
        log_int(&proposer->process.log, "next_seq", (int64_t)proposer->proposer.next);
        log_end(&proposer->process.log);
    }
}

static void carry_out(struct proposer_process *proposer, const struct paxos_action *action)
{
    switch (action->type) {
    case PAXOS_SEND:
        send_message(proposer, action);
        break;
    case PAXOS_DECIDED:
    case PAXOS_UNKNOWN:
    case PAXOS_REFUSE:
        clients_tell(proposer, action);
        break;
    case PAXOS_REFUSE_READ:
        reading_refused(proposer, action);
        break;
    case PAXOS_LEAD:
    case PAXOS_STEP_DOWN:
        tell_lead(proposer, action);
        break;
    default:
        break;
    }
}

void proposer_perform(struct proposer_process *proposer)
{
    struct paxos_actions *actions = &proposer->actions;

    for (size_t i = 0; i < actions->count; i++) {
        const struct paxos_action *action = &actions->items[i];
        if (action->type == PAXOS_RECORD && !save_round(proposer, &action->record)) {
            break;
        }
        carry_out(proposer, action);
    }
    batches_let_through(proposer, actions);
    paxos_actions_clear(actions);
}

/* ---- what others say ---- */

static void receive(struct proposer_process *proposer, const struct paxos_message *message)
{
    proposer_receive(&proposer->proposer, message, proposer_draw(proposer), &proposer->actions);
    proposer_perform(proposer);
}

/* An acceptor's answer is the message that it stands for. */
void messages_answered(struct peers *peers, struct peer *peer, const struct peer_reply *reply)
{
    struct proposer_process *proposer = proposer_of(peers->process);
    enum paxos_type type = reply->status == HTTP_CONFLICT         ? PAXOS_NACK
                           : strcmp(reply->path, "/prepare") == 0 ? PAXOS_PROMISE
                           : strcmp(reply->path, "/accept") == 0  ? PAXOS_ACCEPTED
                                                                  : PAXOS_CONFIRMED;
    struct error error;

    if (reply->status != HTTP_OK && reply->status != HTTP_CONFLICT) {
        return; /* the role asks again */
    }
    struct paxos_message *message = message_json_read(type, reply->body, &error);
    if (message != NULL && message->from == peer->number) {
        receive(proposer, message);
    } else {
        if (message != NULL) {
            error_set(&error, ERROR_FIELD_VALUE,
                      "acceptorId is %" PRIu32 ": ACCEPTORS says that it is %" PRIu32, message->from,
                      peer->number);
        }
        proposer->stats.bad_replies++;
        event_discard(&proposer->process.log, &proposer->discards, &error, peer->client.target.authority,
                      clock_monotonic_ms());
    }
    paxos_message_release(message);
}

static void post_message(struct process *process, struct http_exchange *exchange,
                         const struct http_request *request, enum paxos_type type)
{
    struct proposer_process *proposer = proposer_of(process);
    struct error error;
    struct paxos_message *message = message_json_read(type, request->body, &error);

    if (message == NULL) {
        process_refuse(exchange, &error);
        return;
    }
    receive(proposer, message);
    if (type == PAXOS_HEARTBEAT && ballot_compare(message->ballot, proposer->proposer.highest) == 0) {
        reading_see(proposer, uv_now(&process->runtime.loop));
    }
    paxos_message_release(message);
    http_reply(exchange, HTTP_OK, "application/json", text_of("{}"));
}

void post_heartbeat(struct process *process, struct http_exchange *exchange,
                    const struct http_request *request, struct text id)
{
    (void)id;
    post_message(process, exchange, request, PAXOS_HEARTBEAT);
}

void post_fetch(struct process *process, struct http_exchange *exchange, const struct http_request *request,
                struct text id)
{
    (void)id;
    post_message(process, exchange, request, PAXOS_FETCH);
}

/* ---- for the log ---- */

static void log_command(struct proposer_process *proposer, struct text text)
{
    struct operation operation;
    struct client_command command;
    struct uuid uuid;

    if (json_object_read(&proposer->object, text, NULL) == 0 &&
        command_json_read(&proposer->object, &proposer->bytes, &operation, &command, NULL) == 0) {
        const struct message message = command_json_message(&operation, &command, &uuid);
        event_send(&proposer->process.log, &message);
    }
}

/* What clients gave is in an instance now: this is said once of each command, whoever leads later. */
void messages_log_sent(struct proposer_process *proposer)
{
    for (size_t i = 0; i < proposer->actions.count; i++) {
        const struct paxos_message *message = proposer->actions.items[i].message;
        for (size_t j = 0; message != NULL && j < message->count; j++) {
            const struct value *value = message->proposals[j].value;
            for (size_t k = 0; value != NULL && k < value->count; k++) {
                log_command(proposer, (struct text){value->commands[k].bytes, value->commands[k].length});
            }
        }
    }
}
