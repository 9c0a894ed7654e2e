/* SIGTERM asks a training to write down where it is and end. */
#ifndef WORKER_INTERRUPT_H
#define WORKER_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGTERM sets a mark instead of ending the process. */
void interrupt_catch(void);
bool interrupt_seen(void);
void interrupt_clear(void);

#endif
