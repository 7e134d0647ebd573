/* What only logs of the chat tell: messages with their logical times, and who took writes from when on. */
#include "common/lab/history_parts.h"
#include "common/memory.h"

#define CHAT "parte5"

bool history_is_chat(const struct history *history)
{
    uint32_t part = names_find(&history->texts, text_of(CHAT));

    for (size_t p = 0; part != NAMES_NONE && p < history->process_count; p++) {
        if (history->processes[p].part == part) {
            return true;
        }
    }
    return false;
}

void history_add_talk(struct history *history, const struct log_record *record, uint32_t event)
{
    history->talk =
        memory_grow(history->talk, &history->talk_capacity, history->talk_count + 1, sizeof *history->talk);
    history->talk[history->talk_count++] =
        (struct talk_record){.event = event,
                             .message = names_number(&history->messages, record->message_id),
                             .service = record->service.bytes != NULL
                                            ? names_number(&history->texts, record->service)
                                            : NAMES_NONE,
                             .clock = record->clock};
}

/* Who is about to take over does not lead yet. */
void history_add_reign(struct history *history, const struct log_record *record, uint32_t event)
{
    if (text_equal(record->state, text_of("leads"))) {
        history->reigns = memory_grow(history->reigns, &history->reign_capacity, history->reign_count + 1,
                                      sizeof *history->reigns);
        history->reigns[history->reign_count++] = (struct reign_record){event};
    }
}

/* What a coordinator measures on the way, and what a server says as it leaves, proves nothing. */
void history_add_clock(struct history *history, const struct log_record *record, uint32_t event)
{
    bool is_round = text_equal(record->state, text_of("round")) && record->bound_ms != LOG_RECORD_NO_NUMBER;
    bool is_corrected =
        text_equal(record->state, text_of("corrected")) && record->after_ms != LOG_RECORD_NO_NUMBER;

    if (record->epoch == LOG_RECORD_NO_NUMBER || (!is_round && !is_corrected)) {
        return;
    }
    history->clocks = memory_grow(history->clocks, &history->clock_capacity, history->clock_count + 1,
                                  sizeof *history->clocks);
    history->clocks[history->clock_count++] =
        (struct clock_record){.event = event,
                              .round = record->round,
                              .skew_ms = record->skew_ms,
                              .bound_ms = is_round ? record->bound_ms : LOG_RECORD_NO_NUMBER,
                              .after_ms = record->after_ms};
}
