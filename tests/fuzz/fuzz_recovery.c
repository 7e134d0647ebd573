/* Whatever comes from another node: a note is understood in full or refused, and the state in one fills a store that
 * writes the same state again. */
#include "common/config.h"
#include "common/kv_store.h"
#include "common/net/recovery.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of a broker: a note that comes in makes none go out. */
int amqp_link_publish(struct amqp_link *link, struct amqp_publish *publish, const char *exchange,
                      const char *routing_key, struct text reply_to, struct text body, struct error *error)
{
    (void)link, (void)publish, (void)exchange, (void)routing_key, (void)reply_to, (void)body;
    return error_set(error, ERROR_BROKER, "nothing is sent here");
}

static void check_note(struct recovery *recovery, const struct recovery_note *note)
{
    assert(config_is_node_id(note->node) && !text_equal(note->node, recovery->node));
    assert(note->epoch >= 0 && note->seq >= 0);
}

static void on_state(struct recovery *recovery, const struct recovery_note *note)
{
    struct kv_store first = {0};
    struct kv_store second = {0};
    struct buffer out = {0};
    struct buffer again = {0};
    struct error error = {0};

    check_note(recovery, note);
    if (kv_store_restore(&first, note->snapshot, &error) == 0) {
        kv_store_snapshot(&first, &out);
        assert(kv_store_restore(&second, buffer_text(&out), &error) == 0);
        kv_store_snapshot(&second, &again);
        assert(text_equal(buffer_text(&out), buffer_text(&again)));
    } else {
        assert(error.code != ERROR_NONE && kv_store_count(&first) == 0);
    }
    kv_store_free(&first);
    kv_store_free(&second);
    buffer_free(&out);
    buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct recovery recovery = {.on_ask = check_note, .on_state = on_state, .on_leader = check_note};
    struct amqp_delivery delivery = {.body = {(const char *)data, size},
                                     .reply_to = text_of("node2_control")};
    struct error error = {0};

    recovery.node = text_of("node1");
    if (recovery_receive(&recovery, &delivery, &error) != 0) {
        assert(error.code != ERROR_NONE && error.text[0] != '\0');
        assert(text_is_utf8(text_of(error.text)) && !text_has_control(text_of(error.text)));
    }
    return 0;
}
