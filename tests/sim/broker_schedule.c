#include "tests/sim/broker_schedule.h"

void schedule_init(struct schedule *schedule, uint64_t seed)
{
    static const unsigned calms[] = {1, 4, 16};

    *schedule = (struct schedule){.random = {random_mix(seed, 0xB40CE4)}, .now_ms = 1000};
    schedule->calm = calms[schedule_below(schedule, 3)];
}

void schedule_begin(struct schedule *schedule)
{
    schedule->offered = 0;
}

void schedule_offer(struct schedule *schedule, unsigned weight, int kind, unsigned a, unsigned b)
{
    schedule->offered += weight;
    if (random_below(&schedule->random, schedule->offered) < weight) {
        schedule->chosen = (struct step){kind, a, b};
    }
}

bool schedule_choose(const struct schedule *schedule)
{
    return schedule->offered > 0;
}

bool schedule_has_trouble(struct schedule *schedule)
{
    return schedule_once_in(schedule, schedule->calm);
}

bool schedule_once_in(struct schedule *schedule, unsigned times)
{
    return random_below(&schedule->random, times) == 0;
}

unsigned schedule_below(struct schedule *schedule, unsigned bound)
{
    return (unsigned)random_below(&schedule->random, bound);
}
