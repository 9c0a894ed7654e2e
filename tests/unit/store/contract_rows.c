/* Rows as text, to compare them whole and to read where they differ. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/bind.h"
#include "daemon/store/columns.h"
#include "sweep/json.h"
#include "tests/unit/store/contract.h"

void row_text(struct buf *out, const char *text)
{
    buf_printf(out, "%s%s", out->len > 0 && out->data[out->len - 1] != '\n' ? "|" : "",
               text ? text : "-");
}

void row_int(struct buf *out, int64_t v)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRId64, v);
    row_text(out, text);
}

void row_count(struct buf *out, int64_t v)
{
    if (v == 0)
        row_text(out, NULL);
    else
        row_int(out, v);
}

void row_real(struct buf *out, bool has, double v)
{
    char text[32];
    json_format_real(v, text);
    row_text(out, has ? text : NULL);
}

void row_end(struct buf *out)
{
    buf_putc(out, '\n');
}

/* --- the kinds of columns.h ------------------------------------------------------------------ */

static const char *treatment(const struct run_row *r, const char *word)
{
    return r->kind == RUN_KIND_TREATMENT ? word : NULL;
}

static void print_word(struct buf *out, const char *text)
{
    row_text(out, text && text[0] ? text : NULL);
}

static void print_maybe(struct buf *out, struct maybe m)
{
    row_real(out, m.has, m.value);
}

static void print_seed(struct buf *out, uint64_t seed)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, seed);
    row_text(out, text);
}

static void print_settings(struct buf *out, const struct run_row *r)
{
    struct json_writer w;
    row_text(out, "");
    jw_init(&w, out);
    run_row_write_settings(r, &w);
}

static void print_data_facts(struct buf *out, const struct data_facts *d)
{
    struct json_writer w;
    row_text(out, "");
    jw_init(&w, out);
    data_facts_write(d, &w);
}

/* NaN in a REAL column is NULL. */
#define print_real(out, v) row_real(out, !isnan(v), v)
#define print_whole(out, v) row_real(out, !isnan(v), v)
#define print_choice(out, c) row_text(out, (c).name)
#define print_int row_int
#define print_flag row_int
#define print_time row_int
#define print_count row_count
#define print_text row_text

#define NAMED(column, kind, value)                                                                \
    row_text(out, #column);                                                                       \
    print_##kind(out, value);

static void sweep_line(struct buf *out, const struct sweep_row *r)
{
    row_int(out, r->id);
    SWEEP_COLUMNS(NAMED)
    row_end(out);
}

static void run_line(struct buf *out, const struct run_row *r)
{
    row_int(out, r->id);
    RUN_COLUMNS(NAMED)
    row_end(out);
}

char *contract_whole(const struct store_restored *r)
{
    struct buf out = {0};
    for (size_t i = 0; i < r->sweep_count; i++)
        sweep_line(&out, &r->sweeps[i]);
    for (size_t i = 0; i < r->run_count; i++)
        run_line(&out, &r->runs[i]);
    return buf_take(&out);
}

static void label_line(struct buf *out, const struct stored_label *l)
{
    row_text(out, "label");
    row_int(out, l->run_id);
    row_text(out, pattern_name(l->facts.pattern));
    row_real(out, true, l->facts.confidence);
    row_int(out, l->facts.tags); /* bits: 2 is "spike" */
    row_real(out, true, l->facts.spread);
    row_text(out, l->cause < CAUSE_COUNT ? cause_name(l->cause) : NULL);
    row_end(out);
}

char *contract_brief(const struct store_restored *r)
{
    struct buf out = {0};
    buf_printf(&out, "last %" PRId64 " %" PRId64 "\n", r->last_sweep_id, r->last_run_id);
    for (size_t i = 0; i < r->sweep_count; i++)
        buf_printf(&out, "sweep %" PRId64 "\n", r->sweeps[i].id);
    for (size_t i = 0; i < r->run_count; i++)
        buf_printf(&out, "run %" PRId64 " = %" PRId64 ".%" PRId64 "\n", r->runs[i].id,
                   r->runs[i].sweep_id, r->runs[i].number);
    for (size_t i = 0; i < r->label_count; i++)
        label_line(&out, &r->labels[i]);
    for (size_t i = 0; i < r->rung_count; i++) {
        row_text(&out, "rung");
        row_int(&out, r->rungs[i].run_id);
        row_int(&out, r->rungs[i].epoch);
        row_real(&out, true, r->rungs[i].value);
        if (r->rungs[i].kind != DECISION_PAUSED)
            row_text(&out, decision_name(r->rungs[i].kind));
        if (r->rungs[i].flush >= 0)
            row_int(&out, r->rungs[i].flush);
        row_end(&out);
    }
    return buf_take(&out);
}
