#include "client/plot/plot.h"

#include <string.h>

#include "client/plot/chart.h"
#include "sweep/require.h"

static const struct plot_info infos[PLOT_COUNT] = {
#define X(id, name, curves, word) {name, curves, WORD_##word, WORD_##word##_SAYS, plot_draw_##id},
    PLOT_MAP(X)
#undef X
};

const struct plot_info *plot_info(enum plot_kind k)
{
    REQUIRE(k >= 0 && k < PLOT_COUNT);
    return &infos[k];
}

int plot_find(const char *name)
{
    for (int i = 0; i < PLOT_COUNT; i++)
        if (strcmp(infos[i].name, name) == 0)
            return i;
    return -1;
}

static bool is_of_objectives(enum plot_kind k, const struct study *s)
{
    return k == PLOT_pareto && s->objective_count > 0;
}

enum word plot_title(enum plot_kind k, const struct study *s)
{
    return is_of_objectives(k, s) ? WORD_FRONTS : plot_info(k)->title;
}

enum word plot_says(enum plot_kind k, const struct study *s)
{
    return is_of_objectives(k, s) ? WORD_FRONTS_SAYS : plot_info(k)->says;
}

bool plot_draw(enum plot_kind k, const struct study *s, const struct plot_options *o,
               struct buf *out)
{
    struct chart c = {.kind = plot_info(k), .study = s, .options = o, .out = out,
                      .title = plot_title(k, s), .says = plot_says(k, s)};
    c.kind->draw(&c);
    return !c.empty;
}
