/* h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) (Elman 1990) */
#include "worker/nn/recurrent.h"

REAL_KERNEL
static void rnn_step(const struct recurrent_step *s)
{
    const real *bias_x = s->bias_x, *bias_h = s->bias_h;
    size_t units = s->units;
    for (size_t r = 0; r < s->rows; r++) {
        const real *from_x = s->from_x + r * units, *from_h = s->from_h + r * units;
        real *h = s->h + r * units;
#pragma GCC ivdep
        for (size_t i = 0; i < units; i++)
            h[i] = real_tanh((from_x[i] + bias_x[i]) + (from_h[i] + bias_h[i]));
    }
}

REAL_KERNEL
static void rnn_slope(const struct recurrent_slope *s)
{
    const real *h = s->h, *dh = s->dh;
    real *d = s->d_from_x;
#pragma GCC ivdep
    for (size_t i = 0; i < s->rows * s->units; i++)
        d[i] = dh[i] * (1 - h[i] * h[i]);
}

static const struct recurrent_kind rnn = {
    .gates = 1,
    .step = rnn_step,
    .slope = rnn_slope,
};

RECURRENT_LAYER(rnn);
