/* Curves from a file that is named on the command line. */
#ifndef SWEEPCTL_CURVE_INPUT_H
#define SWEEPCTL_CURVE_INPUT_H

#include "sweep/curve_file.h"

/* path: "-" is stdin; run: the one of several in the file, or NULL. As curve_file_parse; also
 * ERR_IO. */
int curve_input_read(const char *path, const char *run, struct curve *out, struct errbuf *err);

#endif
