#include "common/lab/workload.h"

#include "common/random.h"

void workload_init(struct workload *workload, unsigned writers, unsigned operations, unsigned keys,
                   uint64_t seed)
{
    *workload = (struct workload){.writers = writers, .operations = operations, .keys = keys, .seed = seed};
}

unsigned workload_share(const struct workload *workload, unsigned writer)
{
    return workload->operations / workload->writers + (writer < workload->operations % workload->writers);
}

void workload_line(const struct workload *workload, unsigned writer, unsigned number, struct buffer *out)
{
    /* Of its own for each line, so that it does not matter in which order the writers' lines are asked for. */
    struct random random = {random_mix(workload->seed, ((uint64_t)writer << 32) | number)};
    unsigned key = 1 + (unsigned)random_below(&random, workload->keys);

    if (random_below(&random, 10) == 0) {
        buffer_add_format(out, "GET k%u\n", key);
    } else {
        buffer_add_format(out, "SET k%u n%u-%u\n", key, writer + 1, number);
    }
}
