/* Logical time; see lamport.c. */
#ifndef ORDEM_LAMPORT_H
#define ORDEM_LAMPORT_H

#include <stdbool.h>
#include <stdint.h>

#define LAMPORT_JUMP_MAX (INT64_C(1) << 30) /* farther ahead of us is no client, but a mistake or an attack */
#define LAMPORT_FAR      (INT64_C(1) << 62) /* no clock gets there by counting */

/* Zeroed to start with. */
struct lamport {
    int64_t time; /* of the newest message that was sent, or heard of; 0 before the first */
};

/* A message is about to be sent: the time to put on it. */
int64_t lamport_send(struct lamport *clock);

/* A message came that bears `received`. False if that is no clock value: then nothing changed, and the message must be
 * discarded. `*when` (which may be NULL) is the time of the receipt, for the log. */
bool lamport_receive(struct lamport *clock, int64_t received, int64_t *when);

/* The same, from whom we believe: who has just started cannot know how far the others' clocks are. Nothing is refused;
 * what no clock can bear counts as LAMPORT_FAR. */
void lamport_follow(struct lamport *clock, int64_t received, int64_t *when);

#endif
