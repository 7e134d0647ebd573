/* What the files of the store share; see store.h. Besides them only reign.c includes this. */
#ifndef ORDEM_CHAT_STORE_PARTS_H
#define ORDEM_CHAT_STORE_PARTS_H

#include "parte5-chat/store.h"

/* store_load.c: applies what is in the files to `chat`, and brings them to where that ends. */
int store_load(struct store *store, struct chat *chat, struct error *error);

/* store_epoch.c: the promise, from the disk and to it, in one piece. */
int store_read_epoch(struct store *store, struct error *error);
int store_write_epoch(struct store *store, struct error *error);

/* store.c: what all need. */
unsigned store_file_of(enum change_type type);
int store_open_file(const struct store *store, const char *name, int flags, struct error *error);
int store_write_all(int descriptor, struct text bytes); /* returns 0 or an errno */
int store_flush_folder(const struct store *store, struct error *error);

/* Says that this failed, and why; returns ERROR_FULL if there is no room, else ERROR_FILE. */
int store_refuse(const struct store *store, const char *name, int reason, struct error *error);

#endif
