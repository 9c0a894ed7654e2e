/* Training logs of other programs, and ours, as a curve: bytes → a table of cells
 * (sweep/training_log.h) → points. Which column is which quantity, what a NaN means, how a resumed
 * log goes on, which run of several: decided by the rules of docs/curves.md, and what was decided
 * is said in notes. Pure. */
#ifndef SWEEP_CURVE_FILE_H
#define SWEEP_CURVE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/curve.h"
#include "sweep/training_log.h"

#define CURVE_FILE_MAX_BYTES ((size_t)256 << 20)
#define CURVE_NOTES_MAX 24
#define CURVE_NOTE_MAX 400 /* bytes, with the NUL */

struct errbuf;

/* A zeroed one is empty. */
struct curve {
    struct point *points; /* in order of epoch; repeated epochs stay */
    size_t count;
    char **notes; /* short sentences, no full stop: what was decided, in the file's own titles */
    size_t note_count;
};

struct curve_source {
    const char *name; /* the file's, for messages and for what it says of a lone "Value" */
    const char *bytes;
    size_t len;
    const char *run; /* the one that is wanted, or NULL: there is but one */
};

/* 0, ERR_PARSE, ERR_VALUE, ERR_MISSING or ERR_LIMIT; err names file, place, value and what is
 * allowed, and out is untouched. Release with curve_finish. */
int curve_file_parse(const struct curve_source *in, struct curve *out, struct errbuf *err);
/* Is that the beginning of a file in a format that is known? Of text it nearly always is.
 * 0 or ERR_PARSE, which says what it is as far as one sees. */
int curve_file_check(const struct curve_source *in, struct errbuf *err);
/* The first half of it: the file's rows behind those that the log has already. */
int curve_file_read(const struct curve_source *in, struct training_log *log, struct errbuf *err);
/* The same from a log that was read already; in->bytes are not looked at. */
int curve_file_interpret(const struct curve_source *in, const struct training_log *log,
                         struct curve *out, struct errbuf *err);
/* Adds the loss of a second file (of whatever name) as the validation loss, epoch by epoch; its
 * notes too. */
void curve_join_val(struct curve *train, const struct curve *val);
/* printf; a note that is there already is not added, nor one beyond CURVE_NOTES_MAX. */
void curve_note(struct curve *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void curve_finish(struct curve *c);

#endif
