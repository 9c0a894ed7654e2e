/* `sweepctl label`: a curve file's label, without a daemon. */
#ifndef SWEEPCTL_LABEL_H
#define SWEEPCTL_LABEL_H

#include <stdbool.h>
#include <stdio.h>

struct errbuf;

/* Reads the file, labels it and prints the label, for people or as one JSON document. 0, or what
 * curve_csv_read says (nothing is printed then), or ERR_IO when out cannot be written. */
int label_file(const char *path, bool json, FILE *out, struct errbuf *err);

#endif
