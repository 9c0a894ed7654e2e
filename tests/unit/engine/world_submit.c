#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

void world_submit(struct world *w, const char *method, const char *parameters, int64_t run_cap,
                  uint64_t seed, const char *more)
{
    struct spec s;
    struct record_prepared p = {.hash = "abc", .samples = 100, .features = 4, .classes = 2};
    spec_make_with(&s, method, parameters, run_cap, seed, more);
    engine_submit(w->engine, &s, &p, NULL, w->now, &w->fx);
    assert_int_equal(s.dimension_count, 0); /* taken over */
}
