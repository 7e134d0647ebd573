#include "common/lab/run_host.h"

#include "common/config.h"
#include "common/container_of.h"
#include "common/lab/broker_files.h"
#include "common/words.h"

#include <signal.h>
#include <stdio.h>

#define DRAW_MS 100

static const int interrupt_signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNAL_COUNT (sizeof interrupt_signals / sizeof *interrupt_signals)

static void on_signal(uv_signal_t *handle, int number)
{
    struct run_host *host = handle->data;

    (void)number;
    host->interrupts++;
    if (host->on_interrupt != NULL) {
        host->on_interrupt(host);
    }
}

/* ---- the broker ---- */

static void on_draw(uv_timer_t *timer)
{
    const struct run_host *host = container_of(timer, struct run_host, draw);

    progress_draw(&host->progress, _("starting RabbitMQ"), broker_up_count(&host->broker),
                  host->broker.count);
}

static void on_ready(struct broker *broker)
{
    struct run_host *host = container_of(broker, struct run_host, broker);

    host->url = broker->url;
    if (host->on_broker_ready != NULL) {
        host->on_broker_ready(host);
    }
}

static void on_failed(struct broker *broker, const struct error *error)
{
    struct run_host *host = container_of(broker, struct run_host, broker);

    host->error = *error;
    progress_clear(&host->progress);
    broker_print_log(broker, stderr);
    if (host->on_broker_failed != NULL) {
        host->on_broker_failed(host, error);
    }
}

static void on_stopped(struct broker *broker)
{
    container_of(broker, struct run_host, broker)->has_broker = false;
}

static int start_broker(struct run_host *host, const char *directory, unsigned nodes, struct error *error)
{
    char beginning[4096];

    host->broker.on_ready = on_ready;
    host->broker.on_failed = on_failed;
    host->broker.on_stopped = on_stopped;
    if (broker_choose_place(directory, beginning, sizeof beginning, error) != 0 ||
        broker_start(&host->broker, &host->loop, beginning, nodes, error) != 0) {
        return error->code;
    }
    host->has_broker = true;
    return 0;
}

static int wait_for_broker(struct run_host *host, struct error *error)
{
    uv_timer_start(&host->draw, on_draw, 0, DRAW_MS);
    while (host->url == NULL && host->error.code == ERROR_NONE && host->interrupts == 0) {
        uv_run(&host->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&host->draw);
    progress_clear(&host->progress);
    *error = host->error;
    return error->code;
}

/* ---- opening and closing ---- */

int run_host_begin(struct run_host *host, const char *directory, unsigned brokers, struct error *error)
{
    int code = 0;

    *host = (struct run_host){0};
    signal(SIGPIPE, SIG_IGN); /* a member that went away is an error of write(), not the end of the lab */
    uv_loop_init(&host->loop);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&host->loop, &host->signals[i]);
        host->signals[i].data = host;
        uv_signal_start(&host->signals[i], on_signal, interrupt_signals[i]);
    }
    uv_timer_init(&host->loop, &host->draw);
    progress_init(&host->progress);
    if (brokers > 0) {
        host->url = config_text("AMQP_URL", NULL);
        code = host->url == NULL ? start_broker(host, directory, brokers, error) : 0;
    }
    if (code != 0) {
        run_host_close(host);
    }
    return code;
}

int run_host_open(struct run_host *host, const char *directory, unsigned brokers, struct error *error)
{
    int code = run_host_begin(host, directory, brokers, error);

    if (code == 0 && host->has_broker && (code = wait_for_broker(host, error)) != 0) {
        run_host_close(host);
    }
    return code;
}

void run_host_turn_until(struct run_host *host, const bool *done)
{
    while (!*done) {
        uv_run(&host->loop, UV_RUN_ONCE);
    }
}

void run_host_close(struct run_host *host)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&host->signals[i], NULL);
    }
    uv_close((uv_handle_t *)&host->draw, NULL);
    if (host->has_broker) {
        broker_stop(&host->broker);
    }
    uv_run(&host->loop, UV_RUN_DEFAULT);
    uv_loop_close(&host->loop);
}
