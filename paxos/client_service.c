#include "paxos/client_service.h"

#include "common/config.h"
#include "common/container_of.h"
#include "common/words.h"
#include "paxos/client_page.h"
#include "paxos/client_service_parts.h"

#include <string.h>

static const struct process_route service_routes[] = {
    {"GET", "/", client_page_html},
    {"GET", "/page.css", client_page_style},
    {"GET", "/page.js", client_page_script},
    {"POST", "/operation", service_post_operation},
    {"POST", "/start", service_post_start},
    {"POST", "/stop", service_post_stop},
    {"POST", "/notification", service_post_notification},
    {"GET", "/history", service_get_history},
    {"GET", "/cluster", service_get_cluster},
    {"GET", "/members/{id}/status", service_get_member_status},
    {"GET", "/members/{id}/stats", service_get_member_stats},
    {"GET", "/members/{id}/health", service_get_member_health},
    {"GET", "/members/{id}/logs", service_get_member_logs},
    {"GET", "/members/{id}/logs/important", service_get_member_important},
};

static struct client_service *service_of(struct process *process)
{
    return container_of(process, struct client_service, process);
}

/* ---- what its parts tell ---- */

static void write_status(struct process *process, struct buffer *out)
{
    struct client_service *service = service_of(process);

    client_load_write(&service->load, out);
    buffer_add_format(out, ",\"pagePort\":%u,\"leader\":", (unsigned)service->page_server.port);
    json_write_string(out, text_of(asker_leader(&service->asker)));
}

static void on_load_answer(struct client_load *load, const struct client_operation *operation,
                           const struct ask_answer *answer)
{
    struct client_service *service = container_of(load, struct client_service, load);
    uint64_t now_ms = uv_now(&service->process.runtime.loop);

    if (now_ms - service->load_told_ms >= SERVICE_LOAD_TOLD_MS) {
        service->load_told_ms = now_ms;
        service_remember(service, "load", operation, answer);
    }
}

static void on_load_end(struct client_load *load)
{
    struct client_service *service = container_of(load, struct client_service, load);

    if (log_begin(&service->process.log, LOG_INFO, "load")) {
        log_text(&service->process.log, "message", text_of("the load has ended"));
        log_int(&service->process.log, "done", (int64_t)load->done);
        log_int(&service->process.log, "failed", (int64_t)load->failed);
        log_end(&service->process.log);
    }
}

static void on_prompt_answer(struct client_prompt *prompt, const struct client_operation *operation,
                             const struct ask_answer *answer)
{
    service_remember(container_of(prompt, struct client_service, prompt), "prompt", operation, answer);
}

/* EXIT ends it, as it ends the nodes of the other parts; the end of a pipe does not. */
static void on_prompt_end(struct client_prompt *prompt)
{
    struct client_service *service = container_of(prompt, struct client_service, prompt);

    if (prompt->prompt.source == PROMPT_TERMINAL || !client_prompt_has_ended(prompt)) {
        process_leave(&service->process, 0);
    }
}

static void on_page_request(struct http_server *server, struct http_exchange *exchange,
                            const struct http_request *request)
{
    struct client_service *service = container_of(server, struct client_service, page_server);
    struct http_server *main = &service->process.server;

    main->on_request(main, exchange, request);
}

static void on_tick(struct process *process, uint64_t now_ms)
{
    (void)now_ms;
    client_members_tick(&service_of(process)->members);
}

static void on_leave(struct process *process)
{
    struct client_service *service = service_of(process);

    client_prompt_close(&service->prompt);
    client_load_stop(&service->load);
    asker_close(&service->asker);
    client_load_close(&service->load);
    http_server_close(&service->page_server, PROCESS_GRACE_MS);
}

/* ---- starting ---- */

static void prepare(struct client_service *service, const struct client_options *options)
{
    struct process *process = &service->process;

    process->role = "client";
    process->routes = service_routes;
    process->route_count = sizeof service_routes / sizeof *service_routes;
    process->write_status = write_status;
    process->on_tick = on_tick;
    process->on_leave = on_leave;
    service->page_server.on_request = on_page_request;
    service->timeout_ms = options->timeout_ms;
    service->load.asker = service->prompt.asker = &service->asker;
    service->prompt.identity = &service->identity;
    service->load.identity = &service->load_identity;
    service->load.timeout_ms = service->prompt.timeout_ms = options->timeout_ms;
    service->load.on_answer = on_load_answer;
    service->load.on_end = on_load_end;
    service->prompt.on_answer = on_prompt_answer;
    service->prompt.on_end = on_prompt_end;
}

static int open_page(struct client_service *service, struct error *error)
{
    int64_t port = 0;
    int code = config_int("PAGE_PORT", 0, UINT16_MAX, PAGE_PORT, &port, error);

    if (code == 0) {
        code = http_server_open(&service->page_server, &service->process.runtime.loop, &service->process.log,
                                config_text("HOST", "0.0.0.0"), (uint16_t)port, error);
    }
    return code;
}

static int open_all(struct client_service *service, const struct client_options *options, struct error *error)
{
    struct process *process = &service->process;
    uv_loop_t *loop = &process->runtime.loop;
    const struct uuid uuid = uuid_new();
    const struct uuid load_uuid = uuid_new();
    int code = process_open(process, error);

    if (code == 0) {
        client_load_open(&service->load, loop);
        client_identity_init(&service->identity, process->name, &uuid);
        client_identity_init(&service->load_identity, process->name, &load_uuid);
        code = asker_open(&service->asker, loop, options->targets, options->variable, error);
    }
    if (code == 0) {
        code = client_members_open(&service->members, process, error);
    }
    if (code == 0) {
        service->identity.notify = client_members_address(&service->members);
        code = open_page(service, error);
    }
    return code == 0 ? client_prompt_open(&service->prompt, loop, &process->log, process->name, error) : code;
}

static void say_ready(struct client_service *service)
{
    struct log *log = &service->process.log;

    process_make_ready(&service->process);
    log_say(log, LOG_INFO, "ready", "the page is at port %u", (unsigned)service->page_server.port);
}

int client_service_run(const struct client_options *options)
{
    static struct client_service service;
    struct error error;

    prepare(&service, options);
    if (open_all(&service, options, &error) != 0) {
        return process_refuse_start(&service.process, &error);
    }
    say_ready(&service);
    int status = process_run(&service.process);
    client_prompt_free(&service.prompt);
    client_load_free(&service.load);
    client_members_free(&service.members);
    asker_free(&service.asker);
    client_history_free(&service.history);
    client_history_free(&service.notifications);
    buffer_free(&service.scratch);
    buffer_free(&service.entry);
    json_object_free(&service.object);
    return status;
}
