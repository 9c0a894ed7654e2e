/* What a line of a program's output says was measured, and where in the training. */
#ifndef SWEEP_PLAIN_PAIRS_H
#define SWEEP_PLAIN_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#define PLAIN_PAIRS_MAX 64
#define PLAIN_NAME_BYTES 120

struct plain_pair {
    char name[PLAIN_NAME_BYTES];
    double value;
};

struct plain_line {
    struct plain_pair pairs[PLAIN_PAIRS_MAX];
    size_t count;
    bool has_epoch, has_step, has_batch, has_position;
    double epoch, step, batch;
    double at, of; /* position: 640 of 60000; `of` is NaN where it is not known yet */
    bool heldout;  /* all its pairs are of validation or test */
    /* A word such as "Test" that the line spoke of last; "" for none. In: what lines before it
     * spoke of, for its pairs without such a word. */
    char context[32];
    bool heading; /* nothing but such a word and a few others: it speaks of the lines below */
};

/* TensorFlow's estimators say of an evaluation: "Saving dict for global step 100: loss = 0.5". */
void plain_line_mark(char *text);
/* out->context is read, and written anew. */
void plain_line_read(const char *text, size_t len, struct plain_line *out);

#endif
