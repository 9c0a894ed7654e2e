/* `sweepctl label DIR`: every log below a folder. */
#ifndef SWEEPCTL_LABEL_FOLDER_H
#define SWEEPCTL_LABEL_FOLDER_H

#include "client/label.h"

#define LABEL_FILES_MAX 100000 /* that are looked at */
#define LABEL_DEPTH_MAX 16     /* of folders */

/* Is the folder itself a log, and none of what lies beside it another? */
bool label_folder_is_one(const char *path);
/* Prints a line a log, and of what could not be read the reason. 0; ERR_VALUE where nothing could be
 * read (which is printed all the same), or ERR_IO. */
int label_folder(const struct label_request *q, FILE *out, struct errbuf *err);

#endif
