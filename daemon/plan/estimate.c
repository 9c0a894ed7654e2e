#include "daemon/plan/estimate.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/store.h"
#include "sweep/json.h"
#include "sweep/model.h"
#include "sweep/record.h"
#include "sweep/spec.h"

#define RATES_MAX 200
#define RATES_MIN 3           /* earlier runs to believe in */
#define FLOP_PER_SECOND 40e9  /* of one core without experience: half of what sgemm reaches */
#define START_SECONDS 0.005   /* exec, mapping the data, the commit */
#define FLOP_PER_WEIGHT 6     /* forward, gradient of weights and of inputs: multiply and add */

/* --- operations of a network ---------------------------------------------------------------- */

/* The shape that runs through the layers, and what they cost. Shapes that do not fit are refused
 * by the worker; here they only make the guess worse. */
struct walk {
    struct shape shape;
    size_t outputs;
    double weights; /* products of one forward pass */
};

static double option(const struct plan_layer *l, enum layer_option o)
{
    return l->value[o];
}

static void walk_dense(struct walk *w, const struct plan_layer *l)
{
    size_t units = l->is_output ? w->outputs : (size_t)option(l, LAYER_OPTION_UNITS);
    w->weights += (double)shape_count(&w->shape) * (double)units;
    w->shape.dim[w->shape.rank - 1] = units;
}

/* gates times a product of inputs and one of the state, at each step and in each direction. */
static void walk_recurrent(struct walk *w, const struct plan_layer *l)
{
    double gates = l->kind == LAYER_LSTM ? 4 : l->kind == LAYER_GRU ? 3 : 1;
    double steps = w->shape.rank > 1 ? (double)w->shape.dim[0] : 1;
    double in = (double)w->shape.dim[w->shape.rank - 1], units = option(l, LAYER_OPTION_UNITS);
    size_t directions = option(l, LAYER_OPTION_BIDIRECTIONAL) != 0 ? 2 : 1;
    w->weights += steps * gates * (in + units) * units * (double)directions;
    if (option(l, LAYER_OPTION_RETURN) == 0)
        w->shape.rank = 1;
    w->shape.dim[w->shape.rank - 1] = (size_t)units * directions;
}

/* Windows of `size` that fit into n, `stride` apart. */
static size_t windows(size_t n, size_t size, size_t stride)
{
    return n >= size ? (n - size) / stride + 1 : 1;
}

static void walk_conv2d(struct walk *w, const struct plan_layer *l)
{
    size_t kernel = (size_t)option(l, LAYER_OPTION_KERNEL);
    size_t stride = (size_t)option(l, LAYER_OPTION_STRIDE);
    size_t padding = (size_t)option(l, LAYER_OPTION_PADDING);
    size_t channels = (size_t)option(l, LAYER_OPTION_CHANNELS);
    double inputs = (double)(w->shape.dim[0] * kernel * kernel);
    if (w->shape.rank != 3)
        return;
    w->shape.dim[0] = channels;
    for (size_t i = 1; i < 3; i++)
        w->shape.dim[i] = windows(w->shape.dim[i] + 2 * padding, kernel, stride);
    w->weights += inputs * (double)shape_count(&w->shape);
}

static void walk_pool(struct walk *w, const struct plan_layer *l)
{
    size_t size = (size_t)option(l, LAYER_OPTION_SIZE);
    for (size_t i = 1; i < 3 && w->shape.rank == 3; i++)
        w->shape.dim[i] = windows(w->shape.dim[i], size, size);
}

static void walk_flatten(struct walk *w, const struct plan_layer *l)
{
    w->shape = (struct shape){.rank = 1, .dim = {shape_count(&w->shape)}};
}

static void (*const walkers[LAYER_KIND_COUNT])(struct walk *, const struct plan_layer *) = {
    [LAYER_DENSE] = walk_dense,   [LAYER_RNN] = walk_recurrent, [LAYER_GRU] = walk_recurrent,
    [LAYER_LSTM] = walk_recurrent, [LAYER_CONV2D] = walk_conv2d, [LAYER_MAX_POOL] = walk_pool,
    [LAYER_AVG_POOL] = walk_pool, [LAYER_FLATTEN] = walk_flatten,
};

double estimate_flop(const struct settings *s, const struct layer_list *layers,
                     const struct shape *input, size_t outputs)
{
    struct walk w = {.shape = *input, .outputs = outputs};
    struct model_plan plan;
    if (model_plan_init(&plan, s, layers, NULL) != 0)
        return 0;
    if (plan.flatten_input)
        walk_flatten(&w, NULL);
    for (size_t i = 0; i < plan.count; i++) {
        if (walkers[plan.layers[i].kind])
            walkers[plan.layers[i].kind](&w, &plan.layers[i]);
    }
    model_plan_finish(&plan);
    return FLOP_PER_WEIGHT * w.weights;
}

/* --- the sweep ------------------------------------------------------------------------------ */

static void middle(const struct spec *spec, struct settings *out)
{
    struct assignment a;
    for (size_t i = 0; i < spec->space.count; i++)
        a.v[i] = dimension_middle(&spec->space.dimensions[i]);
    trainer_settings(spec, &a, out);
}

static double samples_trained(const struct settings *s, const struct record_prepared *data)
{
    double samples = (double)data->samples, limit = s->v[SETTING_LIMIT];
    if (limit > 0 && limit < samples)
        samples = limit;
    if (data->validation_samples == 0)
        samples -= s->v[SETTING_VALIDATION];
    return samples > 1 ? samples : 1;
}

void estimate_init(struct estimate *e, const struct spec *spec, const struct record_prepared *data)
{
    struct settings s;
    middle(spec, &s);
    *e = (struct estimate){
        .epochs = (double)spec->epochs,
        .samples = samples_trained(&s, data),
        .outputs = (size_t)(data->classes > 0 ? data->classes : data->outputs),
    };
    e->input = (struct shape){.rank = 1, .dim = {(size_t)data->features}};
    if (data->rank >= 1 && data->rank <= SHAPE_RANK_MAX)
        e->input.rank = (size_t)data->rank;
    for (size_t i = 0; i < e->input.rank && data->rank >= 1; i++)
        e->input.dim[i] = (size_t)data->dim[i];
    e->flop = estimate_flop(&s, &spec->trainer.layers, &e->input, e->outputs);
}

/* --- earlier runs --------------------------------------------------------------------------- */

static double number(const struct table *t, size_t row, const char *column)
{
    const struct cell *c = table_cell(t, row, column);
    return c->type == CELL_INTEGER || c->type == CELL_REAL ? c->real : 0;
}

static struct json *parsed(const struct table *t, size_t row, const char *column)
{
    const struct cell *c = table_cell(t, row, column);
    return c->type == CELL_TEXT ? json_parse(c->text, strlen(c->text), NULL) : NULL;
}

/* Operations of a sample of an earlier run. The shape of its data is not in the rows: it is the
 * present one's where the number of features agrees, else a row of features; a network that is
 * not an mlp then does not count. */
static double earlier_flop(const struct estimate *e, const struct table *rates, size_t row)
{
    struct shape input = {.rank = 1, .dim = {(size_t)number(rates, row, "data_features")}};
    bool same = input.dim[0] == shape_count(&e->input);
    struct json *settings = parsed(rates, row, "settings_json");
    struct json *layers = parsed(rates, row, "layers_json");
    struct layer_list list = {0};
    struct settings s;
    double flop = 0, classes = number(rates, row, "data_classes");

    settings_init(&s);
    if (settings && settings_from_json(&s, settings, NULL, NULL) == 0 &&
        (!layers || layer_list_parse(layers, "layers", &list, NULL) == 0) &&
        (same || s.v[SETTING_MODEL_TYPE] == MODEL_MLP))
        flop = estimate_flop(&s, &list, same ? &e->input : &input,
                             classes > 0 ? (size_t)classes : e->outputs);
    json_destroy(settings);
    json_destroy(layers);
    return flop;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds per floating-point operation: the median of earlier runs. */
static double seconds_per_flop(const struct estimate *e, const struct table *rates)
{
    double v[RATES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < rates->rows && n < RATES_MAX; i++) {
        double flop = number(rates, i, "epochs") * number(rates, i, "samples") *
                      earlier_flop(e, rates, i);
        double seconds = number(rates, i, "seconds");
        if (flop > 0 && seconds > 0)
            v[n++] = seconds / flop;
    }
    if (n < RATES_MIN)
        return 1 / FLOP_PER_SECOND;
    qsort(v, n, sizeof(v[0]), by_value);
    return v[n / 2];
}

double estimate_seconds(const struct estimate *e, const struct table *rates, int64_t runs,
                        size_t workers)
{
    double flop = e->epochs * e->samples * e->flop;
    double rounds = (double)((runs + (int64_t)workers - 1) / (int64_t)workers);
    return rounds * (START_SECONDS + flop * seconds_per_flop(e, rates));
}
