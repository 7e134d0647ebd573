#include "common/lab/tell.h"

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

    buffer_add_string(story,
                      record->type >= 0 ? command_type_name((enum command_type)record->type) : "command");
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
    struct text name = {0};

    if (kind == EVENT_KILL || kind == EVENT_RESTART || kind == EVENT_PAUSE || kind == EVENT_RESUME) {
        name = names_text(&history->texts, history_find_intervention(history, event)->target);
    } else if (kind == EVENT_RECOVER && history->events[event].seq != LOG_RECORD_NO_NUMBER) {
        buffer_add_string(story, "from ");
        name = names_text(&history->texts, history_find_store(history, event)->from);
    }
    buffer_add(story, name.bytes, name.length);
}
