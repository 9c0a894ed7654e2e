/* The table of launchers. */
#include "daemon/launch/launchers.h"
#include "daemon/launch/local.h"
#include "daemon/launch/slurm.h"
#include "sweep/place.h"
#include "sweep/require.h"

/* The engine fills the slots of an earlier one first; a specification names one by its place. */
static const struct launcher_type *const types[LAUNCHER_COUNT] = {
    [LAUNCHER_LOCAL] = &launcher_local,
    [LAUNCHER_SLURM] = &launcher_slurm,
};

const struct launcher_type *const *launcher_types(size_t *count)
{
    *count = sizeof(types) / sizeof(types[0]);
    return types;
}
