/* `sweepctl label DIR`: every log below a folder. */
#ifndef SWEEPCTL_LABEL_FOLDER_H
#define SWEEPCTL_LABEL_FOLDER_H

#include "client/label.h"

#define LABEL_FILES_MAX 100000 /* that are looked at */
#define LABEL_DEPTH_MAX 16     /* of folders */

/* What label_file does; of a folder that is no log itself, or has others beside it: a line for each
 * log below it, and for what could not be read the reason. 0, or what label_file says; ERR_VALUE
 * where nothing of a folder could be read (which is printed all the same). */
int label_path(const struct label_request *q, FILE *out, struct errbuf *err);

#endif
