/* Between messages and what the rules know: changes (change.h), notes (replication.h) and notices (coordination.h). */
#ifndef ORDEM_CHAT_MESSAGE_CHANGE_H
#define ORDEM_CHAT_MESSAGE_CHANGE_H

#include "parte5-chat/chat_message.h"
#include "parte5-chat/coordination.h"
#include "parte5-chat/replication.h"

/* ---- changes ---- */

/* The write that a client asks for. The texts stay the message's. What the server that takes it adds is not there yet:
 * timestamp and clock, and of CHANGE_REGISTER the body. False: this service asks for none. */
bool change_from_request(const struct chat_message *request, struct change *fields);

/* What subscribers hear of it, and on which topic; the texts stay the change's. False: nothing. */
bool publication_from_change(const struct change *change, struct chat_message *message, struct text *topic);

/* The changes of a history that fit an answer of at most `limit` bytes, in that encoding: how many of the newest. */
size_t history_that_fits(struct change *const *changes, size_t count, enum chat_encoding encoding,
                         size_t limit);

/* An item of the lists `messages` (history: as a publication says it) or `changes` (as the rules have it). The texts are
 * not copied. ERROR_FIELD_MISSING: a history has neither a channel nor a receiver for it. */
int change_from_item(const struct chat_message *item, bool history, struct change *fields,
                     struct error *error);
void item_from_change(const struct change *change, bool history, struct chat_message *item);

/* A change as one line of JSON, as files have it, without the line break; and back. `unpacked` is room that its texts point
 * into. Errors as chat_message_decode has them. */
void change_to_json(const struct change *change, struct buffer *out);
int change_from_json(struct text json, struct change *fields, struct buffer *unpacked, struct error *error);

/* ---- notes of the replication ---- */

/* `message` takes references to the note's changes; clock and timestamp are still to be set. */
void message_from_note(const struct replication_note *note, struct chat_message *message);

/* The note, which takes references to the message's changes, is the caller's to free (replication_note_free). False: the
 * message is none. */
bool note_from_message(const struct chat_message *message, struct replication_note *note);

/* ---- notices of the coordination ---- */

/* Those that go from server to server: NOTICE_ELECTION, NOTICE_ELECTION_OK (an answer), NOTICE_COORDINATOR. `self` is the
 * sender's name; the text is not copied. Returns the direction to encode it in. */
enum chat_direction message_from_notice(const struct notice *notice, struct text self,
                                        struct chat_message *message);

/* What a message tells the coordination: these, and the reference server's list. False: nothing; also where other authors
 * left out who speaks, which the rules must know. */
bool notice_from_message(const struct chat_message *message, enum chat_direction direction,
                         struct notice *notice);

#endif
