#include "daemon/plan/plan.h"

#include "sweep/require.h"

/* Runs so far of run_cap: without those that were skipped, and those that repeat the best few. */
static size_t had_runs(const struct plan_input *in)
{
    return in->treat.count - in->study.skipped - in->study.along;
}

/* As all other runs see it: those that have repeated the best few are none of the last any more. */
static struct study without_along(const struct plan_input *in)
{
    struct study st = in->study;
    st.run_cap += st.along;
    st.last -= st.along < st.last ? st.along : st.last;
    return st;
}

/* Of the runs for treatments as many may be used by now as of the search's own. */
static size_t treat_budget(const struct plan_input *in)
{
    size_t all = in->study.kept, search = in->study.run_cap - all;
    size_t done = had_runs(in) - in->treatments;
    size_t now = done < search ? (all * done + search - 1) / search : all;
    size_t cap = in->study.run_cap, had = had_runs(in), may = 0;
    size_t left = cap > had ? cap - had : 0; /* a person's own runs may be among the last */
    if (now > in->treatments)
        may = now - in->treatments;
    return may < left ? may : left;
}

static bool plan_treatments(const struct plan_input *in, struct treat_proposals *out)
{
    struct treat_input t = in->treat;
    if (!in->treats || in->treat.count == 0 || in->study.live > 0)
        return false;
    t.budget = treat_budget(in);
    treat_next(&t, out);
    return out->count > 0;
}

static struct study with_budget(const struct plan_input *in, size_t others)
{
    struct study st = in->study;
    st.budget = st.run_cap > others ? st.run_cap - others : 0;
    return st;
}

/* As far as it may go on before it is asked whether that is worth it. */
static enum answer ask_on(const struct plan_input *in, const struct study *st,
                          struct proposals *out)
{
    size_t want = in->want;
    struct gain g;
    if (!(st->least_gain > 0))
        return in->method->ask(st, want, out);
    enum gain_verdict v = gain_judge(st, &g);
    if (v != GAIN_GOES_ON)
        return v == GAIN_WAIT ? ANSWER_WAIT : ANSWER_DONE;
    size_t until = gain_until_asked(st);
    return in->method->ask(st, until < want ? until : want, out);
}

/* `others` of the run_cap runs are not the search's. */
static enum answer ask(const struct plan_input *in, size_t others, struct proposals *out)
{
    struct study st = with_budget(in, others);
    enum answer answer = ask_on(in, &st, out);
    size_t had = had_runs(in), left = st.run_cap > had ? st.run_cap - had : 0;
    if (out->count > left)
        out->count = left;
    if (answer == ANSWER_RUNS && out->count == 0)
        answer = st.live > 0 ? ANSWER_WAIT : ANSWER_DONE;
    REQUIRE(answer != ANSWER_WAIT || st.live > 0);
    return answer;
}

/* Treatments come first, and wait until nothing is live. */
static bool may_repeat(const struct plan_input *in)
{
    return in->repeats && !(in->treats && in->study.live > 0);
}

/* All but the finalists. */
static enum answer plan_search(const struct plan_input *in, struct plan *out)
{
    /* Runs that are not the search's: those kept for treatments, and more where more were begun. */
    size_t others = had_runs(in) - in->study.count;
    size_t reserved = in->study.kept + in->study.before;
    size_t kept = others > reserved ? others : reserved;
    enum answer answer = ask(in, kept, &out->search);
    bool stage_ended = answer == ANSWER_DONE || out->search.begin_stage;
    if (stage_ended && plan_treatments(in, &out->treatments)) {
        proposals_finish(&out->search);
        return ANSWER_RUNS;
    }
    if (answer == ANSWER_DONE && others < kept)
        answer = ask(in, others, &out->search);
    if (answer != ANSWER_RUNS && out->search.exhausted && may_repeat(in)) {
        struct study st = without_along(in);
        answer = repeats_next(&st, in->want, &out->repeats);
    }
    return answer;
}

/* Nothing is worth another seed: the search has the last runs too, as it has what treatments leave
 * over. */
static enum answer give_back(const struct plan_input *in, struct plan *out)
{
    struct plan_input all = *in;
    size_t left = without_along(in).last;
    all.study.run_cap += left;
    all.study.kept += left;
    all.study.last = 0;
    plan_finish(out);
    return plan_search(&all, out);
}

/* The search, and other seeds of its best few along the way. */
static enum answer plan_on(const struct plan_input *in, struct plan *out)
{
    enum answer answer = contenders_next(&in->study, in->want, &out->contenders);
    struct plan_input part = *in;
    size_t until = contenders_until(&in->study);
    part.want = until < in->want ? until : in->want;
    return answer != ANSWER_DONE ? answer : plan_search(&part, out);
}

enum answer plan_next(const struct plan_input *in, struct plan *out)
{
    enum answer answer = in->finalists > 0 ? ANSWER_DONE : plan_on(in, out);
    struct study end = without_along(in);
    if (answer != ANSWER_DONE || end.last == 0)
        return answer;
    answer = finalists_next(&end, in->finalists, in->want, &out->finalists);
    if (answer == ANSWER_DONE && in->finalists == 0)
        answer = give_back(in, out);
    return answer;
}

bool plan_ended_early(const struct plan_input *in, struct gain *out)
{
    struct study st = with_budget(in, had_runs(in) - in->study.count - in->finalists);
    return gain_judge(&st, out) == GAIN_ENDS;
}

void plan_finish(struct plan *p)
{
    proposals_finish(&p->search);
    treat_proposals_finish(&p->treatments);
    repeats_finish(&p->repeats);
    repeats_finish(&p->contenders);
    repeats_finish(&p->finalists);
}
