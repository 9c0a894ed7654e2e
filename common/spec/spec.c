#include "sweep/spec.h"

#include <stdlib.h>
#include <string.h>

#include "common/spec/part.h"
#include "sweep/require.h"

static const struct {
    const char *name;
    unsigned traits;
} methods[] = {
#define X(id, name, traits, doc) [METHOD_##id] = {#name, traits},
    METHOD_MAP(X)
#undef X
};

#define TRAITS(of)                                                                                 \
    (METHOD_TREATS of METHOD_STAGES of METHOD_COUNTS of METHOD_REPEATS of METHOD_LEARNS of         \
         METHOD_WARM of METHOD_BUDGETS of METHOD_INHERITS of METHOD_ONE of       \
         METHOD_INNER)
_Static_assert(TRAITS(|) == TRAITS(+), "each trait has a bit of its own");

const char *method_name(enum method m)
{
    REQUIRE((unsigned)m < METHOD_COUNT);
    return methods[m].name;
}

unsigned method_traits(enum method m)
{
    REQUIRE((unsigned)m < METHOD_COUNT);
    return methods[m].traits;
}

int method_find(const char *name)
{
    for (int i = 0; i < METHOD_COUNT; i++)
        if (strcmp(methods[i].name, name) == 0)
            return i;
    return -1;
}

static const struct task_kind *const tasks[] = {
#define X(id, name) [TASK_##id] = &task_##name,
    TASK_MAP(X)
#undef X
};

const struct task_kind *task_of(const struct spec *s)
{
    REQUIRE((unsigned)s->task < TASK_ID_COUNT);
    return tasks[s->task];
}

bool task_resumes(const struct spec *s)
{
    const struct task_kind *t = task_of(s);
    return t->has_checkpoints && !(t->begins_anew && t->begins_anew(s));
}

const struct task_kind *task_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
        if (strcmp(tasks[i]->name, name) == 0)
            return tasks[i];
    return NULL;
}

const char *spec_metric_name(const struct spec *s)
{
    return s->metric == METRIC_NAMED ? s->metric_name : metric_name(s->metric);
}

void spec_finish(struct spec *s)
{
    space_finish(&s->space);
    spec_place_finish(&s->on);
    if (task_of(s)->finish != NULL)
        task_of(s)->finish(s);
}
