/* By search. The beginnings and ends of all operations stand in one list, in the order of time. An operation may come
 * next if its beginning stands before the first end; then both are taken out of the list. Whoever meets an end first has
 * taken a wrong turn: that operation should have come before. */
#include "common/lab/linearizability_parts.h"

#include "common/memory.h"
#include "common/random.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 0 /* of the list; what stands in it counts from 1 */

struct mark {
    uint32_t time;
    uint32_t step;
    bool is_end;
};

/* A set of operations that have come, and the value: a fingerprint of 128 bits stands for it (Zobrist 1970). That two
 * of a few millions share one is less likely than a fault of the memory that holds them. */
struct configuration {
    uint64_t a, b;
};

/* Something that came, so that it can be taken back. */
struct choice {
    uint32_t step;
    uint32_t value_before;
    bool forced; /* a read that fitted: there was nothing to choose */
};

struct search {
    const struct steps *steps;
    struct mark *marks;         /* by time, from 1; owned */
    uint32_t *next, *before;    /* by mark, of those in the list; owned */
    uint32_t *begin, *end;      /* by step, marks; an end is HEAD where there is none; owned */
    struct configuration *seen; /* a table with open addressing; zeros where it is free; owned */
    size_t seen_count, seen_capacity;
    struct choice *choices; /* owned */
    size_t choice_count;
    uint32_t value;
    struct configuration now;
    size_t to_come;        /* operations that have an end, and have not come yet */
    uint32_t furthest_end; /* the mark: an end that was never got past */
};

/* ---- configurations seen ---- */

static struct configuration fingerprint(uint64_t what, uint64_t number)
{
    return (struct configuration){random_mix(number, 2 * what + 1), random_mix(~number, 2 * what + 2)};
}

static struct configuration combine(struct configuration x, struct configuration y)
{
    return (struct configuration){x.a ^ y.a, x.b ^ y.b};
}

/* False if it is there already. */
static bool insert(struct configuration *table, size_t capacity, struct configuration new)
{
    size_t at = new.a &(capacity - 1);

    for (; table[at].a != 0 || table[at].b != 0; at = (at + 1) & (capacity - 1)) {
        if (table[at].a == new.a && table[at].b == new.b) {
            return false;
        }
    }
    table[at] = new;
    return true;
}

static void grow(struct search *search)
{
    size_t capacity = search->seen_capacity > 0 ? 2 * search->seen_capacity : 1024;
    struct configuration *table = memory_new_zeroed(capacity, sizeof *table);

    for (size_t i = 0; i < search->seen_capacity; i++) {
        if (search->seen[i].a != 0 || search->seen[i].b != 0) {
            insert(table, capacity, search->seen[i]);
        }
    }
    free(search->seen);
    search->seen = table;
    search->seen_capacity = capacity;
}

static bool is_new(struct search *search, struct configuration set, uint32_t value)
{
    if (2 * (search->seen_count + 1) > search->seen_capacity) {
        grow(search);
    }
    bool new = insert(search->seen, search->seen_capacity, combine(set, fingerprint(1, value)));
    search->seen_count += new;
    return new;
}

/* ---- the list ---- */

static void unlink_mark(struct search *search, uint32_t mark)
{
    search->next[search->before[mark]] = search->next[mark];
    search->before[search->next[mark]] = search->before[mark];
}

static void relink_mark(struct search *search, uint32_t mark)
{
    search->next[search->before[mark]] = mark;
    search->before[search->next[mark]] = mark;
}

static void come(struct search *search, uint32_t step, bool forced)
{
    const struct step *coming = &search->steps->items[step];

    search->choices[search->choice_count++] = (struct choice){step, search->value, forced};
    unlink_mark(search, search->begin[step]);
    if (search->end[step] != HEAD) {
        unlink_mark(search, search->end[step]);
        search->to_come--;
    }
    search->now = combine(search->now, fingerprint(0, step));
    search->value = coming->value; /* of a read it is the same */
}

static struct choice take_back(struct search *search)
{
    struct choice choice = search->choices[--search->choice_count];

    search->value = choice.value_before;
    search->now = combine(search->now, fingerprint(0, choice.step));
    if (search->end[choice.step] != HEAD) {
        relink_mark(search, search->end[choice.step]);
        search->to_come++;
    }
    relink_mark(search, search->begin[choice.step]);
    return choice;
}

/* ---- the search ---- */

/* All reads that may come next and fit come at once; with each, the first end may move on, and more may come. */
static void take_reads(struct search *search)
{
    uint32_t mark = search->next[HEAD];

    while (mark != HEAD && !search->marks[mark].is_end) {
        uint32_t step = search->marks[mark].step;
        const struct step *read = &search->steps->items[step];
        mark = search->next[mark];
        if (!read->is_write && read->value == search->value) {
            come(search, step, true);
            mark = mark != HEAD && search->marks[mark].is_end ? search->next[HEAD] : mark;
        }
    }
}

/* The first write from `mark` on that leads to something new comes. False if there is none before the first end. */
static bool choose_write(struct search *search, uint32_t mark)
{
    while (mark != HEAD && !search->marks[mark].is_end) {
        uint32_t step = search->marks[mark].step;
        const struct step *write = &search->steps->items[step];
        if (write->is_write && is_new(search, combine(search->now, fingerprint(0, step)), write->value)) {
            come(search, step, false);
            return true;
        }
        mark = search->next[mark];
    }
    if (mark > search->furthest_end) {
        search->furthest_end = mark;
    }
    return false;
}

/* Back to the last choice; from the mark behind it on there may be another. HEAD if there is nothing left to choose. */
static uint32_t go_back(struct search *search)
{
    while (search->choice_count > 0) {
        struct choice choice = take_back(search);
        uint32_t behind = search->next[search->begin[choice.step]];
        if (!choice.forced && behind != HEAD) {
            return behind;
        }
    }
    return HEAD;
}

static enum register_outcome run(struct search *search, uint64_t configurations_max)
{
    bool more = true;

    take_reads(search);
    for (uint32_t mark = search->next[HEAD]; search->to_come > 0; mark = search->next[HEAD]) {
        while (more && !choose_write(search, mark)) {
            mark = go_back(search);
            more = mark != HEAD;
        }
        if (!more) {
            return REGISTER_NOT_LINEARIZABLE;
        }
        if (search->seen_count > configurations_max) {
            return REGISTER_GAVE_UP;
        }
        take_reads(search);
    }
    return REGISTER_LINEARIZABLE;
}

/* ---- before and after ---- */

/* Of a beginning and an end at one moment the beginning stands first: they are not apart. */
static int compare_marks(const void *a, const void *b)
{
    const struct mark *first = a;
    const struct mark *second = b;

    if (first->time != second->time) {
        return first->time < second->time ? -1 : 1;
    }
    if (first->is_end != second->is_end) {
        return first->is_end ? 1 : -1;
    }
    return first->step < second->step ? -1 : first->step > second->step;
}

static void make_list(struct search *search)
{
    size_t count = 1;

    for (uint32_t step = 0; step < search->steps->count; step++) {
        const struct step *item = &search->steps->items[step];
        search->marks[count++] = (struct mark){item->invoked, step, false};
        if (item->completed != REGISTER_NEVER) {
            search->marks[count++] = (struct mark){item->completed, step, true};
            search->to_come++;
        }
    }
    qsort(search->marks + 1, count - 1, sizeof *search->marks, compare_marks);
    for (uint32_t mark = 0; mark < count; mark++) {
        search->next[mark] = mark + 1 < count ? mark + 1 : HEAD;
        search->before[mark] = mark > 0 ? mark - 1 : (uint32_t)count - 1;
        if (mark != HEAD) {
            uint32_t *place = search->marks[mark].is_end ? search->end : search->begin;
            place[search->marks[mark].step] = mark;
        }
    }
}

void steps_search(const struct steps *steps, uint64_t configurations_max, struct register_verdict *verdict)
{
    size_t marks = 2 * steps->count + 1;
    struct search search = {.steps = steps, .value = VALUE_INITIAL};

    search.marks = memory_new_zeroed(marks, sizeof *search.marks);
    search.next = memory_new_zeroed(marks, sizeof *search.next);
    search.before = memory_new_zeroed(marks, sizeof *search.before);
    search.begin = memory_new_zeroed(steps->count, sizeof *search.begin);
    search.end = memory_new_zeroed(steps->count, sizeof *search.end);
    search.choices = memory_new(steps->count * sizeof *search.choices);
    make_list(&search);
    verdict->outcome = run(&search, configurations_max);
    verdict->configurations = search.seen_count;
    if (verdict->outcome == REGISTER_NOT_LINEARIZABLE) {
        verdict->read = steps->items[search.marks[search.furthest_end].step].number;
    }
    free(search.marks);
    free(search.next);
    free(search.before);
    free(search.begin);
    free(search.end);
    free(search.seen);
    free(search.choices);
}
