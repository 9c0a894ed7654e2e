/* Workers on the machines of a Slurm cluster, as pilots that sbatch starts and that take runs out
 * of a spool (sweep/spool.h). Handle: "slurm:" and the sweep's id. */
#ifndef SWEEPD_SLURM_H
#define SWEEPD_SLURM_H

#include "daemon/launch/launcher.h"

extern const struct launcher_type launcher_slurm;

#endif
