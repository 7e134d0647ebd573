/* What a user types at a prompt: SET <key> <value…>, GET <key>, PRINT, HELP, EXIT (also QUIT).
 * The verb in any letter case; the value is the rest of the line. */
#ifndef ORDEM_COMMAND_H
#define ORDEM_COMMAND_H

#include "common/error.h"
#include "common/text.h"

enum command_verb { VERB_NOTHING, VERB_SET, VERB_GET, VERB_PRINT, VERB_HELP, VERB_EXIT };

struct command {
    enum command_verb verb; /* VERB_NOTHING for an empty line */
    struct text key;        /* SET and GET; points into the line */
    struct text value;      /* SET; points into the line; plain text, not JSON */
};

/* Reads one line. Errors: ERROR_COMMAND, ERROR_NOT_UTF8 and what message_check_key refuses, with a sentence that
 * tells the user what to type instead. */
int command_parse(struct text line, struct command *command, struct error *error);

/* The answer to HELP: lines of text, static. */
const char *command_help(void);

#endif
