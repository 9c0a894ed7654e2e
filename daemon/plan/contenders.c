#include "daemon/plan/contenders.h"

#include <stdint.h>
#include <string.h>

#include "daemon/plan/finalists.h"
#include "sweep/method.h"
#include "sweep/require.h"
#include "sweep/spec.h"
#include "sweep/stop.h"

/* When they come, in eighths of the search. */
static const size_t marks[] = {1, 2, 4, 6};

bool stage_is_of_best(const char *stage)
{
    return strcmp(stage, STAGE_FINALISTS) == 0 || strcmp(stage, STAGE_CONTENDERS) == 0;
}

size_t contenders_share(size_t last)
{
    size_t beyond = last > CONTENDERS_BEHIND ? last - CONTENDERS_BEHIND : 0;
    return beyond < last * 2 / 3 ? beyond : last * 2 / 3;
}

/* Its own runs are planned in parts, each when all before has ended. */
static bool waits_by_itself(const struct study *st)
{
    return method_traits(st->spec->method) & METHOD_STAGES;
}

/* Runs that wait at rungs for others would be given up if none came for a while. */
static bool has_any(const struct study *st)
{
    return st->spec->repeat_along && st->last > 0 &&
           (waits_by_itself(st) || !st->spec->stop.promote);
}

/* Runs of the whole search, without treatments, and those that are behind it. */
static size_t whole(const struct study *st)
{
    size_t others = st->kept + st->before;
    return st->run_cap > others ? st->run_cap - others : 0;
}

/* The first number of runs of the search at which that mark is reached. */
static size_t runs_at(const struct study *st, size_t mark)
{
    return (whole(st) * mark + 7) / 8;
}

/* Runs that are due by then. */
static size_t due_at(const struct study *st, size_t mark)
{
    return contenders_share(st->last) * mark / 8;
}

/* Of the instalment that is under way: none of the search's own came since it began. */
static size_t begun_now(const struct study *st)
{
    size_t from = st->count > 0 ? st->trials[st->count - 1]->number + 1 : 0, n = 0;
    for (size_t i = st->all_count; i-- > from;)
        n += strcmp(st->all[i]->stage, STAGE_CONTENDERS) == 0;
    return n;
}

/* Of that instalment, at the last mark that is reached; begun of it are there. */
static size_t instalment(const struct study *st, size_t begun)
{
    size_t due = 0, before = st->along - begun;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (st->count >= runs_at(st, marks[i]))
            due = due_at(st, marks[i]);
    return due >= before + CONTENDERS_LEAST ? due - before : 0;
}

size_t contenders_until(const struct study *st)
{
    if (!has_any(st) || waits_by_itself(st))
        return SIZE_MAX;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        size_t at = runs_at(st, marks[i]);
        if (at > st->count && due_at(st, marks[i]) >= st->along + CONTENDERS_LEAST)
            return at - st->count;
    }
    return SIZE_MAX;
}

enum answer contenders_next(const struct study *st, size_t want, struct repeats *out)
{
    if (!has_any(st))
        return ANSWER_DONE;
    size_t begun = begun_now(st), runs = instalment(st, begun);
    if (runs <= begun)
        return ANSWER_DONE;
    struct study part = *st;
    part.run_cap = st->run_cap + st->last - runs; /* of all runs the last ones are these */
    part.last = runs;
    return finalists_next(&part, begun, want, out);
}
