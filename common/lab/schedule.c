#include "common/lab/schedule.h"

#include "common/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *schedule_action_name(enum schedule_action action)
{
    static const char *const names[] = {
        [SCHEDULE_RESUME] = "resume", [SCHEDULE_KILL] = "kill",           [SCHEDULE_RESTART] = "restart",
        [SCHEDULE_PAUSE] = "pause",   [SCHEDULE_PARTITION] = "partition", [SCHEDULE_HEAL] = "heal"};
    return names[action];
}

/* ---- reading ---- */

/* A number and a unit ("ms", "s", or none: `*unit` is 0 then), from `text` to where it ends. False if it is no time. */
static bool read_span(const char **text, uint32_t *number_ms, uint32_t *unit)
{
    const char *end = *text + strspn(*text, "0123456789.");
    char digits[16];
    char *behind;
    size_t length = (size_t)(end - *text);

    if (length == 0 || length >= sizeof digits || **text == '.') {
        return false;
    }
    memcpy(digits, *text, length);
    digits[length] = '\0';
    double number = strtod(digits, &behind);
    if (*behind != '\0') {
        return false;
    }
    *unit = 0;
    if (strncmp(end, "ms", 2) == 0) {
        *unit = 1;
        end += 2;
    } else if (*end == 's') {
        *unit = 1000;
        end += 1;
    }
    double ms = number * (*unit > 0 ? *unit : 1000);
    if (ms > SCHEDULE_LIMIT_MS) {
        return false;
    }
    *number_ms = (uint32_t)(ms + 0.5);
    *text = end;
    return true;
}

int schedule_read_time(const char *option, const char *text, uint32_t *ms, struct error *error)
{
    const char *rest = text;
    uint32_t unit = 0;

    if (!read_span(&rest, ms, &unit) || *rest != '\0' || unit == 0) {
        return error_set(error, ERROR_CONFIG,
                         "--%s is \"%.60s\": a time as in 3s, 1.5s or 500ms is allowed, up to a day", option,
                         text);
    }
    return 0;
}

static int add(struct schedule *schedule, enum schedule_action action, const char *target, uint32_t at_ms,
               struct error *error)
{
    if (schedule->count == SCHEDULE_EVENTS_MAX) {
        return error_set(error, ERROR_CONFIG, "more than %d things are to happen", SCHEDULE_EVENTS_MAX);
    }
    struct schedule_event *event = &schedule->events[schedule->count++];
    event->action = action;
    snprintf(event->target, sizeof event->target, "%s", target);
    event->at_ms = at_ms;
    event->open = false;
    return 0;
}

/* The name before the @; NULL if there is none. */
static const char *read_target(const char *text, char target[SCHEDULE_TARGET_MAX])
{
    size_t length = strcspn(text, "@");

    if (length == 0 || length >= SCHEDULE_TARGET_MAX || text[length] != '@') {
        return NULL;
    }
    memcpy(target, text, length);
    target[length] = '\0';
    return text + length + 1;
}

int schedule_add_kill(struct schedule *schedule, const char *text, struct error *error)
{
    char target[SCHEDULE_TARGET_MAX];
    const char *rest = read_target(text, target);
    uint32_t at_ms = 0;
    uint32_t unit = 0;

    if (rest == NULL || !read_span(&rest, &at_ms, &unit) || *rest != '\0' || unit == 0) {
        return error_set(error, ERROR_CONFIG,
                         "--kill is \"%.60s\": a member and a time are expected, as in node2@5s", text);
    }
    return add(schedule, SCHEDULE_KILL, target, at_ms, error);
}

/* "node2@2s": until when, --for tells. */
static int add_open(struct schedule *schedule, enum schedule_action action, const char *target,
                    uint32_t at_ms, struct error *error)
{
    int code = add(schedule, action, target, at_ms, error);

    if (code == 0) {
        schedule->events[schedule->count - 1].open = true;
    }
    return code;
}

/* "node2@2s-4s": from the first time to the second. */
static int add_span(struct schedule *schedule, const char *text, enum schedule_action first,
                    enum schedule_action second, struct error *error)
{
    char target[SCHEDULE_TARGET_MAX];
    const char *rest = read_target(text, target);
    const char *start;
    uint32_t from_ms = 0;
    uint32_t to_ms = 0;
    uint32_t from_unit = 0;
    uint32_t to_unit = 0;

    start = rest;
    bool is_begun = rest != NULL && read_span(&rest, &from_ms, &from_unit);
    if (is_begun && *rest == '\0' && from_unit > 0) {
        return add_open(schedule, first, target, from_ms, error);
    }
    bool is_one =
        is_begun && *rest++ == '-' && read_span(&rest, &to_ms, &to_unit) && *rest == '\0' && to_unit > 0;
    if (is_one && from_unit == 0 && to_unit == 1) { /* "200-500ms": what has no unit has that of the other */
        from_ms = (uint32_t)(strtod(start, NULL) + 0.5);
    }
    if (!is_one || from_ms >= to_ms) {
        return error_set(error, ERROR_CONFIG,
                         "--%s is \"%.60s\": a member and two times are expected, as in node2@2s-4s",
                         schedule_action_name(first), text);
    }
    int code = add(schedule, first, target, from_ms, error);
    return code == 0 ? add(schedule, second, target, to_ms, error) : code;
}

int schedule_add_pause(struct schedule *schedule, const char *text, struct error *error)
{
    return add_span(schedule, text, SCHEDULE_PAUSE, SCHEDULE_RESUME, error);
}

int schedule_add_partition(struct schedule *schedule, const char *text, struct error *error)
{
    return add_span(schedule, text, SCHEDULE_PARTITION, SCHEDULE_HEAL, error);
}

int schedule_add_event(struct schedule *schedule, const char *text, struct error *error)
{
    char target[SCHEDULE_TARGET_MAX];
    size_t length = strcspn(text, " ");
    uint32_t at_ms = 0;
    uint32_t unit = 0;

    for (enum schedule_action action = SCHEDULE_RESUME; action <= SCHEDULE_PARTITION; action++) {
        const char *name = schedule_action_name(action);
        bool is_named = strlen(name) == length && strncmp(text, name, length) == 0 && text[length] == ' ';
        const char *rest = is_named ? read_target(text + length + 1, target) : NULL;
        if (rest != NULL && read_span(&rest, &at_ms, &unit) && *rest == '\0' && unit > 0) {
            return add(schedule, action, target, at_ms, error);
        }
    }
    return error_set(error, ERROR_CONFIG,
                     "\"%.60s\" is no event: what, whom and when are expected, as in kill node2@500ms", text);
}

int schedule_add_restarts(struct schedule *schedule, uint32_t after_ms, struct error *error)
{
    size_t count = schedule->count;
    int code = 0;

    for (size_t i = 0; code == 0 && i < count; i++) {
        const struct schedule_event *event = &schedule->events[i];
        if (event->action == SCHEDULE_KILL) {
            code = add(schedule, SCHEDULE_RESTART, event->target, event->at_ms + after_ms, error);
        }
    }
    return code;
}

int schedule_add_ends(struct schedule *schedule, uint32_t after_ms, struct error *error)
{
    size_t count = schedule->count;
    int code = 0;

    for (size_t i = 0; code == 0 && i < count; i++) {
        struct schedule_event *event = &schedule->events[i];
        if (!event->open) {
            continue;
        }
        if (after_ms == 0) {
            return error_set(
                error, ERROR_CONFIG,
                "--%s of %s: until when? A second time is expected, as in node2@2s-4s, or --for 2s",
                schedule_action_name(event->action), event->target);
        }
        event->open = false;
        code = add(schedule, event->action == SCHEDULE_PAUSE ? SCHEDULE_RESUME : SCHEDULE_HEAL, event->target,
                   event->at_ms + after_ms, error);
    }
    return code;
}

/* ---- playing it through ---- */

static bool stands_before(const struct schedule_event *a, const struct schedule_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->action < b->action;
}

/* By insertion: few events, and those of one moment keep the order in which they were asked for. */
static void sort(struct schedule *schedule)
{
    for (size_t i = 1; i < schedule->count; i++) {
        struct schedule_event event = schedule->events[i];
        size_t place = i;
        for (; place > 0 && stands_before(&event, &schedule->events[place - 1]); place--) {
            schedule->events[place] = schedule->events[place - 1];
        }
        schedule->events[place] = event;
    }
}

bool schedule_next_name(const char **rest, char *name, size_t size)
{
    size_t length = strcspn(*rest, ",");

    if (**rest == '\0') {
        return false;
    }
    snprintf(name, size, "%.*s", (int)length, *rest);
    *rest += length + ((*rest)[length] == ',');
    return true;
}

static int check_name(enum schedule_action action, const char *name, const char *const *members, size_t count,
                      struct error *error)
{
    char known[200] = "";
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(members[i], name) == 0) {
            return 0;
        }
        if (length < sizeof known) {
            length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i > 0 ? ", " : "",
                                       members[i]);
        }
    }
    return error_set(error, ERROR_CONFIG, "--%s: there is no \"%s\" in this run, but %s",
                     schedule_action_name(action), name, known);
}

static bool is_about_network(enum schedule_action action)
{
    return action == SCHEDULE_PARTITION || action == SCHEDULE_HEAL;
}

bool schedule_concern_same(const struct schedule_event *a, const struct schedule_event *b)
{
    return is_about_network(a->action) ? is_about_network(b->action)
                                       : !is_about_network(b->action) && strcmp(a->target, b->target) == 0;
}

static int check_target(const struct schedule_event *event, const char *const *members, size_t count,
                        struct error *error)
{
    char name[SCHEDULE_TARGET_MAX];
    const char *rest = event->target;

    if (!is_about_network(event->action)) {
        return check_name(event->action, event->target, members, count, error);
    }
    while (schedule_next_name(&rest, name, sizeof name)) {
        if (check_name(event->action, name, members, count, error) != 0) {
            return ERROR_CONFIG;
        }
    }
    return 0;
}

/* One network is whole or parted at a time. */
static int check_network(const struct schedule *schedule, size_t index, struct error *error)
{
    const struct schedule_event *event = &schedule->events[index];
    bool parted = false;

    for (size_t i = 0; i < index; i++) {
        if (is_about_network(schedule->events[i].action)) {
            parted = schedule->events[i].action == SCHEDULE_PARTITION;
        }
    }
    if (parted != (event->action == SCHEDULE_HEAL)) {
        error_set(error, ERROR_CONFIG, "%s of %s at %u ms", schedule_action_name(event->action),
                  event->target, event->at_ms);
        error_because(error, parted ? N_("the network is parted then") : N_("the network is whole then"));
        return ERROR_CONFIG;
    }
    return 0;
}

/* What the events before number `index` made of its target. */
static void state_before(const struct schedule *schedule, size_t index, bool *dead, bool *paused)
{
    *dead = *paused = false;
    for (size_t i = 0; i < index; i++) {
        const struct schedule_event *event = &schedule->events[i];
        if (schedule_concern_same(event, &schedule->events[index])) {
            *dead = event->action == SCHEDULE_KILL || (*dead && event->action != SCHEDULE_RESTART);
            *paused = event->action == SCHEDULE_PAUSE;
        }
    }
}

int schedule_complete(struct schedule *schedule, const char *const *members, size_t count,
                      struct error *error)
{
    sort(schedule);
    for (size_t i = 0; i < schedule->count; i++) {
        const struct schedule_event *event = &schedule->events[i];
        bool dead;
        bool paused;
        if (check_target(event, members, count, error) != 0) {
            return ERROR_CONFIG;
        }
        if (is_about_network(event->action)) {
            if (check_network(schedule, i, error) != 0) {
                return ERROR_CONFIG;
            }
            continue;
        }
        state_before(schedule, i, &dead, &paused);
        bool possible = event->action == SCHEDULE_RESTART  ? dead
                        : event->action == SCHEDULE_RESUME ? paused && !dead
                        : event->action == SCHEDULE_PAUSE  ? !dead && !paused
                                                           : !dead;
        if (!possible) {
            error_set(error, ERROR_CONFIG, "%s of %s at %u ms", schedule_action_name(event->action),
                      event->target, event->at_ms);
            error_because(error, dead     ? N_("it is dead then")
                                 : paused ? N_("it is paused then")
                                          : N_("it is running then"));
            return ERROR_CONFIG;
        }
    }
    return 0;
}
