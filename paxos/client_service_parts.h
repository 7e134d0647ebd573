/* What the files of the client's service share; nobody else includes it. */
#ifndef ORDEM_PAXOS_CLIENT_SERVICE_PARTS_H
#define ORDEM_PAXOS_CLIENT_SERVICE_PARTS_H

#include "paxos/asker.h"
#include "paxos/client_history.h"
#include "paxos/client_load.h"
#include "paxos/client_members.h"
#include "paxos/client_prompt.h"
#include "paxos/client_request.h"
#include "paxos/process.h"

#define PAGE_PORT                8081
#define SERVICE_OPERATIONS_MAX   1024 /* asked for over HTTP, under way */
#define SERVICE_LOAD_TOLD_MS     100  /* of a load one operation in so long stands in the history */
#define SERVICE_NOTIFICATION_MAX 4096 /* bytes of one that is kept */

struct service_operation;

struct client_service {
    struct process process;
    struct http_server page_server; /* the same paths at PAGE_PORT */
    struct asker asker;
    struct client_identity identity;
    struct client_identity
        load_identity; /* another one: nobody wants to be told of each operation of a load */
    struct client_members members;
    struct client_prompt prompt;
    struct client_load load;
    struct client_history history;        /* of operations */
    struct client_history notifications;  /* of what learners said that they applied */
    struct service_operation *operations; /* under way: a list, owned */
    unsigned operation_count;
    uint64_t timeout_ms, load_told_ms;
    uint64_t numbered; /* operations in the history */
    struct buffer scratch, entry;
    struct json_object object;
};

/* Keeps what became of an operation; `from` is "http", "prompt" or "load". */
void service_remember(struct client_service *service, const char *from,
                      const struct client_operation *operation, const struct ask_answer *answer);

process_handler service_post_operation;
process_handler service_post_start;
process_handler service_post_stop;
process_handler service_post_notification;
process_handler service_get_history;
process_handler service_get_cluster;
process_handler service_get_member_status;
process_handler service_get_member_stats;
process_handler service_get_member_health;
process_handler service_get_member_logs;
process_handler service_get_member_important;

#endif
