/* Any bytes as a log: read, judged, told. Nothing may crash, and what holds may not both hold and be proven broken. */
#include "common/lab/judge.h"
#include "common/lab/log_record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_line_reader reader = {0};
    struct history history = {0};
    struct judgement judgement;
    struct line_place place = {0};
    const char *line = (const char *)data;
    const char *end = line + size;

    while (line < end) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        struct text text = {line, (size_t)((line_end != NULL ? line_end : end) - line)};
        struct log_record record;
        place.number++;
        if (log_line_read(&reader, text, &record) == LOG_LINE_RECORD) {
            history_add(&history, &record, place);
        }
        line = text.bytes + text.length + 1;
    }
    log_line_reader_free(&reader);
    history_complete(&history);
    judge(&history, &judgement);
    for (enum guarantee g = 0; g < GUARANTEE_COUNT; g++) {
        const struct verdict *verdict = &judgement.verdicts[g];
        if ((verdict->outcome == OUTCOME_VIOLATED) != (verdict->count > 0) ||
            (verdict->outcome == OUTCOME_VIOLATED && verdict->evidence_count == 0)) {
            abort();
        }
    }
    judgement_free(&judgement);
    history_free(&history);
    return 0;
}
