/* What the database knows of the success of remedies, for the search. */
#ifndef SWEEPD_KNOWN_REMEDIES_H
#define SWEEPD_KNOWN_REMEDIES_H

#include "daemon/plan/remedy_prior.h"
#include "daemon/store/store.h"

/* Rows of STORE_QUERY_REMEDY_EFFECTS are added to out. */
void known_remedies_read(const struct table *t, struct remedy_prior *out);

#endif
