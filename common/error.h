/* One kind of error for the whole house: a negative code, and one sentence for a person.
 *
 * A function that can be refused its input takes a `struct error *` as its last argument, returns 0 or the
 * negative code, and fills the sentence: what was wrong, where, and what is allowed.
 *
 * The sentence is kept twice: in English for logs and for other programs, which must be the same everywhere, and in the
 * user's language (common/words.h) for whoever sits at the terminal. */
#ifndef ORDEM_ERROR_H
#define ORDEM_ERROR_H

#define ERROR_CODES(X)                                                                                       \
    X(ERROR_NOT_UTF8, "not_utf8", "not valid UTF-8")                                                         \
    X(ERROR_NOT_JSON, "not_json", "not a JSON object")                                                       \
    X(ERROR_NOT_MESSAGEPACK, "not_messagepack", "not a map in MessagePack")                                  \
    X(ERROR_TOO_LONG, "too_long", "longer than allowed")                                                     \
    X(ERROR_FIELD_MISSING, "field_missing", "a required field is missing")                                   \
    X(ERROR_FIELD_TYPE, "field_type", "a field has the wrong type")                                          \
    X(ERROR_FIELD_VALUE, "field_value", "a field holds what is not allowed")                                 \
    X(ERROR_COMMAND, "command", "not a command")                                                             \
    X(ERROR_CONFIG, "config", "a setting does not parse")                                                    \
    X(ERROR_NETWORK, "network", "the network refused")                                                       \
    X(ERROR_BROKER, "broker", "the broker refused")                                                          \
    X(ERROR_FULL, "full", "no room for more")                                                                \
    X(ERROR_FILE, "file", "a file could not be read or written")                                             \
    X(ERROR_PROCESS, "process", "a process could not be started or ended badly")

enum error_code {
    ERROR_NONE = 0,
#define X(code, name, text) code##_ORDINAL,
    ERROR_CODES(X)
#undef X
        ERROR_COUNT,
#define X(code, name, text) code = -code##_ORDINAL,
    ERROR_CODES(X)
#undef X
};

struct error {
    enum error_code code;
    char text[320];  /* one sentence without a full stop, in English, UTF-8, no control characters */
    char words[400]; /* the same, in the user's language */
};

/* Fills `error` (which may be NULL) and returns `code`, so that `return error_set(...)` reads as a sentence. The format
 * is one whole sentence, in English: its translation is looked up here. errno stays as it was. */
int error_set(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Add to a sentence, behind a colon, why: a reason in English, whose translation is looked up; what errno says; another
 * error. `error` may be NULL. */
void error_because(struct error *error, const char *reason);
void error_because_errno(struct error *error, int number);
void error_because_of(struct error *error, const struct error *cause);

/* A short name for logs ("not_utf8") and a general sentence for people; both static. */
const char *error_name(int code);
const char *error_text(int code);

#endif
