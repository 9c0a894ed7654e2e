/* What a proposal costs when so many runs have ended: a line of JSON at 300, 1,000, 3,000 … runs.
 *
 *     search_cost METHOD RUNS
 *
 * Over 8 parameters of every kind, with what the engine keeps between asks. Times are means since
 * the line before. `rss_mib` holds the trials themselves too, each of rss_trial_bytes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/plan/search/memo.h"
#include "daemon/plan/search/search.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/rng.h"
#include "sweep/spec.h"

#define SPEC                                                                                      \
    "{\"task\":{\"command\":[\"x\"]},\"metric\":{\"name\":\"cost\",\"goal\":\"minimize\"},"        \
    "\"method\":\"%s\",\"run_cap\":%zu,\"seed\":1,\"parameters\":{"                                \
    "\"a\":{\"min\":1e-5,\"max\":1.0,\"distribution\":\"log_uniform_values\"},"                    \
    "\"b\":{\"min\":0.0,\"max\":1.5},\"c\":{\"min\":0.0,\"max\":1.5},"                             \
    "\"d\":{\"min\":1,\"max\":1000},\"e\":{\"values\":[8,16,32,64,128]},"                          \
    "\"f\":{\"values\":[\"x\",\"y\",\"z\"]},\"g\":{\"values\":[true,false]},"                      \
    "\"h\":{\"min\":0.0,\"max\":1.0,\"q\":0.1,\"distribution\":\"q_uniform\"}}}"

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double rss_mib(void)
{
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (f != NULL)
        fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 0x1p20;
}

static void add(struct trial **trials, size_t count, const struct assignment *at, struct rng *r)
{
    struct trial *t = xcalloc(1, sizeof(*t));
    t->number = count;
    t->at = *at;
    t->status = rng_below(r, 20) > 0 ? RUN_COMPLETED : RUN_FAILED;
    t->has_metric = true;
    t->metric_value = fabs(log10(at->v[0]) + 3) + fabs(at->v[1] - 0.3) + 0.1 * rng_normal(r);
    trials[count] = t;
}

int main(int argc, char **argv)
{
    size_t runs = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, count = 0, next = 300, since = 0;
    struct spec spec;
    struct errbuf err = {0};
    struct rng r;
    char *text = xasprintf(SPEC, argc == 3 ? argv[1] : "", runs);
    if (runs == 0 || spec_parse_text(text, strlen(text), &spec, &err) != 0) {
        fprintf(stderr, "search_cost METHOD RUNS: %s\n", err.message);
        return 1;
    }
    struct trial **trials = xcalloc(runs, sizeof(*trials));
    struct memo *memo = memo_create();
    double begin = seconds_now();
    rng_init(&r, 1, RNG_TEST, 0);
    while (count < runs) {
        struct proposals p = {0};
        struct study st;
        study_init(&st, &spec);
        st.budget = runs;
        st.memo = memo;
        st.all = st.trials = (const struct trial *const *)trials;
        st.all_count = st.count = count;
        if (search_method(spec.method)->ask(&st, 1000, &p) != ANSWER_RUNS)
            break;
        for (size_t i = 0; i < p.count && count < runs; i++)
            add(trials, count++, &p.items[i].at, &r);
        proposals_finish(&p);
        if (count < next)
            continue;
        double end = seconds_now();
        printf("{\"bench\":\"search_cost\",\"method\":\"%s\",\"runs\":%zu,\"us_per_proposal\":%.1f,"
               "\"rss_mib\":%.1f,\"rss_trial_bytes\":%zu}\n", argv[1], count,
               (end - begin) / (double)(count - since) * 1e6, rss_mib(), sizeof(struct trial));
        begin = end;
        since = count;
        const size_t marks[] = {300, 1000, 3000, 10000, 30000, 100000};
        for (size_t i = sizeof(marks) / sizeof(*marks); i-- > 0 && marks[i] > count;)
            next = marks[i];
    }
    memo_destroy(memo);
    for (size_t i = 0; i < count; i++)
        free(trials[i]);
    free(trials);
    spec_finish(&spec);
    free(text);
    return 0;
}
