/* What each server of the chat has in the end, as its log tells it. */
#include "common/lab/judge_chat.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- one server ---- */

void chat_state_record(struct chat_server_state *state, const struct history *history, uint32_t event)
{
    uint32_t command = history->events[event].command;

    state->changes = memory_grow(state->changes, &state->capacity, state->count + 1, sizeof *state->changes);
    state->changes[state->count++] = event;
    state->last_of[command] = event;
}

/* What is beyond that place was not on its disk, or is not any more. */
void chat_state_fall_back(struct chat_server_state *state, const struct history *history, int64_t seq)
{
    size_t kept = 0;

    for (size_t i = 0; i < state->count; i++) {
        if (seq != LOG_RECORD_NO_NUMBER && history->events[state->changes[i]].seq <= seq) {
            state->changes[kept++] = state->changes[i];
        }
    }
    state->count = kept;
}

static void read_log(struct chat_server_state *state, const struct history *history)
{
    const struct process *process = &history->processes[state->process];

    for (size_t i = 0; i < process->event_count; i++) {
        uint32_t number = process->events[i];
        const struct event *event = &history->events[number];
        if (event->kind == EVENT_DELIVER) {
            chat_state_record(state, history, number);
        } else if (event->kind == EVENT_RECOVER) {
            chat_state_fall_back(state, history, event->seq);
        }
    }
}

/* ---- all of them ---- */

static bool is_server(const struct history *history, uint32_t process)
{
    struct text role = names_text(&history->texts, history->processes[process].role_name);

    return history->processes[process].role == ROLE_REPLICA && text_equal(role, text_of("server"));
}

static void add_state(struct chat_judging *chat, uint32_t process, bool correct)
{
    const struct history *history = chat->history;
    struct judgement *judgement = chat->judging->judgement;
    struct chat_server_state *state = &chat->servers[chat->server_count++];

    *state =
        (struct chat_server_state){.process = process,
                                   .correct = correct,
                                   .last_of = memory_new(history->command_count * sizeof *state->last_of),
                                   .has = memory_new_zeroed(history->command_count, sizeof *state->has)};
    memset(state->last_of, 0xFF, history->command_count * sizeof *state->last_of); /* HISTORY_NONE */
    if (chat->shared) {
        chat_volume_read(state, history);
    } else {
        read_log(state, history);
    }
    for (size_t i = 0; i < state->count; i++) {
        state->has[history->events[state->changes[i]].command] = true;
    }
    if (correct) {
        judgement->replicas[judgement->replica_count++] = process;
    }
}

static void add_server(struct chat_judging *chat, uint32_t process)
{
    const struct incarnation *last = history_last_incarnation(chat->history, process);
    bool whole = !chat->history->processes[process].cut;

    add_state(chat, process, last != NULL && !last->crashed && whole);
}

/* What a volume holds does not go with a server. */
static void add_volume(struct chat_judging *chat)
{
    const struct history *history = chat->history;
    const struct event *last = NULL;

    for (size_t i = 0; i < history->reign_count; i++) {
        const struct event *event = &history->events[history->reigns[i].event];
        last = last == NULL || event->epoch > last->epoch ? event : last;
    }
    if (last != NULL) {
        add_state(chat, last->process, true);
    }
}

void chat_states_fill(struct chat_judging *chat)
{
    const struct history *history = chat->history;
    struct judgement *judgement = chat->judging->judgement;

    chat->servers = memory_new_zeroed(history->process_count, sizeof *chat->servers);
    judgement->replicas = memory_new(history->process_count * sizeof *judgement->replicas);
    for (uint32_t p = 0; p < history->process_count; p++) {
        chat->shared |= is_server(history, p) && history->processes[p].shares;
        chat->told |= is_server(history, p) && history->processes[p].delivery_count > 0;
    }
    for (uint32_t p = 0; p < history->process_count && !chat->shared; p++) {
        if (is_server(history, p)) {
            add_server(chat, p);
        }
    }
    if (chat->shared) {
        add_volume(chat);
    }
}

void chat_states_free(struct chat_judging *chat)
{
    for (size_t i = 0; i < chat->server_count; i++) {
        free(chat->servers[i].changes);
        free(chat->servers[i].last_of);
        free(chat->servers[i].has);
    }
    free(chat->servers);
}

/* ---- last words ---- */

/* By text: the last delivery there of what is said in that channel, or to that user. Owned by the caller. */
static uint32_t *last_words(const struct chat_judging *chat, const struct chat_server_state *state)
{
    const struct history *history = chat->history;
    uint32_t *last = memory_new(history->texts.count * sizeof *last);

    memset(last, 0xFF, history->texts.count * sizeof *last); /* HISTORY_NONE */
    for (size_t i = 0; i < state->count; i++) {
        const struct command_record *command = &history->commands[history->events[state->changes[i]].command];
        if (command->key != NAMES_NONE && command->value != NAMES_NONE) {
            last[command->key] = state->changes[i];
        }
    }
    return last;
}

static void add_key(const struct history *history, struct judgement *judgement, uint32_t key,
                    uint32_t *const *by_replica)
{
    struct difference found = {key, memory_new(judgement->replica_count * sizeof *found.last_set)};
    bool differs = false;
    bool any = false;

    for (size_t r = 0; r < judgement->replica_count; r++) {
        uint32_t here = by_replica[r][key];
        uint32_t first = by_replica[0][key];
        found.last_set[r] = here;
        any |= here != HISTORY_NONE;
        differs |= (here == HISTORY_NONE) != (first == HISTORY_NONE) ||
                   (here != HISTORY_NONE && history->events[here].command != history->events[first].command);
    }
    if (!any) {
        free(found.last_set);
        return;
    }
    judgement->keys++;
    if (differs) {
        judgement->differences[judgement->difference_count++] = found;
    } else {
        judgement->agreements[judgement->agreement_count++] = found;
    }
}

static int compare_keys(const void *a, const void *b, void *texts)
{
    const struct difference *first = a;
    const struct difference *second = b;
    return text_compare(names_text(texts, first->key), names_text(texts, second->key));
}

void chat_compare_last_words(struct chat_judging *chat)
{
    struct judgement *judgement = chat->judging->judgement;
    const struct names *texts = &chat->history->texts;
    uint32_t **by_replica = memory_new_zeroed(judgement->replica_count + 1, sizeof *by_replica);
    size_t replica = 0;

    for (size_t i = 0; i < chat->server_count; i++) {
        if (chat->servers[i].correct) {
            by_replica[replica++] = last_words(chat, &chat->servers[i]);
        }
    }
    judgement->differences = memory_new(texts->count * sizeof *judgement->differences);
    judgement->agreements = memory_new(texts->count * sizeof *judgement->agreements);
    for (uint32_t key = 0; replica > 0 && key < texts->count; key++) {
        add_key(chat->history, judgement, key, by_replica);
    }
    qsort_r(judgement->differences, judgement->difference_count, sizeof *judgement->differences, compare_keys,
            (void *)texts);
    qsort_r(judgement->agreements, judgement->agreement_count, sizeof *judgement->agreements, compare_keys,
            (void *)texts);
    for (size_t i = 0; i < replica; i++) {
        free(by_replica[i]);
    }
    free(by_replica);
}
