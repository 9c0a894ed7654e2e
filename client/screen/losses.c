#include "client/screen/losses.h"

#include "client/screen/curves.h"

void losses_draw(struct grid *g, const struct model_run *r, const struct area *a, bool marks)
{
    static const struct sample none;
    const float *v = r->count > 0 ? r->samples[0].v : none.v;
    struct curve_line lines[] = {
        {v + SAMPLE_EPOCH, v + SAMPLE_TRAIN, r->count, SAMPLE_COLUMNS, INK_1, 't', true},
        {v + SAMPLE_EPOCH, v + SAMPLE_VAL, r->count, SAMPLE_COLUMNS, INK_2, 'v', false}};
    double last = r->count > 0 ? r->samples[r->count - 1].v[SAMPLE_EPOCH] : 1;
    double from = v[SAMPLE_EPOCH];
    struct curve_area area = {a->row, a->column, a->width, a->height,
                              from, last > from ? last : from + 1, marks};
    curves_draw(g, &area, lines, r->count > 0 ? 2 : 0);
}
