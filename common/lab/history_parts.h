/* What the parts of the history share; nobody else includes it. */
#ifndef ORDEM_HISTORY_PARTS_H
#define ORDEM_HISTORY_PARTS_H

#include "common/lab/history.h"

/* EVENT_KIND_COUNT for a line that no verdict needs, and no drawing. */
enum event_kind history_kind_of(const struct log_record *record);

bool history_is_about_command(enum event_kind kind);

/* Is that a line of such a process? Its first line says what a process is; what another kind of process would say is
 * not believed. */
bool history_fits_role(struct process *process, enum event_kind kind);

/* A client asks; a client is answered. `event` is the line's. */
void history_add_invocation(struct history *history, uint32_t command, uint32_t event);
void history_add_completion(struct history *history, const struct log_record *record, uint32_t command,
                            uint32_t event);

/* ---- history_chat.c ---- */

void history_add_talk(struct history *history, const struct log_record *record, uint32_t event);
void history_add_clock(struct history *history, const struct log_record *record, uint32_t event);
void history_add_reign(struct history *history, const struct log_record *record, uint32_t event);

/* A node counts its deliveries 1, 2, 3 …: lines that are gone leave a gap. */
void history_check_ordem_local(struct history *history, struct process *process, int64_t ordem_local,
                               struct line_place place);

/* The same at its end. */
void history_check_end(struct history *history, const struct process *process, int64_t ordem_local,
                       struct line_place place);

/* Logs that lack their beginning, lines that were cut where nobody was killed, clients in several files. */
void history_check_whole(struct history *history);

/* Fills in `incarnations`, and whom the lab killed. */
void history_tell_incarnations(struct history *history);

#endif
