/* The records of an acceptor as rows of SQLite: a part of acceptor_log.c, and nobody else's business. */
#ifndef ORDEM_PAXOS_ACCEPTOR_ROWS_H
#define ORDEM_PAXOS_ACCEPTOR_ROWS_H

#include "paxos/acceptor_log.h"

int acceptor_rows_open(struct acceptor_log *log, const char *folder, uint32_t id, struct error *error);
void acceptor_rows_make_room(struct acceptor_log *log);
int acceptor_rows_read(struct acceptor_log *log,
                       void (*take)(struct acceptor_log *, const struct paxos_record *), struct error *error);

/* Writes the batch in one transaction: all of it, or nothing, and log->error says why. */
void acceptor_rows_write(struct acceptor_log *log);

/* What SQLite says is wrong, while doing that; a statement. Both for these files only. */
int acceptor_rows_refuse(const struct acceptor_log *log, const char *doing, struct error *error);
int acceptor_rows_prepare(struct acceptor_log *log, const char *sql, struct sqlite3_stmt **statement,
                          struct error *error);

void acceptor_rows_close(struct acceptor_log *log);

#endif
