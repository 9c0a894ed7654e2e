/* Any bytes as a training log: an error that says something, or points in order. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "sweep/curve_file.h"
#include "sweep/err.h"
#include "sweep/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as(const uint8_t *data, size_t size, const char *name, const char *run)
{
    struct curve_source in = {
        .name = name, .bytes = (const char *)data, .len = size, .run = run};
    struct curve curve = {.count = 42};
    struct errbuf err;

    if (curve_file_parse(&in, &curve, &err) != 0) {
        REQUIRE(curve.count == 42 && err.code < 0 && strlen(err.message) > 0);
        return;
    }
    REQUIRE(curve.count > 0 && curve.note_count <= CURVE_NOTES_MAX);
    for (size_t i = 0; i < curve.count; i++) {
        const struct point *p = &curve.points[i];
        REQUIRE(p->point == (int64_t)i + 1 && isfinite(p->epoch) && p->epoch >= 0);
        REQUIRE(i == 0 || p->epoch >= p[-1].epoch);
    }
    curve_finish(&curve);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size % 4 == 0)
        read_as(data, size, "fuzz", "1");
    else
        read_as(data, size, "run-1-tag-epoch_loss.csv", NULL);
    return 0;
}
