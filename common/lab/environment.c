#include "common/lab/environment.h"

#include "common/memory.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void append(struct environment *environment, char *variable)
{
    environment->variables = memory_grow(environment->variables, &environment->capacity,
                                         environment->count + 1, sizeof *environment->variables);
    environment->variables[environment->count++] = variable;
}

static bool is_set(const struct environment *environment, const char *variable)
{
    size_t length = strcspn(variable, "=") + 1;

    for (size_t i = 0; i < environment->count; i++) {
        if (strncmp(variable, environment->variables[i], length) == 0) {
            return true;
        }
    }
    return false;
}

static bool begins_with_one_of(const char *variable, const char *const *beginnings)
{
    for (; beginnings != NULL && *beginnings != NULL; beginnings++) {
        if (strncmp(variable, *beginnings, strlen(*beginnings)) == 0) {
            return true;
        }
    }
    return false;
}

void environment_add(struct environment *environment, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *variable = memory_new((size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(variable, (size_t)length + 1, format, arguments);
    va_end(arguments);
    if (is_set(environment, variable)) {
        free(variable);
    } else {
        append(environment, variable);
    }
}

void environment_inherit(struct environment *environment, const char *const *without)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        if (!begins_with_one_of(*variable, without) && !is_set(environment, *variable)) {
            append(environment, memory_copy_text(*variable, strlen(*variable)));
        }
    }
    append(environment, NULL);
}

void environment_free(struct environment *environment)
{
    for (size_t i = 0; i < environment->count; i++) {
        free(environment->variables[i]);
    }
    free(environment->variables);
    *environment = (struct environment){0};
}
