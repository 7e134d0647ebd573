/* What processes of the chat say and hear, and what servers do with changes, as events of the log: of level debug, one by
 * one. `lab` judges by them.
 *
 *     send, receive   with `message_id`: a message went out, or came in; `clock` is Lamport's, after that, and `bytes`
 *                     are as many as it has. The id is a digest of these (of its request id, and nothing of the bytes,
 *                     where there is a password among them): both ends have the same
 *     send            with `message_uuid`, the request id: the primary gave a change its place (seq, epoch)
 *     deliver         likewise: it is part of this server's state now, and on the disk before anybody hears of it
 *     reply           its client is told OK
 *
 * What goes to and fro while nothing happens (heartbeats, pings and what acknowledges them) is left out: a chat in which
 * nothing happens logs nothing. */
#ifndef ORDEM_CHAT_TRACE_H
#define ORDEM_CHAT_TRACE_H

#include "common/log.h"
#include "parte5-chat/chat_message.h"

#include <stdint.h>

/* `bytes` are the message as it is sent, or as it came. */
void trace_said(struct log *log, const struct chat_message *message, struct text bytes);
void trace_heard(struct log *log, const struct chat_message *message, struct text bytes, int64_t clock);

void trace_taken(struct log *log, const struct change *change);

/* `ordem_local` counts what clients asked for; of what nobody asked for (CHANGE_REIGN) only the place is told. */
void trace_recorded(struct log *log, const struct change *change, uint64_t ordem_local);

/* In the reign `epoch`. */
void trace_answered(struct log *log, const struct change *change, int64_t epoch);

#endif
