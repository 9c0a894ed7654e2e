/* The files that a run, or a preparation of data, needs: all that its process may touch from then
 * on (worker/sandbox.h). */
#ifndef WORKER_RIGHTS_H
#define WORKER_RIGHTS_H

#include "sweep/run_config.h"

struct errbuf;

/* While the data is read: its files, the cache to write to, and all of rights_narrow. Where the
 * files are not found nothing is entered: the errors of source_find, which come before a byte of
 * them is read. */
int rights_enter(const struct run_config *c, struct errbuf *err);
/* While rows are answered for: to read them and the weights, nothing else. */
void rights_predict(const struct run_config *c);
/* While it is trained on: to write only where its weights and its checkpoint go. */
void rights_narrow(const struct run_config *c);

#endif
