/* Names and commands of a history, in words, added to what is being told. */
#ifndef ORDEM_TELL_H
#define ORDEM_TELL_H

#include "common/buffer.h"
#include "common/lab/history.h"

#include <stdint.h>

void tell_process(struct buffer *story, const struct history *history, uint32_t process);

/* "SET x="1"", "GET x", "PRINT"; a long value is cut. */
void tell_command(struct buffer *story, const struct history *history, uint32_t command);

/* A value as JSON text, cut where it is long. */
void tell_value(struct buffer *story, const struct history *history, uint32_t value);

/* Of a line of the lab whom it concerns, of one that installs a state whose that was; nothing of any other line. */
void tell_intervention(struct buffer *story, const struct history *history, uint32_t event);

#endif
