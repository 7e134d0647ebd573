/* The reference server's disk: ranks.txt, a name on each line, in the order of their ranks. */
#ifndef ORDEM_REFERENCE_RECORD_H
#define ORDEM_REFERENCE_RECORD_H

#include "parte5-chat/reference.h"

#include <stdbool.h>
#include <sys/types.h>

#define REFERENCE_RECORD_PATH_MAX 512

struct reference_record {
    char path[REFERENCE_RECORD_PATH_MAX];
    int descriptor;
    off_t length; /* so far it holds whole lines, on the disk */
    bool lost;    /* nobody knows what is behind them */
};

/* Opens the record in that folder, and gives the ranks to `rule`, which has none yet. A line that a crash cut is no name
 * that anybody was told the rank of: it goes. ERROR_FILE, and what reference_rank says; then the file is as it was. */
int reference_record_open(struct reference_record *record, const char *folder, struct reference *rule,
                          struct error *error);

/* Puts a name on the disk. ERROR_FILE: it is not there, and nobody may be told its rank. */
int reference_record_add(struct reference_record *record, struct text name, struct error *error);

void reference_record_close(struct reference_record *record);

#endif
