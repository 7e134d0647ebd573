#include "tests/sim/made_logs.h"

#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_US 1767225600000000 /* 2026-01-01T00:00:00Z */

void made_begin(struct made_logs *made)
{
    *made = (struct made_logs){.now_us = START_US};
}

void made_wait_ms(struct made_logs *made, unsigned ms)
{
    made->now_us += (int64_t)ms * 1000;
}

/* ---- lines ---- */

static size_t number_of(struct made_logs *made, const char *name)
{
    for (size_t i = 0; i < made->count; i++) {
        if (strcmp(made->names[i], name) == 0) {
            return i;
        }
    }
    assert_true(made->count < MADE_LOGS_MAX);
    snprintf(made->names[made->count], sizeof made->names[0], "%s", name);
    return made->count++;
}

struct sim_log *made_log(struct made_logs *made, const char *name)
{
    return &made->logs[number_of(made, name)];
}

static void add(struct made_logs *made, const char *log_name, const char *node, const char *event,
                const char *rest)
{
    struct sim_log *log = made_log(made, log_name);
    struct buffer line = {0};
    char time[CLOCK_TEXT_LENGTH + 1];

    clock_format(made->now_us, time);
    made->now_us += 1000;
    buffer_add_format(&line, "{\"ts\":\"%s\",\"level\":\"info\",\"node\":\"%s\",\"event\":\"%s\"%s}", time,
                      node, event, rest);
    log->lines = memory_grow(log->lines, &log->capacity, log->count + 1, sizeof *log->lines);
    log->lines[log->count++] = memory_copy_text(line.bytes, line.length);
    buffer_free(&line);
}

void made_line(struct made_logs *made, const char *node, const char *event, const char *rest, ...)
{
    char fields[400];
    va_list arguments;

    va_start(arguments, rest);
    vsnprintf(fields, sizeof fields, rest, arguments);
    va_end(arguments);
    add(made, node, node, event, fields);
}

/* The fields of a command, with its seq and epoch where it has them and they are wanted. */
static void write_command(const struct made_logs *made, const struct made_command *command, bool numbered,
                          char *out, size_t size)
{
    int length =
        snprintf(out, size,
                 ",\"message_uuid\":\"00000000-0000-4000-8000-%012u\",\"sender_id\":\"%s\","
                 "\"command_type\":\"%s\",\"key\":\"%s\"",
                 command->number, command->sender, command->value != NULL ? "SET" : "GET", command->key);
    if (command->value != NULL) {
        length += snprintf(out + length, size - (size_t)length, ",\"value\":\"%s\"", command->value);
    }
    if (numbered && command->seq > 0) {
        length += snprintf(out + length, size - (size_t)length, ",\"seq\":%lld", (long long)command->seq);
    }
    if (numbered && command->seq > 0 && made->epoch > 0) {
        snprintf(out + length, size - (size_t)length, ",\"epoch\":%lld", (long long)made->epoch);
    }
}

/* ---- nodes ---- */

void made_start(struct made_logs *made, const char *node, const char *part, const char *role)
{
    made->ordem_local[number_of(made, node)] = 0;
    made_line(made, node, "start", ",\"part\":\"%s\",\"role\":\"%s\"", part, role);
    made_line(made, node, "ready", "%s", "");
}

void made_stop(struct made_logs *made, const char *node)
{
    made_line(made, node, "stop", ",\"ordem_local\":%u", made->ordem_local[number_of(made, node)]);
}

void made_send(struct made_logs *made, const char *node, const struct made_command *command)
{
    char fields[300];
    write_command(made, command, strcmp(node, command->sender) != 0 || made->epoch > 0, fields,
                  sizeof fields);
    made_line(made, node, "send", "%s", fields);
}

void made_deliver(struct made_logs *made, const char *node, const struct made_command *command)
{
    char fields[300];
    write_command(made, command, true, fields, sizeof fields);
    made_line(made, node, "deliver", "%s,\"ordem_local\":%u", fields,
              ++made->ordem_local[number_of(made, node)]);
}

void made_install(struct made_logs *made, const char *node, int64_t seq, const char *from)
{
    made_line(made, node, "recover", ",\"installed_seq\":%lld,\"from\":\"%s\"", (long long)seq, from);
}

/* ---- three nodes ---- */

const char *const made_nodes[MADE_NODES] = {"node1", "node2", "node3"};

void made_start_all(struct made_logs *made, const char *part)
{
    made_begin(made);
    for (size_t i = 0; i < MADE_NODES; i++) {
        made_start(made, made_nodes[i], part, "node");
    }
}

void made_stop_all(struct made_logs *made)
{
    made_wait_ms(made, 1000);
    for (size_t i = 0; i < MADE_NODES; i++) {
        made_stop(made, made_nodes[i]);
    }
}

void made_deliver_at_all(struct made_logs *made, const struct made_command *command)
{
    for (size_t i = 0; i < MADE_NODES; i++) {
        made_deliver(made, made_nodes[i], command);
    }
}

/* ---- clients and the lab ---- */

void made_invoke(struct made_logs *made, const char *client, const struct made_command *command)
{
    char fields[300];
    write_command(made, command, false, fields, sizeof fields);
    add(made, "clients", client, "invoke", fields);
}

void made_complete(struct made_logs *made, const char *client, const struct made_command *command,
                   const char *status, const char *read)
{
    char fields[400];
    int length = snprintf(fields, sizeof fields,
                          ",\"message_uuid\":\"00000000-0000-4000-8000-%012u\",\"status\":\"%s\","
                          "\"command_type\":\"%s\",\"key\":\"%s\",\"latency_us\":%u",
                          command->number, status, command->value != NULL ? "SET" : "GET", command->key,
                          made->latency_us);
    if (command->seq > 0 && strcmp(status, "ok") == 0) {
        length += snprintf(fields + length, sizeof fields - (size_t)length, ",\"seq\":%lld",
                           (long long)command->seq);
    }
    if (read != NULL) {
        snprintf(fields + length, sizeof fields - (size_t)length, ",\"value\":%s", read);
    }
    add(made, "clients", client, "complete", fields);
}

void made_call(struct made_logs *made, const char *client, const struct made_command *command,
               const char *status, const char *read)
{
    made_invoke(made, client, command);
    made_complete(made, client, command, status, read);
}

void made_set_safely(struct made_logs *made, const struct made_command *command)
{
    made_invoke(made, "client1", command);
    made_send(made, command->sender, command);
    made_complete(made, "client1", command, "ok", NULL);
}

void made_lab(struct made_logs *made, const char *action, const char *target)
{
    made_line(made, "lab", action, ",\"target\":\"%s\"", target);
}

/* ---- judging ---- */

static void read_logs(struct made_logs *made)
{
    struct log_line_reader reader = {0};
    struct log_record record;

    made->history = (struct history){0};
    for (size_t i = 0; i < made->count; i++) {
        for (size_t l = 0; l < made->logs[i].count; l++) {
            struct line_place place = {.source = (uint32_t)i, .number = (uint32_t)l + 1};
            assert_int_equal(log_line_read(&reader, text_of(made->logs[i].lines[l]), &record),
                             LOG_LINE_RECORD);
            history_add(&made->history, &record, place);
        }
    }
    log_line_reader_free(&reader);
    history_complete(&made->history);
}

static void forget(struct made_logs *made)
{
    judgement_free(&made->judgement);
    history_free(&made->history);
}

const struct judgement *made_judge(struct made_logs *made)
{
    forget(made);
    read_logs(made);
    judge(&made->history, &made->judgement);
    return &made->judgement;
}

static void show(const struct made_logs *made)
{
    for (enum guarantee g = made->judgement.first; g < made->judgement.end; g++) {
        const struct verdict *verdict = &made->judgement.verdicts[g];
        print_error("%s: outcome %d, %.*s; %.*s\n", guarantee_name(g), (int)verdict->outcome,
                    (int)verdict->finding.length, verdict->finding.bytes, (int)verdict->story.length,
                    verdict->story.length > 0 ? verdict->story.bytes : "");
    }
    for (size_t i = 0; i < made->history.problem_count; i++) {
        print_error("%s\n", made->history.problems[i].text);
    }
}

void made_expect(struct made_logs *made, enum guarantee guarantee, enum outcome outcome)
{
    const struct verdict *verdict = &made_judge(made)->verdicts[guarantee];

    if (verdict->outcome != outcome) {
        show(made);
    }
    assert_int_equal(verdict->outcome, outcome);
    assert_true(outcome != OUTCOME_VIOLATED || verdict->evidence_count > 0);
}

void made_expect_violated(struct made_logs *made, enum guarantee guarantee, const char *words)
{
    made_expect(made, guarantee, OUTCOME_VIOLATED);
    const struct buffer *story = &made->judgement.verdicts[guarantee].story;
    if (memmem(story->bytes, story->length, words, strlen(words)) == NULL) {
        show(made);
        fail_msg("the story lacks: %s", words);
    }
}

void made_expect_all(struct made_logs *made, enum outcome outcome)
{
    const struct judgement *judgement = made_judge(made);
    enum guarantee end = judgement->end;

    for (enum guarantee g = judgement->first; g < end; g++) {
        made_expect(made, g, outcome);
    }
}

void made_end(struct made_logs *made)
{
    forget(made);
    for (size_t i = 0; i < made->count; i++) {
        for (size_t l = 0; l < made->logs[i].count; l++) {
            free(made->logs[i].lines[l]);
        }
        free(made->logs[i].lines);
    }
}
