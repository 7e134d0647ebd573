#include "common/random.h"

uint64_t random_next(struct random *random)
{
    random->state += 0x9E3779B97F4A7C15ULL;
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

double random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1.0p-53;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    /* The bias is below bound/2^64: nothing that a schedule could show. */
    return bound > 0 ? random_next(random) % bound : 0;
}

uint64_t random_mix(uint64_t a, uint64_t b)
{
    struct random random = {a};
    random.state = random_next(&random) ^ b;
    return random_next(&random);
}

uint64_t random_hash(struct text name)
{
    uint64_t hash = 0xCBF29CE484222325ULL;
    for (size_t i = 0; i < name.length; i++) {
        hash = (hash ^ (unsigned char)name.bytes[i]) * 0x100000001B3ULL;
    }
    return hash;
}
