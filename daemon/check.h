/* `sweepd --check`: what is wrong with this machine, before a night depends on it. */
#ifndef SWEEPD_CHECK_H
#define SWEEPD_CHECK_H

struct config;

/* Prints a JSON line for each check on stdout, {"check", "ok", "says", "mend"}, then those of the
 * worker program (`sweep-worker --check`). Exit status: 0 all is well, 1 something is not. */
int check_machine(const struct config *c);

#endif
