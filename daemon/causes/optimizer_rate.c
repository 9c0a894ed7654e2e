#include "daemon/causes/optimizer_rate.h"

#include "sweep/require.h"
#include "sweep/setting.h"

static const double usual[] = {
#define X(id, name, rate) [OPTIMIZER_##id] = rate,
    OPTIMIZER_MAP(X)
#undef X
};

double optimizer_usual_rate(double optimizer)
{
    REQUIRE(optimizer >= 0 && optimizer < OPTIMIZER_COUNT);
    return usual[(int)optimizer];
}
