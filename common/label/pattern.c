#include "sweep/pattern.h"

#include <string.h>

#include "sweep/require.h"

static const struct pattern_info patterns[] = {
#define X(id, pattern, guide, looks, means, guides, ours)                                         \
    [PATTERN_##id].name = pattern, [PATTERN_##id].guide_ref = guide, [PATTERN_##id].look = looks, \
    [PATTERN_##id].says = means, [PATTERN_##id].guide_remedies = guides,                          \
    [PATTERN_##id].our_remedies = ours,
    PATTERN_MAP(X)
#undef X
#define X(id, looks, means, guides, ours)                                                         \
    [PATTERN_##id].look_zh = looks, [PATTERN_##id].says_zh = means,                               \
    [PATTERN_##id].guide_remedies_zh = guides, [PATTERN_##id].our_remedies_zh = ours,
    PATTERN_ZH_MAP(X)
#undef X
};

const struct pattern_info *pattern_info(enum pattern p)
{
    REQUIRE(p >= 0 && p < PATTERN_COUNT);
    return &patterns[p];
}

const char *pattern_name(enum pattern p)
{
    return p == PATTERN_NONE ? "" : pattern_info(p)->name;
}

int pattern_find(const char *name)
{
    for (int i = 0; i < PATTERN_COUNT; i++)
        if (strcmp(patterns[i].name, name) == 0)
            return i;
    return -1;
}

bool pattern_is_sick(enum pattern p)
{
    return p != PATTERN_LEARNING && p != PATTERN_CONVERGED && p != PATTERN_TOO_SHORT &&
           p != PATTERN_NONE;
}
