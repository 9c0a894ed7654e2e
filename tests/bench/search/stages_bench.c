/* Searches whose runs end early, on recorded curves: each run of a search is one cell of a table
 * that has every epoch. Nothing but daemon/plan is asked; what a daemon would do about a run is
 * done at once, with one worker.
 *
 *     stages_bench TABLE METHOD SEEDS EPOCHS RUNS[,RUNS…] WHOLE[,WHOLE…] [MEMBERS]
 *
 * TABLE as record_grid.py writes it; MEMBERS: further members of the specification, as
 * '"early_terminate":{"type":"hyperband"}'. A line of JSON for each number of runs, and means over
 * the seeds: the epochs that the search trained, in whole runs, and what it had found by its end
 * and when it had trained as many epochs as WHOLE whole runs have: `regret`, how far the best loss
 * seen is from the best of all with that seed, where 1 is the median; `truth`, likewise, of the
 * configuration that it was of, trained to its end, as the mean over the table's seeds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/configurations.h"
#include "daemon/plan/finalists.h"
#include "daemon/plan/search/memo.h"
#include "daemon/plan/search/search.h"
#include "daemon/plan/stop/by_stage.h"
#include "daemon/plan/stop/ladder.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/rng.h"
#include "sweep/spec.h"
#include "tests/bench/search/recorded.h"

#define MARKS_MAX 8

struct table {
    struct buf bytes;
    char *parameters, *name;
    size_t seeds, recorded, count; /* recorded: epochs of a run */
    size_t epochs;                 /* of them that a run has here */
    const unsigned char *codes; /* [count][seeds][recorded], 24 bits each, as simulate.c has them */
    double *ends;               /* [count][seeds]: best loss of the whole run; infinite: none */
    double *truth;              /* [count]: their mean */
    double best[8], median[8];  /* by seed, and at `seeds` of truth */
};

/* --- the table ------------------------------------------------------------------------------- */

static double loss_at(const struct table *t, size_t cell, size_t seed, size_t epoch)
{
    const unsigned char *p = &t->codes[3 * ((cell * t->seeds + seed) * t->recorded + epoch)];
    uint32_t code = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    if (code == 0)
        return NAN;
    if (code == 0xffffff)
        return INFINITY;
    return exp(log(1e-8) + (log(1e8) - log(1e-8)) * (code - 1) / (double)((1 << 24) - 3));
}

static double best_by(const struct table *t, size_t cell, size_t seed, size_t epochs)
{
    double best = INFINITY;
    for (size_t e = 0; e < epochs; e++) {
        double x = loss_at(t, cell, seed, e);
        if (isfinite(x))
            best = fmin(best, x);
    }
    return best;
}

static void table_read(struct table *t, const char *path, size_t epochs)
{
    const char *numbers;
    *t = (struct table){0};
    struct json *head = recorded_read(path, &t->bytes, &t->parameters, &numbers);
    t->name = xstrdup(json_string(json_get(head, "name")));
    t->seeds = (size_t)json_number(json_get(head, "seeds"));
    t->recorded = (size_t)json_number(json_get(head, "epochs"));
    t->epochs = epochs < t->recorded ? epochs : t->recorded;
    t->codes = (const unsigned char *)numbers;
    t->count = (t->bytes.len - (size_t)(numbers - t->bytes.data)) / 3 / t->seeds / t->recorded;
    json_destroy(head);
    t->ends = xcalloc(t->count * t->seeds, sizeof(*t->ends));
    t->truth = xcalloc(t->count, sizeof(*t->truth));
    for (size_t i = 0; i < t->count * t->seeds; i++) {
        t->ends[i] = best_by(t, i / t->seeds, i % t->seeds, t->epochs);
        t->truth[i / t->seeds] += t->ends[i] / (double)t->seeds;
    }
    for (size_t k = 0; k < t->seeds; k++)
        recorded_scale(t->ends + k, t->seeds, t->count, &t->best[k], &t->median[k]);
    recorded_scale(t->truth, 1, t->count, &t->best[t->seeds], &t->median[t->seeds]);
}

/* --- a search on it -------------------------------------------------------------------------- */

struct search {
    const struct table *table;
    struct spec spec;
    struct trial **trials;
    size_t *cells, *seeds; /* of the table, by run */
    int64_t *trained, *until; /* until 0: it waits at a rung, or has ended */
    size_t count, searched, live;
    struct memo *memo;
    struct ladder *ladder;
    size_t seed;              /* of the table */
    size_t epochs;            /* trained in all */
    double best;
    size_t best_cell;
    size_t mark_count, marks[MARKS_MAX]; /* in epochs */
    double regret[MARKS_MAX + 1], truth[MARKS_MAX + 1]; /* the last: at the end */
};

static void note(struct search *s, size_t at)
{
    const struct table *t = s->table;
    bool none = !isfinite(s->best);
    s->regret[at] = none ? 1
                         : (s->best - t->best[s->seed]) / (t->median[s->seed] - t->best[s->seed]);
    s->truth[at] = none ? 1
                        : (t->truth[s->best_cell] - t->best[t->seeds]) /
                              (t->median[t->seeds] - t->best[t->seeds]);
}

static struct study study_of(const struct search *s)
{
    struct study st;
    study_init(&st, &s->spec);
    st.budget = st.run_cap;
    st.count = s->searched;
    st.all_count = s->count;
    st.all = st.trials = (const struct trial *const *)s->trials;
    st.memo = s->memo;
    st.live = s->live;
    return st;
}

static void train(struct search *s, size_t i)
{
    struct trial *t = s->trials[i];
    bool broke = false; /* the loss is no number: the trainer ends there */
    for (; s->trained[i] < s->until[i] && !broke; s->trained[i]++) {
        double x = loss_at(s->table, s->cells[i], s->seeds[i], (size_t)s->trained[i]);
        s->epochs++;
        broke = !isfinite(x);
        if (x < s->best && t->kind == RUN_KIND_SEARCH) {
            s->best = x;
            s->best_cell = s->cells[i];
        }
        for (size_t m = 0; m < s->mark_count; m++)
            if (s->epochs == s->marks[m])
                note(s, m);
    }
    t->metric_value = best_by(s->table, s->cells[i], s->seeds[i], (size_t)s->trained[i]);
    t->has_metric = true;
    s->until[i] = 0;
    if (broke || s->trained[i] == (int64_t)s->table->epochs) {
        t->status = broke ? RUN_FAILED : RUN_COMPLETED;
        t->error = broke ? RUN_ERROR_NOT_A_NUMBER : RUN_ERROR_NONE;
        s->live--;
        return;
    }
    t->status = RUN_PAUSED;
    t->rungs = xrealloc(t->rungs, (t->rung_count + 1) * sizeof(*t->rungs));
    t->rungs[t->rung_count++] = (struct rung){.epoch = s->trained[i], .value = t->metric_value};
}

static void decide(struct search *s, const struct study *st, size_t i)
{
    struct trial *t = s->trials[i];
    struct rung_verdict v;
    if (t->status != RUN_PAUSED)
        return;
    if (st->stop->promote)
        ladder_decide(s->ladder, st, t, &v);
    else
        stop_decide(st, t, &v);
    if (v.verdict == VERDICT_WAIT)
        return;
    int64_t next = stop_next_rung(st->stop, t->number, s->trained[i], t->epochs);
    t->status = v.verdict == VERDICT_STOP ? RUN_STOPPED : RUN_QUEUED;
    s->live -= v.verdict == VERDICT_STOP;
    if (v.verdict == VERDICT_GO_ON)
        s->until[i] = next > 0 ? next : t->epochs;
}

static struct trial *add(struct search *s, const struct assignment *at, int64_t until)
{
    struct trial *t = xcalloc(1, sizeof(*t));
    size_t i = s->count++;
    t->number = i;
    t->at = *at;
    t->parent = TRIAL_NONE;
    t->cause = CAUSE_COUNT;
    t->kind = RUN_KIND_SEARCH;
    t->status = RUN_QUEUED;
    t->epochs = (int64_t)s->table->epochs;
    s->until[i] = until > 0 ? until : t->epochs;
    s->cells[i] = recorded_cell(&s->spec.space, at);
    s->seeds[i] = s->seed;
    s->trials[i] = t;
    s->live++;
    return t;
}

static void begin(struct search *s, const struct proposal *p)
{
    int64_t first =
        stop_first_rung(&s->spec.stop, p->stage, s->count, (int64_t)s->table->epochs);
    struct trial *t = add(s, &p->at, p->until > 0 ? p->until : first);
    str_copy(t->stage, sizeof(t->stage), p->stage);
    s->searched = s->count;
}

/* Other seeds of the best few. Returns the cell of the best mean. */
static size_t repeat(struct search *s)
{
    struct configurations c;
    struct repeats r = {0};
    for (;;) {
        struct study st = study_of(s);
        r.count = 0;
        if (finalists_next(&st, s->count - s->searched, st.last, &r) != ANSWER_RUNS)
            break;
        for (size_t i = 0; i < r.count; i++) {
            size_t of = r.items[i].of;
            struct trial *t = add(s, &s->trials[of]->at, 0);
            t->kind = RUN_KIND_REPEAT;
            t->parent = of;
            s->seeds[s->count - 1] = (s->seed + r.items[i].repetition) % s->table->seeds;
        }
        for (size_t i = s->count - r.count; i < s->count; i++)
            train(s, i);
    }
    repeats_finish(&r);
    struct study st = study_of(s);
    configurations_init(&c, &st);
    size_t won = c.count > 0 ? s->cells[c.items[0].root] : s->best_cell;
    configurations_finish(&c);
    return won;
}

static bool work(struct search *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->until[i] > 0) {
            train(s, i);
            return true;
        }
    struct study st = study_of(s);
    struct proposals p = {0};
    size_t want = s->spec.method == METHOD_COARSE_TO_FINE ? 1000 : 1;
    bool any = s->count < st.budget &&
               search_method(s->spec.method)->ask(&st, want, &p) == ANSWER_RUNS;
    for (size_t i = 0; i < p.count && s->count < st.budget; i++)
        begin(s, &p.items[i]);
    proposals_finish(&p);
    return any || (s->spec.stop.promote && ladder_flush(s->ladder));
}

static void search(struct search *s)
{
    while (work(s)) {
        struct study st = study_of(s);
        if (s->spec.stop.rule == STOP_NONE)
            continue;
        if (s->spec.stop.promote)
            ladder_advance(s->ladder, &st);
        for (size_t i = 0; i < s->searched; i++)
            decide(s, &st, i);
    }
    for (size_t m = 0; m < s->mark_count; m++)
        if (s->epochs < s->marks[m])
            note(s, m);
    if (s->spec.repeat_share > 0)
        s->best_cell = repeat(s);
    note(s, s->mark_count);
}

struct asked {
    const char *method, *more;
    size_t runs, mark_count, marks[MARKS_MAX];
};

struct sums {
    double regret[MARKS_MAX + 1], truth[MARKS_MAX + 1], epochs;
};

static void sweep_run(const struct table *t, const struct asked *a, uint64_t seed, struct sums *sum)
{
    struct search s = {.table = t,
                       .seed = seed % t->seeds,
                       .best = INFINITY,
                       .mark_count = a->mark_count,
                       .memo = memo_create(),
                       .ladder = ladder_create()};
    struct errbuf err = {0};
    char *text = xasprintf("{\"task\":{\"command\":[\"x\"],\"can_resume\":true},\"treat\":false,"
                           "\"metric\":{\"name\":\"cost\",\"goal\":\"minimize\"},"
                           "\"method\":\"%s\",\"run_cap\":%zu,\"seed\":%" PRIu64
                           ",\"epochs\":%zu,\"parameters\":%s%s%s}",
                           a->method, a->runs, seed, t->epochs, t->parameters,
                           a->more[0] ? "," : "", a->more);
    if (spec_parse_text(text, strlen(text), &s.spec, &err) != 0)
        die(text, &err);
    s.trials = xcalloc(a->runs, sizeof(*s.trials));
    s.cells = xcalloc(a->runs, sizeof(*s.cells));
    s.seeds = xcalloc(a->runs, sizeof(*s.seeds));
    s.trained = xcalloc(a->runs, sizeof(*s.trained));
    s.until = xcalloc(a->runs, sizeof(*s.until));
    for (size_t m = 0; m < a->mark_count; m++)
        s.marks[m] = a->marks[m] * t->epochs;
    search(&s);
    for (size_t m = 0; m <= a->mark_count; m++) {
        sum->regret[m] += s.regret[m];
        sum->truth[m] += s.truth[m];
    }
    sum->epochs += (double)s.epochs / (double)t->epochs;
    for (size_t i = 0; i < s.count; i++) {
        free(s.trials[i]->rungs);
        free(s.trials[i]);
    }
    free(s.trials);
    free(s.cells);
    free(s.seeds);
    free(s.trained);
    free(s.until);
    memo_destroy(s.memo);
    ladder_destroy(s.ladder);
    spec_finish(&s.spec);
    free(text);
}

static void write_means(const char *name, const double *sums, const struct asked *a, double seeds)
{
    printf(",\"%s\":{", name);
    for (size_t m = 0; m < a->mark_count; m++)
        printf("\"%zu\":%.4f,", a->marks[m], sums[m] / seeds);
    printf("\"end\":%.4f}", sums[a->mark_count] / seeds);
}

static void bench(const struct table *t, const struct asked *a, uint64_t seeds)
{
    struct sums sum = {0};
    for (uint64_t seed = 0; seed < seeds; seed++)
        sweep_run(t, a, seed, &sum);
    printf("{\"table\":\"%s\",\"method\":\"%s\",\"more\":%s%s%s,\"runs\":%zu,\"seeds\":%" PRIu64
           ",\"whole\":%.2f", t->name, a->method, a->more[0] ? "{" : "null", a->more,
           a->more[0] ? "}" : "", a->runs, seeds, sum.epochs / (double)seeds);
    write_means("regret", sum.regret, a, (double)seeds);
    write_means("truth", sum.truth, a, (double)seeds);
    puts("}");
}

int main(int argc, char **argv)
{
    struct table t;
    if (argc != 7 && argc != 8)
        die("TABLE METHOD SEEDS EPOCHS RUNS[,RUNS] WHOLE[,WHOLE] [MEMBERS]", NULL);
    struct asked a = {.method = argv[2], .more = argc == 8 ? argv[7] : ""};
    table_read(&t, argv[1], strtoul(argv[4], NULL, 10));
    for (char *rest = argv[6]; *rest != '\0' && a.mark_count < MARKS_MAX; rest += *rest == ',')
        a.marks[a.mark_count++] = strtoul(rest, &rest, 10);
    for (char *rest = argv[5]; *rest != '\0'; rest += *rest == ',') {
        a.runs = strtoul(rest, &rest, 10);
        bench(&t, &a, strtoull(argv[3], NULL, 10));
    }
    free(t.ends);
    free(t.truth);
    free(t.parameters);
    free(t.name);
    buf_finish(&t.bytes);
    return 0;
}
