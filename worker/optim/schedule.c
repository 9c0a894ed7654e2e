#include "worker/optim/schedule.h"

#include <math.h>

#include "sweep/require.h"

/* OneCycleLR: share of the steps in which the rate rises; how far below the largest it starts,
 * and how far below that start it ends. */
#define CYCLE_RISE 0.3
#define CYCLE_START 25.0
#define CYCLE_END 1e4
/* ReduceLROnPlateau: what counts as better, relative; smaller cuts are not made. */
#define PLATEAU_THRESHOLD 1e-4
#define PLATEAU_LEAST_CUT 1e-8

void schedule_init(struct schedule *s, const struct settings *settings, int64_t epochs,
                   int64_t steps_per_epoch)
{
    REQUIRE(epochs > 0 && steps_per_epoch > 0);
    *s = (struct schedule){
        .kind = (enum schedule_kind)settings->v[SETTING_SCHEDULE],
        .base = settings->v[SETTING_LEARNING_RATE],
        .warmup_steps = settings->v[SETTING_WARMUP_EPOCHS] * (double)steps_per_epoch,
        .factor = settings->v[SETTING_SCHEDULE_FACTOR],
        .floor = settings->v[SETTING_SCHEDULE_FLOOR],
        .epochs_per_cut = (int64_t)settings->v[SETTING_SCHEDULE_EPOCHS],
        .steps_per_epoch = steps_per_epoch,
        .total_steps = epochs * steps_per_epoch,
        .cut = 1,
    };
}

/* Where a step lies behind the warm-up. */
struct place {
    double step, steps; /* from 0; how many there are, at least 1 */
    double epoch;       /* whole epochs since the warm-up, whose last one may be broken */
};

static double anneal(double from, double to, double share)
{
    return to + (from - to) / 2 * (1 + cos(M_PI * share));
}

static double rate_constant(const struct schedule *s, const struct place *at)
{
    return s->base;
}

/* StepLR: base · factor^(cuts so far), at the beginning of an epoch */
static double rate_step(const struct schedule *s, const struct place *at)
{
    return s->base * pow(s->factor, floor(at->epoch / (double)s->epochs_per_cut));
}

/* ExponentialLR: base · factor^epoch, at the beginning of an epoch */
static double rate_exponential(const struct schedule *s, const struct place *at)
{
    return s->base * pow(s->factor, at->epoch);
}

/* CosineAnnealingLR, stepped with each batch: base to floor·base over all steps */
static double rate_cosine(const struct schedule *s, const struct place *at)
{
    return anneal(s->base, s->floor * s->base, fmin(at->step / at->steps, 1));
}

/* OneCycleLR, two phases, cosine: up to base in the first 30 % of the steps and down in the
 * others. Momentum stays as it is. */
static double rate_one_cycle(const struct schedule *s, const struct place *at)
{
    double start = s->base / CYCLE_START, end = start / CYCLE_END;
    double peak = CYCLE_RISE * at->steps - 1, last = at->steps - 1;
    double step = fmin(at->step, last);
    if (step <= peak)
        return anneal(start, s->base, step / peak);
    return anneal(s->base, end, (step - peak) / (last - peak));
}

static double rate_plateau(const struct schedule *s, const struct place *at)
{
    return s->base * s->cut;
}

typedef double rate_fn(const struct schedule *s, const struct place *at);

static rate_fn *const rates[] = {
    [SCHEDULE_CONSTANT] = rate_constant,       [SCHEDULE_STEP] = rate_step,
    [SCHEDULE_EXPONENTIAL] = rate_exponential, [SCHEDULE_COSINE] = rate_cosine,
    [SCHEDULE_ONE_CYCLE] = rate_one_cycle,     [SCHEDULE_PLATEAU] = rate_plateau,
};
_Static_assert(ARRAY_LEN(rates) == SCHEDULE_COUNT, "a row for each schedule");

/* The warm-up rises evenly to the schedule's first rate, which its last step has; the schedule
 * begins behind it, as with SequentialLR. */
double schedule_rate(const struct schedule *s, uint64_t step)
{
    REQUIRE((size_t)s->kind < ARRAY_LEN(rates));
    double warmup = ceil(s->warmup_steps), done = (double)step;
    double epochs = ceil(s->warmup_steps / (double)s->steps_per_epoch);
    struct place at = {
        .step = fmax(done - warmup, 0),
        .steps = fmax((double)s->total_steps - warmup, 1),
        .epoch = fmax(floor(done / (double)s->steps_per_epoch) - epochs, 0),
    };
    double share = done < warmup ? fmin((done + 1) / s->warmup_steps, 1) : 1;
    return share * rates[s->kind](s, &at);
}

/* Better by the threshold, as PyTorch has it for metrics that are not negative. (For a negative
 * one, as R² may be, it would take a slightly worse value for a better one.) NaN is not better. */
static bool is_better(const struct schedule *s, double metric, bool maximize)
{
    double best = s->has_best ? s->best : maximize ? -INFINITY : INFINITY;
    double grow = 1 + PLATEAU_THRESHOLD, shrink = 1 - PLATEAU_THRESHOLD;
    if (maximize)
        return metric > best * (best < 0 ? shrink : grow);
    return metric < best * (best < 0 ? grow : shrink);
}

/* ReduceLROnPlateau: more than epochs_per_cut epochs without improvement make a cut. */
void schedule_end_epoch(struct schedule *s, double metric, bool maximize)
{
    if (s->kind != SCHEDULE_PLATEAU)
        return;
    if (is_better(s, metric, maximize)) {
        s->best = metric;
        s->has_best = true;
        s->bad_epochs = 0;
        return;
    }
    if (++s->bad_epochs <= s->epochs_per_cut)
        return;
    s->bad_epochs = 0;
    double cut = fmax(s->cut * s->factor, s->floor);
    if (s->base * (s->cut - cut) > PLATEAU_LEAST_CUT)
        s->cut = cut;
}
