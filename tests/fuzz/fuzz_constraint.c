/* A constraint from a stranger: refused with a place, or taken such that its canonical text is a
 * fixed point and that it comes to an answer for every configuration. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/space.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char *kinds[] = {"cnn", "mlp", "lstm"};
static double listed[] = {0, 1, 2};

static const struct dimension dimensions[] = {
    {.name = "depth", .type = VALUE_INTEGER, .distribution = DISTRIBUTION_INT_UNIFORM, .min = 0,
     .max = 9},
    {.name = "width", .type = VALUE_REAL, .distribution = DISTRIBUTION_UNIFORM, .min = -1,
     .max = 1e300},
    {.name = "learning-rate", .type = VALUE_REAL, .distribution = DISTRIBUTION_UNIFORM, .min = 0,
     .max = 1},
    {.name = "residual", .type = VALUE_SWITCH, .distribution = DISTRIBUTION_CATEGORICAL,
     .values = listed, .value_count = 2},
    {.name = "kind", .type = VALUE_CHOICE, .distribution = DISTRIBUTION_CATEGORICAL,
     .values = listed, .value_count = 3, .choices = kinds, .choice_count = 3},
};

static bool find(const void *arg, const char *name, struct constraint_name *out)
{
    int i = space_find_name(arg, name);

    if (i < 0 && strcmp(name, "bottleneck") != 0)
        return false;
    *out = (struct constraint_name){.dimension = i,
                                    .type = i < 0 ? VALUE_INTEGER : dimensions[i].type,
                                    .value = 8};
    str_copy(out->name, sizeof(out->name), name);
    return true;
}

/* For every one of a few configurations, and with values that are absent. */
static void check_answers(const struct space *s)
{
    struct assignment a = {{0}};

    for (int i = 0; i <= 8; i++) {
        for (size_t k = 0; k < s->count; k++)
            a.v[k] = dimension_value(&s->dimensions[k], i / 8.0);
        (void)space_allows(s, &a);
        for (size_t k = 0; k < s->count; k++)
            a.v[k] = NAN;
        (void)space_allows(s, &a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct space *s = calloc(1, sizeof(*s));
    char *text = calloc(len + 1, 1);
    struct errbuf err = {0};

    REQUIRE(s && text);
    memcpy(text, bytes, len);
    s->count = ARRAY_LEN(dimensions);
    memcpy(s->dimensions, dimensions, sizeof(dimensions));
    if (space_constrain(s, text, "$.constraints[0]", find, s, &err) == 0) {
        check_answers(s);
        char *canonical = strdup(space_constraint_text(s, 0));
        REQUIRE(canonical && space_constrain(s, canonical, "$", find, s, &err) == 0);
        REQUIRE(strcmp(canonical, space_constraint_text(s, 1)) == 0);
        free(canonical);
    } else {
        REQUIRE(err.code < 0 && err.message[0] && strcmp(err.key, "$.constraints[0]") == 0);
    }
    s->count = 0; /* the dimensions are nobody's to release */
    space_finish(s);
    free(text);
    free(s);
    return 0;
}
