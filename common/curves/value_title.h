/* What a lone column "Value" is, or "train" beside "val": the file's name may say so. */
#ifndef COMMON_CURVES_VALUE_TITLE_H
#define COMMON_CURVES_VALUE_TITLE_H

#include "common/curves/reading.h"

/* Replaces the meaning of such columns by what the file's name says, where no other column is a
 * loss. A "Value" beside nothing but counts and times is a loss where the name says nothing. 0, or
 * ERR_VALUE when the name says that it is none. */
int value_title_find(const struct training_log *l, struct reading *r, struct curve_title *titles);

#endif
