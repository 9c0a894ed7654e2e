/* What a network's numbers mean to people: how a sample becomes its input, and its output an
 * answer. It goes as a JSON text through the metadata of the weights file (key "preprocessing"):
 *
 *   {"version":1,"task":"regression","input":"numbers","missing":"refuse",
 *    "shift":[0.5,2],"factor":[2,1],"fill":[0.5,2],
 *    "target_shift":[200000],"target_unit":[80000],"schema":{…}}
 *
 * The input is (x - shift) · factor of each feature: a number of a vector, of a step of a sequence
 * (over all steps), a channel of an image. `input` bytes: x is a byte / 255 before. What is no
 * finite number is refused, dropped with its row, or replaced by fill, a number of each place of a
 * sample. A regression's answer is output · target_unit + target_shift. schema: names of columns
 * and classes (worker/data/schema.h). Classes: `probabilities` softmax or sigmoid (of one output)
 * where a cross-entropy taught them. What is absent: not scaled, not filled. */
#ifndef SWEEP_PREPROCESSING_H
#define SWEEP_PREPROCESSING_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/shape.h"

struct errbuf;
struct json;
struct json_writer;

#define PREPROCESSING_KEY "preprocessing" /* of the weights file's metadata */
#define PREPROCESSING_MAX ((size_t)7 << 20) /* bytes of the text */

#define MISSING_MAP(X) X(REFUSE, "refuse") X(DROP, "drop") X(IMPUTE, "impute")
enum missing {
#define X(id, name) MISSING_##id,
    MISSING_MAP(X)
#undef X
    MISSING_COUNT
};

struct preprocessing {
    bool regression, bytes;
    enum missing missing;
    bool sigmoid;            /* classes: of one output, by the sign; else softmax */
    bool has_probabilities;  /* classes: a cross-entropy taught them */
    size_t features;         /* numbers in shift and factor */
    float *shift, *factor;   /* [features]; NULL: not scaled */
    size_t places;           /* numbers in fill */
    float *fill;             /* [places]; NULL: nothing is filled */
    size_t targets;
    double *target_shift, *target_unit; /* [targets]; NULL: as they are */
    const struct json *schema;          /* borrowed; NULL: nothing is known */
    struct json *root;                  /* owned */
};

/* How many features a sample of that shape has, and which one its i-th number belongs to. */
size_t preprocessing_features(const struct shape *s);
size_t preprocessing_feature(const struct shape *s, size_t i);

/* The members, into an object of its own; schema is JSON or NULL. */
void preprocessing_write(const struct preprocessing *p, const char *schema, struct json_writer *w);
/* Text of a file: hostile. Checked against the shape of a sample. ERR_DATA. */
int preprocessing_parse(const char *text, const struct shape *input, struct preprocessing *out,
                        struct errbuf *err);
void preprocessing_finish(struct preprocessing *p);

#endif
