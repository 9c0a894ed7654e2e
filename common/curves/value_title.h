/* What a lone column "Value" is: TensorBoard's export of one scalar, whose name says so. */
#ifndef COMMON_CURVES_VALUE_TITLE_H
#define COMMON_CURVES_VALUE_TITLE_H

#include "common/curves/reading.h"

/* Replaces the meaning of the column "Value" by what the file's name says, where no other column is
 * a loss. 0, or ERR_VALUE when the name says that it is none. */
int value_title_find(const struct training_log *l, struct reading *r, struct curve_title *titles);

#endif
