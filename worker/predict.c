#include "worker/predict.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#define LOG_MODULE "predict"
#include "sweep/log.h"
#include "sweep/preprocessing.h"
#include "sweep/run_config.h"
#include "worker/data/new_rows.h"
#include "worker/nn/gemm.h"
#include "worker/nn/loss.h"
#include "worker/nn/net.h"
#include "worker/rights.h"
#include "worker/weights.h"

#define EVAL_ROWS 512

/* A trained network and what its numbers mean. */
struct predictor {
    struct run_config config;
    struct weights_told told;
    struct preprocessing p;
    struct scaling scaling;  /* of the whole sample */
    struct model_plan model;
    struct net net;
    bool has_model, has_net;
    size_t classes;          /* 0: values */
    char **names;            /* [classes] */
    struct table rows;
};

static void predictor_finish(struct predictor *x)
{
    if (x->has_net)
        net_finish(&x->net);
    if (x->has_model)
        model_plan_finish(&x->model);
    for (size_t i = 0; x->names && i < x->classes; i++)
        free(x->names[i]);
    free(x->names);
    free(x->scaling.shift);
    free(x->scaling.scale);
    free(x->told.preprocessing);
    preprocessing_finish(&x->p);
    table_finish(&x->rows);
}

/* --- the network ------------------------------------------------------------------------------ */

static int open_net(struct predictor *x, struct errbuf *err)
{
    int rc = model_plan_init(&x->model, &x->config.settings, &x->config.layers, err);
    if (rc != 0)
        return rc;
    x->has_model = true;
    const struct net_plan plan = {.model = &x->model,
                                  .input = x->told.input,
                                  .outputs = x->told.outputs,
                                  .init = INIT_ZEROS,
                                  .train_rows = 1,
                                  .eval_rows = EVAL_ROWS};
    rc = net_init(&x->net, &plan, 0, err);
    if (rc != 0)
        return rc;
    x->has_net = true;
    return weights_read(x->config.start_weights, &x->net, false, x->net.values, err);
}

/* A number of each feature, at all of its places. */
static float *by_place(const struct shape *s, const float *features)
{
    size_t count = shape_count(s);
    float *out = features ? xmalloc(count * sizeof *out) : NULL;
    for (size_t i = 0; features && i < count; i++)
        out[i] = features[preprocessing_feature(s, i)];
    return out;
}

static char *class_text(const struct json *v)
{
    if (json_type(v) == JSON_STRING)
        return xstrdup(json_string(v));
    return xasprintf("%.15g", json_type(v) == JSON_NUMBER ? json_number(v) : NAN);
}

/* As the schema names them; else by their places. */
static void name_classes(struct predictor *x)
{
    const struct json *list = json_get(x->p.schema, "classes"), *v;
    bool two = x->p.sigmoid && x->told.outputs == 1;
    size_t i = 0;
    x->classes = two ? 2 : x->told.outputs;
    x->names = xcalloc(x->classes, sizeof *x->names);
    bool known = list && json_type(list) == JSON_ARRAY && json_count(list) == x->classes;
    for (v = known ? json_first(list) : NULL; v; v = json_next(v))
        x->names[i++] = class_text(v);
    for (; i < x->classes; i++)
        x->names[i] = xasprintf("%zu", i);
}

static int check_targets(const struct predictor *x, struct errbuf *err)
{
    size_t outputs = shape_count(&x->net.output);
    if (!x->p.target_unit || x->p.targets == outputs)
        return 0;
    return err_set(err, ERR_DATA, "%s: the unit of %zu targets, but the network gives %zu",
                   x->config.start_weights, x->p.targets, outputs);
}

static int predictor_open(struct predictor *x, struct errbuf *err)
{
    int rc = weights_tell(x->config.start_weights, &x->told, err);
    if (rc == 0 && !x->told.preprocessing)
        rc = err_set(err, ERR_DATA,
                     "%s does not tell how its data was scaled: an earlier version wrote it, or "
                     "there were too many features; `sweepctl replay RUN -o FILE` trains it again",
                     x->config.start_weights);
    if (rc == 0)
        rc = preprocessing_parse(x->told.preprocessing, &x->told.input, &x->p, err);
    if (rc == 0)
        rc = open_net(x, err);
    if (rc == 0)
        rc = check_targets(x, err);
    if (rc != 0)
        return rc;
    x->scaling.fill = x->p.fill;
    x->scaling.shift = by_place(&x->told.input, x->p.shift);
    x->scaling.scale = by_place(&x->told.input, x->p.factor);
    if (!x->p.regression)
        name_classes(x);
    return 0;
}

/* --- the rows --------------------------------------------------------------------------------- */

static int check_rows(const struct predictor *x, struct errbuf *err)
{
    char here[SHAPE_TEXT_MAX], there[SHAPE_TEXT_MAX];
    const struct table *t = &x->rows;
    const char *path = x->config.predict;
    shape_format(&t->shape, here);
    shape_format(&x->told.input, there);
    if (t->count == 0)
        return err_set(err, ERR_DATA, "%s: there are no rows", path);
    if (strcmp(here, there) != 0)
        return err_set(err, ERR_DATA, "%s: samples of shape %s; allowed: %s, as the network was "
                       "trained on", path, here, there);
    if ((t->type == SAMPLES_U8) != x->p.bytes)
        return err_set(err, ERR_DATA, "%s: the numbers are %s; allowed: %s, as the network was "
                       "trained on", path, t->type == SAMPLES_U8 ? "bytes" : "no bytes",
                       x->p.bytes ? "bytes" : "floats");
    return 0;
}

/* Place of the first number of a row that is none; the row's width: there is none. */
static size_t find_hole(const struct table *t, size_t row)
{
    size_t width = shape_count(&t->shape), i = 0;
    const float *v = (const float *)t->values + row * width;
    while (t->type == SAMPLES_F32 && i < width && isfinite(v[i]))
        i++;
    return t->type == SAMPLES_F32 ? i : width;
}

/* "column \"age\"" of the feature, or "feature 3". */
static char *feature_text(const struct predictor *x, size_t feature)
{
    const struct json *c = json_first(json_get(x->p.schema, "columns"));
    for (size_t next = 0; c; c = json_next(c)) {
        const struct json *categories = json_get(c, "categories"), *name = json_get(c, "name");
        if (json_get(c, "target") || json_get(c, "ignored"))
            continue;
        next += categories ? json_count(categories) : 1;
        if (feature < next && name && json_type(name) == JSON_STRING)
            return xasprintf("column \"%.80s\"", json_string(name));
    }
    return xasprintf("feature %zu", feature + 1);
}

static int fail_hole(const struct predictor *x, size_t row, size_t feature, struct errbuf *err)
{
    char *what = feature_text(x, feature);
    err_set(err, ERR_DATA,
            "%s: row %zu has no finite number in %s; allowed: a number everywhere, as data.on_nan "
            "was hold in training (with impute or drop rows may have holes)",
            x->config.predict, row + 1, what);
    free(what);
    return ERR_DATA;
}

static int check_holes(const struct predictor *x, struct errbuf *err)
{
    const struct table *t = &x->rows;
    size_t width = shape_count(&t->shape);
    for (size_t row = 0; x->p.missing == MISSING_REFUSE && row < t->count; row++) {
        size_t at = find_hole(t, row);
        if (at < width)
            return fail_hole(x, row, at, err);
    }
    return 0;
}

static int read_rows(struct predictor *x, struct errbuf *err)
{
    int rc = new_rows_read(x->config.predict, &x->config.data, x->p.schema, &x->rows, err);
    if (rc == 0)
        rc = check_rows(x, err);
    return rc == 0 ? check_holes(x, err) : rc;
}

/* --- the answers ------------------------------------------------------------------------------ */

/* A field of CSV (RFC 4180). */
static void put_text(struct buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            buf_putc(out, '"');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

/* One of a sample, or one of each step or target. */
static size_t answer_count(const struct predictor *x)
{
    size_t outputs = shape_count(&x->net.output);
    return x->p.regression ? outputs : outputs / x->told.outputs;
}

static bool has_probabilities(const struct predictor *x)
{
    return !x->p.regression && x->p.has_probabilities && answer_count(x) == 1;
}

static void put_header(const struct predictor *x, struct buf *out)
{
    size_t count = answer_count(x);
    buf_puts(out, "row");
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, ",prediction");
        if (count > 1)
            buf_printf(out, " %zu", i + 1);
    }
    for (size_t i = 0; has_probabilities(x) && i < x->classes; i++) {
        char *name = xasprintf("probability %s", x->names[i]);
        buf_putc(out, ',');
        put_text(out, name);
        free(name);
    }
    buf_putc(out, '\n');
}

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

static void put_probabilities(const struct predictor *x, const real *z, struct buf *out)
{
    double top = -INFINITY, total = 0;
    for (size_t i = 0; i < x->told.outputs; i++)
        top = (double)z[i] > top ? (double)z[i] : top;
    for (size_t i = 0; i < x->told.outputs; i++)
        total += exp((double)z[i] - top);
    for (size_t i = 0; i < x->classes; i++) {
        double p = x->told.outputs == 1 ? sigmoid(i == 1 ? (double)z[0] : -(double)z[0])
                   : x->p.sigmoid       ? sigmoid((double)z[i])
                                        : exp((double)z[i] - top) / total;
        buf_printf(out, ",%.9g", p);
    }
}

/* The largest output's, the first of equals; of one output by its sign. */
static const char *class_of(const struct predictor *x, const real *z)
{
    const struct loss l = {.kind = x->p.sigmoid ? LOSS_BINARY_CROSS_ENTROPY : LOSS_CROSS_ENTROPY,
                           .outputs = x->told.outputs};
    size_t class = loss_class(&l, z);
    return class < x->classes ? x->names[class] : "";
}

static void put_answer(const struct predictor *x, const real *z, struct buf *out)
{
    size_t count = answer_count(x);
    for (size_t i = 0; i < count; i++) {
        buf_putc(out, ',');
        if (!x->p.regression) {
            put_text(out, class_of(x, z + i * x->told.outputs));
            continue;
        }
        double value = (double)z[i];
        if (x->p.target_unit)
            value = value * x->p.target_unit[i] + x->p.target_shift[i];
        buf_printf(out, "%.10g", value);
    }
    if (has_probabilities(x))
        put_probabilities(x, z, out);
    buf_putc(out, '\n');
}

static void put_nothing(const struct predictor *x, struct buf *out)
{
    size_t fields = answer_count(x) + (has_probabilities(x) ? x->classes : 0);
    for (size_t i = 0; i < fields; i++)
        buf_putc(out, ',');
    buf_putc(out, '\n');
}

static void answer(struct predictor *x, struct buf *out)
{
    const struct table *t = &x->rows;
    size_t width = shape_count(&t->shape), outputs = shape_count(&x->net.output);
    const struct samples samples = {.type = t->type, .count = t->count, .shape = t->shape,
                                    .features = width, .values = t->values};
    put_header(x, out);
    for (size_t done = 0; done < t->count; done += x->net.eval_rows) {
        size_t rows = t->count - done < x->net.eval_rows ? t->count - done : x->net.eval_rows;
        for (size_t i = 0; i < rows; i++)
            samples_row(&samples, done + i, &x->scaling, x->net.input + i * width);
        const real *z = net_forward(&x->net, rows, false, 0);
        for (size_t i = 0; i < rows; i++) {
            buf_printf(out, "%zu", done + i + 1);
            if (x->p.missing == MISSING_DROP && find_hole(t, done + i) < width)
                put_nothing(x, out);
            else
                put_answer(x, z + i * outputs, out);
        }
    }
}

/* --- all of it -------------------------------------------------------------------------------- */

static int write_all(const struct buf *text)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t n = write(STDOUT_FILENO, text->data + done, text->len - done);
        if (n <= 0)
            return EX_IOERR;
        done += (size_t)n;
    }
    return 0;
}

static int refuse(struct link *link, const struct errbuf *err)
{
    struct record r = {.type = RECORD_ERROR, .u.error = *err};
    log_error("%s", err->message);
    link_send(link, &r);
    return 1;
}

static int read_config(const char *path, struct run_config *c, struct errbuf *err)
{
    int rc = run_config_read(path, c, err);
    if (rc == 0 && (!c->start_weights[0] || !c->predict[0]))
        rc = err_set(err, ERR_MISSING, "$.start_weights and $.predict: whose answers, for what");
    return rc;
}

int job_predict(const char *config_path, struct link *link)
{
    struct predictor *x = xcalloc(1, sizeof *x);
    struct buf text = {0};
    struct errbuf err = {0};
    gemm_init();
    int rc = read_config(config_path, &x->config, &err);
    if (rc == 0) {
        rights_predict(&x->config);
        rc = predictor_open(x, &err);
    }
    if (rc == 0)
        rc = read_rows(x, &err);
    if (rc == 0)
        answer(x, &text);
    int status = rc != 0 ? refuse(link, &err) : write_all(&text);
    buf_finish(&text);
    predictor_finish(x);
    free(x);
    return status;
}
