#include "paxos/latencies.h"

#include <stddef.h>

/* Below LATENCY_STEPS a bin is a microsecond; above, the five bits behind the highest one choose it. */
static size_t bin_of(uint64_t us)
{
    unsigned shift = 0;

    while (us >> shift >= (uint64_t)2 * LATENCY_STEPS) {
        shift++;
    }
    size_t bin = us < LATENCY_STEPS ? us : (size_t)shift * LATENCY_STEPS + (us >> shift);
    return bin < LATENCY_BINS ? bin : LATENCY_BINS - 1;
}

/* The first microsecond of a bin. */
static uint64_t start_of(size_t bin)
{
    if (bin < (size_t)2 * LATENCY_STEPS) {
        return bin;
    }
    unsigned shift = (unsigned)(bin / LATENCY_STEPS - 1);
    return (uint64_t)(bin % LATENCY_STEPS + LATENCY_STEPS) << shift;
}

void latencies_add(struct latencies *latencies, uint64_t us)
{
    latencies->bins[bin_of(us)]++;
    latencies->count++;
}

uint64_t latencies_percentile(const struct latencies *latencies, unsigned percent)
{
    uint64_t sought = (latencies->count * percent + 99) / 100;
    uint64_t sum = 0;

    for (size_t bin = 0; bin < LATENCY_BINS && latencies->count > 0; bin++) {
        sum += latencies->bins[bin];
        if (sum >= sought) {
            return start_of(bin);
        }
    }
    return 0;
}
