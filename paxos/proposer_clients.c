/* POST /propose. A command that is submitted is under way here until the role says what became of it; whoever sends it
 * once more meanwhile waits for the same. */
#include "paxos/proposer_process.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utlist.h>

/* ---- answers ---- */

static void reply_accepted(struct proposer_process *proposer, struct http_exchange *exchange)
{
    struct buffer *out = process_body(&proposer->process);

    buffer_add_format(out, "{\"status\":\"accepted\",\"proposerId\":%" PRIu32 "}", proposer->process.id);
    process_reply(exchange, HTTP_ACCEPTED, out);
}

/* Not proposed, and not by us: whoever leads, another moment, or nobody knows. */
void clients_refuse(struct proposer_process *proposer, struct http_exchange *exchange, uint32_t leader,
                    struct text query)
{
    struct buffer *location = process_body(&proposer->process);

    if (leader > 0 && leader <= proposer->proposers.count && leader != proposer->process.id) {
        buffer_add_format(location, "http://%s/propose%s",
                          proposer->proposers.items[leader - 1].client.target.authority,
                          query.length > 0 ? "?" : "");
        buffer_add(location, query.bytes, query.length);
        http_add_header(exchange, "Location", buffer_text(location));
        http_fail(exchange, HTTP_TEMPORARY_REDIRECT, "another proposer leads: see Location");
        proposer->stats.redirected++;
        return;
    }
    http_add_header(exchange, "Retry-After", text_of("1"));
    http_fail(exchange, HTTP_UNAVAILABLE,
              proposer->proposer.phase == PROPOSER_LEADS
                  ? "too many commands wait here: this one was not proposed, ask again"
                  : "no leader is in sight: the command was not proposed, ask again");
    proposer->stats.refused++;
}

static void reply_decided(struct proposer_process *proposer, struct http_exchange *exchange,
                          uint64_t instance)
{
    struct buffer *out = process_body(&proposer->process);

    buffer_add_string(out, "{\"status\":\"decided\",\"instanceId\":");
    buffer_add_int(out, (int64_t)instance);
    buffer_add_string(out, ",\"proposerId\":");
    buffer_add_int(out, proposer->process.id);
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
}

static void reply_unknown(struct http_exchange *exchange, const char *sentence)
{
    http_fail(exchange, HTTP_GATEWAY_TIMEOUT, sentence);
}

/* ---- commands under way ---- */

static struct asked *find_asked(struct proposer_process *proposer, const struct client_command *command)
{
    const struct asked_name name = {command->client, command->timestamp};
    struct asked *asked;

    HASH_FIND(hh, proposer->asked, &name, sizeof name, asked);
    return asked;
}

static void add_asker(struct asked *asked, struct http_exchange *exchange)
{
    struct asker *asker = memory_new(sizeof *asker);

    asker->exchange = exchange;
    LL_PREPEND(asked->askers, asker);
}

static struct http_exchange *take_asker(struct asked *asked)
{
    struct asker *asker = asked->askers;
    struct http_exchange *exchange = asker->exchange;

    LL_DELETE(asked->askers, asker);
    free(asker);
    return exchange;
}

/* What became of one command. */
static void settle(struct proposer_process *proposer, const struct client_command *command,
                   enum paxos_action_type type, uint64_t instance)
{
    struct asked *asked = find_asked(proposer, command);

    if (asked == NULL) {
        return; /* an earlier leader was asked */
    }
    while (asked->askers != NULL) {
        struct http_exchange *exchange = take_asker(asked);
        if (type == PAXOS_DECIDED) {
            reply_decided(proposer, exchange, instance);
        } else if (type == PAXOS_REFUSE) {
            clients_refuse(proposer, exchange, 0, (struct text){0});
        } else {
            reply_unknown(exchange,
                          "this proposer leads no more: whether the command is decided is not known here");
        }
    }
    HASH_DEL(proposer->asked, asked);
    free(asked);
}

void clients_tell(struct proposer_process *proposer, const struct paxos_action *action)
{
    if (action->type == PAXOS_REFUSE) {
        const struct client_command command = {.client = action->client, .timestamp = action->token};
        settle(proposer, &command, PAXOS_REFUSE, 0);
        return;
    }
    for (size_t i = 0; action->value != NULL && i < action->value->count; i++) {
        settle(proposer, &action->value->commands[i], action->type, action->instance);
    }
    size_t count = action->value != NULL ? action->value->count : 0;
    if (action->type == PAXOS_DECIDED && count > 0) {
        gather_begin(proposer, count);
    }
    proposer->stats.instances += action->type == PAXOS_DECIDED;
    proposer->stats.decided += action->type == PAXOS_DECIDED ? count : 0;
    proposer->stats.unknown += action->type == PAXOS_UNKNOWN ? count : 0;
}

/* Nobody waits for ever. The command stays under way: it may be decided yet. */
void clients_tick(struct proposer_process *proposer, uint64_t now_ms)
{
    for (struct asked *asked = proposer->asked; asked != NULL; asked = asked->hh.next) {
        if (now_ms - asked->since_ms < PROPOSER_WAIT_MS) {
            return;
        }
        while (asked->askers != NULL) {
            reply_unknown(take_asker(asked), "no decision within ten seconds: it may still come");
            proposer->stats.late++;
        }
    }
}

void clients_leave(struct proposer_process *proposer)
{
    struct asked *asked = proposer->asked;

    HASH_CLEAR(hh, proposer->asked);
    while (asked != NULL) {
        struct asked *next = asked->hh.next;
        while (asked->askers != NULL) {
            reply_unknown(take_asker(asked),
                          "this proposer ends: whether the command is decided is not known here");
        }
        free(asked);
        asked = next;
    }
}

/* ---- a request ---- */

static void log_submit(struct proposer_process *proposer, const struct operation *operation,
                       const struct client_command *command)
{
    if (proposer_logs_commands(proposer)) {
        struct uuid uuid;
        const struct message message = command_json_message(operation, command, &uuid);
        event_submit(&proposer->process.log, &message);
    }
}

static struct asked *submit(struct proposer_process *proposer, struct http_exchange *exchange,
                            const struct operation *operation, const struct client_command *command,
                            struct text query)
{
    proposer_submit(&proposer->proposer, command, &proposer->actions);
    if (proposer->actions.count > 0) { /* it gives nothing but a refusal */
        uint32_t leader = proposer->actions.items[0].number;
        paxos_actions_clear(&proposer->actions);
        clients_refuse(proposer, exchange, leader, query);
        return NULL;
    }
    struct asked *asked = memory_new(sizeof *asked);
    *asked = (struct asked){.name = {command->client, command->timestamp},
                            .since_ms = uv_now(&proposer->process.runtime.loop)};
    HASH_ADD(hh, proposer->asked, name, sizeof asked->name, asked);
    proposer->stats.submitted++;
    log_submit(proposer, operation, command);
    return asked;
}

static void take_command(struct proposer_process *proposer, struct http_exchange *exchange,
                         const struct operation *operation, const struct client_command *command, bool waits,
                         struct text query)
{
    struct asked *asked = find_asked(proposer, command);

    if (asked != NULL) {
        proposer->stats.joined++;
    } else {
        asked = submit(proposer, exchange, operation, command, query);
    }
    if (asked == NULL) {
        return;
    }
    if (waits) {
        add_asker(asked, exchange);
    } else {
        reply_accepted(proposer, exchange);
    }
}

/* ?wait=decided and ?stale=true; anything else under these names is a mistake that had better be told. */
static int read_query(struct proposer_process *proposer, struct text query, const char *name,
                      const char *allowed, bool *value, struct error *error)
{
    buffer_clear(&proposer->text);
    *value = query.length > 0 && http_query_get(query, name, &proposer->text);
    if (*value && !text_equal(buffer_text(&proposer->text), text_of(allowed))) {
        return error_set(error, ERROR_FIELD_VALUE, "%s is \"%.*s\", it must be %s or not be there", name,
                         (int)(proposer->text.length < 40 ? proposer->text.length : 40),
                         proposer->text.length > 0 ? proposer->text.bytes : "", allowed);
    }
    return 0;
}

void post_propose(struct process *process, struct http_exchange *exchange, const struct http_request *request,
                  struct text id)
{
    struct proposer_process *proposer = proposer_of(process);
    const struct json_object *object = process_read(process, exchange, request);
    struct operation operation;
    struct client_command command;
    struct error error;
    bool waits;
    bool is_stale;

    (void)id;
    if (object == NULL) {
        return;
    }
    if (command_json_read(object, &proposer->bytes, &operation, &command, &error) != 0 ||
        read_query(proposer, request->query, "wait", "decided", &waits, &error) != 0 ||
        read_query(proposer, request->query, "stale", "true", &is_stale, &error) != 0) {
        process_refuse(exchange, &error);
    } else if (operation.type != COMMAND_SET && (waits || is_stale)) {
        reading_begin(proposer, exchange, &operation, is_stale, request->query);
    } else {
        take_command(proposer, exchange, &operation, &command, waits, request->query);
    }
}
