#include "sweep/kept_points.h"

#include <stdlib.h>

#include "sweep/buf.h"

/* Every second one goes. */
static void thin(struct kept_points *k)
{
    for (size_t i = 0; i < k->count / 2; i++)
        k->points[i] = k->points[2 * i];
    k->count /= 2;
    k->skip = 2 * k->skip + 1;
}

void kept_points_add(struct kept_points *k, const struct point *p)
{
    if (k->count == POINTS_KEPT_MAX && (p->point - 1) % (k->skip + 1) == 0)
        thin(k);
    if ((p->point - 1) % (k->skip + 1) != 0)
        return;
    k->points = array_room(k->points, &k->cap, k->count, sizeof(*k->points));
    k->points[k->count++] = *p;
}

void kept_points_clear(struct kept_points *k)
{
    k->count = 0;
    k->skip = 0;
}

void kept_points_finish(struct kept_points *k)
{
    free(k->points);
    *k = (struct kept_points){0};
}
