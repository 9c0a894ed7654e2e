/* Workers as processes of this machine. Handle: the process id, in decimal. */
#ifndef SWEEPD_LOCAL_H
#define SWEEPD_LOCAL_H

#include "daemon/launch/launcher.h"

extern const struct launcher_type launcher_local;

#endif
