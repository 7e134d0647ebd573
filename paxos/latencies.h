/* How long many things took, in bins that are at most 1/32 of their time wide: percentiles in constant memory. Pure. */
#ifndef ORDEM_PAXOS_LATENCIES_H
#define ORDEM_PAXOS_LATENCIES_H

#include <stdint.h>

#define LATENCY_STEPS 32 /* to each doubling of the time */
#define LATENCY_BINS                                                                                         \
    (LATENCY_STEPS + LATENCY_STEPS * 32) /* from 0 to about an hour and a half, in microseconds */

/* Zeroed to start with. */
struct latencies {
    uint64_t count;
    uint32_t bins[LATENCY_BINS];
};

void latencies_add(struct latencies *latencies, uint64_t us);

/* The time in which `percent` of them were done, to within its bin; 0 if there are none. */
uint64_t latencies_percentile(const struct latencies *latencies, unsigned percent);

#endif
