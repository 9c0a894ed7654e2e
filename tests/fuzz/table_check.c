#include "table_check.h"

#include <math.h>
#include <string.h>

#include "sweep/require.h"

void table_check(const struct table *t)
{
    REQUIRE(t->count > 0 && t->outputs == 1 && t->type == SAMPLES_F32);
    REQUIRE(t->shape.rank == 1 && t->shape.dim[0] > 0);
    REQUIRE(t->count * t->shape.dim[0] * sizeof(float) <= TABLE_CHECK_BYTES);
    for (size_t i = 0; i < t->count; i++) {
        double target = t->targets[i];
        REQUIRE(isfinite(target));
        if (t->class_names > 0)
            REQUIRE(target >= 0 && target < (double)t->class_names && target == floor(target));
    }
    for (size_t i = 0; i < t->class_names; i++) {
        size_t len = strnlen(t->class_name[i], sizeof t->class_name[i]);
        REQUIRE(len > 0 && len < sizeof t->class_name[i]);
        REQUIRE(i == 0 || strcmp(t->class_name[i - 1], t->class_name[i]) < 0);
    }
}

void table_check_same(const struct table *a, const struct table *b)
{
    REQUIRE(a->count == b->count && a->shape.dim[0] == b->shape.dim[0]);
    REQUIRE(memcmp(a->values, b->values, a->count * a->shape.dim[0] * sizeof(float)) == 0);
    REQUIRE(memcmp(a->targets, b->targets, a->count * sizeof(double)) == 0);
    REQUIRE(a->class_names == b->class_names);
    REQUIRE(a->class_names == 0 || memcmp(a->class_name, b->class_name,
                                          a->class_names * sizeof *a->class_name) == 0);
}
