/* Whatever is typed: a command that is taken is one that the rest of the program may rely on. */
#include "common/command.h"

#include "common/message.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool stands_inside(struct text line, struct text part)
{
    return part.bytes >= line.bytes && part.bytes + part.length <= line.bytes + line.length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text line = {(const char *)data, size};
    struct command command;
    struct error error = {0};

    if (command_parse(line, &command, &error) != 0) {
        assert(error.code != ERROR_NONE && error.text[0] != '\0');
        assert(text_is_utf8(text_of(error.text)) && !text_has_control(text_of(error.text)));
        return 0;
    }
    if (command.verb == VERB_SET || command.verb == VERB_GET) {
        assert(stands_inside(line, command.key));
        assert(message_check_key(command.key, NULL) == 0);
    }
    if (command.verb == VERB_SET) {
        assert(command.value.length > 0 && stands_inside(line, command.value));
        assert(command.key.bytes + command.key.length < command.value.bytes);
        assert(text_is_utf8(command.value));
    }
    return 0;
}
