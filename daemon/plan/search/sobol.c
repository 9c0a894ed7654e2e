/* Sobol: a low-discrepancy sequence (Sobol 1967) with the direction numbers of Joe and Kuo (2008,
 * new-joe-kuo-6.21201), under Owen's nested uniform scrambling (1995). Every 2^k runs from a
 * multiple of 2^k on have one value in each of 2^k equal parts of every dimension's scale. A run's
 * configuration depends on its number alone and, in a finite space, on what was tried before:
 * nothing is tried twice. */
#include "daemon/plan/search/sobol.h"

#include <inttypes.h>

#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"
#include "sweep/require.h"

#define RUNS_MAX (1u << 20) /* above every run_cap */
#define REDRAWS 256
#define BITS 32

/* Of dimension d from the second on: degree and inner coefficients of its primitive polynomial,
 * and the first direction numbers, which are odd. */
static const struct {
    uint8_t degree, coefficients;
    uint16_t m[9];
} directions[SPACE_MAX_DIMENSIONS - 1] = {
    {1, 0, {1}}, {2, 1, {1, 3}}, {3, 1, {1, 3, 1}}, {3, 2, {1, 1, 1}}, {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}}, {5, 2, {1, 1, 5, 5, 17}}, {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}}, {5, 11, {1, 1, 5, 1, 1}}, {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}}, {6, 1, {1, 3, 3, 9, 7, 49}}, {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}}, {6, 19, {1, 1, 1, 15, 7, 5}}, {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}}, {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}}, {7, 7, {1, 1, 3, 13, 7, 35, 63}},
    {7, 8, {1, 3, 5, 9, 1, 25, 53}}, {7, 14, {1, 3, 1, 13, 9, 35, 107}},
    {7, 19, {1, 3, 1, 5, 27, 61, 31}}, {7, 21, {1, 1, 5, 11, 19, 41, 61}},
    {7, 28, {1, 3, 5, 3, 3, 13, 69}}, {7, 31, {1, 1, 7, 13, 1, 19, 1}},
    {7, 32, {1, 3, 7, 5, 13, 19, 59}}, {7, 37, {1, 1, 3, 9, 25, 29, 41}},
    {7, 41, {1, 3, 5, 13, 23, 1, 55}}, {7, 42, {1, 3, 7, 3, 13, 59, 17}},
    {7, 50, {1, 3, 1, 3, 5, 53, 69}}, {7, 55, {1, 1, 5, 5, 23, 33, 13}},
    {7, 56, {1, 1, 7, 7, 1, 61, 123}}, {7, 59, {1, 1, 7, 9, 13, 61, 49}},
    {7, 62, {1, 3, 3, 5, 3, 55, 33}}, {8, 14, {1, 3, 1, 15, 31, 13, 49, 245}},
    {8, 21, {1, 3, 5, 15, 31, 59, 63, 97}}, {8, 22, {1, 3, 1, 11, 11, 11, 77, 249}},
    {8, 38, {1, 3, 1, 11, 27, 43, 71, 9}}, {8, 47, {1, 1, 7, 15, 21, 11, 81, 45}},
    {8, 49, {1, 3, 7, 3, 25, 31, 65, 79}}, {8, 50, {1, 3, 1, 1, 19, 11, 3, 205}},
    {8, 52, {1, 1, 5, 9, 19, 21, 29, 157}}, {8, 56, {1, 3, 7, 11, 1, 33, 89, 185}},
    {8, 67, {1, 3, 3, 3, 15, 9, 79, 71}}, {8, 70, {1, 3, 7, 11, 15, 39, 119, 27}},
    {8, 84, {1, 1, 3, 1, 11, 31, 97, 225}}, {8, 97, {1, 1, 1, 3, 23, 43, 57, 177}},
    {8, 103, {1, 3, 7, 7, 17, 17, 37, 71}}, {8, 115, {1, 3, 1, 5, 27, 63, 123, 213}},
    {8, 122, {1, 1, 3, 5, 11, 43, 53, 133}}, {9, 8, {1, 3, 5, 5, 29, 17, 47, 173, 479}},
    {9, 13, {1, 3, 3, 11, 3, 1, 109, 9, 69}}, {9, 16, {1, 1, 1, 5, 17, 39, 23, 5, 343}},
    {9, 22, {1, 3, 1, 5, 25, 15, 31, 103, 499}}, {9, 25, {1, 1, 1, 11, 11, 17, 63, 105, 183}},
    {9, 44, {1, 1, 5, 11, 9, 29, 97, 231, 363}}, {9, 47, {1, 1, 5, 15, 19, 45, 41, 7, 383}},
    {9, 52, {1, 3, 7, 7, 31, 19, 83, 137, 221}}, {9, 55, {1, 1, 1, 3, 23, 15, 111, 223, 83}},
    {9, 59, {1, 1, 5, 13, 31, 15, 55, 25, 161}}, {9, 62, {1, 1, 3, 13, 25, 47, 39, 87, 257}},
};

/* Direction numbers v[0 … 31] of a dimension, as fractions of 2^32. */
static void direction_numbers(size_t dimension, uint32_t v[BITS])
{
    REQUIRE(dimension < SPACE_MAX_DIMENSIONS);
    unsigned degree = dimension > 0 ? directions[dimension - 1].degree : BITS;
    for (unsigned k = 0; k < BITS; k++) {
        if (k < degree) {
            uint32_t m = dimension > 0 ? directions[dimension - 1].m[k] : 1;
            v[k] = m << (BITS - 1 - k);
            continue;
        }
        v[k] = v[k - degree] ^ (v[k - degree] >> degree);
        for (unsigned i = 1; i < degree; i++)
            if (directions[dimension - 1].coefficients >> (degree - 1 - i) & 1)
                v[k] ^= v[k - i];
    }
}

uint32_t sobol_number(size_t dimension, uint32_t index)
{
    uint32_t v[BITS], gray = index ^ (index >> 1), x = 0;
    direction_numbers(dimension, v);
    for (unsigned k = 0; k < BITS; k++)
        if (gray >> k & 1)
            x ^= v[k];
    return x;
}

/* Each bit is flipped or not by a coin of its own for every value of the bits before it: the nodes
 * of a binary tree, numbered from its root 1 by level. */
static uint32_t scramble(uint32_t x, uint64_t seed)
{
    uint32_t flips = 0;
    for (unsigned bit = 0; bit < BITS; bit++) {
        uint64_t node = UINT64_C(1) << bit | (bit > 0 ? x >> (BITS - bit) : 0);
        uint64_t coin = rng_mix(seed ^ rng_mix(node)) >> 63;
        flips |= (uint32_t)coin << (BITS - 1 - bit);
    }
    return x ^ flips;
}

static void point(const struct study *st, uint32_t index, struct assignment *a)
{
    double u[SPACE_MAX_DIMENSIONS];
    for (size_t i = 0; i < st->space->count; i++) {
        struct rng r;
        rng_init(&r, st->seed, RNG_SEARCH, i); /* the same tree for all runs of a sweep */
        uint32_t x = scramble(sobol_number(i, index), rng_next(&r));
        u[i] = ((double)x + 0.5) / 0x1p32;
    }
    space_at(st->space, u, a);
}

/* In place of a point that is not allowed others of the sequence, which no run comes to by its
 * number; after too many of them the nearest must do. */
void sobol_draw(const struct study *st, uint32_t index, struct assignment *a)
{
    for (uint32_t k = 0; k < REDRAWS; k++) {
        point(st, index + k * RUNS_MAX, a);
        if (space_allows(st->space, a))
            return;
    }
    space_nearest(st->space, a);
}

static void outline(const struct study *st, struct search_outline *out)
{
    outline_single(st, out, "sobol", "scrambled Sobol points");
}

static void draw(const struct study *st, const struct tried *tried, uint64_t i, struct rng *r,
                 struct assignment *a)
{
    (void)tried;
    rng_init(r, st->seed, RNG_SEARCH, SPACE_MAX_DIMENSIONS + i);
    sobol_draw(st, (uint32_t)i, a);
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    return search_ask_draws(&(struct draws){"sobol", "point", draw}, st, want, out);
}

const struct search_method search_sobol = {search_any, outline, ask};
