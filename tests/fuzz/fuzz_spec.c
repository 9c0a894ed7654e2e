/* A specification from a stranger: refused with a reason, or accepted such that its canonical
 * form is a fixed point and every dimension stays in its range. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char *canonical(const struct spec *s)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    spec_write(s, &w);
    return buf_take(&out);
}

static void check_dimension(const struct dimension *d)
{
    uint64_t count = dimension_cardinality(d);
    double middle = dimension_middle(d);

    for (int i = 0; i <= 16; i++) {
        double x = dimension_value(d, i / 16.0);
        double u = dimension_position(d, x);
        REQUIRE(u >= 0 && u <= 1 && dimension_takes(d, x));
        if (d->distribution != DISTRIBUTION_CATEGORICAL)
            REQUIRE(x >= d->min && x <= d->max && middle >= d->min && middle <= d->max);
    }
    REQUIRE(dimension_takes(d, middle));
    if (count) {
        REQUIRE(dimension_takes(d, dimension_nth(d, 0)));
        REQUIRE(dimension_takes(d, dimension_nth(d, count - 1)));
    }
}

/* A configuration as the daemon stores it is one that a person could ask for. */
static void check_assignment(const struct space *s, double u)
{
    struct assignment a, stored, given;
    struct errbuf err = {0};
    struct buf out = {0};
    struct json_writer w;

    double at[SPACE_MAX_DIMENSIONS];

    for (size_t i = 0; i < s->count; i++)
        at[i] = u;
    space_at(s, at, &a);
    space_nearest(s, &a);
    REQUIRE(space_allows(s, &a));
    jw_init(&w, &out);
    space_params_write(s, &a, &w);
    struct json *v = json_parse(out.data, out.len, &err);
    REQUIRE(v != NULL);
    REQUIRE(space_params_parse(s, v, &stored, &err) == 0 && space_same(s, &a, &stored));
    REQUIRE(space_check(s, v, &given, &err) == 0 && space_same(s, &a, &given));
    json_destroy(v);
    buf_finish(&out);
}

/* All that is wrong with one that is refused: its error first, and each with a place. */
static void check_problems(const uint8_t *bytes, size_t len, const struct errbuf *first)
{
    struct errbuf *found = calloc(SPEC_PROBLEMS_MAX, sizeof(*found));
    struct json *root = json_parse((const char *)bytes, len, NULL);
    struct json_place at;

    REQUIRE(found != NULL);
    if (root) {
        size_t count = spec_problems(root, found, SPEC_PROBLEMS_MAX);
        REQUIRE(count > 0 && found[0].code == first->code);
        for (size_t i = 0; i < count; i++)
            REQUIRE(json_place((const char *)bytes, len, root, json_at_path(root, found[i].key),
                               &at));
    }
    json_destroy(root);
    free(found);
}

static void count_note(void *arg, const char *sentence)
{
    *(size_t *)arg += strlen(sentence);
}

static void check_notes(const uint8_t *bytes, size_t len, const struct spec *s)
{
    struct json *root = json_parse((const char *)bytes, len, NULL);
    struct errbuf err;
    size_t said = 0;

    spec_notes(root, s, count_note, &said);
    (void)spec_question(root, s, &err);
    json_destroy(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct errbuf err = {0};
    struct spec s, again;

    if (spec_parse_text((const char *)bytes, len, &s, &err)) {
        REQUIRE(err.code < 0 && err.message[0]);
        check_problems(bytes, len, &err);
        return 0;
    }
    check_notes(bytes, len, &s);
    char *text = canonical(&s);
    REQUIRE(spec_parse_text(text, strlen(text), &again, &err) == 0);
    char *same = canonical(&again);
    REQUIRE(strcmp(text, same) == 0);
    for (size_t i = 0; i < s.space.count; i++)
        check_dimension(&s.space.dimensions[i]);
    for (int i = 0; i <= 4; i++)
        check_assignment(&s.space, i / 4.0);
    free(same);
    free(text);
    spec_finish(&again);
    spec_finish(&s);
    return 0;
}
