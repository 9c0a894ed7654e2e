#include "daemon/plan/search/rounds.h"

#include "daemon/plan/study.h"

int64_t rounds_end(const struct study *st, int64_t all, int64_t begun)
{
    int64_t end = st->rounds ? ROUNDS_FIRST : all;
    while (end <= begun && end <= all / 2)
        end *= 2;
    return end <= all / 2 ? end : all;
}
