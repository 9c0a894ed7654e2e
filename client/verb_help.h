/* What `help VERB` says beyond `VERB --help`: how it is used, what comes of it, examples. */
#ifndef SWEEPCTL_VERB_HELP_H
#define SWEEPCTL_VERB_HELP_H

#include <stdbool.h>
#include <stdio.h>

/* false: there is nothing more to say of that verb. */
bool verb_help_more(FILE *out, const char *verb);

#endif
