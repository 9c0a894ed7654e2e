#include "client/label.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/curve_input.h"
#include "client/human.h"
#include "client/label_plot.h"
#include "client/render.h"
#include "sweep/buf.h"
#include "sweep/diagnosis.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

void label_diagnose(const struct curve *c, size_t count, struct diagnosis *d)
{
    struct diagnosis_input in = {
        .points = c->points, .count = count, .running = count < c->count, .dropout = NAN};
    void *workspace = xmalloc(diagnosis_workspace_bytes(count) + sizeof(double));

    diagnose(&in, workspace, d);
    free(workspace);
}

/* --- JSON --------------------------------------------------------------------------------- */

void label_members(const struct diagnosis *d, const struct curve *c, size_t points,
                   struct json_writer *w)
{
    const struct pattern_info *info = pattern_info(d->pattern);

    jw_kv_string(w, "pattern", info->name);
    jw_kv_real(w, "confidence", d->confidence);
    jw_kv_string(w, "runner_up", d->runner_up == PATTERN_NONE ? NULL : pattern_name(d->runner_up));
    jw_kv_string(w, "guide_ref", info->guide_ref);
    jw_kv_string(w, "look", info->look);
    jw_kv_string(w, "says", info->says);
    jw_kv_string(w, "guide_remedies", info->guide_remedies);
    jw_kv_string(w, "our_remedies", info->our_remedies);
    jw_kv_int(w, "points", (int64_t)points);
    jw_key(w, "notes");
    jw_begin_array(w);
    for (size_t i = 0; i < c->note_count; i++)
        jw_string(w, c->notes[i]);
    jw_end_array(w);
    jw_key(w, "tags");
    diagnosis_tags_write(d, w);
    jw_key(w, "timeline");
    diagnosis_timeline_write(d, w);
    jw_key(w, "evidence");
    diagnosis_evidence_write(d, w);
}

static void write_json(const struct diagnosis *d, const struct curve *c, size_t points,
                       struct buf *out)
{
    struct json_writer w;

    jw_init(&w, out);
    jw_begin_object(&w);
    label_members(d, c, points, &w);
    jw_end_object(&w);
    buf_putc(out, '\n');
}

/* --- for people --------------------------------------------------------------------------- */

#define VALUE_AT 16 /* column of what stands behind a title */
#define VALUE_LEAST 24

struct sheet {
    struct buf *out;
    size_t room; /* columns of a value; 0: it is not broken */
    bool colour;
};

static void line(const struct sheet *s, const char *what, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    render_field(s->out, what, VALUE_AT, false, render_tone(TONE_DIM, s->colour));
    render_wrapped(s->out, text, VALUE_AT, s->room, TONE_PLAIN);
    buf_putc(s->out, '\n');
}

static void write_tags(const struct diagnosis *d, const struct sheet *s)
{
    struct buf tags = {0};

    for (unsigned i = 0; i < DIAGNOSIS_TAG_COUNT; i++)
        if (d->tags >> i & 1u)
            buf_printf(&tags, "%s%s", tags.len > 0 ? ", " : "",
                       diagnosis_tag_name((enum diagnosis_tag)i));
    line(s, "tags", tags.data);
    buf_finish(&tags);
}

static void add_trend(struct render_table *t, const char *name, const struct diagnosis_trend *r)
{
    static const char *const SIGNS[] = {"falls", "flat", "rises"};
    const double numbers[] = {r->change, r->noise, r->z, r->best, r->best_epoch, r->end};
    char text[HUMAN_MAX];
    bool has_trend = r->window > 0;

    render_table_add(t, name, TONE_PLAIN);
    render_table_add(t, has_trend ? SIGNS[r->sign + 1] : "-", TONE_PLAIN);
    render_table_add(t, human_count((int64_t)r->count, text), TONE_PLAIN);
    render_table_add(t, has_trend ? human_count((int64_t)r->window, text) : "-", TONE_PLAIN);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        bool known = !isnan(numbers[i]) && (has_trend || i >= 3);
        const char *shown =
            i == 2 || i == 4 ? human_number(numbers[i], text) : human_loss(numbers[i], text);
        render_table_add(t, known ? shown : "-", TONE_PLAIN);
    }
}

static void write_trends(const struct diagnosis *d, size_t width, bool colour, struct buf *out)
{
    static const struct table_column COLUMNS[] = {
        {"loss", false},    {"trend", false},   {"points", true}, {"window", true, 2},
        {"change", true},   {"noise", true, 3}, {"Z", true, 1},   {"best", true},
        {"at epoch", true}, {"end", true},
    };
    struct render_table t;

    render_table_init(&t, COLUMNS, ARRAY_LEN(COLUMNS));
    add_trend(&t, "training", &d->train);
    add_trend(&t, "validation", &d->val);
    buf_putc(out, '\n');
    render_table_print(&t, width, colour, out);
    render_table_finish(&t);
}

static void write_timeline(const struct diagnosis *d, struct buf *out)
{
    buf_puts(out, "\nepochs\n");
    for (size_t i = 0; i < d->regime_count; i++)
        buf_printf(out, "%8g to %-8g %s\n", d->regimes[i].from, d->regimes[i].to,
                   pattern_name(d->regimes[i].pattern));
}

static void write_head(const struct diagnosis *d, const struct sheet *s)
{
    const char *name = pattern_name(d->pattern);

    render_field(s->out, "pattern", VALUE_AT, false, render_tone(TONE_DIM, s->colour));
    render_field(s->out, name, render_width(name), false,
                 render_tone(render_word_tone(name), s->colour));
    buf_printf(s->out, " (confidence %.2f)\n", d->confidence);
}

static void write_text(const struct label_request *q, const struct diagnosis *d,
                       const struct curve *c, size_t count, struct buf *out)
{
    const struct pattern_info *info = pattern_info(d->pattern);
    size_t room = q->width > VALUE_AT + VALUE_LEAST ? q->width - VALUE_AT : 0;
    const struct sheet s = {out, room, q->colour};

    write_head(d, &s);
    line(&s, "runner-up", pattern_name(d->runner_up));
    line(&s, "looks like", info->look);
    line(&s, "says", info->says);
    line(&s, "guide", info->guide_ref != NULL ? info->guide_ref : "no row: ours");
    line(&s, "guide's remedy", info->guide_remedies);
    line(&s, "our remedy", info->our_remedies);
    line(&s, "why", d->sentence);
    write_tags(d, &s);
    for (size_t i = 0; i < c->note_count; i++)
        line(&s, i == 0 ? "read as" : "", c->notes[i]);
    label_plot(d, c, count, q->width, q->colour, out);
    if (d->train.count + d->val.count > 0)
        write_trends(d, q->width, q->colour, out);
    if (d->regime_count > 1)
        write_timeline(d, out);
}

static int read_curve(const struct label_request *q, struct curve *out, struct errbuf *err)
{
    struct curve val = {0};
    int rc = curve_input_read(q->path, q->run, out, err);

    if (rc != 0 || q->val_path == NULL)
        return rc;
    rc = curve_input_read(q->val_path, q->run, &val, err);
    if (rc == ERR_VALUE && q->run != NULL && strcmp(err->key, "--run") == 0)
        rc = curve_input_read(q->val_path, NULL, &val, err); /* one run, of whatever name */
    if (rc == 0)
        curve_join_val(out, &val);
    else
        curve_finish(out);
    curve_finish(&val);
    return rc;
}

static int check_at(const struct label_request *q, const struct curve *c, struct errbuf *err)
{
    if (q->at <= c->count)
        return 0;
    return err_set(err, ERR_VALUE, "--at: got %zu; %s has %zu points", q->at, q->path, c->count);
}

int label_print(const struct label_request *q, struct buf *text, FILE *out, struct errbuf *err)
{
    struct buf safe = {0};
    if (q->json && q->width > 0)
        render_document(&safe, text->data, text->len);
    const struct buf *made = q->json && q->width > 0 ? &safe : text;
    bool written = fwrite(made->len > 0 ? made->data : "", 1, made->len, out) == made->len &&
                   fflush(out) == 0;
    int rc = written ? 0 : err_set(err, ERR_IO, "output: %s", strerror(errno));
    buf_finish(&safe);
    buf_finish(text);
    return rc;
}

int label_file(const struct label_request *q, FILE *out, struct errbuf *err)
{
    struct curve curve;
    struct diagnosis d;
    struct buf text = {0};
    int rc = read_curve(q, &curve, err);

    if (rc != 0)
        return rc;
    rc = check_at(q, &curve, err);
    if (rc == 0) {
        size_t count = q->at > 0 ? q->at : curve.count;
        label_diagnose(&curve, count, &d);
        if (q->json)
            write_json(&d, &curve, count, &text);
        else
            write_text(q, &d, &curve, count, &text);
        rc = label_print(q, &text, out, err);
    }
    curve_finish(&curve);
    return rc;
}
