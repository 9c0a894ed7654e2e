#include "client/decisions.h"

#include <stdlib.h>
#include <string.h>

#include "client/render.h"
#include "sweep/buf.h"
#include "sweep/json.h"

void decision_groups_take(struct decision_groups *g, const struct json *row)
{
    const char *stage = member_string(row, "stage", ""), *kind = member_string(row, "kind", "");
    size_t i = 0;
    while (i < g->count &&
           (strcmp(g->v[i].stage, stage) != 0 || strcmp(g->v[i].kind, kind) != 0))
        i++;
    if (i == g->count) {
        g->v = array_room(g->v, &g->cap, g->count, sizeof *g->v);
        g->v[g->count++] = (struct decision_group){
            .stage = xstrdup(stage),
            .kind = xstrdup(kind),
            .reason = xstrdup(member_string(row, "reason", "")),
            .run = member_int(row, "run_id", 0),
            .number = member_int(row, "number", 0),
        };
    }
    g->v[i].times++;
}

void decision_groups_finish(struct decision_groups *g)
{
    for (size_t i = 0; i < g->count; i++) {
        free(g->v[i].stage);
        free(g->v[i].kind);
        free(g->v[i].reason);
    }
    free(g->v);
    *g = (struct decision_groups){0};
}
