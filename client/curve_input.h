/* Curves from a file that is named on the command line, or from a folder that is one log. */
#ifndef SWEEPCTL_CURVE_INPUT_H
#define SWEEPCTL_CURVE_INPUT_H

#include "sweep/curve_file.h"

/* Does a regular file's beginning, or its size, say that it cannot be read as a log: packed, no
 * text, too long? 0, or ERR_IO, ERR_DATA or ERR_LIMIT with the reason. */
int curve_input_check(const char *path, struct errbuf *err);
/* path: "-" is stdin; run: the one of several in the file, or NULL. As curve_file_parse; also
 * ERR_IO, and ERR_DATA of what curve_input_check refuses. */
int curve_input_read(const char *path, const char *run, struct curve *out, struct errbuf *err);

#endif
