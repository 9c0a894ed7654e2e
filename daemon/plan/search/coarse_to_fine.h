/* Private to coarse_to_fine*.c, ctf_call.c, rates.c and design.c. */
#ifndef SWEEPD_SEARCH_COARSE_TO_FINE_H
#define SWEEPD_SEARCH_COARSE_TO_FINE_H

#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"

/* X(id, name) in the order they run */
#define CTF_STAGE_MAP(X)         \
    X(COARSE, "coarse")          \
    X(FINE, "fine")              \
    X(OPTIMIZERS, "optimizers")  \
    X(SGD, "sgd")

enum ctf_stage {
#define X(id, name) CTF_##id,
    CTF_STAGE_MAP(X)
#undef X
    CTF_STAGE_COUNT
};
const char *ctf_stage_name(enum ctf_stage stage);

#define CTF_OTHERS_MAX 16 /* optimizers of stage optimizers */

/* A round of the search: a function of the spec alone, and of the round's number. */
struct ctf_plan {
    const struct study *study;
    int64_t runs[CTF_STAGE_COUNT];   /* by the end of the round */
    int64_t before[CTF_STAGE_COUNT]; /* of them in earlier rounds */
    const struct dimension *rate;   /* learning rate; NULL when it is fixed */
    size_t rate_at;                 /* its index */
    const struct dimension *choice; /* optimizer; NULL when it is fixed */
    size_t choice_at;
    uint64_t rate_bit, choice_bit;  /* 0 when fixed */
    double optimizer;               /* of coarse and fine */
    size_t other_count;             /* of stage optimizers, in the spec's order */
    double others[CTF_OTHERS_MAX];
    bool sgd;                       /* there is a stage sgd */
    double sgd_value;
};

/* What one ask works with. */
struct ctf_call {
    const struct ctf_plan *plan;
    size_t done[CTF_STAGE_COUNT];
    size_t want;             /* proposals at most */
    const struct trial *best; /* the best run so far, from which it goes on; NULL: none is usable */
    struct assignment base;  /* its configuration; the middle at the smallest rate without one */
    struct tried tried;      /* with the proposals of this call */
    struct rng rng;
    struct proposals *out;
};

/* Does the search go by what that run came to? By its own, those that a person asked for, and
 * treatments that it carries on. */
bool ctf_goes_by(const struct ctf_plan *p, const struct trial *t);
void ctf_call_init(struct ctf_call *c, const struct ctf_plan *p, size_t want,
                   struct proposals *out);
/* Runs that the stage has in the round, and those of them that it has had. */
size_t ctf_of_round(const struct ctf_plan *p, enum ctf_stage stage);
size_t ctf_done_in_round(const struct ctf_call *c, enum ctf_stage stage);
/* The configuration with the optimizer of coarse and fine. */
void ctf_own_optimizer(const struct ctf_plan *p, struct assignment *a);
/* "0.01", "" when the rate is fixed. */
const char *ctf_rate_text(const struct ctf_plan *p, const struct assignment *a,
                          char out[SPACE_TEXT_MAX]);

/* Appends a configuration, completed, unless it was tried or is not allowed; says whether it
 * did. */
bool ctf_propose(struct ctf_call *c, enum ctf_stage stage, const struct assignment *at,
                 const char *reason_fmt, ...) __attribute__((format(printf, 4, 5)));
/* Like it, but takes the nearest untried configuration with the same optimizer instead: first
 * with the frozen dimensions as they are, then with them moved too. False when none is left. */
bool ctf_propose_near(struct ctf_call *c, enum ctf_stage stage, const struct assignment *at,
                      uint64_t frozen, const char *reason);
/* Sorts the proposals from index `from` on by learning rate, large to small (G2.1); stable. */
void ctf_sort_rates(const struct ctf_call *c, size_t from);

void ctf_fine(struct ctf_call *c, size_t wanted, bool second_barrier);
void ctf_optimizers(struct ctf_call *c, size_t wanted);
void ctf_sgd(struct ctf_call *c, size_t wanted);

/* --- learning rates -------------------------------------------------------------------------- */
#define RATES_MAX 16
/* max, max/10, max/100 … min as exact decimals, or the listed values from large to small; at most
 * `wanted`, spread, the largest always first. Returns the number. */
size_t rates_decades(const struct dimension *d, size_t wanted, double out[RATES_MAX]);
/* At most `wanted` rates of an optimizer's own window within the swept range (the whole range
 * where they do not meet), large to small. */
size_t rates_of_optimizer(const struct dimension *d, const char *optimizer, size_t wanted,
                          double out[RATES_MAX]);

/* --- balanced design ------------------------------------------------------------------------- */
/* `count` configurations over the unfrozen dimensions: each level of a dimension equally often
 * (±1), pairs of levels spread. Frozen dimensions are left as in base. out[count]. */
void design_balanced(const struct space *s, const struct assignment *base, uint64_t frozen,
                     size_t count, struct rng *r, struct assignment *out);

#endif
