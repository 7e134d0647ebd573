#include "common/net/amqp_reason.h"

#include "common/text.h"

int amqp_reason_status(struct error *error, const char *what, int status)
{
    const char *why = amqp_error_string2(status);

    if (status == AMQP_STATUS_TIMEOUT) {
        why = "the broker does not answer";
    } else if (status == AMQP_STATUS_CONNECTION_CLOSED || status == AMQP_STATUS_SOCKET_ERROR ||
               status == AMQP_STATUS_SOCKET_CLOSED || status == AMQP_STATUS_SSL_ERROR) {
        why = "the broker is gone";
    }
    return error_set(error, ERROR_BROKER, "%s: %s", what, why);
}

int amqp_reason_method(struct error *error, const char *what, const amqp_method_t *close)
{
    amqp_bytes_t text;
    int code;

    if (close->id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *channel_close = close->decoded;
        text = channel_close->reply_text;
        code = channel_close->reply_code;
    } else if (close->id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *connection_close = close->decoded;
        text = connection_close->reply_text;
        code = connection_close->reply_code;
    } else {
        return error_set(error, ERROR_BROKER, "%s: the broker answered something else (method 0x%08x)", what,
                         (unsigned)close->id);
    }
    return error_set(error, ERROR_BROKER, "%s: %.*s (%d)", what, (int)text.len,
                     text.len > 0 ? (char *)text.bytes : "", code);
}

int amqp_reason_reply(struct error *error, const char *what, amqp_rpc_reply_t reply)
{
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
        return amqp_reason_method(error, what, &reply.reply);
    }
    return amqp_reason_status(error, what, reply.library_error);
}

int amqp_reason_channel_code(amqp_rpc_reply_t reply)
{
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION || reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD) {
        return 0;
    }
    const amqp_channel_close_t *close = reply.reply.decoded;
    return close->reply_code;
}
