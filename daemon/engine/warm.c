#include "daemon/engine/warm.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/warm_front.h"
#include "daemon/engine/warm_values.h"
#include "daemon/plan/earlier.h"
#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/spec.h"

struct warm {
    const struct spec *spec;
    const char *data_hash;
    size_t count, cap;
    struct earlier_run *runs;
    size_t start_count;
    struct earlier_start starts[EARLIER_STARTS_MAX];
    size_t said_count, said_cap;
    char **said;
};

/* What becomes of a run: it is known; it was trained otherwise; it lies outside of what is
 * searched; it says nothing. */
enum use { USE_KNOWN, USE_START, USE_OUTSIDE, USE_SILENT, USE_COUNT };

/* One earlier sweep. */
struct source {
    int64_t sweep_id;
    struct spec *spec;
    bool alike;             /* its runs were trained as ours are, as far as the sweep says it … */
    bool told;              /* … or a person does */
    const char *otherwise;  /* else what is another; NULL: nothing */
    const char *lacks;      /* an objective that is not known of its runs; NULL: none */
    char outside[WARM_WHY_MAX]; /* why the first run outside is */
    size_t counts[USE_COUNT], runs;
    size_t from;            /* of the known runs, the first of it */
    struct earlier_run *others; /* of USE_START, those that were completed */
    size_t other_count, other_cap;
};

struct warm *warm_create(const struct spec *spec, const char *data_hash)
{
    struct warm *w = xcalloc(1, sizeof(*w));
    w->spec = spec;
    w->data_hash = data_hash;
    return w;
}

void warm_destroy(struct warm *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->said_count; i++)
        free(w->said[i]);
    free(w->said);
    free(w->runs);
    free(w);
}

static void say(struct warm *w, char *sentence)
{
    w->said = array_room(w->said, &w->said_cap, w->said_count, sizeof(*w->said));
    w->said[w->said_count++] = sentence;
}

/* --- a run ----------------------------------------------------------------------------------- */

/* The person who asks for the sweep may know what its rows do not say. */
static bool is_alike(const struct warm *w, const struct source *src, const struct run_row *row)
{
    return src->told || (src->alike && row->epochs == w->spec->epochs);
}

/* A run that failed has failed in all objectives. */
static bool says_all(const struct warm *w, const struct source *src, const struct run_row *row,
                     struct earlier_run *out)
{
    return warm_further(w->spec, src->spec, row, out) || row->status == RUN_FAILED;
}

static enum use use_of(const struct warm *w, struct source *src, const struct run_row *row,
                       struct earlier_run *out)
{
    char why[WARM_WHY_MAX] = "";
    bool ended = row->status == RUN_COMPLETED || row->status == RUN_STOPPED ||
                 (row->status == RUN_FAILED && run_error_is_own(row->error));
    if (!ended)
        return USE_SILENT;
    enum warm_fit fit = warm_values(w->spec, src->spec->task, row, &out->at, why);
    if (fit == WARM_OUTSIDE && src->outside[0] == '\0')
        str_copy(src->outside, sizeof(src->outside), why);
    if (fit == WARM_OUTSIDE)
        return USE_OUTSIDE;
    bool all = says_all(w, src, row, out);
    return fit == WARM_FITS && all && is_alike(w, src, row) ? USE_KNOWN : USE_START;
}

/* --- a sweep --------------------------------------------------------------------------------- */

static bool same_words(const struct spec *a, const struct spec *b)
{
    const struct command_task *x = a->own, *y = b->own;
    struct buf text[2] = {{0}};
    struct json_writer w;
    if (x == NULL || y == NULL)
        return x == y;
    jw_init(&w, &text[0]);
    command_words_write(&x->command, &w);
    jw_init(&w, &text[1]);
    command_words_write(&y->command, &w);
    bool same = strcmp(text[0].data, text[1].data) == 0;
    buf_finish(&text[0]);
    buf_finish(&text[1]);
    return same;
}

/* What is another, of all that decides what a run comes to beside its parameters; NULL: nothing. */
static const char *differs(const struct warm *w, const struct sweep_row *row,
                           const struct spec *theirs)
{
    const char *hash = row->data_hash != NULL ? row->data_hash : "";
    if (theirs->task != w->spec->task)
        return "programs"; /* and so with data of which nothing is known here */
    if (theirs->epochs != w->spec->epochs)
        return "epochs";
    if (strcmp(hash, w->data_hash) != 0)
        return "data";
    if (w->spec->task == TASK_COMMAND && !same_words(w->spec, theirs))
        return "command";
    if (w->spec->task == TASK_TRAINER &&
        (theirs->trainer.start_from != w->spec->trainer.start_from ||
         !layer_list_same(&theirs->trainer.layers, &w->spec->trainer.layers)))
        return "model";
    return NULL;
}

static struct earlier_run run_of(const struct run_row *row)
{
    struct earlier_run r = {.run_id = row->id,
                            .status = row->status,
                            .error = row->error,
                            .has_metric = row->has_metric,
                            .metric_value = row->metric_value};
    if (row->status == RUN_STOPPED)
        r.rung = row->until_epoch > 0 ? row->until_epoch : (int64_t)row->best_epoch;
    return r;
}

static bool is_done(const struct earlier_run *r)
{
    return r->status == RUN_COMPLETED && r->has_metric && isfinite(r->metric_value);
}

static void take_run(struct warm *w, struct source *src, const struct run_row *row)
{
    struct earlier_run r = run_of(row);
    enum use use = use_of(w, src, row, &r);
    src->counts[use]++;
    if (use == USE_KNOWN) {
        w->runs = array_room(w->runs, &w->cap, w->count, sizeof(*w->runs));
        w->runs[w->count++] = r;
    } else if (use == USE_START && is_done(&r)) {
        src->others = array_room(src->others, &src->other_cap, src->other_count,
                                 sizeof(*src->others));
        src->others[src->other_count++] = r;
    }
}

static bool is_better(const struct warm *w, const struct earlier_run *a,
                      const struct earlier_run *b)
{
    if (is_done(a) != is_done(b))
        return is_done(a);
    return is_done(a) && metric_better(a->metric_value, b->metric_value, w->spec->maximize);
}

struct ranked {
    const struct warm *warm;
    const struct earlier_run *runs;
};

static int compare_ranked(const void *a, const void *b, void *arg)
{
    const struct ranked *r = arg;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int order = is_better(r->warm, &r->runs[y], &r->runs[x]) -
                is_better(r->warm, &r->runs[x], &r->runs[y]);
    return order != 0 ? order : (x > y) - (x < y);
}

/* The best first, equal ones as they come; of several objectives those that are done by fronts.
 * Heap. */
static size_t *best_first(const struct warm *w, const struct earlier_run *runs, size_t count)
{
    size_t *order = xcalloc(count + 1, sizeof(*order)), done = 0;
    struct ranked r = {w, runs};
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof(*order), compare_ranked, &r);
    while (done < count && is_done(&runs[order[done]]))
        done++;
    if (w->spec->objectives.count > 0)
        warm_by_front(w->spec, runs, order, done);
    return order;
}

/* --- those to try first ---------------------------------------------------------------------- */

static bool is_start(const struct warm *w, const struct assignment *at)
{
    for (size_t i = 0; i < w->start_count; i++)
        if (space_same(&w->spec->space, &w->starts[i].at, at))
            return true;
    return false;
}

/* The best that are none yet. */
static size_t add_starts(struct warm *w, const struct source *src)
{
    size_t *order = best_first(w, src->others, src->other_count), n = 0;
    for (size_t i = 0; i < src->other_count && n < EARLIER_STARTS_EACH; i++) {
        const struct earlier_run *r = &src->others[order[i]];
        if (w->start_count == EARLIER_STARTS_MAX || is_start(w, &r->at))
            continue;
        w->starts[w->start_count++] =
            (struct earlier_start){src->sweep_id, r->run_id, (int64_t)++n, r->at};
    }
    free(order);
    return n;
}

/* --- what is said of it ---------------------------------------------------------------------- */

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void say_left_out(const struct source *src, struct buf *b)
{
    const char *comma = "; left out: ";
    if (src->counts[USE_OUTSIDE] > 0) {
        buf_printf(b, "%s%zu outside of what is searched here (%s)", comma,
                   src->counts[USE_OUTSIDE], src->outside);
        comma = ", ";
    }
    if (src->counts[USE_START] > 0 && src->counts[USE_KNOWN] > 0) {
        buf_printf(b, "%s%zu trained with other settings", comma, src->counts[USE_START]);
        comma = ", ";
    }
    if (src->counts[USE_SILENT] > 0)
        buf_printf(b, "%s%zu cancelled, not ended, or failed through no fault of their own", comma,
                   src->counts[USE_SILENT]);
}

static void say_known(const struct warm *w, const struct source *src, struct buf *b)
{
    const struct earlier_run *best = &w->runs[src->from];
    for (size_t i = src->from; i < w->count; i++)
        if (is_better(w, &w->runs[i], best))
            best = &w->runs[i];
    buf_printf(b, "%zu of %zu run%s known from the start", src->counts[USE_KNOWN], src->runs,
               src->runs == 1 ? " is" : "s are");
    if (!is_done(best))
        return;
    buf_printf(b, ", the best of them run %" PRId64 " (%s %.6g)", best->run_id,
               spec_metric_name(w->spec), best->metric_value);
}

static void say_sweep(struct warm *w, const struct source *src, size_t starts)
{
    struct buf b = {0};
    bool told = src->told || src->otherwise == NULL || src->lacks != NULL;
    const char *what = told ? "settings" : src->otherwise;
    buf_printf(&b, "sweep %" PRId64 ": ", src->sweep_id);
    if (src->counts[USE_KNOWN] > 0)
        say_known(w, src, &b);
    else if (starts > 0 && src->lacks != NULL)
        buf_printf(&b, "of its runs no %s is known, so not where they lie among several "
                   "objectives: the configuration%s of the best %zu %s tried first", src->lacks,
                   plural(starts), starts, starts == 1 ? "is" : "are");
    else if (starts > 0)
        buf_printf(&b, "its runs were trained with other %s, so what they came to says little "
                   "here: the configuration%s of the best %zu %s tried first", what, plural(starts),
                   starts, starts == 1 ? "is" : "are");
    else
        buf_puts(&b, "nothing of it can be used");
    say_left_out(src, &b);
    if (!told && starts > 0)
        buf_printf(&b, ". If that makes no difference, {\"sweep\": %" PRId64 ", \"alike\": true} "
                   "in warm_start says so", src->sweep_id);
    say(w, buf_take(&b));
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Of the specification: {"sweep": 12, "alike": true}. */
static bool is_told_alike(const struct spec *s, int64_t sweep_id)
{
    for (size_t i = 0; i < s->warm_count; i++)
        if (s->warm_start[i] == sweep_id)
            return s->warm_alike[i];
    return false;
}

static void take_sweep(struct warm *w, struct source *src, const struct store_restored *rows)
{
    src->otherwise = differs(w, &rows->sweeps[0], src->spec);
    src->alike = src->otherwise == NULL;
    src->lacks = warm_lacks(w->spec, src->spec);
    src->runs = rows->run_count;
    src->from = w->count;
    for (size_t i = 0; i < rows->run_count; i++)
        take_run(w, src, &rows->runs[i]);
    say_sweep(w, src, src->counts[USE_KNOWN] > 0 ? 0 : add_starts(w, src));
    free(src->others);
}

/* Why nothing of the sweep can be used; NULL: something may. */
static char *refusal(const struct warm *w, const struct sweep_row *row, const struct spec *theirs)
{
    if (theirs == NULL)
        return xasprintf("sweep %" PRId64 ": nothing of it can be used: its specification cannot "
                         "be read", row->id);
    if (strcmp(spec_metric_name(theirs), spec_metric_name(w->spec)) != 0 ||
        theirs->maximize != w->spec->maximize)
        return xasprintf("sweep %" PRId64 ": nothing of it can be used: its metric is %s, which "
                         "is to be %s", row->id, spec_metric_name(theirs),
                         theirs->maximize ? "large" : "small");
    return NULL;
}

int warm_add(struct warm *w, int64_t sweep_id, const struct store_restored *rows,
             struct errbuf *err)
{
    struct errbuf why;
    struct source src = {.sweep_id = sweep_id, .told = is_told_alike(w->spec, sweep_id)};
    char id[32];
    snprintf(id, sizeof(id), "%" PRId64, sweep_id);
    if (rows->sweep_count == 0)
        return err_bad(err, ERR_VALUE, "$.warm_start", id,
                       "ids of sweeps that are in the database (`sweepctl list`)");
    const char *text = rows->sweeps[0].spec_json;
    struct spec *theirs = xcalloc(1, sizeof(*theirs));
    bool read = text != NULL && spec_parse_text(text, strlen(text), theirs, &why) == 0;
    src.spec = theirs;
    char *refused = refusal(w, &rows->sweeps[0], read ? theirs : NULL);
    if (refused != NULL)
        say(w, refused);
    else
        take_sweep(w, &src, rows);
    if (read)
        spec_finish(theirs);
    free(theirs);
    return 0;
}

/* --- the text -------------------------------------------------------------------------------- */

/* Of too many the best half stay, and the others evenly behind them. */
static void choose(struct warm *w, bool *stays)
{
    size_t n = w->count, most = EARLIER_RUNS_MAX, head = n <= most ? n : most / 2;
    size_t *order = best_first(w, w->runs, n);
    for (size_t i = 0; i < (n < most ? n : most); i++) {
        size_t place = i < head ? i : head + (i - head) * (n - head) / (most - head);
        stays[order[place]] = true;
    }
    free(order);
    if (n > most)
        say(w, xasprintf("of %zu runs that could be known from the start %zu are: the best %zu, "
                         "and others evenly behind them", n, most, head));
}

char *warm_text(struct warm *w)
{
    struct buf text = {0};
    struct json_writer out;
    bool *stays = xcalloc(w->count + 1, sizeof(*stays));
    choose(w, stays);
    jw_init(&out, &text);
    jw_begin_object(&out);
    jw_key(&out, "runs");
    jw_begin_array(&out);
    for (size_t i = 0; i < w->count; i++)
        if (stays[i])
            earlier_run_write(&w->spec->space, &w->runs[i], &out);
    jw_end_array(&out);
    jw_key(&out, "starts");
    jw_begin_array(&out);
    for (size_t i = 0; i < w->start_count; i++)
        earlier_start_write(&w->spec->space, &w->starts[i], &out);
    jw_end_array(&out);
    jw_key(&out, "said");
    jw_begin_array(&out);
    for (size_t i = 0; i < w->said_count; i++)
        jw_string(&out, w->said[i]);
    jw_end_array(&out);
    jw_end_object(&out);
    free(stays);
    return buf_take(&text);
}
