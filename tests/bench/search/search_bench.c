/* Methods on recorded tables: each run of a search is one cell of the table. Nothing but
 * daemon/plan is asked; what a daemon would do about a run is done at once.
 *
 *     search_bench TABLE METHOD FIRST_SEED SEEDS RUNS[,RUNS…] LAG SHARE [LEAST_GAIN] [late | even | once]
 *
 * TABLE as convert_tables.py writes it; LAG 0: the method's default; SHARE of the runs repeats the
 * best with other seeds (0: none): as a sweep does it, in rounds of halving along the way and at its
 * end (contenders.h, finalists.h), with `late` at its end alone, or with `even` there each time the
 * least repeated of the eight best, as search_peer.py does. `once`: coarse_to_fine without rounds.
 * With LEAST_GAIN the search may end early
 * (`begun`: its runs). A line of JSON for each seed and number of runs: `better`, the share of the
 * table's configurations that are truly better (by the mean over its seeds) than the winner, and
 * `regret`, how far the winner is from the best of all, where 1 is the median; `on_the_way`, that of
 * the best after each eighth of the runs: the best mean of two seeds or more where there is one.
 *
 * Which of the table's seeds a run meets follows from the sweep's seed and the configuration alone
 * (search_peer.py does the same), and each further run of a configuration meets the next. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/plan/configurations.h"
#include "daemon/plan/contenders.h"
#include "daemon/plan/finalists.h"
#include "daemon/plan/gain.h"
#include "daemon/plan/search/memo.h"
#include "daemon/plan/search/search.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "sweep/spec.h"
#include "tests/bench/search/recorded.h"

#define EIGHTHS 7 /* before the end */

struct table {
    struct buf bytes;
    char *parameters; /* as JSON */
    char name[128];
    size_t seeds, count;
    const double *costs; /* [count][seeds] */
    double *truth;       /* [count]: mean over the seeds */
    double best, median;
};

struct sweep {
    const struct table *table;
    struct spec spec;
    struct trial **trials;
    const struct trial **searched; /* of them the search's own */
    size_t *cells; /* of each run */
    size_t count, searched_count, along, cap;
    uint32_t *times; /* runs of each cell */
    size_t best_at[EIGHTHS], eighths; /* cells: the best after each eighth */
};

/* --- the table ------------------------------------------------------------------------------- */

static void table_judge(struct table *t)
{
    t->truth = xcalloc(t->count, sizeof(*t->truth));
    for (size_t i = 0; i < t->count; i++)
        for (size_t k = 0; k < t->seeds; k++)
            t->truth[i] += t->costs[i * t->seeds + k] / (double)t->seeds;
    recorded_scale(t->truth, 1, t->count, &t->best, &t->median);
}

static void table_read(struct table *t, const char *path)
{
    const char *numbers;
    *t = (struct table){0};
    struct json *head = recorded_read(path, &t->bytes, &t->parameters, &numbers);
    str_copy(t->name, sizeof(t->name), json_string(json_get(head, "name")));
    t->seeds = (size_t)json_number(json_get(head, "seeds"));
    size_t bytes = t->bytes.len - (size_t)(numbers - t->bytes.data);
    double *costs = xmalloc(bytes + sizeof(*costs));
    memcpy(costs, numbers, bytes);
    t->costs = costs;
    t->count = bytes / sizeof(*costs) / t->seeds;
    json_destroy(head);
    table_judge(t);
}

/* --- a sweep on it --------------------------------------------------------------------------- */

/* The so-manieth run of that cell. */
static double cost_of(const struct sweep *s, size_t cell, uint32_t time)
{
    uint64_t first = rng_mix(rng_mix(s->spec.seed + 1) + cell) >> 33;
    return s->table->costs[cell * s->table->seeds + (first + time) % s->table->seeds];
}

/* Mean over the runs of a cell by now. */
static double mean_of(const struct sweep *s, size_t cell)
{
    double sum = 0;
    for (uint32_t k = 0; k < s->times[cell]; k++)
        sum += cost_of(s, cell, k);
    return sum / s->times[cell];
}

/* The winner's cell: the best mean, of those with `least` runs. */
static size_t winner(const struct sweep *s, uint32_t least)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < s->count; i++)
        if (s->times[s->cells[i]] >= least &&
            (best == SIZE_MAX || mean_of(s, s->cells[i]) < mean_of(s, best)))
            best = s->cells[i];
    return best;
}

static size_t best_so_far(const struct sweep *s)
{
    size_t cell = winner(s, 2);
    return cell != SIZE_MAX ? cell : winner(s, 1);
}

static void run(struct sweep *s, const struct assignment *at, enum run_kind kind, size_t parent)
{
    struct trial *t = xcalloc(1, sizeof(*t));
    size_t cell = recorded_cell(&s->spec.space, at);
    t->number = s->count;
    t->at = *at;
    t->kind = kind;
    t->parent = parent;
    t->cause = CAUSE_COUNT;
    t->status = RUN_COMPLETED;
    t->epochs = 1;
    t->metric_value = cost_of(s, cell, s->times[cell]++);
    t->has_metric = isfinite(t->metric_value);
    s->cells[s->count] = cell;
    s->trials[s->count++] = t;
    if (kind == RUN_KIND_SEARCH)
        s->searched[s->searched_count++] = t;
    while (s->eighths < EIGHTHS && 8 * s->count >= s->cap * (s->eighths + 1))
        s->best_at[s->eighths++] = best_so_far(s);
}

static struct study study_of(const struct sweep *s, size_t budget)
{
    struct study st;
    study_init(&st, &s->spec);
    st.budget = budget;
    st.all = (const struct trial *const *)s->trials;
    st.trials = s->searched;
    st.all_count = s->count;
    st.count = s->searched_count;
    st.along = s->along;
    return st;
}

static void repeat(struct sweep *s, const struct repeats *r, const char *stage)
{
    for (size_t i = 0; i < r->count; i++) {
        run(s, &s->trials[r->items[i].of]->at, RUN_KIND_REPEAT, r->items[i].of);
        str_copy(s->trials[s->count - 1]->stage, sizeof(s->trials[0]->stage), stage);
    }
}

/* Other seeds of the best by now, where some are due: out of the last runs. */
static void repeat_along(struct sweep *s, size_t budget, size_t last)
{
    struct repeats r = {0};
    for (;; s->along += r.count) {
        struct study st = study_of(s, budget);
        st.run_cap = budget;
        st.last = last;
        r.count = 0;
        if (contenders_next(&st, last, &r) != ANSWER_RUNS)
            break;
        repeat(s, &r, STAGE_CONTENDERS);
    }
    repeats_finish(&r);
}

static size_t until_asked(const struct study *st, size_t budget, size_t last)
{
    struct study whole = *st;
    whole.run_cap = budget;
    whole.last = last;
    size_t until = contenders_until(&whole);
    size_t want = st->least_gain > 0 ? gain_until_asked(st) : 1000;
    return until < want ? until : want;
}

static void search(struct sweep *s, size_t budget, size_t last)
{
    struct memo *memo = memo_create();
    for (;;) {
        struct proposals p = {0};
        repeat_along(s, budget, last);
        struct study st = study_of(s, budget);
        st.memo = memo;
        struct gain g;
        if (gain_judge(&st, &g) == GAIN_ENDS)
            break;
        size_t want = until_asked(&st, budget, last);
        if (search_method(s->spec.method)->ask(&st, want, &p) != ANSWER_RUNS)
            break;
        for (size_t i = 0; i < p.count && s->searched_count < budget; i++) {
            run(s, &p.items[i].at, RUN_KIND_SEARCH, TRIAL_NONE);
            str_copy(s->trials[s->count - 1]->stage, sizeof(p.items[i].stage), p.items[i].stage);
        }
        proposals_finish(&p);
    }
    memo_destroy(memo);
}

/* The next seed of the least repeated of the eight best by mean. */
static size_t repeat_next(const struct sweep *s)
{
    size_t top[8] = {0}, n = 0;
    for (size_t i = 0; i < s->count; i++) {
        size_t cell = s->cells[i], at = 0;
        bool known = false;
        for (size_t k = 0; k < n; k++)
            known = known || top[k] == cell;
        if (known)
            continue;
        while (at < n && mean_of(s, top[at]) <= mean_of(s, cell))
            at++;
        if (at == 8)
            continue;
        n += n < 8;
        memmove(&top[at + 1], &top[at], (n - at - 1) * sizeof(*top));
        top[at] = cell;
    }
    size_t least = 0;
    for (size_t k = 1; k < n; k++)
        least = s->times[top[k]] < s->times[top[least]] ? k : least;
    return top[least];
}

static void repeat_evenly(struct sweep *s, size_t runs)
{
    for (size_t n = 0; n < runs; n++) {
        size_t cell = repeat_next(s), i = 0;
        while (s->cells[i] != cell)
            i++;
        struct assignment at = s->trials[i]->at;
        run(s, &at, RUN_KIND_REPEAT, i);
    }
}

struct asked {
    const char *method, *lag;
    double share, least_gain;
    const char *rule; /* of repeats: along, late or even */
};

/* As a sweep does it. Returns the winner's cell. */
static size_t repeat_halving(struct sweep *s, size_t last)
{
    struct configurations c;
    struct repeats r = {0};
    size_t before = s->count, begun = 0;
    for (;; begun = s->count - before) {
        struct study st = study_of(s, s->searched_count);
        st.run_cap = before;
        st.last = last;
        r.count = 0;
        if (finalists_next(&st, begun, last, &r) != ANSWER_RUNS)
            break;
        repeat(s, &r, STAGE_FINALISTS);
    }
    repeats_finish(&r);
    struct study st = study_of(s, s->searched_count);
    configurations_init(&c, &st);
    size_t won = s->cells[c.items[0].root];
    configurations_finish(&c);
    return won;
}

static double regret(const struct table *t, size_t cell)
{
    return (t->truth[cell] - t->best) / (t->median - t->best);
}

static void report(const struct sweep *s, const struct asked *a, size_t won, size_t runs,
                   size_t begun, double seconds)
{
    const struct table *t = s->table;
    size_t better = 0;
    for (size_t i = 0; i < t->count; i++)
        better += t->truth[i] < t->truth[won];
    printf("{\"table\":\"%s\",\"method\":\"%s\",\"seed\":%" PRIu64 ",\"runs\":%zu,\"lag\":%" PRId64
           ",\"repeat_share\":%g,\"repeats\":\"%s\",\"least_gain\":%g,\"begun\":%zu,"
           "\"along\":%zu,\"better\":%.6g,\"regret\":%.6g,\"us_per_proposal\":%.1f",
           t->name, a->method, s->spec.seed, runs, s->spec.lag, a->share,
           a->share > 0 ? a->rule : "even", s->spec.least_gain, begun, s->along,
           (double)better / (double)t->count, regret(t, won), seconds / (double)runs * 1e6);
    for (size_t i = 0; i < s->eighths; i++)
        printf("%s%.6g", i == 0 ? ",\"on_the_way\":[" : ",", regret(t, s->best_at[i]));
    printf("%s}\n", s->eighths > 0 ? "]" : "");
}

static void sweep_run(const struct table *t, const struct asked *a, uint64_t seed, size_t runs)
{
    struct sweep s = {.table = t,
                      .trials = xcalloc(runs, sizeof(*s.trials)),
                      .searched = xcalloc(runs, sizeof(*s.searched)),
                      .cells = xcalloc(runs, sizeof(*s.cells)),
                      .cap = runs,
                      .times = xcalloc(t->count, sizeof(*s.times))};
    struct errbuf err = {0};
    struct timespec begin, end;
    char *own = atoi(a->lag) > 0 ? xasprintf(",\"lag\":%s", a->lag) : xstrdup("");
    char *text = xasprintf("{\"task\":{\"command\":[\"x\"]},\"metric\":{\"name\":\"cost\",\"goal\":"
                           "\"minimize\"},\"method\":\"%s\",\"run_cap\":%zu,\"seed\":%" PRIu64
                           ",\"least_gain\":%.17g,\"parameters\":%s%s}", a->method, runs, seed,
                           a->least_gain, t->parameters, own);
    if (spec_parse_text(text, strlen(text), &s.spec, &err) != 0)
        die(text, &err);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    size_t last = (size_t)floor(a->share * (double)runs);
    s.spec.rounds = strcmp(a->rule, "once") != 0;
    s.spec.repeat_along = strcmp(a->rule, "along") == 0 || !s.spec.rounds;
    search(&s, runs - last, last);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    size_t begun = s.searched_count, won;
    if (last > 0 && strcmp(a->rule, "even") != 0) {
        won = repeat_halving(&s, last - s.along);
    } else {
        repeat_evenly(&s, last);
        won = winner(&s, last > 0 ? 2 : 1);
    }
    report(&s, a, won, runs, begun,
           (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
    for (size_t i = 0; i < s.count; i++)
        free(s.trials[i]);
    free(s.trials);
    free(s.searched);
    free(s.cells);
    free(s.times);
    spec_finish(&s.spec);
    free(text);
    free(own);
}

int main(int argc, char **argv)
{
    struct table t;
    static const char *const words[] = {"late", "even", "once"};
    struct asked a = {.rule = "along"};
    for (size_t i = 0; i < ARRAY_LEN(words) && argc > 8; i++)
        if (strcmp(argv[argc - 1], words[i]) == 0)
            a.rule = words[i];
    argc -= strcmp(a.rule, "along") != 0;
    if (argc != 8 && argc != 9)
        die("TABLE METHOD FIRST_SEED SEEDS RUNS[,RUNS] LAG SHARE [LEAST_GAIN] [late | even | once]", NULL);
    a.method = argv[2];
    a.lag = argv[6];
    a.share = atof(argv[7]);
    a.least_gain = argc == 9 ? atof(argv[8]) : 0;
    table_read(&t, argv[1]);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* lines stay whole where several write to one file */
    uint64_t first = strtoull(argv[3], NULL, 10), count = strtoull(argv[4], NULL, 10);
    for (uint64_t seed = first; seed < first + count; seed++) {
        char *rest = argv[5];
        while (*rest != '\0') {
            size_t runs = strtoul(rest, &rest, 10);
            rest += *rest == ',';
            sweep_run(&t, &a, seed, runs);
        }
    }
    free(t.parameters);
    free(t.truth);
    free((void *)(uintptr_t)t.costs);
    buf_finish(&t.bytes);
    return 0;
}
