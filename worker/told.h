/* What a trained network is told with, so that its weights can be used without its data. */
#ifndef WORKER_TOLD_H
#define WORKER_TOLD_H

struct train;

/* The text of sweep/preprocessing.h; owned by the caller. NULL where it would be too long for a
 * weights file's header (a log line says so). */
char *told_write(const struct train *t);

#endif
