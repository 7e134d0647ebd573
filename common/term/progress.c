#include "common/term/progress.h"

#include "common/text.h"

#include <stdio.h>
#include <unistd.h>

#define WHAT_WIDTH 24
#define CELLS      30

void progress_init(struct progress *progress)
{
    progress->shown = isatty(STDERR_FILENO) != 0;
}

void progress_draw(const struct progress *progress, const char *what, unsigned done, unsigned total)
{
    unsigned filled = total > 0 ? (unsigned)((unsigned long)done * CELLS / total) : 0;

    if (!progress->shown) {
        return;
    }
    size_t width = text_width(text_of(what));
    fprintf(stderr, "\r\x1b[K  %s%*s ", what, width < WHAT_WIDTH ? (int)(WHAT_WIDTH - width) : 0, "");
    for (unsigned i = 0; i < CELLS; i++) {
        fputs(i < filled ? "█" : "░", stderr);
    }
    fprintf(stderr, " %u/%u", done, total);
    fflush(stderr);
}

void progress_clear(const struct progress *progress)
{
    if (progress->shown) {
        fputs("\r\x1b[K", stderr);
        fflush(stderr);
    }
}
