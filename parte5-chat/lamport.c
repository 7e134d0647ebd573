/* The question: without a common clock, which message may have caused which?
 *
 * The rule: a process counts its clock up before each message that it sends, and puts it on the message; one that
 * comes puts the receiver's clock forward to its own time, never back (Lamport 1978, IR1 and IR2).
 *
 * Which variant: Lamport counts every event, and puts the clock of a receiver *beyond* what the message bears. Here
 * only sending counts, and the clock becomes the greater of the two. Along any chain of messages the times still grow:
 * what is sent after a receipt was counted up from no less than what came. The receipt itself is logged with the time
 * that a message sent at once would bear, so that in every log send < receive, and no time is below an earlier one of
 * the same process.
 *
 * It guarantees: if message a may have caused message b, then the time of a is below that of b.
 *
 * It does not guarantee the reverse: of two times the smaller one need not have come first. And the times of different
 * processes may be equal; who needs a total order adds the process's name.
 *
 * To break it: in lamport_receive, leave the clock alone. An answer may then bear a smaller time than its question. */
#include "parte5-chat/lamport.h"

#include <stddef.h>

int64_t lamport_send(struct lamport *clock)
{
    return ++clock->time;
}

static void put_forward(struct lamport *clock, int64_t received, int64_t *when)
{
    clock->time = received > clock->time ? received : clock->time;
    if (when != NULL) {
        *when = clock->time + 1;
    }
}

/* By such jumps, one message each, nobody reaches the end of 63 bits in a day's work, and we never overflow. */
static bool is_near(const struct lamport *clock, int64_t received)
{
    return received >= 0 && received - clock->time <= LAMPORT_JUMP_MAX &&
           received <= INT64_MAX - LAMPORT_JUMP_MAX;
}

bool lamport_receive(struct lamport *clock, int64_t received, int64_t *when)
{
    if (!is_near(clock, received)) {
        return false;
    }
    put_forward(clock, received, when);
    return true;
}

void lamport_follow(struct lamport *clock, int64_t received, int64_t *when)
{
    bool far = received > LAMPORT_FAR && !is_near(clock, received);

    put_forward(clock, far ? LAMPORT_FAR : received, when);
}
