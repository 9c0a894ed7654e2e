/* Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al.
 * 2000) in PyTorch's form, gates in the order i, f, g, o, each of W_i· x + b_i· + W_h· h' + b_h·:
 *   i, f, o = σ(…)   g = tanh(…)   c = f∘c' + i∘g   h = o∘tanh(c)
 * Kept of a step: rows of i, f, g, o, c; tanh(c) is h/o. */
#include "worker/nn/recurrent.h"

enum { I, F, G, O, C, OWN };

REAL_KERNEL
static void lstm_step(const struct recurrent_step *s)
{
    const real *bx = s->bias_x, *bh = s->bias_h;
    size_t H = s->units;
    for (size_t row = 0; row < s->rows; row++) {
        const real *fx = s->from_x + row * C * H, *fh = s->from_h + row * C * H;
        const real *c_before = s->own_before + (row * OWN + C) * H;
        real *h = s->h + row * H, *own = s->own + row * OWN * H;
#pragma GCC ivdep
        for (size_t k = 0; k < H; k++) {
            size_t kf = k + F * H, kg = k + G * H, ko = k + O * H;
            real i = real_sigmoid((fx[k] + bx[k]) + (fh[k] + bh[k]));
            real f = real_sigmoid((fx[kf] + bx[kf]) + (fh[kf] + bh[kf]));
            real g = real_tanh((fx[kg] + bx[kg]) + (fh[kg] + bh[kg]));
            real o = real_sigmoid((fx[ko] + bx[ko]) + (fh[ko] + bh[ko]));
            own[k] = i;
            own[kf] = f;
            own[kg] = g;
            own[ko] = o;
            own[k + C * H] = f * c_before[k] + i * g;
        }
        /* A loop of its own: the processor looks ahead over more numbers of a shorter body. */
#pragma GCC ivdep
        for (size_t k = 0; k < H; k++)
            h[k] = own[k + O * H] * real_tanh(own[k + C * H]);
    }
}

REAL_KERNEL
static void lstm_slope(const struct recurrent_slope *s)
{
    size_t H = s->units;
    for (size_t row = 0; row < s->rows; row++) {
        const real *own = s->own + row * OWN * H;
        const real *c_before = s->own_before + (row * OWN + C) * H;
        const real *h = s->h + row * H, *dh = s->dh + row * H;
        real *dc = s->dc + row * H, *d = s->d_from_x + row * C * H;
#pragma GCC ivdep
        for (size_t k = 0; k < H; k++) {
            real i = own[k], f = own[k + F * H], g = own[k + G * H], o = own[k + O * H];
            real t = o > 0 ? h[k] / o : 0; /* where o is 0, so is what t acts on */
            real up = dc[k] + dh[k] * o * (1 - t * t);
            d[k] = up * g * (i * (1 - i));
            d[k + F * H] = up * c_before[k] * (f * (1 - f));
            d[k + G * H] = up * i * (1 - g * g);
            d[k + O * H] = dh[k] * t * (o * (1 - o));
            dc[k] = up * f;
        }
    }
}

static const struct recurrent_kind lstm = {
    .gates = C,
    .own = OWN,
    .step = lstm_step,
    .slope = lstm_slope,
};

RECURRENT_LAYER(lstm);
