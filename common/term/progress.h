/* A progress bar on a terminal (standard error), and nothing at all anywhere else. */
#ifndef ORDEM_PROGRESS_H
#define ORDEM_PROGRESS_H

#include <stdbool.h>

struct progress {
    bool shown; /* standard error is a terminal */
};

void progress_init(struct progress *progress);

/* Draws `done` of `total` behind `what`, over what was drawn before. */
void progress_draw(const struct progress *progress, const char *what, unsigned done, unsigned total);

/* Takes the bar away. */
void progress_clear(const struct progress *progress);

#endif
