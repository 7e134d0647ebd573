#include "parte5-chat/envelope.h"

size_t envelope_length(const struct text *frames, size_t count)
{
    for (size_t i = 1; i < count && i + 1 < ZMQ_FRAMES_MAX; i++) {
        if (frames[i].length == 0) {
            return i + 1;
        }
    }
    return 1;
}

int envelope_check(const struct text *frames, size_t count, struct error *error)
{
    size_t length = envelope_length(frames, count);

    if (count != length + 1) {
        return error_set(error, ERROR_FIELD_VALUE, "a question is one frame, behind an empty one");
    }
    if (length > ENVELOPE_FRAMES_MAX) {
        return error_set(error, ERROR_TOO_LONG, "%zu frames before the question, at most %d are allowed",
                         length, ENVELOPE_FRAMES_MAX);
    }
    for (size_t i = 0; i < length; i++) {
        if (frames[i].length > ENVELOPE_ADDRESS_MAX) {
            return error_set(error, ERROR_TOO_LONG, "an address of %zu bytes, at most %d are allowed",
                             frames[i].length, ENVELOPE_ADDRESS_MAX);
        }
    }
    return 0;
}
