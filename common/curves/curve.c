/* A curve that was read: its notes, and a second file joined to it. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/curve_file.h"

void curve_note(struct curve *c, const char *fmt, ...)
{
    char text[CURVE_NOTE_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < c->note_count; i++)
        if (strcmp(c->notes[i], text) == 0)
            return;
    if (c->note_count == CURVE_NOTES_MAX)
        return;
    if (!c->notes)
        c->notes = xcalloc(CURVE_NOTES_MAX, sizeof(*c->notes));
    c->notes[c->note_count] = xcalloc(CURVE_NOTE_MAX, 1);
    str_copy(c->notes[c->note_count++], CURVE_NOTE_MAX, text);
}

void curve_finish(struct curve *c)
{
    for (size_t i = 0; i < c->note_count; i++)
        free(c->notes[i]);
    free(c->notes);
    free(c->points);
    *c = (struct curve){0};
}

/* The loss of the second file: its validation loss, or what it calls its loss. */
static bool loss_of(const struct point *p, double *out)
{
    enum curve_column c = point_has(p, CURVE_VAL_LOSS) ? CURVE_VAL_LOSS : CURVE_TRAIN_LOSS;
    *out = p->v[c];
    return point_has(p, c);
}

void curve_join_val(struct curve *train, const struct curve *val)
{
    size_t room = train->count + val->count + 1, count = 0;
    struct point *both = xmalloc(room * sizeof(*both));

    for (size_t i = 0, k = 0; i < train->count || k < val->count;) {
        bool has_train = i < train->count, has_val = k < val->count;
        double a = has_train ? train->points[i].epoch : INFINITY;
        double b = has_val ? val->points[k].epoch : INFINITY, loss;
        struct point p = {.epoch = a <= b ? a : b};
        if (has_train && a <= b) {
            p = train->points[i++];
            p.measured &= ~(1u << CURVE_VAL_LOSS);
        }
        if (has_val && b <= a && loss_of(&val->points[k++], &loss))
            point_set(&p, CURVE_VAL_LOSS, loss);
        p.point = (int64_t)count + 1;
        both[count++] = p;
    }
    free(train->points);
    train->points = both;
    train->count = count;
    for (size_t i = 0; i < val->note_count; i++)
        curve_note(train, "second file: %s", val->notes[i]);
}
