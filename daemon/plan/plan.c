#include "daemon/plan/plan.h"

#include "sweep/require.h"

/* Of the runs for treatments as many may be used by now as of the search's own. */
static size_t treat_budget(const struct plan_input *in)
{
    size_t all = in->study.kept, search = in->study.run_cap - all;
    size_t done = in->treat.count - in->treatments;
    size_t now = done < search ? (all * done + search - 1) / search : all;
    size_t left = in->study.run_cap - in->treat.count, may = 0;
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

/* `others` of the run_cap runs are not the search's. */
static enum answer ask(const struct plan_input *in, size_t others, struct proposals *out)
{
    struct study st = in->study;
    st.budget = st.run_cap > others ? st.run_cap - others : 0;
    enum answer answer = in->method->ask(&st, in->want, out);
    size_t left = st.run_cap > in->treat.count ? st.run_cap - in->treat.count : 0;
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

enum answer plan_next(const struct plan_input *in, struct plan *out)
{
    /* Runs that are not the search's: those kept for treatments, and more where more were begun. */
    size_t others = in->treat.count - in->study.count;
    size_t kept = others > in->study.kept ? others : in->study.kept;
    enum answer answer = ask(in, kept, &out->search);
    bool stage_ended = answer == ANSWER_DONE || out->search.begin_stage;
    if (stage_ended && plan_treatments(in, &out->treatments)) {
        proposals_finish(&out->search);
        return ANSWER_RUNS;
    }
    if (answer == ANSWER_DONE && others < kept)
        answer = ask(in, others, &out->search);
    if (answer != ANSWER_RUNS && out->search.exhausted && may_repeat(in))
        answer = repeats_next(&in->study, in->want, &out->repeats);
    return answer;
}

void plan_finish(struct plan *p)
{
    proposals_finish(&p->search);
    treat_proposals_finish(&p->treatments);
    repeats_finish(&p->repeats);
}
