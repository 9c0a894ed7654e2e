#include "common/label/rules.h"

#include <stddef.h>
#include <string.h>

#include "sweep/require.h"

const struct rules RULES_DEFAULT = {
#define X(name, value, what) .name = value,
    RULE_MAP(X)
#undef X
};

double *rules_find(struct rules *r, const char *name)
{
    static const struct {
        const char *name;
        size_t offset;
    } FIELDS[] = {
#define X(name, value, what) {#name, offsetof(struct rules, name)},
        RULE_MAP(X)
#undef X
    };

    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++)
        if (strcmp(FIELDS[i].name, name) == 0)
            return (double *)((char *)r + FIELDS[i].offset);
    return NULL;
}
