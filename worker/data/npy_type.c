/* The types of numbers that a header may name, and each as doubles. */
#include <stdint.h>

#include "worker/data/npy_header.h"

/* The bytes of a number as an integer of the machine. */
static inline uint64_t load_bits(const unsigned char *p, size_t size, bool big_endian)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits |= (uint64_t)p[big_endian ? size - 1 - i : i] << 8 * i;
    return bits;
}

static double unsigned_value(uint64_t bits)
{
    return (double)bits;
}

static double i1_value(uint64_t bits)
{
    return (int8_t)bits;
}

static double i2_value(uint64_t bits)
{
    return (int16_t)bits;
}

static double i4_value(uint64_t bits)
{
    return (int32_t)bits;
}

static double i8_value(uint64_t bits)
{
    return (double)(int64_t)bits;
}

static double b1_value(uint64_t bits)
{
    return bits != 0;
}

/* IEEE 754 half: 1 sign, 5 exponent (bias 15), 10 fraction. A double holds each exactly. */
static double f2_value(uint64_t bits)
{
    uint64_t sign = (bits & 0x8000) << 48, exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
    union {
        uint64_t u;
        double d;
    } v;
    if (exponent == 0) { /* subnormal: fraction · 2^-24 */
        v.d = (double)fraction * 0x1p-24;
        v.u |= sign;
        return v.d;
    }
    v.u = sign | (exponent == 31 ? (uint64_t)0x7ff : exponent - 15 + 1023) << 52 | fraction << 42;
    return v.d;
}

static double f4_value(uint64_t bits)
{
    union {
        uint32_t u;
        float f;
    } v = {.u = (uint32_t)bits};
    return v.f;
}

static double f8_value(uint64_t bits)
{
    union {
        uint64_t u;
        double d;
    } v = {.u = bits};
    return v.d;
}

/* X(id, size, value): a loop for each type, so that the compiler sees its size. */
#define X(id, size, value)                                                                        \
    static void convert_##id(const unsigned char *p, size_t n, bool big_endian, double *out)      \
    {                                                                                             \
        if (big_endian)                                                                           \
            for (size_t i = 0; i < n; i++)                                                        \
                out[i] = value(load_bits(p + i * (size), size, true));                            \
        else                                                                                      \
            for (size_t i = 0; i < n; i++)                                                        \
                out[i] = value(load_bits(p + i * (size), size, false));                           \
    }
NPY_TYPE_MAP(X)
#undef X

const struct npy_type npy_types[NPY_TYPE_COUNT] = {
#define X(id, size, value) {#id, size, convert_##id},
    NPY_TYPE_MAP(X)
#undef X
};
