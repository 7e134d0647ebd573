/* The text form of a log's line, as the screen shows it, turned into JSON:
 *
 *     2026-11-21T09:30:00.123456Z [INFO]    [node=node1] deliver    command_type=SET key=x value="1" … */
#ifndef ORDEM_LOG_TEXT_LINE_H
#define ORDEM_LOG_TEXT_LINE_H

#include "common/buffer.h"
#include "common/text.h"

#include <stdbool.h>

/* Where such a line starts within `line`: at a time that "[LEVEL] [node=" follows. NULL if there is none. */
const char *log_text_line_start(struct text line);

/* Puts the JSON object into `json`, in place of what it held; `line` starts at the time. False if it is cut. */
bool log_text_line_convert(struct buffer *json, struct text line);

#endif
