#include "worker/nn/init.h"

#include "sweep/require.h"
#include "sweep/rng.h"

enum init init_resolve(enum init chosen, enum activation activation)
{
    if (chosen != INIT_AUTO)
        return chosen;
    return activation == ACTIVATION_TANH ? INIT_XAVIER : INIT_HE;
}

double init_bound(enum init init, size_t in, size_t out, bool output_layer)
{
    REQUIRE(init != INIT_AUTO);
    double variance;
    if (init == INIT_XAVIER)
        variance = 2.0 / ((double)in + (double)out);
    else
        variance = (output_layer ? 1.0 : 2.0) / (double)in;
    return sqrt(3 * variance); /* U(-b, b) has variance b²/3 */
}

/* Two numbers of 32 bits from each draw: a wide first layer has a hundred thousand of them, and
 * short runs are mostly start-up. */
void init_weights(real *weight, size_t count, double bound, uint64_t seed, uint64_t layer)
{
    struct rng r;
    rng_init(&r, seed, RNG_INIT, layer);
    real scale = (real)(bound * 0x1p-31);
    for (size_t i = 0; i < count; i += 2) {
        uint64_t bits = rng_next(&r);
        weight[i] = (real)(int32_t)(uint32_t)(bits >> 32) * scale;
        if (i + 1 < count)
            weight[i + 1] = (real)(int32_t)(uint32_t)bits * scale;
    }
}
