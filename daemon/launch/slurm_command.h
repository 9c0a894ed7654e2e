/* A command of Slurm's, found by PATH: runs beside the loop, within a time limit; what it prints
 * is a stranger's. */
#ifndef SWEEPD_SLURM_COMMAND_H
#define SWEEPD_SLURM_COMMAND_H

#include <stdbool.h>

struct launch_site;

struct slurm_answer {
    bool ok;             /* it ended with status 0 */
    bool is_missing;     /* it could not be started */
    bool is_unreachable; /* nobody answered it */
    const char *output;  /* its stdout; borrowed */
    const char *why;     /* where it is not ok: how it ended and its last words */
};

/* words: the command and its arguments, NULL behind the last; copied. done: exactly once, on the
 * loop, later. given_up: where it becomes true the command is ended. */
void slurm_command(const struct launch_site *site, char *const *words, const bool *given_up,
                   void (*done)(void *arg, const struct slurm_answer *a), void *arg);

#endif
