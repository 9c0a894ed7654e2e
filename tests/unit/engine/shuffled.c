#include "tests/unit/engine/shuffled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/memo.h"
#include "sweep/buf.h"
#include "sweep/rng.h"

/* The first so many that have not ended have a worker each: one of them ends. */
static void end_one(struct history *h, const struct shuffled *how, struct rng *r)
{
    size_t running[64], n = 0;
    for (size_t i = 0; i < h->count && n < how->workers; i++)
        if (!run_status_terminal(h->trials[i]->status))
            running[n++] = i;
    assert_true(n > 0); /* it waits for something */
    size_t number = running[rng_below(r, n)];
    how->answer(h->trials[number], number, NULL);
    assert_true(run_status_terminal(h->trials[number]->status));
}

static size_t live_count(const struct history *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++)
        n += !run_status_terminal(h->trials[i]->status);
    return n;
}

static enum answer ask(struct history *h, const struct spec *s, const struct shuffled *how,
                       struct memo *memo)
{
    struct proposals p = {0};
    struct study st;
    study_init(&st, s);
    st.count = st.all_count = h->count;
    st.all = st.trials = (const struct trial *const *)h->trials;
    st.live = live_count(h);
    st.memo = how->forgets ? NULL : memo;
    enum answer answer = search_method(s->method)->ask(&st, how->want, &p);
    assert_true(p.count <= how->want && (answer == ANSWER_RUNS) == (p.count > 0));
    for (size_t i = 0; i < p.count; i++)
        history_add(h, s, &p.items[i])->status = RUN_QUEUED;
    proposals_finish(&p);
    return answer;
}

void shuffled_run(struct history *h, const struct spec *s, const struct shuffled *how)
{
    struct memo *memo = memo_create();
    struct rng r;
    rng_init(&r, how->order, RNG_TEST, 7);
    *h = (struct history){0};
    for (;;) {
        enum answer answer = ask(h, s, how, memo);
        if (answer == ANSWER_DONE && live_count(h) == 0)
            break;
        if (live_count(h) >= how->workers || answer != ANSWER_RUNS)
            end_one(h, how, &r);
    }
    memo_destroy(memo);
}
