/* `submit --on PLACE --slots N -- OPTIONS`: where the sweep's runs are carried out, as the member
 * "on" of its specification. */
#ifndef SWEEPCTL_PLACE_SPEC_H
#define SWEEPCTL_PLACE_SPEC_H

#include "client/client.h"

/* Puts it into the text of a specification, an object; nothing where no place was asked for. 0, or
 * err: the specification names one itself, or --slots and options are for no place. */
int place_spec_put(const struct opts *o, struct buf *spec, struct errbuf *err);

#endif
