/* What the script of a report reads: runs as rows of numbers, curves as shares of their range in 16
 * bits. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/page/html.h"
#include "client/page/page.h"
#include "client/render.h"
#include "client/utf8.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define POINTS_MAX 120 /* of a curve: every second, third, … of more */
#define NO_VALUE 65535
#define VALUE_STEPS 65534.0
#define DIGITS 6

/* JSON whose text does not end its script element, nor begin a comment there; the script shows a
 * name as the tables do, without what turns the line around. */
static void add_safe(struct buf *out, const struct buf *json)
{
    for (size_t i = 0, len; i < json->len; i += len) {
        uint32_t c = 0;
        len = utf8_decode(json->data + i, &c);
        if (c == '<' || c == '>' || c == '&')
            buf_printf(out, "\\u%04x", (unsigned)c);
        else if (len == 0 || render_is_unsafe(c))
            buf_puts(out, "\xef\xbf\xbd");
        else
            buf_append(out, json->data + i, len);
        len = len > 0 ? len : 1;
    }
}

static void add_real(struct json_writer *w, double v)
{
    if (isfinite(v))
        jw_real_digits(w, v, DIGITS);
    else
        jw_null(w);
}

static void add_parameters(struct json_writer *w, const struct study *s)
{
    jw_key(w, "parameters");
    jw_begin_array(w);
    for (size_t i = 0; i < s->parameter_count; i++) {
        const struct study_parameter *p = &s->parameters[i];
        jw_begin_object(w);
        jw_kv_string(w, "name", p->name);
        jw_kv_bool(w, "log", p->logarithmic);
        if (p->choice_count > 0) {
            jw_key(w, "choices");
            jw_begin_array(w);
            for (size_t k = 0; k < p->choice_count; k++)
                jw_string(w, p->choices[k]);
            jw_end_array(w);
        }
        jw_end_object(w);
    }
    jw_end_array(w);
}

static void add_run(struct json_writer *w, const struct study *s, const struct study_run *r)
{
    jw_begin_array(w);
    jw_int(w, r->id);
    jw_int(w, r->number);
    jw_int(w, r->status);
    jw_int(w, r->pattern);
    add_real(w, r->metric);
    add_real(w, r->seconds);
    for (size_t i = 0; i < s->parameter_count; i++)
        add_real(w, r->values[i]);
    for (size_t i = 1; i < s->objective_count; i++)
        add_real(w, r->objectives[i]);
    jw_end_array(w);
}

/* Those behind the metric. */
static void add_objectives(struct json_writer *w, const struct study *s)
{
    jw_key(w, "objectives");
    jw_begin_array(w);
    for (size_t i = 1; i < s->objective_count; i++) {
        jw_begin_object(w);
        jw_kv_string(w, "name", s->objectives[i].name);
        jw_kv_bool(w, "maximize", s->objectives[i].maximize);
        jw_end_object(w);
    }
    jw_end_array(w);
}

/* Every stride-th of a series. */
struct series {
    const double *v;
    size_t count, stride;
    double low, high;
};

static void series_init(struct series *s, const double *v, size_t count, size_t stride)
{
    *s = (struct series){v, (count + stride - 1) / stride, stride, INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i += stride) {
        if (!isfinite(v[i]))
            continue;
        s->low = fmin(s->low, v[i]);
        s->high = fmax(s->high, v[i]);
    }
    if (!(s->low <= s->high))
        s->low = s->high = 0;
}

static void add_shares(struct buf *out, const struct series *s)
{
    for (size_t i = 0; i < s->count; i++) {
        double v = s->v[i * s->stride], range = s->high / 2 - s->low / 2; /* stays finite */
        double share = range > 0 ? (v / 2 - s->low / 2) / range : 0;
        unsigned code = isfinite(v) ? (unsigned)lround(share * VALUE_STEPS) : NO_VALUE;
        buf_putc(out, (char)(code & 0xff));
        buf_putc(out, (char)(code >> 8));
    }
}

/* The epochs are 1, 2, 3 …, and need not be told. */
static bool counts_from_one(const struct series *epochs)
{
    for (size_t i = 0; i < epochs->count; i++)
        if (epochs->v[i * epochs->stride] != (double)i + 1)
            return false;
    return true;
}

/* [points, low and high of training, of validation, base64, null or low and high of the epochs] */
static void add_curve(struct json_writer *w, const struct study_curve *c)
{
    size_t stride = (c->count + POINTS_MAX - 1) / POINTS_MAX;
    struct series train, val, epochs;
    struct buf bytes = {0}, text = {0};
    series_init(&train, c->train, c->count, stride);
    series_init(&val, c->val, c->count, stride);
    series_init(&epochs, c->epoch, c->count, stride);
    bool regular = counts_from_one(&epochs);
    add_shares(&bytes, &train);
    add_shares(&bytes, &val);
    if (!regular)
        add_shares(&bytes, &epochs);
    html_base64(&text, bytes.data, bytes.len);
    jw_begin_array(w);
    jw_int(w, (int64_t)train.count);
    add_real(w, train.low);
    add_real(w, train.high);
    add_real(w, val.low);
    add_real(w, val.high);
    jw_string(w, text.data);
    if (regular) {
        jw_null(w);
    } else {
        jw_begin_array(w);
        add_real(w, epochs.low);
        add_real(w, epochs.high);
        jw_end_array(w);
    }
    jw_end_array(w);
    buf_finish(&bytes);
    buf_finish(&text);
}

static void add_sweep(struct json_writer *w, const struct study *s)
{
    char id[24];
    jw_begin_object(w);
    jw_kv_int(w, "id", s->id);
    jw_kv_string(w, "metric", s->metric);
    jw_kv_bool(w, "maximize", s->maximize);
    add_parameters(w, s);
    add_objectives(w, s);
    jw_key(w, "runs");
    jw_begin_array(w);
    for (size_t i = 0; i < s->run_count; i++)
        add_run(w, s, &s->runs[i]);
    jw_end_array(w);
    jw_key(w, "curves");
    jw_begin_object(w);
    for (size_t i = 0; i < s->run_count; i++) {
        if (s->runs[i].curve.count == 0)
            continue;
        snprintf(id, sizeof id, "%lld", (long long)s->runs[i].id);
        jw_key(w, id);
        add_curve(w, &s->runs[i].curve);
    }
    jw_end_object(w);
    jw_end_object(w);
}

static void add_words(struct json_writer *w, enum language language)
{
    static const struct {
        const char *key;
        enum word word;
    } rows[] = {
        {"run", WORD_RUN},
        {"runs", WORD_RUNS},
        {"label", WORD_LABEL},
        {"epoch", WORD_EPOCH},
        {"loss", WORD_LOSS},
        {"number", WORD_NUMBER},
        {"seconds", WORD_SECONDS},
        {"no_label", WORD_NO_LABEL},
        {"parallel", WORD_PARALLEL},
        {"curves", WORD_CURVES},
        {"filters", WORD_FILTERS},
        {"clear", WORD_CLEAR},
        {"horizontal", WORD_HORIZONTAL},
        {"vertical", WORD_VERTICAL},
        {"shown", WORD_SHOWN},
        {"points", WORD_POINTS_OF},
        {"how", WORD_HOW},
    };
    jw_key(w, "words");
    jw_begin_object(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        jw_kv_string(w, rows[i].key, word_in(language, rows[i].word));
    jw_end_object(w);
}

void page_data(const struct page *p, struct buf *out)
{
    struct buf json = {0};
    struct json_writer w;
    jw_init(&w, &json);
    jw_begin_object(&w);
    add_words(&w, p->language);
    jw_key(&w, "patterns");
    jw_begin_array(&w);
    for (int i = 0; i < PATTERN_COUNT; i++)
        jw_string(&w, pattern_name((enum pattern)i));
    jw_end_array(&w);
    jw_key(&w, "sweeps");
    jw_begin_array(&w);
    for (size_t i = 0; i < p->count; i++)
        add_sweep(&w, &p->sweeps[i].study);
    jw_end_array(&w);
    jw_end_object(&w);
    add_safe(out, &json);
    buf_finish(&json);
}
