#include "common/command.h"

#include "common/message.h"
#include "common/words.h"

#include <string.h>
#include <strings.h>

/* Takes the first word off `rest`, and the white space behind it. */
static struct text take_word(struct text *rest)
{
    struct text word = {rest->bytes, 0};
    while (word.length < rest->length && rest->bytes[word.length] != ' ' &&
           rest->bytes[word.length] != '\t') {
        word.length++;
    }
    *rest = text_trim((struct text){rest->bytes + word.length, rest->length - word.length});
    return word;
}

static enum command_verb find_verb(struct text word)
{
    static const struct {
        const char *name;
        enum command_verb verb;
    } verbs[] = {{"SET", VERB_SET},   {"GET", VERB_GET},   {"PRINT", VERB_PRINT},
                 {"HELP", VERB_HELP}, {"EXIT", VERB_EXIT}, {"QUIT", VERB_EXIT}};

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (word.length == strlen(verbs[i].name) &&
            strncasecmp(word.bytes, verbs[i].name, word.length) == 0) {
            return verbs[i].verb;
        }
    }
    return VERB_NOTHING;
}

static int expect_end(struct text rest, const char *usage, struct error *error)
{
    return rest.length == 0 ? 0 : error_set(error, ERROR_COMMAND, "too many words: type %s", usage);
}

int command_parse(struct text line, struct command *command, struct error *error)
{
    struct text rest = text_trim(line);
    *command = (struct command){.verb = VERB_NOTHING};

    if (!text_is_utf8(line)) {
        return error_set(error, ERROR_NOT_UTF8, "the line is not valid UTF-8");
    }
    if (rest.length == 0) {
        return 0;
    }
    struct text verb = take_word(&rest);
    command->verb = find_verb(verb);
    switch (command->verb) {
    case VERB_SET:
        command->key = take_word(&rest);
        command->value = rest;
        if (rest.length == 0) {
            return error_set(error, ERROR_COMMAND, "SET needs a key and a value: type SET <key> <value>");
        }
        return message_check_key(command->key, error);
    case VERB_GET:
        command->key = take_word(&rest);
        if (command->key.length == 0) {
            return error_set(error, ERROR_COMMAND, "GET needs a key: type GET <key>");
        }
        if (rest.length > 0) {
            return expect_end(rest, "GET <key>", error);
        }
        return message_check_key(command->key, error);
    case VERB_PRINT:
        return expect_end(rest, "PRINT", error);
    case VERB_HELP:
        return expect_end(rest, "HELP", error);
    case VERB_EXIT:
        return expect_end(rest, "EXIT", error);
    case VERB_NOTHING:
        break;
    }
    return error_set(error, ERROR_COMMAND, "unknown command \"%.*s\": type HELP",
                     (int)(verb.length < 40 ? verb.length : 40), verb.bytes);
}

const char *command_help(void)
{
    return _("SET <key> <value>   send SET to the group; the value is the rest of the line\n"
             "GET <key>           send GET to the group and show the local value at once\n"
             "PRINT               send PRINT to the group; every node logs its snapshot\n"
             "HELP                this text\n"
             "EXIT                leave (also QUIT)\n");
}
