#include "common/lab/tell.h"

#include "common/words.h"

#include <inttypes.h>

#define VALUE_MAX 60 /* bytes of a value that are told */

void tell_process(struct buffer *story, const struct history *history, uint32_t process)
{
    struct text name = history_process_name(history, process);
    buffer_add(story, name.bytes, name.length);
}

void tell_value(struct buffer *story, const struct history *history, uint32_t value)
{
    struct text text = names_text(&history->texts, value);
    size_t length = text.length;

    if (length > VALUE_MAX) {
        length = VALUE_MAX - 3;
        while (length > 0 &&
               ((unsigned char)text.bytes[length] & 0xC0) == 0x80) { /* not inside a character */
            length--;
        }
    }
    buffer_add(story, text.bytes, length);
    buffer_add_string(story, length < text.length ? "..." : "");
}

void tell_command(struct buffer *story, const struct history *history, uint32_t command)
{
    const struct command_record *record = &history->commands[command];
    struct text key = names_text(&history->texts, record->key);

    if (record->type >= 0 || record->type_name == NAMES_NONE) {
        buffer_add_string(story, record->type >= 0 ? command_type_name((enum command_type)record->type)
                                                   : _("command"));
    } else {
        struct text name = names_text(&history->texts, record->type_name);
        buffer_add(story, name.bytes, name.length);
    }
    if (record->key != NAMES_NONE) {
        buffer_add_char(story, ' ');
        buffer_add(story, key.bytes, key.length);
    }
    if (record->value != NAMES_NONE) {
        buffer_add_char(story, '=');
        tell_value(story, history, record->value);
    }
}

void tell_intervention(struct buffer *story, const struct history *history, uint32_t event)
{
    enum event_kind kind = history->events[event].kind;
    const struct intervention *intervention = history_find_intervention(history, event);
    struct text name = {0};

    if (intervention != NULL) {
        name = names_text(&history->texts, intervention->target);
    } else if (kind == EVENT_RECOVER && history_find_store(history, event) != NULL) {
        name = names_text(&history->texts, history_find_store(history, event)->from);
        tell_that(story, history, "from {1}", the_text(name));
        return;
    }
    buffer_add(story, name.bytes, name.length);
}

static void tell_place(struct buffer *story, const struct history *history, uint32_t event)
{
    const struct event *line = &history->events[event];

    if (line->command != HISTORY_NONE) {
        tell_that(story, history, "number {1} ({2})", the_count(line->seq), the_command(line->command));
    } else {
        tell_that(story, history, "number {1}", the_count(line->seq));
    }
}

static void tell_thing(struct buffer *story, const struct history *history, const struct thing *thing)
{
    switch (thing->kind) {
    case THING_PROCESS:
        tell_process(story, history, thing->number);
        break;
    case THING_COMMAND:
        tell_command(story, history, thing->number);
        break;
    case THING_VALUE:
        tell_value(story, history, thing->number);
        break;
    case THING_PLACE:
        tell_place(story, history, thing->number);
        break;
    case THING_COUNT:
        buffer_add_format(story, "%" PRId64, thing->count);
        break;
    case THING_TEXT:
        buffer_add(story, thing->text.bytes, thing->text.length);
        break;
    }
}

void tell_things(struct buffer *story, const struct history *history, const char *clause,
                 const struct thing *things)
{
    for (const char *c = gettext(clause); *c != '\0'; c++) {
        if (*c == '{') {
            tell_thing(story, history, &things[c[1] - '1']);
            c += 2;
        } else {
            buffer_add_char(story, *c);
        }
    }
}
