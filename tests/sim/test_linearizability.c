/* The linearizability check against trying every order, on many thousands of small histories: what it decides, which
 * read it names, and that the reason it gives is one. */
#include "common/lab/linearizability_parts.h"

#include "common/memory.h"
#include "common/random.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define OPERATIONS_MAX 8
#define HISTORIES      200000
#define INITIAL        77 /* the number of the initial value */
#define LIMIT          1000000

struct story {
    struct register_operation operations[OPERATIONS_MAX];
    size_t count;
};

/* ---- trying every order ---- */

static bool may_come_next(const struct story *story, unsigned come, size_t next)
{
    for (size_t i = 0; i < story->count; i++) {
        bool before = story->operations[i].completed < story->operations[next].invoked;
        if (before && (come & 1U << i) == 0) {
            return false;
        }
    }
    return (come & 1U << next) == 0;
}

/* `come` are those that have come, as bits. */
static bool some_order_fits(const struct story *story, unsigned come, uint32_t value)
{
    bool all_ended_have_come = true;

    for (size_t i = 0; i < story->count; i++) {
        all_ended_have_come &= story->operations[i].completed == REGISTER_NEVER || (come & 1U << i) != 0;
    }
    for (size_t i = 0; !all_ended_have_come && i < story->count; i++) {
        const struct register_operation *operation = &story->operations[i];
        bool fits = operation->is_write || operation->value == value;
        if (fits && may_come_next(story, come, i) &&
            some_order_fits(story, come | 1U << i, operation->value)) {
            return true;
        }
    }
    return all_ended_have_come;
}

/* What began before `end`; what had not ended by then has no end, and a read without one says nothing. */
static struct story prefix_of(const struct story *story, uint32_t end)
{
    struct story prefix = {.count = 0};

    for (size_t i = 0; i < story->count; i++) {
        struct register_operation operation = story->operations[i];
        operation.completed = operation.completed < end ? operation.completed : REGISTER_NEVER;
        if (operation.invoked < end && (operation.is_write || operation.completed != REGISTER_NEVER)) {
            prefix.operations[prefix.count++] = operation;
        }
    }
    return prefix;
}

static bool fits_until(const struct story *story, uint32_t end)
{
    struct story prefix = prefix_of(story, end);
    return some_order_fits(&prefix, 0, INITIAL);
}

/* ---- histories ---- */

static int compare_invoked(const void *a, const void *b)
{
    const struct register_operation *first = a;
    const struct register_operation *second = b;
    return first->invoked < second->invoked ? -1 : first->invoked > second->invoked;
}

/* Moments from 1 on, each used once, in pairs. */
static void draw_moments(struct random *random, struct story *story, unsigned apart)
{
    size_t left = 2 * story->count;
    uint32_t moments[2 * OPERATIONS_MAX] = {0};

    for (size_t i = 0; i < left; i++) {
        moments[i] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < story->count;
         i++) { /* an end is at most so far from its beginning, of those left */
        size_t end = 1 + random_below(random, left - 1 < apart ? left - 1 : apart);
        story->operations[i].invoked = moments[0];
        story->operations[i].completed = moments[end];
        memmove(moments + end, moments + end + 1, (left - end - 1) * sizeof *moments);
        memmove(moments, moments + 1, (left - 2) * sizeof *moments);
        left -= 2;
    }
    qsort(story->operations, story->count, sizeof *story->operations, compare_invoked);
}

/* What a register would have answered if each operation took effect at some moment in between. */
static void answer_truly(struct random *random, struct story *story, bool unique)
{
    uint32_t effect[OPERATIONS_MAX];
    bool done[OPERATIONS_MAX] = {false};
    uint32_t value = INITIAL;

    for (size_t i = 0; i < story->count; i++) {
        const struct register_operation *operation = &story->operations[i];
        effect[i] =
            operation->invoked + (uint32_t)random_below(random, operation->completed - operation->invoked);
    }
    for (size_t round = 0; round < story->count; round++) {
        size_t next = SIZE_MAX;
        for (size_t i = 0; i < story->count; i++) {
            next = !done[i] && (next == SIZE_MAX || effect[i] < effect[next]) ? i : next;
        }
        struct register_operation *operation = &story->operations[next];
        done[next] = true;
        if (operation->is_write) {
            bool initial = !unique && random_below(random, 6) == 0;
            operation->value = initial  ? INITIAL
                               : unique ? 100 + (uint32_t)next
                                        : 100 + (uint32_t)random_below(random, 3);
        }
        value = operation->is_write ? operation->value : value;
        operation->value = value;
        operation->seq = (int64_t)round + 1;
    }
}

/* Answers that are wrong, ends that nobody knows, numbers that are not told. */
static void spoil(struct random *random, struct story *story, bool numbered)
{
    for (size_t i = 0; i < story->count; i++) {
        struct register_operation *operation = &story->operations[i];
        if (!operation->is_write && random_below(random, 8) == 0) {
            operation->value = random_below(random, 3) == 0
                                   ? INITIAL
                                   : story->operations[random_below(random, story->count)].value;
        }
        if (random_below(random, 6) == 0) {
            operation->completed = REGISTER_NEVER;
        }
        if (!numbered || random_below(random, 20) == 0) {
            operation->seq = REGISTER_NO_SEQ;
        } else if (random_below(random, 20) == 0) {
            operation->seq = 1 + (int64_t)random_below(random, story->count);
        }
    }
}

static struct story draw_story(struct random *random)
{
    struct story story = {.count = 1 + random_below(random, OPERATIONS_MAX)};
    bool unique = random_below(random, 2) == 0;

    draw_moments(random, &story, 1 + (unsigned)random_below(random, 2 * OPERATIONS_MAX));
    for (size_t i = 0; i < story.count; i++) {
        story.operations[i].is_write = random_below(random, 2) == 0;
    }
    answer_truly(random, &story, unique);
    spoil(random, &story, random_below(random, 2) == 0);
    return story;
}

/* ---- the comparison ---- */

/* The two values must each be older than the other. */
static void check_reason(const struct story *story, const struct register_verdict *verdict)
{
    const struct register_operation *operations = story->operations;
    const struct register_operation *read = &operations[verdict->read];

    if (verdict->newer_begun == REGISTER_NONE) {
        return;
    }
    const struct register_operation *begun = &operations[verdict->newer_begun];
    const struct register_operation *ended = &operations[verdict->newer_ended];
    assert_int_equal(begun->value, ended->value);
    assert_int_not_equal(begun->value, read->value);
    assert_true(ended->completed < read->invoked);
    if (verdict->older == REGISTER_NONE) {
        assert_int_equal(read->value, INITIAL);
    } else {
        assert_int_equal(operations[verdict->older].value, read->value);
        assert_true(operations[verdict->older].completed < begun->invoked);
    }
}

static void it_decides_as_trying_every_order_does(void **state)
{
    struct random random = {20261121};
    unsigned decided[3][2] = {{0}};
    unsigned reasons = 0;

    (void)state;
    for (unsigned i = 0; i < HISTORIES; i++) {
        struct story story = draw_story(&random);
        struct register_verdict verdict;
        bool fits = fits_until(&story, REGISTER_NEVER);
        register_judge(story.operations, story.count, INITIAL, LIMIT, &verdict);
        assert_int_equal(verdict.outcome, fits ? REGISTER_LINEARIZABLE : REGISTER_NOT_LINEARIZABLE);
        decided[verdict.method][fits]++;
        if (!fits) { /* up to the end of the read no order fits, and without it one does */
            uint32_t end = story.operations[verdict.read].completed;
            assert_false(story.operations[verdict.read].is_write);
            assert_false(fits_until(&story, end + 1));
            assert_true(fits_until(&story, end));
            check_reason(&story, &verdict);
            reasons += verdict.newer_begun != REGISTER_NONE;
        }
    }
    assert_true(decided[REGISTER_BY_SEQ][true] > HISTORIES / 100);
    assert_int_equal(decided[REGISTER_BY_SEQ][false], 0); /* that order is only ever a proof */
    for (int fits = 0; fits < 2; fits++) {
        assert_true(decided[REGISTER_BY_ZONES][fits] > HISTORIES / 100);
        assert_true(decided[REGISTER_BY_SEARCH][fits] > HISTORIES / 100);
    }
    assert_true(reasons > HISTORIES / 100);
}

/* ---- larger ones, where the two ways must agree ---- */

#define LARGE 400

/* `clients` ask, each its next when the last has ended; one in `wrong` reads is answered at random. An operation takes
 * effect as it ends: so there is an order that fits, if none is wrong. */
static void draw_large(struct random *random, struct steps *steps, unsigned clients, unsigned wrong)
{
    struct step *open[16] = {NULL};
    uint32_t value = VALUE_INITIAL;
    unsigned ended = 0;

    steps->count = 0;
    steps->values = 1;
    for (uint32_t now = 1; ended < LARGE; now++) {
        unsigned client = (unsigned)random_below(random, clients);
        struct step *step = open[client];
        if (step == NULL && steps->count < LARGE) {
            step = open[client] = &steps->items[steps->count];
            *step = (struct step){.invoked = now,
                                  .is_write = random_below(random, 2) == 0,
                                  .seq = REGISTER_NO_SEQ,
                                  .number = steps->count++};
        } else if (step != NULL) {
            step->completed = now;
            step->value = step->is_write ? steps->values++ : value;
            value = step->value;
            if (!step->is_write && random_below(random, wrong) == 0) {
                step->value = (uint32_t)random_below(random, steps->values);
            }
            open[client] = NULL;
            ended++;
        }
    }
}

static void zones_and_search_agree(void **state)
{
    struct random random = {7};
    struct steps steps = {.items = memory_new(LARGE * sizeof(struct step))};
    unsigned decided[2] = {0};

    (void)state;
    for (unsigned i = 0; i < 600; i++) {
        struct register_verdict verdict = {.read = REGISTER_NONE};
        draw_large(&random, &steps, 1 + (unsigned)random_below(&random, 6), i % 3 == 0 ? UINT32_MAX : 400);
        bool fits = steps_fit_zones(&steps);
        assert_true(steps_have_unique_writes(&steps));
        steps_search(&steps, LIMIT, &verdict);
        assert_int_equal(verdict.outcome, fits ? REGISTER_LINEARIZABLE : REGISTER_NOT_LINEARIZABLE);
        decided[fits]++;
    }
    assert_true(decided[false] > 50 && decided[true] > 50);
    free(steps.items);
}

/* ---- the bound ---- */

static void it_gives_up_at_its_bound_and_says_so(void **state)
{
    struct register_operation operations[41];
    struct register_verdict verdict;

    (void)state;
    for (uint32_t i = 0; i < 40; i++) { /* all at once, two of each value: any set of them may have come */
        operations[i] = (struct register_operation){.invoked = i + 1,
                                                    .completed = 1000 + i,
                                                    .seq = REGISTER_NO_SEQ,
                                                    .value = i / 2,
                                                    .is_write = true};
    }
    operations[40] = (struct register_operation){.invoked = 900,
                                                 .completed = 901,
                                                 .seq = REGISTER_NO_SEQ,
                                                 .value = 1000}; /* written by nobody */
    register_judge(operations, 41, INITIAL, 5000, &verdict);
    assert_int_equal(verdict.outcome, REGISTER_GAVE_UP);
    assert_int_equal(verdict.method, REGISTER_BY_SEARCH);
    assert_int_equal(verdict.configurations, 5001);
}

static void an_empty_history_is_linearizable(void **state)
{
    struct register_verdict verdict;

    (void)state;
    register_judge(NULL, 0, INITIAL, LIMIT, &verdict);
    assert_int_equal(verdict.outcome, REGISTER_LINEARIZABLE);
}

UNIT_MAIN(cmocka_unit_test(it_decides_as_trying_every_order_does), cmocka_unit_test(zones_and_search_agree),
          cmocka_unit_test(it_gives_up_at_its_bound_and_says_so),
          cmocka_unit_test(an_empty_history_is_linearizable))
