/* By seq, and by zones. */
#include "common/lab/linearizability_parts.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- by seq ---- */

static int compare_seqs(const void *a, const void *b)
{
    const struct step *first = a;
    const struct step *second = b;
    return first->seq < second->seq ? -1 : first->seq > second->seq;
}

static bool fits_in_order(const struct step *steps, size_t count)
{
    uint32_t value = VALUE_INITIAL;
    uint32_t last_invoked = 0;

    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        bool tells_place = step->seq != REGISTER_NO_SEQ && (i == 0 || step->seq != steps[i - 1].seq);
        bool too_late =
            step->completed < last_invoked; /* it had ended before something in front of it began */
        if (!tells_place || too_late || (!step->is_write && step->value != value)) {
            return false;
        }
        value = step->value;
        last_invoked = step->invoked > last_invoked ? step->invoked : last_invoked;
    }
    return true;
}

bool steps_fit_seq(const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (steps->items[i].seq == REGISTER_NO_SEQ) {
            return false;
        }
    }
    struct step *sorted = memory_new(steps->count * sizeof *sorted);
    memcpy(sorted, steps->items, steps->count * sizeof *sorted);
    qsort(sorted, steps->count, sizeof *sorted, compare_seqs);
    bool fits = fits_in_order(sorted, steps->count);
    free(sorted);
    return fits;
}

/* ---- zones ---- */

/* A write and the reads that saw it, as far as real time is concerned. What began after `first_end` comes after all of
 * them; what ended before `last_begin` comes before all of them. */
struct zone {
    uint32_t first_end, last_begin;
    bool is_written, is_read;
    uint32_t written_from; /* when the write began */
};

bool steps_have_unique_writes(const struct steps *steps)
{
    bool *written = memory_new_zeroed(steps->values, sizeof *written);
    bool unique = true;

    written[VALUE_INITIAL] = true;
    for (size_t i = 0; i < steps->count; i++) {
        if (steps->items[i].is_write) {
            unique &= !written[steps->items[i].value];
            written[steps->items[i].value] = true;
        }
    }
    free(written);
    return unique;
}

static struct zone *make_zones(const struct steps *steps)
{
    struct zone *zones = memory_new(steps->values * sizeof *zones);

    for (uint32_t value = 0; value < steps->values; value++) {
        zones[value] = (struct zone){.first_end = REGISTER_NEVER};
    }
    zones[VALUE_INITIAL] = (struct zone){.is_written = true}; /* before everything */
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        struct zone *zone = &zones[step->value];
        zone->first_end = step->completed < zone->first_end ? step->completed : zone->first_end;
        zone->last_begin = step->invoked > zone->last_begin ? step->invoked : zone->last_begin;
        zone->is_read |= !step->is_write;
        if (step->is_write) {
            zone->is_written = true;
            zone->written_from = step->invoked;
        }
    }
    return zones;
}

/* Does time pass between an end and a beginning? Then the value was there all the while. */
static bool is_forward(const struct zone *zone)
{
    return zone->first_end < zone->last_begin;
}

static int compare_zones(const void *a, const void *b)
{
    const struct zone *first = a;
    const struct zone *second = b;
    return first->first_end < second->first_end ? -1 : first->first_end > second->first_end;
}

/* The last of the forward zones, which are sorted, that begins before `moment`; NULL if none does. */
static const struct zone *find_forward(const struct zone *forward, size_t count, uint32_t moment)
{
    size_t low = 0;

    while (count > 0) {
        size_t half = count / 2;
        if (forward[low + half].first_end < moment) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low > 0 ? &forward[low - 1] : NULL;
}

/* Two zones contradict each other if each must come before the other. Forward zones do so where they overlap; another
 * zone does so where it lies within a forward one; two that are not forward never do. */
static bool zones_fit(struct zone *zones, uint32_t count)
{
    size_t forward = 0;

    for (uint32_t value = 0; value < count; value++) {
        struct zone zone = zones[value];
        if (is_forward(&zone)) {
            zones[value] = zones[forward];
            zones[forward++] = zone;
        }
    }
    qsort(zones, forward, sizeof *zones, compare_zones);
    for (size_t i = 1; i < forward; i++) {
        if (zones[i].first_end < zones[i - 1].last_begin) {
            return false;
        }
    }
    for (size_t i = forward; i < count; i++) {
        const struct zone *around = find_forward(zones, forward, zones[i].last_begin);
        if (around != NULL && zones[i].first_end < around->last_begin) {
            return false;
        }
    }
    return true;
}

bool steps_fit_zones(const struct steps *steps)
{
    struct zone *zones = make_zones(steps);
    bool fits = true;

    for (uint32_t value = 0; value < steps->values; value++) {
        const struct zone *zone = &zones[value];
        bool from_nowhere = zone->is_read && !zone->is_written;
        bool from_future = zone->is_written && zone->first_end < zone->written_from;
        fits &= !from_nowhere && !from_future;
    }
    fits = fits && zones_fit(zones, steps->values);
    free(zones);
    return fits;
}

/* ---- why not ---- */

/* Of the operations on a value that ended before `moment` the first to end, a write if there is one. */
static size_t find_ended(const struct steps *steps, uint32_t value, uint32_t moment)
{
    const struct step *found = NULL;

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        if (step->value == value && step->completed < moment &&
            (found == NULL || (!found->is_write && (step->is_write || step->completed < found->completed)))) {
            found = step;
        }
    }
    return found != NULL ? found->number : REGISTER_NONE;
}

/* Of the operations on a value that began after `moment` the last to begin, a write if there is one. */
static const struct step *find_begun(const struct steps *steps, uint32_t value, uint32_t moment)
{
    const struct step *found = NULL;

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        if (step->value == value && step->invoked > moment &&
            (found == NULL || (!found->is_write && (step->is_write || step->invoked > found->invoked)))) {
            found = step;
        }
    }
    return found;
}

void steps_explain(const struct steps *steps, size_t read, struct register_verdict *verdict)
{
    const struct step *last = &steps->items[read];
    struct zone *zones = make_zones(steps);
    const struct zone *own = &zones[last->value];
    uint32_t other = VALUE_INITIAL;
    bool found = false;

    for (uint32_t value = 0; value < steps->values; value++) { /* the newest that contradicts it */
        const struct zone *zone = &zones[value];
        if (value != last->value && own->first_end < zone->last_begin && zone->first_end < last->invoked &&
            (!found || zone->first_end > zones[other].first_end)) {
            other = value;
            found = true;
        }
    }
    if (found && own->is_written) {
        const struct step *newer = find_begun(steps, other, own->first_end);
        verdict->newer_begun = newer->number;
        verdict->newer_ended = find_ended(steps, other, last->invoked);
        verdict->older =
            last->value != VALUE_INITIAL ? find_ended(steps, last->value, newer->invoked) : REGISTER_NONE;
    }
    free(zones);
}
