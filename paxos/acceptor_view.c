/* What an acceptor shows of itself. It is what it has in memory: a crash may take back what is not on disk yet, so nobody
 * may conclude from it that something is decided. */
#include "paxos/acceptor_node.h"

#include "common/container_of.h"
#include "paxos/message_json.h"

#include <inttypes.h>

void acceptor_get_instance(struct process *process, struct http_exchange *exchange,
                           const struct http_request *request, struct text id)
{
    const struct acceptor_node *node = container_of(process, struct acceptor_node, process);
    uint64_t instance;
    struct error error;

    (void)request;
    if (process_read_number(id, "the instance", 1, PAXOS_INSTANCE_MAX, &instance, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    const struct proposal *proposal = kept_find(&node->acceptor.accepted, instance);
    if (proposal == NULL) {
        bool forgotten = instance <= node->acceptor.accepted.forgotten;
        http_fail(exchange, forgotten ? HTTP_GONE : HTTP_NOT_FOUND,
                  forgotten ? "it is decided, and forgotten here: ask a learner"
                            : "nothing was accepted in this instance here");
        return;
    }
    struct buffer *out = process_body(process);
    message_json_write_proposal(out, proposal);
    process_reply(exchange, HTTP_OK, out);
}

void acceptor_get_instances(struct process *process, struct http_exchange *exchange,
                            const struct http_request *request, struct text id)
{
    const struct acceptor_node *node = container_of(process, struct acceptor_node, process);
    const struct kept *accepted = &node->acceptor.accepted;
    uint64_t from;
    uint64_t count;
    struct error error;

    (void)id;
    if (process_query_number(request, "from", 1, PAXOS_INSTANCE_MAX, accepted->forgotten + 1, &from,
                             &error) != 0 ||
        process_query_number(request, "count", 1, PAXOS_FETCH_MAX, PAXOS_FETCH_MAX, &count, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    struct buffer *out = process_body(process);
    buffer_add_format(out, "{\"forgotten\":%" PRIu64 ",\"lastInstance\":%" PRIu64 ",\"instances\":[",
                      accepted->forgotten, kept_last(accepted));
    from = from > accepted->forgotten ? from : accepted->forgotten + 1;
    for (; count > 0 && from <= kept_last(accepted) && out->length < MESSAGE_JSON_FULL; from++) {
        const struct proposal *proposal = kept_find(accepted, from);
        if (proposal != NULL) {
            buffer_add_string(out, out->bytes[out->length - 1] == '[' ? "" : ",");
            message_json_write_proposal(out, proposal);
            count--;
        }
    }
    buffer_add_string(out, "]}");
    process_reply(exchange, HTTP_OK, out);
}

void acceptor_write_status(struct process *process, struct buffer *out)
{
    const struct acceptor_node *node = container_of(process, struct acceptor_node, process);
    const struct acceptor *acceptor = &node->acceptor;

    buffer_add_string(out, ",\"promised\":");
    if (acceptor->promised.round == 0) {
        buffer_add_string(out, "null");
    } else {
        buffer_add_format(out, "{\"proposalNumber\":%" PRIu64 ",\"proposerId\":%" PRIu32 "}",
                          acceptor->promised.round, acceptor->promised.proposer);
    }
    buffer_add_format(out,
                      ",\"forgotten\":%" PRIu64 ",\"lastInstance\":%" PRIu64 ",\"held\":%zu,\"diskFull\":%s",
                      acceptor->accepted.forgotten, kept_last(&acceptor->accepted), acceptor->accepted.count,
                      node->full ? "true" : "false");
}

void acceptor_write_stats(struct process *process, struct buffer *out)
{
    const struct acceptor_node *node = container_of(process, struct acceptor_node, process);

    buffer_add_format(out,
                      ",\"prepares\":%" PRIu64 ",\"accepts\":%" PRIu64 ",\"proposals\":%" PRIu64
                      ",\"refused\":%" PRIu64,
                      node->prepares, node->accepts, node->proposals, node->refused);
    buffer_add_format(out,
                      ",\"records\":%" PRIu64 ",\"commits\":%" PRIu64 ",\"failedCommits\":%" PRIu64
                      ",\"heldBytes\":%zu,\"fileBytes\":%" PRIu64,
                      node->log.recorded, node->log.commits, node->log.failures,
                      node->acceptor.accepted.bytes, acceptor_log_size(&node->log));
}
