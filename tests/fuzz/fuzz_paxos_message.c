/* Whatever comes as a message between members, the first byte choosing which: it is refused with a sentence, or what was
 * read is written so that it is read as the same again. */
#include "paxos/message_json.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LEARN 10 /* the type behind the last one */

static struct paxos_message *read_one(int type, struct text text, struct error *error)
{
    return type == LEARN ? message_json_read_learn(text, error)
                         : message_json_read((enum paxos_type)type, text, error);
}

static void check_same(const struct paxos_message *a, const struct paxos_message *b, bool with_values)
{
    assert(a->from == b->from && a->instance == b->instance && a->number == b->number &&
           a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert(a->proposals[i].instance == b->proposals[i].instance);
        assert(ballot_compare(a->proposals[i].ballot, b->proposals[i].ballot) == 0);
        assert(!with_values || value_equal(a->proposals[i].value, b->proposals[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer out;
    struct error error = {0};
    int type = size > 0 ? data[0] % (LEARN + 1) : 0;
    struct text input = {(const char *)data + (size > 0), size - (size > 0)};
    struct paxos_message *message = read_one(type, input, &error);

    if (message == NULL) {
        assert(error.code != ERROR_NONE && error.text[0] != '\0');
        return 0;
    }
    buffer_clear(&out);
    if (type == LEARN) {
        if (message_json_write_learn(&out, message, 0) < message->count) {
            paxos_message_release(message);
            return 0; /* the rest would come in another body */
        }
    } else {
        message_json_write(&out, message);
    }
    struct paxos_message *again = read_one(type, buffer_text(&out), &error);
    assert(again != NULL);
    check_same(message, again, type != PAXOS_ACCEPTED);
    paxos_message_release(message);
    paxos_message_release(again);
    return 0;
}
