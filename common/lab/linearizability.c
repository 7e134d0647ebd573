#include "common/lab/linearizability_parts.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- prefixes ---- */

struct judged {
    struct step *all; /* every operation, with its value renumbered; owned */
    size_t count;
    uint32_t values;
    bool *is_read;      /* by value: of the prefix; owned */
    struct steps steps; /* the prefix; owned */
};

static int compare_values(const void *a, const void *b)
{
    const uint32_t *first = a;
    const uint32_t *second = b;
    return *first < *second ? -1 : *first > *second;
}

/* Values from 1 on in the order of their numbers, and 0 for the initial one. */
static void renumber_values(struct judged *judged, uint32_t initial)
{
    uint32_t *values = memory_new(judged->count * sizeof *values);
    size_t different = 0;

    for (size_t i = 0; i < judged->count; i++) {
        values[i] = judged->all[i].value;
    }
    qsort(values, judged->count, sizeof *values, compare_values);
    for (size_t i = 0; i < judged->count; i++) {
        if (different == 0 || values[different - 1] != values[i]) {
            values[different++] = values[i];
        }
    }
    for (size_t i = 0; i < judged->count; i++) {
        uint32_t *value = &judged->all[i].value;
        const uint32_t *place = bsearch(value, values, different, sizeof *values, compare_values);
        *value = *value == initial || place == NULL ? VALUE_INITIAL : (uint32_t)(place - values) + 1;
    }
    judged->values = (uint32_t)different + 1;
    free(values);
}

static void take_up(struct judged *judged, const struct register_operation *operations, size_t count,
                    uint32_t initial)
{
    judged->count = count;
    judged->all = memory_new(count * sizeof *judged->all);
    judged->steps.items = memory_new(count * sizeof *judged->steps.items);
    for (size_t i = 0; i < count; i++) {
        const struct register_operation *operation = &operations[i];
        judged->all[i] = (struct step){operation->invoked,  operation->completed, operation->value,
                                       operation->is_write, operation->seq,       i};
    }
    renumber_values(judged, initial);
    judged->is_read = memory_new_zeroed(judged->values, sizeof *judged->is_read);
}

/* What began before `end`: with REGISTER_NEVER, everything. */
static void take_prefix(struct judged *judged, uint32_t end)
{
    struct steps *steps = &judged->steps;
    size_t count = 0;

    memset(judged->is_read, 0, judged->values * sizeof *judged->is_read);
    for (; count < judged->count && judged->all[count].invoked < end; count++) {
        const struct step *step = &judged->all[count];
        judged->is_read[step->value] |= !step->is_write && step->completed < end;
    }
    *steps = (struct steps){.items = steps->items, .values = judged->values};
    for (size_t i = 0; i < count; i++) {
        struct step step = judged->all[i];
        if (step.completed >= end) {
            step.completed = REGISTER_NEVER;
        }
        if (step.completed != REGISTER_NEVER || (step.is_write && judged->is_read[step.value])) {
            steps->items[steps->count++] = step;
        }
    }
}

/* ---- the shortest prefix that fits no order ---- */

/* Only the end of a read can be too much: a write without an end can always come last. */
static uint32_t *list_read_ends(const struct judged *judged, size_t *count)
{
    uint32_t *ends = memory_new(judged->count * sizeof *ends);

    *count = 0;
    for (size_t i = 0; i < judged->count; i++) {
        if (!judged->all[i].is_write && judged->all[i].completed != REGISTER_NEVER) {
            ends[(*count)++] = judged->all[i].completed;
        }
    }
    qsort(ends, *count, sizeof *ends, compare_values);
    return ends;
}

static bool prefix_fits(struct judged *judged, uint32_t read_end)
{
    take_prefix(judged, read_end + 1);
    return steps_fit_zones(&judged->steps);
}

/* A prefix of what fits, fits, too: first by doubling its length, then by halving what is left. */
static void find_shortest(struct judged *judged, struct register_verdict *verdict)
{
    size_t count;
    uint32_t *ends = list_read_ends(judged, &count);
    size_t fitting = 0; /* so many reads can be explained */
    size_t failing = 1; /* so many cannot */

    while (failing < count && prefix_fits(judged, ends[failing - 1])) {
        fitting = failing;
        failing = failing * 2 < count ? failing * 2 : count;
    }
    while (failing - fitting > 1) {
        size_t middle = fitting + (failing - fitting) / 2;
        if (prefix_fits(judged, ends[middle - 1])) {
            fitting = middle;
        } else {
            failing = middle;
        }
    }
    take_prefix(judged, ends[failing - 1] + 1);
    for (size_t i = 0; i < judged->steps.count; i++) {
        if (judged->steps.items[i].completed == ends[failing - 1]) {
            verdict->read = judged->steps.items[i].number;
            steps_explain(&judged->steps, i, verdict);
        }
    }
    free(ends);
}

void register_judge(const struct register_operation *operations, size_t count, uint32_t initial,
                    uint64_t configurations_max, struct register_verdict *verdict)
{
    struct judged judged = {0};

    *verdict = (struct register_verdict){.outcome = REGISTER_LINEARIZABLE,
                                         .read = REGISTER_NONE,
                                         .older = REGISTER_NONE,
                                         .newer_begun = REGISTER_NONE,
                                         .newer_ended = REGISTER_NONE};
    take_up(&judged, operations, count, initial);
    take_prefix(&judged, REGISTER_NEVER);
    if (steps_fit_seq(&judged.steps)) {
        verdict->method = REGISTER_BY_SEQ;
    } else if (steps_have_unique_writes(&judged.steps)) {
        verdict->method = REGISTER_BY_ZONES;
        if (!steps_fit_zones(&judged.steps)) {
            verdict->outcome = REGISTER_NOT_LINEARIZABLE;
            find_shortest(&judged, verdict);
        }
    } else {
        verdict->method = REGISTER_BY_SEARCH;
        steps_search(&judged.steps, configurations_max, verdict);
    }
    free(judged.all);
    free(judged.is_read);
    free(judged.steps.items);
}
