#include "common/config.h"
#include "common/net/amqp_link.h"
#include "common/net/amqp_url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int read_number(const char *name, int64_t high, int64_t standard, unsigned *value, struct error *error)
{
    int64_t number;
    int code = config_int(name, 1, high, standard, &number, error);

    if (code == 0) {
        *value = (unsigned)number;
    }
    return code;
}

static int read_durability(struct amqp_options *options, struct error *error)
{
    static const char *const answers[] = {"yes", "no", NULL};
    static const char *const types[] = {"classic", "quorum", NULL};
    int answer = 0;
    int type = 0;
    int code = config_choice("AMQP_DURABLE", answers, 0, &answer, error);

    if (code == 0) {
        code = config_choice("AMQP_QUEUE_TYPE", types, 0, &type, error);
    }
    if (code == 0 && type == 1 && answer == 1) {
        return error_set(
            error, ERROR_CONFIG,
            "AMQP_DURABLE is \"no\" and AMQP_QUEUE_TYPE is \"quorum\": a quorum queue is always durable");
    }
    options->durable = answer == 0;
    options->quorum = type == 1;
    return code;
}

static int read_ca_file(struct amqp_options *options, struct error *error)
{
    options->ca_file = config_text("AMQP_CA_FILE", NULL);
    if (options->ca_file != NULL && access(options->ca_file, R_OK) != 0) {
        error_set(error, ERROR_CONFIG,
                  "AMQP_CA_FILE is \"%.100s\": a PEM file of trusted authorities is allowed",
                  options->ca_file);
        error_because_errno(error, errno);
        return ERROR_CONFIG;
    }
    return 0;
}

int amqp_options_read(struct amqp_options *options, const char *standard_urls, struct error *error)
{
    struct amqp_url_list list;
    int code;

    *options = (struct amqp_options){.urls = config_text("AMQP_URL", standard_urls)};
    code = amqp_url_list_read(&list, options->urls, error);
    if (code == 0) {
        amqp_url_list_free(&list); /* only its syntax was asked for */
        code = read_durability(options, error);
    }
    if (code == 0) {
        code = read_number("AMQP_WINDOW", 65535, 1000, &options->window, error);
    }
    if (code == 0) {
        code = read_number("AMQP_PREFETCH", 65535, 1000, &options->prefetch, error);
    }
    if (code == 0) {
        code = read_number("AMQP_HEARTBEAT", 3600, 10, &options->heartbeat, error);
    }
    return code == 0 ? read_ca_file(options, error) : code;
}
