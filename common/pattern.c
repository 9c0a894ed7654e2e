#include "sweep/pattern.h"

#include <string.h>

#include "sweep/require.h"

static const struct pattern_info patterns[] = {
#define X(id, name, guide, look, says, guide_remedies, our_remedies)                               \
    [PATTERN_##id] = {name, guide, look, says, guide_remedies, our_remedies},
    PATTERN_MAP(X)
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
