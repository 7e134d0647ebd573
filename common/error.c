#include "common/error.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error, enum error_code code, const char *format, ...)
{
    if (error == NULL) {
        return code;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->code = code;
    text_make_printable(error->text);
    return code;
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
