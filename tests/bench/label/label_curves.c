/* The rules on many curves with any thresholds, for agreement.py: curves are read and measured
 * once, then every line of standard input ("wander=4 of_range=0.03", empty: as they are) is
 * answered by one line.
 *
 *   label_curves labels FILES      "pattern agreement runner_up" of each curve, tab separated
 *   label_curves noise             "n rho false": share of noise series given a trend
 *   label_curves prefixes FILES    no input: for each curve the labels of its prefixes
 *
 * FILES is a text file with one path a line, and a tab and "dropout" behind that of a run which is
 * known to have some. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/curve_input.h"
#include "common/label/ensemble.h"
#include "sweep/buf.h"
#include "sweep/diagnosis.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define NOISE_SERIES 200
#define PREFIXES_MAX 300 /* of one curve; a longer one is cut at as many places */

static const size_t NOISE_LENGTHS[] = {10, 20, 50, 100, 200};
static const double NOISE_RHO[] = {0, 0.5, 0.8};

/* A measured curve; facts point into in and workspace. */
struct subject {
    struct diagnosis_input in;
    struct facts facts;
    size_t length; /* of the noise */
    double rho;
};

struct subjects {
    struct subject *at;
    size_t count;
};

static struct subject *add(struct subjects *s, struct point *points, size_t count, size_t length,
                           double rho)
{
    s->at = xrealloc(s->at, (s->count + 1) * sizeof(*s->at));
    s->at[s->count++] =
        (struct subject){{.points = points, .count = count, .dropout = NAN}, .length = length,
                         .rho = rho};
    return &s->at[s->count - 1];
}

static void measure(struct subjects *s)
{
    for (size_t i = 0; i < s->count; i++)
        facts_measure(&s->at[i].facts, &s->at[i].in,
                      xmalloc(diagnosis_workspace_bytes(s->at[i].in.count) + sizeof(double)));
}

static void read_files(const char *list, struct subjects *s)
{
    struct buf text = {0};
    struct errbuf err;

    if (buf_read_file(&text, list, 1 << 24, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    char *next = text.data;
    for (char *path; (path = strsep(&next, "\n")) != NULL;) {
        struct curve c;
        char *path_end = path;
        if (*path == '\0')
            continue;
        bool has_dropout = strsep(&path_end, "\t") != NULL && path_end != NULL;
        if (curve_input_read(path, NULL, &c, &err) != 0) {
            fprintf(stderr, "%s\n", err.message);
            exit(1);
        }
        struct subject *added = add(s, c.points, c.count, 0, 0);
        if (has_dropout)
            added->in.dropout = 0.5;
    }
    buf_finish(&text);
}

/* Noise of 5 % around 1 without any descent: the worst case. */
static void make_noise(struct subjects *s)
{
    for (size_t k = 0; k < ARRAY_LEN(NOISE_LENGTHS) * ARRAY_LEN(NOISE_RHO); k++) {
        size_t n = NOISE_LENGTHS[k / ARRAY_LEN(NOISE_RHO)];
        double rho = NOISE_RHO[k % ARRAY_LEN(NOISE_RHO)], own = sqrt(1 - rho * rho);
        for (uint64_t seed = 0; seed < NOISE_SERIES; seed++) {
            struct point *p = xcalloc(n, sizeof(*p));
            struct rng r;
            rng_init(&r, seed, RNG_TEST, k);
            double train = rng_normal(&r), val = rng_normal(&r);
            for (size_t i = 0; i < n; i++) {
                train = rho * train + own * rng_normal(&r);
                val = rho * val + own * rng_normal(&r);
                p[i].point = (int64_t)i + 1;
                p[i].epoch = (double)i + 1;
                point_set(&p[i], CURVE_TRAIN_LOSS, 1 + 0.05 * train);
                point_set(&p[i], CURVE_VAL_LOSS, 1 + 0.05 * val);
            }
            add(s, p, n, n, rho);
        }
    }
}

static bool read_rules(struct rules *out)
{
    char line[4096], *next = line;

    if (fgets(line, sizeof(line), stdin) == NULL)
        return false;
    *out = RULES_DEFAULT;
    for (char *word; (word = strsep(&next, " \n")) != NULL;) {
        char *value = strchr(word, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        double *rule = rules_find(out, word);
        if (rule == NULL) {
            fprintf(stderr, "no threshold \"%s\"\n", word);
            exit(1);
        }
        *rule = strtod(value, NULL);
    }
    return true;
}

static void answer_labels(const struct subjects *s, const struct rules *r)
{
    for (size_t i = 0; i < s->count; i++) {
        struct prediction o;
        ensemble_classify(&s->at[i].facts, r, &o);
        printf("%s%s %.6f %s", i > 0 ? "\t" : "", pattern_name(o.base.pattern), o.agreement,
               o.runner_up == PATTERN_NONE ? "-" : pattern_name(o.runner_up));
    }
    printf("\n");
}

/* A false trend: of one loss measured by itself. */
static void answer_noise(const struct subjects *s, const struct rules *r)
{
    const struct gates plain = {1, 1, 1};

    for (size_t from = 0; from < s->count; from += NOISE_SERIES) {
        size_t found = 0;
        for (size_t i = from; i < from + NOISE_SERIES; i++) {
            found += trend_sign(&s->at[i].facts.train.t, r, &plain, true) != 0;
            found += trend_sign(&s->at[i].facts.val.t, r, &plain, false) != 0;
        }
        printf("%s%zu %g %.4f", from > 0 ? "\t" : "", s->at[from].length, s->at[from].rho,
               (double)found / (2.0 * NOISE_SERIES));
    }
    printf("\n");
}

static void print_prefixes(const struct subject *s)
{
    void *workspace = xmalloc(diagnosis_workspace_bytes(s->in.count) + sizeof(double));
    size_t steps = s->in.count < PREFIXES_MAX ? s->in.count : PREFIXES_MAX;

    for (size_t i = 1; i <= steps; i++) {
        struct diagnosis_input in = s->in;
        struct diagnosis d;
        in.count = i * s->in.count / steps;
        in.running = true;
        diagnose(&in, workspace, &d);
        printf("%s%zu %s %.4f", i > 1 ? "\t" : "", in.count, pattern_name(d.pattern),
               d.confidence);
    }
    printf("\n");
    free(workspace);
}

int main(int argc, char **argv)
{
    struct subjects s = {0};
    struct rules r;
    bool noise = argc == 2 && strcmp(argv[1], "noise") == 0;

    if (!noise && argc != 3) {
        fprintf(stderr, "usage: label_curves labels|prefixes FILES | noise\n");
        return 2;
    }
    if (noise)
        make_noise(&s);
    else
        read_files(argv[2], &s);
    if (!noise && strcmp(argv[1], "prefixes") == 0) {
        for (size_t i = 0; i < s.count; i++)
            print_prefixes(&s.at[i]);
        return 0;
    }
    measure(&s);
    for (; read_rules(&r); fflush(stdout))
        (noise ? answer_noise : answer_labels)(&s, &r);
    return 0;
}
