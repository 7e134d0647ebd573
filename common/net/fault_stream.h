/* The bad network on streams, which keep their order: a part of fault_link.c, and nobody else's business. */
#ifndef ORDEM_FAULT_STREAM_H
#define ORDEM_FAULT_STREAM_H

#include "common/net/fault_link.h"

#define FAULT_STREAM_NAME_MAX 64 /* bytes of a sender's name by which its stream is known */

/* A message arrived on the stream from `sender`: hands it on at once, or when the stream goes on. */
void fault_stream_receive(struct fault_link *link, struct text sender, struct message *message,
                          struct receipt receipt);

/* Hands on what is due by now, on every stream that is not cut off. */
void fault_stream_release(struct fault_link *link);

/* Forgets what is under way. */
void fault_stream_drop_all(struct fault_link *link);

#endif
