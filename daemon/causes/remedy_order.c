/* Which remedies answer which pattern and cause, and in which order: the guide's in the order in
 * which it names them, then ours (docs/patterns.md). */
#include "daemon/causes/remedy.h"
#include "sweep/require.h"

#define R(id) REMEDY_##id
#define LIST(...) {(const enum remedy[]){__VA_ARGS__}, \
                   sizeof((const enum remedy[]){__VA_ARGS__}) / sizeof(enum remedy)}

static const struct list {
    const enum remedy *items;
    size_t count;
} of_pattern[PATTERN_COUNT] = {
    [PATTERN_LEARNING] = LIST(R(MORE_EPOCHS)),
    [PATTERN_OVERFITTING] = LIST(R(L2), R(MORE_DROPOUT), R(EARLY_STOPPING), R(EMA), R(MIXUP)),
    [PATTERN_OVERFITTING_RISING] =
        LIST(R(EARLY_STOPPING), R(L2), R(MORE_DROPOUT), R(SMALLER_NET), R(EMA), R(MIXUP)),
    [PATTERN_DATASET_PROBLEM] = LIST(R(LARGER_VALIDATION)),
    [PATTERN_BOTTLENECK] = LIST(R(LEARNING_RATE_UP), R(OTHER_OPTIMIZER), R(LEARNING_RATE_DOWN),
                                R(BATCH_DOWN), R(INITIALISATION), R(BATCH_NORM)),
    [PATTERN_CONVERGED] = LIST(R(SGD_LAST), R(COSINE), R(LEARNING_RATE_DOWN)),
    [PATTERN_TRAIN_ABOVE_VAL] = LIST(R(EVAL_TRAIN), R(LARGER_VALIDATION)),
    [PATTERN_DROPOUT_TOO_STRONG] = LIST(R(NO_DROPOUT), R(LESS_DROPOUT)),
    [PATTERN_TRAIN_RISING] = LIST(R(COSINE), R(LEARNING_RATE_DOWN), R(EARLY_STOPPING)),
    [PATTERN_DIVERGING] = LIST(R(ONE_LAYER_FEWER), R(LEARNING_RATE_DOWN), R(CLIP_BY_NORM),
                               R(SCALE_INPUT)),
    [PATTERN_SLOW_RISE] = LIST(R(LEARNING_RATE_DOWN), R(EARLY_STOPPING)),
    [PATTERN_OSCILLATING] = LIST(R(MORE_DENSE), R(BATCH_UP), R(SHUFFLE), R(LEARNING_RATE_DOWN),
                                 R(LARGER_VALIDATION), R(MIXUP), R(EMA)),
    [PATTERN_NOT_A_NUMBER] = LIST(R(IMPUTE), R(PRE_TRAIN), R(CLIP_AND_L2), R(OTHER_ACTIVATION),
                                  R(BATCH_NORM), R(LSTM), R(RESIDUAL), R(ONE_LAYER_FEWER),
                                  R(LEARNING_RATE_DOWN)),
    [PATTERN_TOO_SHORT] = LIST(R(MORE_EPOCHS)),
};

static const struct list of_cause[CAUSE_COUNT] = {
    [CAUSE_LEARNING_RATE_TOO_LARGE] = LIST(R(LEARNING_RATE_DOWN), R(CLIP_BY_NORM), R(COSINE)),
    [CAUSE_LEARNING_RATE_TOO_SMALL] = LIST(R(LEARNING_RATE_UP), R(OTHER_OPTIMIZER)),
    [CAUSE_BATCH_TOO_SMALL] = LIST(R(BATCH_UP), R(LEARNING_RATE_DOWN)),
    [CAUSE_NOT_SHUFFLED] = LIST(R(SHUFFLE)),
    [CAUSE_CAPACITY_TOO_SMALL] = LIST(R(MORE_DENSE), R(LARGER_NET)),
    [CAUSE_TOO_DEEP] = LIST(R(OTHER_ACTIVATION), R(BATCH_NORM), R(SHALLOWER), R(ONE_LAYER_FEWER),
                            R(RESIDUAL)),
    [CAUSE_VANISHING_GRADIENT] = LIST(R(PRE_TRAIN), R(OTHER_ACTIVATION), R(BATCH_NORM), R(LSTM),
                                      R(RESIDUAL), R(SHALLOWER), R(ONE_LAYER_FEWER)),
    [CAUSE_EXPLODING_GRADIENT] = LIST(R(PRE_TRAIN), R(CLIP_AND_L2), R(OTHER_ACTIVATION),
                                      R(BATCH_NORM), R(LSTM), R(RESIDUAL), R(ONE_LAYER_FEWER),
                                      R(LEARNING_RATE_DOWN)),
    [CAUSE_DEAD_UNITS] = LIST(R(PRE_TRAIN), R(OTHER_ACTIVATION), R(BATCH_NORM), R(INITIALISATION),
                              R(LEARNING_RATE_DOWN)),
    [CAUSE_NAN_IN_INPUT] = LIST(R(IMPUTE)),
    [CAUSE_CLIPPING_BOUNDS] = LIST(R(CLIP_BY_NORM)),
    [CAUSE_DROPOUT_TOO_STRONG] = LIST(R(NO_DROPOUT), R(LESS_DROPOUT)),
    [CAUSE_VALIDATION_SET_TOO_SMALL] = LIST(R(LARGER_VALIDATION)),
    [CAUSE_LABEL_NOISE] = LIST(R(EARLY_STOPPING), R(L2), R(MORE_DROPOUT)),
    [CAUSE_OVERCAPACITY] = LIST(R(SHALLOWER), R(L2), R(MORE_DROPOUT), R(SMALLER_NET),
                                R(EARLY_STOPPING)),
    [CAUSE_CONSTANT_PREDICTION] = {NULL, 0}, /* a picture of the answers, not yet why: as unknown */
    [CAUSE_UNKNOWN] = {NULL, 0}, /* the pattern's alone */
};

/* What says the opposite of what the cause says is not tried for the pattern's sake. */
static const enum remedy opposites[][2] = {
    {R(LEARNING_RATE_UP), R(LEARNING_RATE_DOWN)}, {R(BATCH_UP), R(BATCH_DOWN)},
    {R(LARGER_NET), R(SMALLER_NET)},              {R(MORE_DENSE), R(ONE_LAYER_FEWER)},
    {R(MORE_DENSE), R(SHALLOWER)},                {R(LARGER_NET), R(SHALLOWER)},
    {R(MORE_DENSE), R(SMALLER_NET)},              {R(LARGER_NET), R(ONE_LAYER_FEWER)},
    {R(MORE_DROPOUT), R(NO_DROPOUT)},             {R(MORE_DROPOUT), R(LESS_DROPOUT)},
};

static bool are_opposite(enum remedy a, enum remedy b)
{
    for (size_t i = 0; i < sizeof opposites / sizeof *opposites; i++) {
        if ((opposites[i][0] == a && opposites[i][1] == b) ||
            (opposites[i][0] == b && opposites[i][1] == a))
            return true;
    }
    return false;
}

static bool has_opposite(const struct list *l, enum remedy r)
{
    for (size_t i = 0; i < l->count; i++) {
        if (are_opposite(l->items[i], r))
            return true;
    }
    return false;
}

static bool has(const struct list *l, enum remedy r)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->items[i] == r)
            return true;
    }
    return false;
}

/* Steps along one line: where one helped, the next may. */
static bool can_be_repeated(enum remedy r)
{
    static const enum remedy steps[] = {
        R(LEARNING_RATE_UP), R(LEARNING_RATE_DOWN), R(BATCH_UP),     R(BATCH_DOWN),
        R(MORE_DENSE),       R(ONE_LAYER_FEWER),    R(SHALLOWER),    R(LARGER_NET),
        R(SMALLER_NET),      R(LESS_DROPOUT),       R(MORE_DROPOUT), R(L2),
    };
    return has(&(struct list){steps, sizeof steps / sizeof *steps}, r);
}

/* Those of l that are not there yet and do not undo what is. */
static size_t append(const struct list *l, enum remedy out[REMEDIES_MAX], size_t count)
{
    const struct list before = {out, count};
    for (size_t i = 0; i < l->count && count < REMEDIES_MAX; i++) {
        if (!has(&before, l->items[i]) && !has_opposite(&before, l->items[i]))
            out[count++] = l->items[i];
    }
    return count;
}

static const struct list none = {NULL, 0};

static const struct list *list_of_cause(enum cause_id cause)
{
    return (unsigned)cause < CAUSE_COUNT ? &of_cause[cause] : &none;
}

size_t remedies_next(enum pattern p, enum cause_id cause, const struct remedy_past *past,
                     enum remedy out[REMEDIES_MAX])
{
    const struct list *named = list_of_cause(cause);
    const struct list *others = (unsigned)p < PATTERN_COUNT ? &of_pattern[p] : &none;
    bool goes_on = past && past->helped;
    if (named->count == 0 && goes_on) {
        named = list_of_cause(past->cause);
        if (can_be_repeated(past->remedy) && !has_opposite(named, past->remedy)) {
            out[0] = past->remedy;
            return append(others, out, append(named, out, 1));
        }
    }
    return append(others, out, append(named, out, 0));
}

size_t remedies_of(enum pattern p, enum cause_id cause, enum remedy out[REMEDIES_MAX])
{
    return remedies_next(p, cause, NULL, out);
}
