#include "common/lab/workload.h"

#include "common/random.h"

#include <stdio.h>

void workload_init(struct workload *workload, unsigned writers, unsigned operations, unsigned keys,
                   uint64_t seed)
{
    *workload = (struct workload){
        .writers = writers, .operations = operations, .keys = keys, .reads = WORKLOAD_READS, .seed = seed};
}

unsigned workload_share(const struct workload *workload, unsigned writer)
{
    return workload->operations / workload->writers + (writer < workload->operations % workload->writers);
}

/* The last three digits of a number, read backwards: below 100 for those that end in 0, one of ten; below 200 for those
 * and as many others. A command that is a GET under one share of reads is a GET under every larger one, too. */
static unsigned backwards(uint64_t number)
{
    return (unsigned)(number % 10 * 100 + number / 10 % 10 * 10 + number / 100 % 10);
}

struct workload_command workload_command(const struct workload *workload, unsigned writer, unsigned number)
{
    /* Of its own for each command, so that it does not matter in which order the writers' commands are asked for. */
    struct random random = {random_mix(workload->seed, ((uint64_t)writer << 32) | number)};
    struct workload_command command;

    snprintf(command.key, sizeof command.key, "k%u", 1 + (unsigned)random_below(&random, workload->keys));
    command.is_set = backwards(random_next(&random)) >= workload->reads;
    snprintf(command.value, sizeof command.value, "n%u-%u", writer + 1, number);
    return command;
}

void workload_line(const struct workload *workload, unsigned writer, unsigned number, struct buffer *out)
{
    struct workload_command command = workload_command(workload, writer, number);

    if (command.is_set) {
        buffer_add_format(out, "SET %s %s\n", command.key, command.value);
    } else {
        buffer_add_format(out, "GET %s\n", command.key);
    }
}
