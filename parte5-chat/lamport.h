/* Logical time; see lamport.c. */
#ifndef ORDEM_LAMPORT_H
#define ORDEM_LAMPORT_H

#include <stdbool.h>
#include <stdint.h>

#define LAMPORT_JUMP_MAX                                                                                     \
    ((int64_t)1 << 40) /* farther ahead of its receiver is no clock, but a mistake or an attack */

/* Zeroed to start with. */
struct lamport {
    int64_t time; /* of the newest message that was sent, or heard of; 0 before the first */
};

/* A message is about to be sent: the time to put on it. */
int64_t lamport_send(struct lamport *clock);

/* A message came that bears `received`. False if that is no clock value: then nothing changed, and the message must be
 * discarded. `*when` (which may be NULL) is the time of the receipt, for the log. */
bool lamport_receive(struct lamport *clock, int64_t received, int64_t *when);

#endif
