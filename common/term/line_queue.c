#include "common/term/line_queue.h"

#include <string.h>

#define DONE_MAX (1024 * 1024) /* bytes of lines that are done and still stored */

enum { WAITING_LINE = 'L', WAITING_REFUSAL = 'R' };

void line_queue_add(struct line_queue *queue, struct text line)
{
    buffer_add_char(&queue->lines, WAITING_LINE);
    buffer_add(&queue->lines, line.bytes, line.length);
    buffer_add_char(&queue->lines, '\n');
}

void line_queue_add_refusal(struct line_queue *queue)
{
    buffer_add(&queue->lines, (char[]){WAITING_REFUSAL, '\n'}, 2);
}

bool line_queue_is_empty(const struct line_queue *queue)
{
    return queue->done == queue->lines.length;
}

/* Throws away what is done, now and then: an endless pipe costs only what waits in it. */
static void forget_done(struct line_queue *queue)
{
    struct buffer *lines = &queue->lines;

    if (line_queue_is_empty(queue)) {
        buffer_clear(lines);
        queue->done = 0;
    } else if (queue->done > DONE_MAX && queue->done > lines->length / 2) {
        lines->length -= queue->done;
        memmove(lines->bytes, lines->bytes + queue->done, lines->length);
        queue->done = 0;
    }
}

bool line_queue_take(struct line_queue *queue, struct text *line)
{
    forget_done(queue);
    const char *start = queue->lines.bytes + queue->done;
    const char *end = memchr(start, '\n', queue->lines.length - queue->done);
    *line = (struct text){start + 1, (size_t)(end - start) - 1};
    queue->done += line->length + 2;
    return *start == WAITING_LINE;
}

void line_queue_free(struct line_queue *queue)
{
    buffer_free(&queue->lines);
    *queue = (struct line_queue){0};
}
