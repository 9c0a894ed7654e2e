#include "tests/unit/curves/curve_cases.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/curve_file.h"
#include "sweep/err.h"

static void put(struct buf *out, const struct point *p, enum curve_column c)
{
    if (point_has(p, c))
        buf_printf(out, "%.6g", p->v[c]);
    else
        buf_putc(out, '-');
}

static char *render(const struct curve *c)
{
    struct buf out = {0};

    for (size_t i = 0; i < c->count; i++) {
        const struct point *p = &c->points[i];
        assert_int_equal(p->point, i + 1);
        buf_printf(&out, "%s%g:", i > 0 ? " " : "", p->epoch);
        put(&out, p, CURVE_TRAIN_LOSS);
        buf_putc(&out, '/');
        put(&out, p, CURVE_VAL_LOSS);
        if (!point_has(p, CURVE_TRAIN_ACC) && !point_has(p, CURVE_VAL_ACC))
            continue;
        buf_putc(&out, ';');
        put(&out, p, CURVE_TRAIN_ACC);
        buf_putc(&out, '/');
        put(&out, p, CURVE_VAL_ACC);
    }
    return buf_take(&out);
}

static char *join_notes(const struct curve *c)
{
    struct buf out = {0};

    for (size_t i = 0; i < c->note_count; i++)
        buf_printf(&out, "%s\n", c->notes[i]);
    return buf_take(&out);
}

static bool check(const struct curve_case *k, size_t at)
{
    struct curve_source in = {
        .name = k->name, .bytes = k->text, .len = strlen(k->text), .run = k->run};
    struct curve c = {.count = 77};
    struct errbuf err;
    char *curve, *notes;

    if (curve_file_parse(&in, &c, &err) == 0) {
        curve = render(&c);
        notes = join_notes(&c);
        curve_finish(&c);
    } else {
        assert_int_equal(c.count, 77);
        curve = xasprintf("!%s", err.message);
        notes = xstrdup("");
    }
    size_t len = curve[0] == '!' ? strlen(k->curve) : strlen(curve) + 1;
    bool good = strncmp(curve, k->curve, len) == 0;
    good &= k->note == NULL || (k->note[0] ? strstr(notes, k->note) != NULL : notes[0] == '\0');
    if (!good)
        print_error("case %zu: %s\nexpected %s (%s)\ngot      %s\n%s\n", at, k->text, k->curve,
                    k->note ? k->note : "any notes", curve, notes);
    free(curve);
    free(notes);
    return good;
}

void curve_cases_check(const struct curve_case *cases, size_t count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++)
        wrong += !check(&cases[i], i);
    if (wrong > 0)
        fail_msg("%zu of %zu logs are read wrongly", wrong, count);
}
