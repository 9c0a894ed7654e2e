/* Words that name what a program measures. What each column means is decided elsewhere; here they
 * only tell a measurement from the other things a program writes. */
#ifndef SWEEP_METRIC_WORD_H
#define SWEEP_METRIC_WORD_H

#include <stdbool.h>
#include <stddef.h>

/* Is the word, in any case, this one, written here in small letters? */
bool word_is(const char *word, size_t len, const char *name);
/* "val_loss", "Acc@1", "rmse", "l2": its parts are compared, in any case. */
bool is_metric_word(const char *word, size_t len);

#endif
