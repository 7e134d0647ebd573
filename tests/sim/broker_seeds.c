#include "tests/sim/broker_seeds.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

struct seeds seeds_of(unsigned count)
{
    const char *alone = getenv("SIM_SEED");
    struct seeds seeds = {.count = count};

    /* A sequencer's memory of commands is large and hardly used in a short run: from the kernel it comes zeroed as far
     * as it is touched; from the heap, where glibc would soon put it, all of it would be zeroed for every run. */
    mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
    if (alone != NULL) {
        seeds.one_alone = true;
        seeds.count = 1;
        seeds.seed = strtoull(alone, NULL, 10);
    }
    seeds.seed--; /* seeds_next begins with adding one */
    return seeds;
}

struct seeds seeds_of_bad(unsigned most)
{
    struct seeds seeds = seeds_of(most);

    seeds.until_found = true;
    return seeds;
}

bool seeds_next(struct seeds *seeds)
{
    seeds->seed++;
    return seeds->done < seeds->count && !(seeds->until_found && seeds->failed > 0);
}

void seeds_note(struct seeds *seeds, const struct finding *finding)
{
    seeds->done++;
    if (finding_exists(finding)) {
        if (seeds->failed++ == 0) {
            seeds->first_seed = seeds->seed;
            seeds->first = *finding;
        }
    }
}

void seeds_expect_none(const struct seeds *seeds)
{
    if (seeds->failed > 0) {
        print_error("%u of %u seeds failed; seed %llu: %s\nrun it again with: SIM_SEED=%llu SIM_SHOW=1 %s\n",
                    seeds->failed, seeds->done, (unsigned long long)seeds->first_seed, seeds->first.text,
                    (unsigned long long)seeds->first_seed, program_invocation_name);
        fail();
    }
}

void seeds_expect_some(const struct seeds *seeds, const char *variant)
{
    if (seeds->failed > 0) {
        print_message("# %s: caught under seed %llu: %s\n", variant, (unsigned long long)seeds->first_seed,
                      seeds->first.text);
    } else {
        print_message("# %s: not caught under %u seeds\n", variant, seeds->done);
    }
    if (!seeds->one_alone) {
        assert_int_not_equal(seeds->failed, 0);
    }
}

void seeds_show(const char *format, ...)
{
    static int shown = -1;
    va_list arguments;

    if (shown < 0) {
        shown = getenv("SIM_SHOW") != NULL;
    }
    if (shown == 0) {
        return;
    }
    fputs("  ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
