/* Any bytes as a log: read, judged, told and drawn. Nothing may crash, and what holds may not both hold and be proven
 * broken. */
#include "common/lab/judge.h"
#include "common/lab/log_record.h"
#include "common/lab/report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Who tells it quotes lines: here there are none. */
static void tell(const struct history *history, const struct judgement *judgement)
{
    static FILE *nowhere;
    static struct log_source nothing;
    struct log_sources sources = {&nothing, 1, 1};
    struct report report = {history, judgement, &sources};
    struct error error;

    if (nowhere == NULL) {
        nowhere = fopen("/dev/null", "we");
        nothing = (struct log_source){"a file", open("/dev/null", O_RDONLY | O_CLOEXEC)};
    }
    report_text(&report, nowhere, true);
    if (report_json(&report, nowhere) != 0 || report_shiviz(&report, "/dev/null", &error) != 0) {
        abort();
    }
}

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
    for (enum guarantee g = judgement.first; g < judgement.end; g++) {
        const struct verdict *verdict = &judgement.verdicts[g];
        if ((verdict->outcome == OUTCOME_VIOLATED) != (verdict->count > 0) ||
            (verdict->outcome == OUTCOME_VIOLATED && verdict->evidence_count == 0)) {
            abort();
        }
    }
    tell(&history, &judgement);
    judgement_free(&judgement);
    history_free(&history);
    return 0;
}
