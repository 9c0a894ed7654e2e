#include "client/label.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/curve_input.h"
#include "client/human.h"
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

static void line(struct buf *out, const char *what, const char *text)
{
    if (text != NULL && text[0] != '\0')
        buf_printf(out, "%-15s %s\n", what, text);
}

static void write_tags(const struct diagnosis *d, struct buf *out)
{
    struct buf tags = {0};

    for (unsigned i = 0; i < DIAGNOSIS_TAG_COUNT; i++)
        if (d->tags >> i & 1u)
            buf_printf(&tags, "%s%s", tags.len > 0 ? ", " : "",
                       diagnosis_tag_name((enum diagnosis_tag)i));
    line(out, "tags", tags.data);
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

static void write_trends(const struct diagnosis *d, struct buf *out)
{
    static const struct table_column COLUMNS[] = {
        {"loss", false}, {"trend", false}, {"points", true}, {"window", true},   {"change", true},
        {"noise", true}, {"Z", true},      {"best", true},   {"at epoch", true}, {"end", true},
    };
    struct render_table t;

    render_table_init(&t, COLUMNS, ARRAY_LEN(COLUMNS));
    add_trend(&t, "training", &d->train);
    add_trend(&t, "validation", &d->val);
    buf_putc(out, '\n');
    render_table_print(&t, 0, false, out);
    render_table_finish(&t);
}

static void write_timeline(const struct diagnosis *d, struct buf *out)
{
    buf_puts(out, "\nepochs\n");
    for (size_t i = 0; i < d->regime_count; i++)
        buf_printf(out, "%8g to %-8g %s\n", d->regimes[i].from, d->regimes[i].to,
                   pattern_name(d->regimes[i].pattern));
}

static void write_text(const struct diagnosis *d, const struct curve *c, struct buf *out)
{
    const struct pattern_info *info = pattern_info(d->pattern);
    struct buf head = {0};

    buf_printf(&head, "%s (confidence %.2f)", info->name, d->confidence);
    line(out, "pattern", head.data);
    line(out, "runner-up", pattern_name(d->runner_up));
    line(out, "looks like", info->look);
    line(out, "says", info->says);
    line(out, "guide", info->guide_ref != NULL ? info->guide_ref : "no row: ours");
    line(out, "guide's remedy", info->guide_remedies);
    line(out, "our remedy", info->our_remedies);
    line(out, "why", d->sentence);
    write_tags(d, out);
    for (size_t i = 0; i < c->note_count; i++)
        line(out, i == 0 ? "read as" : "", c->notes[i]);
    if (d->train.count + d->val.count > 0)
        write_trends(d, out);
    if (d->regime_count > 1)
        write_timeline(d, out);
    buf_finish(&head);
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
            write_text(&d, &curve, &text);
        if (fwrite(text.data, 1, text.len, out) != text.len || fflush(out) != 0)
            rc = err_set(err, ERR_IO, "output: %s", strerror(errno));
    }
    buf_finish(&text);
    curve_finish(&curve);
    return rc;
}
