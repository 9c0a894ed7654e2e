/* "method": "auto": one of the methods, by what can be known of a sweep before its first run. The
 * canonical form has the method that was picked, and `picked`, why: a sweep that is stored goes on
 * with it whatever later versions pick. */
#include "common/spec/part.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

/* --- what goes into it ----------------------------------------------------------------------- */

struct outlook {
    int64_t runs;   /* of the search: without those that repeat the best few; 0: not known */
    uint64_t size;  /* configurations; 0: continuous, or very many */
    size_t dimensions, choices; /* parameters; those without an order */
    bool stops;     /* runs are stopped early */
    bool conditional; /* some parameter is not always there */
    bool warm;        /* it goes by earlier sweeps: what order is best is known from the start */
    size_t objectives; /* more than one: it looks for a front. 0: the metric alone */
};

static uint64_t size_of(const struct space *s)
{
    uint64_t size = space_size(s, 0);

    return size < UINT64_MAX ? size : 0;
}

/* As far as the keys can be read: what is wrong with them is said where they are. */
static struct outlook outlook_of(const struct json *root, const struct spec *s)
{
    const struct json *cap = json_get(root, "run_cap"), *share = json_get(root, "repeat_share"),
                      *rule = json_get(json_get(root, "early_terminate"), "type");
    struct outlook o = {.size = size_of(&s->space), .dimensions = s->space.count,
                        .conditional = s->space.conditional,
                        .warm = json_get(root, "warm_start") != NULL,
                        .objectives = s->objectives.count};
    double part;

    if (cap && field_integer(cap, "$.run_cap", 1, SPEC_MAX_RUNS, &o.runs, NULL) != 0)
        o.runs = 0;
    if (!cap && spec_ends_by_time(root, s))
        o.runs = SPEC_DEADLINE_RUNS;
    if (!share || json_real(share, &part) != 0 || !(part >= 0 && part <= SPEC_REPEAT_SHARE_MAX))
        part = o.runs > 0 ? spec_repeat_usual(root, o.runs) : SPEC_REPEAT_SHARE;
    o.runs -= spec_repeat_cap(&(struct spec){.run_cap = o.runs, .repeat_share = part});
    o.stops = rule && !(json_type(rule) == JSON_STRING && strcmp(json_string(rule), "none") == 0);
    for (size_t i = 0; i < s->space.count; i++) {
        const struct dimension *d = &s->space.dimensions[i];
        o.choices += d->distribution == DISTRIBUTION_CATEGORICAL && !dimension_ordered(d);
    }
    return o;
}

/* --- the rules ------------------------------------------------------------------------------- */

/* What gp gains over tpe shrinks with the runs and what it costs grows, with the parameters too
 * (docs/spec.md has the figures). */
#define GP_RUNS 60
#define GP_DIMENSIONS 24

static bool is_tried_whole(const struct outlook *o)
{
    return !o->warm && o->size > 0 && o->size <= (uint64_t)o->runs;
}

static bool is_stopped_early(const struct outlook *o)
{
    return o->stops;
}

static bool is_conditional(const struct outlook *o)
{
    return o->conditional;
}

static bool is_short(const struct outlook *o)
{
    return o->runs <= GP_RUNS && o->dimensions <= GP_DIMENSIONS;
}

static bool is_any(const struct outlook *o)
{
    (void)o;
    return true;
}

/* The first that holds; none leads to a method that knows one metric alone (METHOD_ONE). */
static const struct rule {
    bool (*holds)(const struct outlook *o);
    enum method method;
    const char *why;
} rules[] = {
    {is_tried_whole, METHOD_SOBOL, "all configurations of the space can be tried, and none of "
                                   "them has to wait for others"},
    {is_stopped_early, METHOD_TPE, "runs are stopped early, which it ranks by how far they came"},
    {is_conditional, METHOD_TPE, "some parameters are not always there, and it learns of each "
                                 "from the runs that have it"},
    {is_short, METHOD_GP, "few enough for a Gaussian process, which learns most from each run"},
    {is_any, METHOD_TPE, "many runs or parameters: it learns from each run, at a cost that does "
                         "not grow"},
};

/* What the method does about several objectives. */
static const char *of_front(enum method m)
{
    if (m == METHOD_GP)
        return "; weighs them anew for each run";
    return m == METHOD_TPE ? "; by fronts" : "; all are tried";
}

int spec_auto_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *picked = json_get(root, "picked");
    const struct rule *r = rules;

    if (!s->picked[0])
        return picked ? field_string(picked, "$.picked", s->picked, sizeof(s->picked), err) : 0;
    if (picked)
        return field_refuse(err, ERR_VALUE, "$.picked", picked,
                            "nothing with method %s: the canonical form says in it why the method "
                            "was picked",
                            SPEC_METHOD_AUTO);
    const struct outlook o = outlook_of(root, s);
    while (!r->holds(&o))
        r++;
    s->method = r->method;
    REQUIRE(!(method_traits(r->method) & METHOD_ONE));
    char many[48] = "";
    if (o.objectives > 0)
        snprintf(many, sizeof(many), "%zu objectives, ", o.objectives);
    snprintf(s->picked, sizeof(s->picked),
             "%s%zu parameter%s, %zu of them without an order, %" PRId64 " run%s to search with: "
             "%s%s",
             many, s->space.count, s->space.count == 1 ? "" : "s", o.choices, o.runs,
             o.runs == 1 ? "" : "s", r->why, o.objectives > 0 ? of_front(r->method) : "");
    return 0;
}

void spec_auto_write(const struct spec *s, struct json_writer *w)
{
    if (s->picked[0])
        jw_kv_string(w, "picked", s->picked);
}
