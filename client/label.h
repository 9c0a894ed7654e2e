/* `sweepctl label`: a curve file's label, without a daemon. */
#ifndef SWEEPCTL_LABEL_H
#define SWEEPCTL_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "sweep/curve_file.h"
#include "sweep/diagnosis.h"

struct buf;
struct errbuf;
struct json_writer;

struct label_request {
    const char *path;     /* "-": standard input */
    const char *val_path; /* a second file with the validation loss, or NULL */
    const char *run;      /* one of several in the file, or NULL */
    size_t at;            /* label as of the first so many points, the run still going; 0: all */
    bool json;
    size_t width; /* of the terminal; 0: none, so nothing is broken into lines */
    bool colour;
};

/* Reads the file, or the folder that is one log, labels it and prints the label, for people or as
 * one JSON document. 0, or what curve_input_read says (nothing is printed then), ERR_VALUE for an
 * at beyond the end, or ERR_IO when out cannot be written. */
int label_file(const struct label_request *q, FILE *out, struct errbuf *err);
/* Writes what was made for that request, and releases it. 0 or ERR_IO. */
int label_print(const struct label_request *q, struct buf *text, FILE *out, struct errbuf *err);
/* As of the first count points; a file says nothing of dropout. */
void label_diagnose(const struct curve *c, size_t count, struct diagnosis *d);
/* What --json says of a log, as members of the object that was begun. */
void label_members(const struct diagnosis *d, const struct curve *c, size_t points,
                   struct json_writer *w);

#endif
