/* What a process of this machine and its descendants use, as /proc says. */
#ifndef SWEEPD_USAGE_H
#define SWEEPD_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct usage;

/* False: there is no such process. */
bool usage_of_tree(pid_t root, struct usage *out);
/* To each of them. */
void usage_signal_tree(pid_t root, int signal);
/* Of this machine, since its start; 0 where it does not say. */
uint64_t usage_oom_kills(void);
#endif
