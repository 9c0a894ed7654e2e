/* The number type of the network code: float in the worker; double in the library that the
 * gradient checks use (-DSWEEP_REAL_DOUBLE), because central differences in float drown in
 * rounding.
 *
 * Determinism: the code is compiled without -ffast-math and with -ffp-contract=off, every sum has
 * a fixed order that does not depend on the instruction set, so the clones of a kernel give the
 * same bits. */
#ifndef WORKER_NN_REAL_H
#define WORKER_NN_REAL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#ifdef SWEEP_REAL_DOUBLE
typedef double real;
#define REAL_LANES 8
#else
typedef float real;
#define REAL_LANES 16
#endif

/* 64 bytes of numbers that are added lane by lane; may lie at any address of a real. */
typedef real real_lanes __attribute__((vector_size(64), aligned(sizeof(real)), may_alias));

/* A kernel compiled once per instruction set, picked when the program is loaded. Address
 * sanitizer cannot run the resolvers that early. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define REAL_KERNEL __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define REAL_KERNEL
#endif

#ifdef SWEEP_REAL_DOUBLE

static inline real real_sqrt(real x)
{
    return sqrt(x);
}
static inline real real_exp(real x)
{
    return exp(x);
}
static inline real real_expm1(real x)
{
    return expm1(x);
}
static inline real real_tanh(real x)
{
    return tanh(x);
}
static inline real real_normal(real x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

#else

static inline real real_sqrt(real x)
{
    return sqrtf(x);
}

union real_bits {
    float f;
    uint32_t u;
};

/* exp(x) = 2^n exp(r), |r| <= ln(2)/2. Returns exp(r) - 1 and 2^n; the polynomial is that of
 * Cephes' expf (S. Moshier), relative error below 1e-7. Branch-free, so that loops over it
 * vectorise; NaN stays NaN; x is clamped to where the result is a normal number. */
static inline float real_exp_parts(float x, float *scale)
{
    x = x > 88.0f ? 88.0f : x;
    x = x < -87.0f ? -87.0f : x;
    /* Adding 1.5·2^23 rounds to the nearest integer and leaves it in the low bits. */
    union real_bits shifted = {.f = x * 1.44269504088896341f + 12582912.0f};
    float n = shifted.f - 12582912.0f;
    float r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    union real_bits power = {.u = (shifted.u << 23) + 0x3f800000u};
    *scale = power.f;
    return p * r * r + r;
}

static inline float real_exp(float x)
{
    float scale;
    float part = real_exp_parts(x, &scale);
    return (part + 1.0f) * scale;
}

static inline float real_expm1(float x)
{
    float scale;
    float part = real_exp_parts(x, &scale);
    return part * scale + (scale - 1.0f);
}

/* tanh |x| = -e/(e + 2), e = exp(-2|x|) - 1, which keeps its digits near 0. */
static inline float real_tanh(float x)
{
    float e = real_expm1(-2.0f * fabsf(x));
    float y = -e / (e + 2.0f);
    return x < 0 ? -y : y;
}

/* The normal distribution function. Q(u) = exp(-u²/2)·r(t), t = 1/(1 + 0.3 u), is its tail; r is
 * the polynomial of least relative error on u up to 14, 6e-8 (fitted here). As computed:
 * relative error below 4e-7·(1 + x²) for negative x, where x² is rounded before the exponential, so
 * the tail keeps its digits; absolute error below 2e-7. Branch-free, so that loops over it
 * vectorise. */
static inline float real_normal(float x)
{
    float u = fabsf(x), t = 1.0f / (1.0f + 0.3f * u);
    float p = 0.0383784031f;
    p = p * t - 0.169166634f;
    p = p * t + 0.228661094f;
    p = p * t - 0.0765075538f;
    p = p * t + 0.142536207f;
    p = p * t + 0.0946832593f;
    p = p * t + 0.121920402f;
    p = p * t + 0.119487682f;
    p = p * t + 7.16925212e-06f;
    float tail = p * real_exp(-0.5f * u * u);
    return x < 0 ? tail : 1.0f - tail;
}

#endif

static inline real real_sigmoid(real x)
{
    return 1 / (1 + real_exp(-x));
}

#endif
