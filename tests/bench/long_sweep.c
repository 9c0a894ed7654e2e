/* What the engine costs in a sweep of very many runs, whose workers do nothing: a line of JSON at
 * 1,000, 3,000, 10,000 … runs, and at the end.
 *
 *     long_sweep METHOD RUNS [MORE]
 *
 * MORE: further keys of the specification, such as "early_terminate":{…}; runs that were paused at a
 * rung count once more then.
 * Everything but the rows' way to the disk is there: plans, configurations, points, labels with
 * their causes, rungs, notifications as text. Times are the processor's: of all events of a run,
 * from its start to its end, mean since the line before; `worst_ms` is the longest turn since then,
 * in which the daemon would answer nobody. `rss_mib` is the whole process. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/engine/engine.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/spec.h"

#define SLOTS 8
#define EPOCHS 9
#define SPEC                                                                                      \
    "{\"method\":\"%s\",\"run_cap\":%s,\"epochs\":9,\"seed\":1,"                                   \
    "\"data\":{\"path\":\"/data\",\"format\":\"idx\",\"validation\":10},\"parameters\":{"          \
    "\"learning_rate\":{\"min\":1e-5,\"max\":1.0,\"distribution\":\"log_uniform_values\"},"        \
    "\"train.momentum\":{\"min\":0.0,\"max\":0.99},\"width\":{\"min\":8,\"max\":512},"             \
    "\"batch_size\":{\"values\":[8,16,32,64,128]},\"optimizer\":{\"values\":[\"sgd\",\"adam\"]},"  \
    "\"dropout\":{\"min\":0.0,\"max\":0.5}}%s%s}"

struct worker {
    int64_t run_id, from, until;
    double rate;
};

struct bench {
    struct engine *engine;
    struct effects fx;
    utc_us now;
    struct worker workers[SLOTS];
    size_t working;
    size_t ended;
    int64_t shown[1 << 20]; /* epochs of each run, by its id */
    double cpu, worst;
    bool over;
};

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

/* --- its workers ----------------------------------------------------------------------------- */

static void start(struct bench *b, const struct action *a)
{
    struct errbuf err;
    struct json *v = json_parse(a->config, strlen(a->config), &err);
    struct worker *w = &b->workers[b->working++];
    *w = (struct worker){.run_id = a->run_id, .until = EPOCHS};
    (void)json_get_int64(v, "until_epoch", &w->until, &err);
    (void)json_get_real(json_get(v, "train"), "learning_rate", &w->rate, &err);
    w->until = w->until > 0 ? w->until : EPOCHS;
    w->from = b->shown[a->run_id];
    json_destroy(v);
}

static void take_effects(struct bench *b)
{
    struct effects fx = b->fx;
    b->fx = (struct effects){0};
    for (size_t i = 0; i < fx.action_count; i++) {
        if (fx.actions[i].type == ACTION_START_RUN)
            start(b, &fx.actions[i]);
        b->over |= fx.actions[i].type == ACTION_WAKE_WAITERS;
    }
    effects_finish(&fx);
}

static double loss_of(const struct worker *w, int64_t epoch)
{
    double off = log10(w->rate + 1e-9) + 2.5, luck = (double)(w->run_id * 2654435761 % 1000) / 1e4;
    return 0.2 + 0.1 * off * off + luck + 1 / (double)(epoch + 1);
}

/* The oldest worker trains to its end, or its rung. */
static void work(struct bench *b)
{
    const struct worker w = b->workers[0];
    struct point p[EPOCHS] = {{0}};
    size_t n = 0;
    struct record_start line = {.resumed_point = w.from};
    memmove(b->workers, b->workers + 1, --b->working * sizeof(w));
    for (int64_t epoch = w.from + 1; epoch <= w.until; epoch++, n++) {
        p[n].point = epoch;
        p[n].epoch = (double)epoch;
        point_set(&p[n], CURVE_TRAIN_LOSS, loss_of(&w, epoch) * 0.9);
        point_set(&p[n], CURVE_VAL_LOSS, loss_of(&w, epoch));
    }
    b->shown[w.run_id] = w.until;
    struct record_result r = {.status = w.until < EPOCHS ? RUN_PAUSED : RUN_COMPLETED,
                              .epoch = w.until, .seconds = 0.01};
    engine_run_spawned(b->engine, w.run_id, "1", b->now, &b->fx);
    engine_run_start_line(b->engine, w.run_id, &line);
    engine_run_points(b->engine, w.run_id, p, n, b->now, &b->fx);
    engine_run_ended(b->engine, w.run_id, &(struct run_exit){.result = &r}, b->now, &b->fx);
    b->ended++;
}

static void turn(struct bench *b)
{
    double begin = seconds_now();
    b->now += 1000;
    if (b->working > 0)
        work(b);
    engine_schedule(b->engine, b->now, &b->fx);
    double took = seconds_now() - begin;
    b->cpu += took;
    b->worst = took > b->worst ? took : b->worst;
    take_effects(b);
}

/* --- the sweep ------------------------------------------------------------------------------- */

static void submit(struct bench *b, char *const *arguments, int count)
{
    struct spec spec;
    struct errbuf err = {0};
    char *text = xasprintf(SPEC, arguments[0], arguments[1], count > 2 ? "," : "",
                           count > 2 ? arguments[2] : "");
    if (spec_parse_text(text, strlen(text), &spec, &err) != 0) {
        fprintf(stderr, "long_sweep METHOD RUNS [MORE]: %s\n", err.message);
        exit(1);
    }
    struct record_prepared p = {.hash = "abc", .samples = 100, .features = 4, .classes = 2};
    engine_submit(b->engine,
                  &(struct submission){.spec = &spec, .prepared = &p,
                                       .known = &(struct remedy_prior){0}},
                  NULL, b->now, &b->fx);
    free(text);
}

static size_t next_mark(size_t ended)
{
    static const size_t marks[] = {1000, 3000, 10000, 20000, 30000, 50000, 70000, 85000};
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (marks[i] > ended)
            return marks[i];
    return SIZE_MAX;
}

static void report(struct bench *b, char *const *arguments, int count, size_t since)
{
    printf("{\"bench\":\"long_sweep\",\"method\":\"%s\",\"runs\":%zu,\"us_per_run\":%.1f,"
           "\"worst_ms\":%.2f,\"rss_mib\":%.1f,\"more\":\"%s\"}\n", arguments[0], b->ended,
           b->cpu / (double)(b->ended - since) * 1e6, b->worst * 1e3, rss_mib(),
           count > 2 ? "with" : "");
    fflush(stdout);
    b->cpu = b->worst = 0;
}

int main(int argc, char **argv)
{
    static struct bench b;
    size_t since = 0, mark = next_mark(0);
    if (argc != 3 && argc != 4) {
        fputs("long_sweep METHOD RUNS [MORE]\n", stderr);
        return 1;
    }
    b.engine = engine_create("/runs");
    engine_set_capacity(b.engine, 0, SLOTS);
    b.now = 1000;
    submit(&b, argv + 1, argc - 1);
    do {
        turn(&b);
        if (b.ended == mark) {
            report(&b, argv + 1, argc - 1, since);
            since = mark;
            mark = next_mark(mark);
        }
    } while (b.working > 0 || !b.over);
    if (b.ended > since)
        report(&b, argv + 1, argc - 1, since);
    engine_destroy(b.engine);
    return 0;
}
