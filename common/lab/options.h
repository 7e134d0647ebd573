/* The command line of `lab`. */
#ifndef ORDEM_OPTIONS_H
#define ORDEM_OPTIONS_H

#include "common/error.h"
#include "common/lab/run.h"

#include <stdbool.h>
#include <stdio.h>

enum lab_command { LAB_HELP, LAB_RUN, LAB_COMPARE, LAB_DEMO, LAB_BROKER, LAB_REPORT };

struct lab_options {
    enum lab_command command;
    bool json;
    const char *shiviz;     /* a path, or NULL */
    struct run_options run; /* run and demo */
    const char *again;      /* run: the folder of the run to repeat, or NULL */
    unsigned seeds;         /* demo: so many runs of each part on a bad network; 0: as many as it likes */
    bool quick;             /* demo: in less time */
    bool restarts;          /* --restart-after was given */
    uint32_t restart_after_ms;
    uint32_t for_ms;  /* --for; 0: it was not given */
    struct pace pace; /* not 0 where it was given */
    char **files;     /* compare and report: what is left of the command line */
    int file_count;
};

/* Reads the command line. Errors: ERROR_CONFIG, naming the option, what it held and what is allowed. */
int lab_options_read(struct lab_options *options, int argc, char **argv, struct error *error);

void lab_usage(FILE *out);

#endif
