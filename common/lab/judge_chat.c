#include "common/lab/judge_chat.h"

#include <stdlib.h>

void chat_conclude(struct verdict *verdict, uint64_t violations)
{
    verdict->count = violations;
    verdict->outcome = violations > 0 ? OUTCOME_VIOLATED : OUTCOME_HOLDS;
}

const struct operation *chat_acknowledged(const struct chat_judging *chat, uint32_t command)
{
    const struct command_record *record = &chat->history->commands[command];
    const struct operation *operation = history_operation_of(chat->history, command);
    bool is_write = !text_equal(names_text(&chat->history->texts, record->type_name), text_of("history"));

    return operation != NULL && is_write && operation->status == OPERATION_OK ? operation : NULL;
}

/* Nobody can say what servers did whose logs leave it out. */
static void tell_nothing(struct chat_judging *chat)
{
    for (enum guarantee g = GUARANTEE_STORE_END; g < GUARANTEE_COUNT; g++) {
        struct verdict *verdict = chat_verdict(chat, g);
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_string(&verdict->finding,
                          _("no server's log tells of what it did: LOG_LEVEL=debug makes them"));
    }
}

void judge_chat(struct judging *judging)
{
    struct chat_judging chat = {.judging = judging, .history = judging->history};

    chat_states_fill(&chat);
    if (chat.told) {
        chat_judge_kept(&chat);
        chat_judge_equal(&chat);
        chat_judge_once(&chat);
        chat_judge_in_order(&chat);
        chat_judge_one_leads(&chat);
        chat_judge_lamport(&chat);
        chat_judge_clocks(&chat);
        chat_compare_last_words(&chat);
    } else {
        tell_nothing(&chat);
    }
    chat_states_free(&chat);
}
