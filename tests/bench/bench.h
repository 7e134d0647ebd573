/* What the programs of the benchmark share: how an end is marked on the wire, and how they give up.
 *
 * None of them ever uses an interface other than lo, and so no datagram of a benchmark leaves the machine. */
#ifndef ORDEM_BENCH_H
#define ORDEM_BENCH_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BENCH_INTERFACE "lo"

/* How each datagram of a blaster starts whose key marks the end of its sender; the sender's id follows. */
#define BENCH_END_KEY "end-"
#define BENCH_END     "{\"command_type\":\"SET\",\"key\":\"" BENCH_END_KEY

/* Ends the program with a sentence and the reason that the system gives. */
__attribute__((noreturn)) static inline void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* An argument that is a whole number from 0 to `limit`. */
static inline unsigned long number_of(const char *text, unsigned long limit)
{
    char *end;

    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number > limit) {
        fprintf(stderr, "%s: a whole number from 0 to %lu is allowed\n", text, limit);
        exit(2);
    }
    return number;
}

/* Tells the harness something, at once: it waits for the line. */
static inline void tell_now(void)
{
    if (putchar('\n') == EOF || fflush(stdout) != 0) {
        die("standard output");
    }
}

#endif
