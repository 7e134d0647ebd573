#include "common/error.h"

#include "common/text.h"
#include "common/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, enum error_code code, const char *format, ...)
{
    const int kept_errno = errno;

    if (error == NULL) {
        return code;
    }
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    vsnprintf(error->words, sizeof error->words, gettext(format), again);
    va_end(again);
    va_end(arguments);
    error->code = code;
    text_make_printable(error->text);
    text_make_printable(error->words);
    errno = kept_errno;
    return code;
}

static void add(char *text, size_t size, const char *reason)
{
    size_t length = strlen(text);
    snprintf(text + length, size - length, ": %s", reason);
    text_make_printable(text);
}

static void add_both(struct error *error, const char *text, const char *words)
{
    if (error != NULL) {
        add(error->text, sizeof error->text, text);
        add(error->words, sizeof error->words, words);
    }
}

void error_because(struct error *error, const char *reason)
{
    add_both(error, reason,
             reason[0] != '\0' ? gettext(reason) : ""); /* gettext("") is the catalogue's head */
}

void error_because_errno(struct error *error, int number)
{
    const char *reason = strerrordesc_np(number); /* strerror follows the locale */
    error_because(error, reason != NULL ? reason : N_("an unknown error"));
}

void error_because_of(struct error *error, const struct error *cause)
{
    add_both(error, cause->text, cause->words);
}

const char *error_name(int code)
{
    switch (code) {
#define X(code, name, text)                                                                                  \
    case code:                                                                                               \
        return name;
        ERROR_CODES(X)
#undef X
    default:
        return "none";
    }
}

const char *error_text(int code)
{
    switch (code) {
#define X(code, name, text)                                                                                  \
    case code:                                                                                               \
        return text;
        ERROR_CODES(X)
#undef X
    default:
        return "no error";
    }
}
