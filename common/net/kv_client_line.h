/* What the client's prompt sends and shows, as text. Pure. */
#ifndef ORDEM_KV_CLIENT_LINE_H
#define ORDEM_KV_CLIENT_LINE_H

#include "common/buffer.h"
#include "common/command.h"
#include "common/json.h"
#include "common/text.h"
#include "common/uuid.h"

#include <stdbool.h>

/* The method that carries out a SET, GET or PRINT, static. */
const char *kv_client_method(enum command_verb verb);

/* Adds the request for a SET, GET or PRINT; a value that was typed is text. */
void kv_client_request(struct buffer *out, const struct command *command, const struct uuid *uuid, bool wait);

/* Adds a server's reply as one line, its line break included: exactly as it came, or, if it holds characters that a
 * terminal would obey, written anew; an error line if it is no JSON object. `object` is for reading it. Returns whether
 * its status is "ok". */
bool kv_client_reply(struct buffer *out, struct text reply, struct json_object *object);

/* Adds the line for what no server answered: {"status":"error","message":"…","node":null}. */
void kv_client_error(struct buffer *out, const char *message);

#endif
