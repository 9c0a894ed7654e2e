/* Gated recurrent unit (Cho et al. 2014) in PyTorch's form, gates in the order r, z, n:
 *   r = σ(W_ir x + b_ir + W_hr h' + b_hr)       h' the state of the step before
 *   z = σ(W_iz x + b_iz + W_hz h' + b_hz)
 *   n = tanh(W_in x + b_in + r∘q)               q = W_hn h' + b_hn
 *   h = (1 - z)∘n + z∘h'
 * Kept of a step: rows of r, z, n, q. */
#include "worker/nn/recurrent.h"

enum { R, Z, N, Q, OWN };

REAL_KERNEL
static void gru_step(const struct recurrent_step *s)
{
    const real *bx = s->bias_x, *bh = s->bias_h;
    size_t H = s->units;
    for (size_t row = 0; row < s->rows; row++) {
        const real *fx = s->from_x + row * Q * H, *fh = s->from_h + row * Q * H;
        const real *h_before = s->h_before + row * H;
        real *h = s->h + row * H, *own = s->own + row * OWN * H;
#pragma GCC ivdep
        for (size_t i = 0; i < H; i++) {
            size_t iz = i + Z * H, in = i + N * H;
            real r = real_sigmoid((fx[i] + bx[i]) + (fh[i] + bh[i]));
            real z = real_sigmoid((fx[iz] + bx[iz]) + (fh[iz] + bh[iz]));
            real q = fh[in] + bh[in];
            real n = real_tanh((fx[in] + bx[in]) + r * q);
            h[i] = (1 - z) * n + z * h_before[i];
            own[i] = r;
            own[iz] = z;
            own[in] = n;
            own[i + Q * H] = q;
        }
    }
}

REAL_KERNEL
static void gru_slope(const struct recurrent_slope *s)
{
    size_t H = s->units;
    for (size_t row = 0; row < s->rows; row++) {
        const real *own = s->own + row * OWN * H, *h_before = s->h_before + row * H;
        real *dh = s->dh + row * H;
        real *dx = s->d_from_x + row * Q * H, *dq = s->d_from_h + row * Q * H;
#pragma GCC ivdep
        for (size_t i = 0; i < H; i++) {
            size_t iz = i + Z * H, in = i + N * H;
            real r = own[i], z = own[iz], n = own[in], q = own[i + Q * H];
            real dn = dh[i] * (1 - z) * (1 - n * n);
            real dr = dn * q * (r * (1 - r));
            real dz = dh[i] * (h_before[i] - n) * (z * (1 - z));
            dx[i] = dq[i] = dr;
            dx[iz] = dq[iz] = dz;
            dx[in] = dn;
            dq[in] = dn * r;
            dh[i] *= z;
        }
    }
}

static const struct recurrent_kind gru = {
    .gates = Q,
    .own = OWN,
    .splits = true,
    .leaks = true,
    .step = gru_step,
    .slope = gru_slope,
};

RECURRENT_LAYER(gru);
