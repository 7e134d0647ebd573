/* What the report tells of a run as a whole: one JSON object. */
#include "common/json.h"
#include "common/lab/report_html_parts.h"
#include "common/text.h"

#include <inttypes.h>
#include <string.h>

#define MARKS_SHOWN 20000 /* events that are always drawn, however many there are around them */

void html_add_name(struct buffer *out, const char *name)
{
    char before = out->length > 0 ? out->bytes[out->length - 1] : '{';

    if (before != '{') {
        buffer_add_char(out, ',');
    }
    json_write_string(out, text_of(name));
    buffer_add_char(out, ':');
}

static void add_text(struct buffer *out, const char *name, struct text text)
{
    html_add_name(out, name);
    json_write_string(out, text);
}

static void add_int(struct buffer *out, const char *name, int64_t number)
{
    html_add_name(out, name);
    buffer_add_int(out, number);
}

/* "," between the items of a list. */
static void add_comma(struct buffer *out)
{
    char before = out->bytes[out->length - 1];

    if (before != '[') {
        buffer_add_char(out, ',');
    }
}

size_t html_shown_length(struct text text, size_t most)
{
    size_t length = text.length;

    if (length > most) {
        length = most;
        while (length > 0 && ((unsigned char)text.bytes[length] & 0xC0) == 0x80) {
            length--;
        }
    }
    return length;
}

struct text html_run_line(struct html_run *run, uint32_t event)
{
    struct buffer *line = &run->line;

    log_sources_line(run->report->sources, run->history->events[event].place, line);
    if (!text_is_utf8(buffer_text(line))) { /* what stands before the record may be anything */
        buffer_add_char(line, '\0');
        text_make_printable(line->bytes);
        line->length = strlen(line->bytes);
    }
    line->length = html_shown_length(buffer_text(line), LINE_SHOWN);
    return buffer_text(line);
}

/* ---- processes and their lives ---- */

/* Since the run's first event, so that a browser's numbers hold it. */
static int64_t since_start(const struct html_run *run, int64_t wall_us)
{
    return wall_us - run->start_us;
}

static void add_life(const struct html_run *run, const struct incarnation *life, struct buffer *out)
{
    add_comma(out);
    buffer_add_char(out, '{');
    add_int(out, "start", since_start(run, life->start_us));
    add_int(out, "last", since_start(run, life->last_us));
    if (life->ready_us != INT64_MAX) {
        add_int(out, "ready", since_start(run, life->ready_us));
    }
    if (life->crashed) {
        int64_t end_us =
            life->kill_event != HISTORY_NONE ? run->history->events[life->kill_event].wall_us : life->last_us;
        add_int(out, "crashed", since_start(run, end_us));
    }
    buffer_add_string(out, life->kill_event != HISTORY_NONE ? ",\"killed\":true" : "");
    buffer_add_string(out, life->left ? ",\"left\":true}" : "}");
}

static void add_processes(const struct html_run *run, struct buffer *out)
{
    static const char *const roles[] = {[ROLE_REPLICA] = "replica",
                                        [ROLE_COORDINATOR] = "coordinator",
                                        [ROLE_CLIENT] = "client",
                                        [ROLE_LAB] = "lab"};
    const struct history *history = run->history;

    html_add_name(out, "processes");
    buffer_add_char(out, '[');
    for (uint32_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        add_comma(out);
        buffer_add_char(out, '{');
        add_text(out, "name", history_process_name(history, p));
        add_text(out, "role", text_of(roles[process->role]));
        add_int(out, "events", (int64_t)process->event_count);
        html_add_name(out, "lives");
        buffer_add_char(out, '[');
        for (uint32_t i = 0; i < process->incarnation_count; i++) {
            add_life(run, &history->incarnations[process->first_incarnation + i], out);
        }
        buffer_add_string(out, "]}");
    }
    buffer_add_char(out, ']');
}

static void add_files(const struct html_run *run, struct buffer *out)
{
    html_add_name(out, "files");
    buffer_add_char(out, '[');
    for (uint32_t i = 0; i < run->report->sources->count; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s", log_sources_name(run->report->sources, i));
        text_make_printable(name);
        add_comma(out);
        json_write_string(out, text_of(name));
    }
    buffer_add_char(out, ']');
}

/* ---- verdicts ---- */

static void add_verdict(struct html_run *run, enum guarantee guarantee, struct buffer *out)
{
    static const char *const outcomes[] = {"holds", "violated", "unknown"};
    const struct verdict *verdict = &run->report->judgement->verdicts[guarantee];

    add_comma(out);
    buffer_add_char(out, '{');
    add_text(out, "name", text_of(guarantee_name(guarantee)));
    add_text(out, "title", text_of(guarantee_title(guarantee)));
    add_text(out, "outcome", text_of(verdict->not_applicable ? "none" : outcomes[verdict->outcome]));
    add_int(out, "count", (int64_t)verdict->count);
    add_text(out, "finding", buffer_text(&verdict->finding));
    add_text(out, "story", buffer_text(&verdict->story));
    html_add_name(out, "evidence");
    buffer_add_char(out, '[');
    for (size_t i = 0; i < verdict->evidence_count; i++) {
        const struct event *event = &run->history->events[verdict->evidence[i]];
        add_comma(out);
        buffer_add_char(out, '{');
        add_int(out, "event", run->rank[verdict->evidence[i]]);
        add_int(out, "t", since_start(run, event->wall_us));
        add_int(out, "process", event->process);
        add_int(out, "file", event->place.source);
        add_int(out, "line", event->place.number);
        add_text(out, "text", html_run_line(run, verdict->evidence[i]));
        buffer_add_char(out, '}');
    }
    buffer_add_string(out, "]}");
}

static void add_verdicts(struct html_run *run, struct buffer *out)
{
    html_add_name(out, "verdicts");
    buffer_add_char(out, '[');
    for (enum guarantee g = run->report->judgement->first; g < run->report->judgement->end; g++) {
        add_verdict(run, g, out);
    }
    buffer_add_char(out, ']');
    html_add_name(out, "problems");
    buffer_add_char(out, '[');
    for (size_t i = 0; i < run->history->problem_count; i++) {
        add_comma(out);
        json_write_string(out, text_of(run->history->problems[i].text));
    }
    buffer_add_char(out, ']');
}

/* ---- what is always drawn ---- */

static bool is_mark(const struct html_run *run, uint32_t number)
{
    switch (run->history->events[number].kind) {
    case EVENT_START:
    case EVENT_READY:
    case EVENT_STOP:
    case EVENT_RECOVER:
    case EVENT_KILL:
    case EVENT_RESTART:
    case EVENT_PAUSE:
    case EVENT_RESUME:
    case EVENT_ELECT:
    case EVENT_STEP_DOWN:
    case EVENT_NETWORK:
        return true;
    default:
        return false;
    }
}

static void add_marks(struct html_run *run, struct buffer *out)
{
    const struct history *history = run->history;
    size_t marks = 0;

    html_add_name(out, "marks");
    buffer_add_char(out, '[');
    for (size_t rank = 0; rank < history->event_count && marks < MARKS_SHOWN; rank++) {
        uint32_t number = run->order[rank];
        const struct event *event = &history->events[number];
        if (!is_mark(run, number)) {
            continue;
        }
        marks++;
        add_comma(out);
        buffer_add_char(out, '{');
        add_int(out, "event", (int64_t)rank);
        add_int(out, "kind", event->kind);
        add_int(out, "process", event->process);
        add_int(out, "t", since_start(run, event->wall_us));
        const struct intervention *intervention = history_find_intervention(history, number);
        if (intervention != NULL) {
            add_text(out, "target", names_text(&history->texts, intervention->target));
        } else if (event->kind == EVENT_NETWORK) {
            add_text(out, "text", html_run_line(run, number));
        }
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
}

/* Of several kinds that logs call the same, each by a name of its own. */
static const char *kind_name(enum event_kind kind)
{
    static const char *const others[EVENT_KIND_COUNT] = {
        [EVENT_NETWORK] = "network", [EVENT_SAY] = "say", [EVENT_HEAR] = "hear"};

    return others[kind] != NULL ? others[kind] : event_kind_name(kind);
}

static void add_kinds(struct buffer *out)
{
    html_add_name(out, "kinds");
    buffer_add_char(out, '[');
    for (enum event_kind kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        add_comma(out);
        json_write_string(out, text_of(kind_name(kind)));
    }
    buffer_add_char(out, ']');
}

void html_run_write_head(struct html_run *run, const char *name, struct buffer *out)
{
    const struct history *history = run->history;
    const struct judgement *judgement = run->report->judgement;
    char shown[256];

    snprintf(shown, sizeof shown, "%s", name);
    text_make_printable(shown);
    buffer_add_char(out, '{');
    add_text(out, "name", text_of(shown));
    add_int(out, "start", run->start_us);
    add_int(out, "span", run->end_us - run->start_us);
    add_int(out, "events", (int64_t)history->event_count);
    add_int(out, "block", BLOCK_EVENTS);
    add_int(out, "nodes", (int64_t)judgement->nodes);
    add_int(out, "coordinators", (int64_t)judgement->coordinators);
    add_int(out, "commands", (int64_t)judgement->commands);
    add_int(out, "deliveries", (int64_t)judgement->deliveries);
    add_kinds(out);
    add_files(run, out);
    add_processes(run, out);
    add_verdicts(run, out);
    add_marks(run, out);
    html_run_write_figures(run, out);
    buffer_add_char(out, '}');
}
