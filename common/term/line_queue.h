/* Lines that were typed and wait to be carried out, one after the other. Pure. */
#ifndef ORDEM_LINE_QUEUE_H
#define ORDEM_LINE_QUEUE_H

#include "common/buffer.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Zeroed to start with. */
struct line_queue {
    struct buffer lines; /* each behind a byte that tells whether it is one, or was too long to be taken */
    size_t done;         /* bytes of those that were carried out */
};

/* One more; it holds no line break. */
void line_queue_add(struct line_queue *queue, struct text line);

/* In its place among the others: a line that was too long. */
void line_queue_add_refusal(struct line_queue *queue);

bool line_queue_is_empty(const struct line_queue *queue);

/* Takes the next one; there is one. True with the line, valid until the next call; false for one that was too long. */
bool line_queue_take(struct line_queue *queue, struct text *line);

void line_queue_free(struct line_queue *queue);

#endif
