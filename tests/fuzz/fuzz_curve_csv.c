/* Any bytes as a curve file: an error that says something, or points in order. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "client/curve_csv.h"
#include "sweep/err.h"
#include "sweep/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct curve curve = {.count = 42};
    struct errbuf err;

    if (curve_csv_parse("fuzz.csv", (const char *)data, size, &curve, &err) != 0) {
        REQUIRE(curve.count == 42 && err.code < 0 && strlen(err.message) > 0);
        return 0;
    }
    for (size_t i = 0; i < curve.count; i++) {
        const struct point *p = &curve.points[i];
        REQUIRE(p->point == (int64_t)i + 1 && isfinite(p->epoch) && p->epoch >= 0);
        REQUIRE(i == 0 || p->epoch >= p[-1].epoch);
    }
    curve_finish(&curve);
    return 0;
}
