/* Seeded random numbers. The state is explicit and belongs to the caller; same seed, same
 * stream, same numbers on every machine (xoshiro256**, seeded by splitmix64). */
#ifndef SWEEP_RNG_H
#define SWEEP_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

/* One independent stream per purpose: split, shuffle of epoch e, initialisation, search, … */
enum rng_stream {
    RNG_SPLIT = 1,
    RNG_INIT = 2,
    RNG_SHUFFLE = 3,
    RNG_DROPOUT = 4,
    RNG_SEARCH = 5,
    RNG_TREAT = 6,
    RNG_MIXUP = 7,
    RNG_NOISE = 8,
    RNG_AUDIT = 12,
    RNG_IMPORTANCE = 21,
    RNG_TEST = 99,
};

/* index counts within a stream (the epoch, the stage …). */
void rng_init(struct rng *r, uint64_t seed, enum rng_stream stream, uint64_t index);
/* The output function of splitmix64 (Steele, Lea, Flood 2014, variant 13 of Stafford's mixers): a
 * bijection of 64 bits, each of which depends on all of z. */
uint64_t rng_mix(uint64_t z);
uint64_t rng_next(struct rng *r);
/* [0, 1), 53 bits */
double rng_uniform(struct rng *r);
/* 0 … bound-1 without bias; bound > 0 */
uint64_t rng_below(struct rng *r, uint64_t bound);
/* mean 0, sd 1 (Marsaglia's polar method) */
double rng_normal(struct rng *r);
/* Gamma(shape, 1), shape > 0 (Marsaglia and Tsang 2000). */
double rng_gamma(struct rng *r, double shape);
/* [0, 1]: Beta(a, b), a and b > 0 */
double rng_beta(struct rng *r, double a, double b);
/* Fisher–Yates */
void rng_shuffle(struct rng *r, uint32_t *items, size_t count);

/* Seed of a run: repetition 0 is the sweep's seed itself, others are derived from it. */
uint64_t rng_run_seed(uint64_t sweep_seed, uint64_t repetition);

#endif
