#include "sweep/rng.h"

#include <math.h>

#include "sweep/require.h"

#define GOLDEN_GAMMA 0x9E3779B97F4A7C15ull

uint64_t rng_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static uint64_t splitmix(uint64_t *state)
{
    *state += GOLDEN_GAMMA;
    return rng_mix(*state);
}

void rng_init(struct rng *r, uint64_t seed, enum rng_stream stream, uint64_t index)
{
    /* Mixed after each part, so that neighbouring seeds, streams and indices share nothing. */
    uint64_t state = rng_mix(seed + GOLDEN_GAMMA);

    state = rng_mix(state + (uint64_t)stream);
    state = rng_mix(state + index);
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&state);
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* xoshiro256** 1.0 (Blackman, Vigna 2018) */
uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double rng_uniform(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    uint64_t refused, x;

    REQUIRE(bound > 0);
    refused = -bound % bound; /* 2^64 mod bound: the rest is a multiple of bound */
    do
        x = rng_next(r);
    while (x < refused);
    return x % bound;
}

double rng_normal(struct rng *r)
{
    double u, v, q;

    do {
        u = 2 * rng_uniform(r) - 1;
        v = 2 * rng_uniform(r) - 1;
        q = u * u + v * v;
    } while (q >= 1 || q == 0);
    /* The second number of the pair is not kept: the state is s alone. */
    return u * sqrt(-2 * log(q) / q);
}

double rng_gamma(struct rng *r, double shape)
{
    if (shape < 1) /* of shape + 1, and a power of a uniform */
        return rng_gamma(r, shape + 1) * pow(1 - rng_uniform(r), 1 / shape);
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = rng_normal(r), v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(1 - rng_uniform(r)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

double rng_beta(struct rng *r, double a, double b)
{
    double x = rng_gamma(r, a), y = rng_gamma(r, b);
    return x + y > 0 ? x / (x + y) : a / (a + b);
}

void rng_shuffle(struct rng *r, uint32_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rng_below(r, i);
        uint32_t swapped = items[i - 1];

        items[i - 1] = items[j];
        items[j] = swapped;
    }
}

uint64_t rng_run_seed(uint64_t sweep_seed, uint64_t repetition)
{
    if (repetition == 0)
        return sweep_seed;
    /* 53 bits: derived seeds are integers that JSON and SQL can write as numbers. */
    return rng_mix(rng_mix(sweep_seed + GOLDEN_GAMMA) + repetition) >> 11;
}
