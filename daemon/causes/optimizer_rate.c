#include "daemon/causes/optimizer_rate.h"

#include "sweep/require.h"
#include "sweep/setting.h"

/* The adaptive ones move every weight by about the rate itself, whatever the gradient's size
 * (G2.2 quotes 0.001 for Adam); the others by rate x gradient: PyTorch's examples and defaults. */
static const double usual[OPTIMIZER_COUNT] = {
    [OPTIMIZER_SGD] = 0.05,      [OPTIMIZER_MOMENTUM] = 0.01, [OPTIMIZER_NESTEROV] = 0.01,
    [OPTIMIZER_RMSPROP] = 0.001, [OPTIMIZER_ADAM] = 0.001,    [OPTIMIZER_ADAMW] = 0.001,
    [OPTIMIZER_ADAGRAD] = 0.01,  [OPTIMIZER_ADADELTA] = 1,
};

double optimizer_usual_rate(double optimizer)
{
    REQUIRE(optimizer >= 0 && optimizer < OPTIMIZER_COUNT);
    return usual[(int)optimizer];
}
