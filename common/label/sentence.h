/* The one sentence that says why, with numbers a person can check. */
#ifndef COMMON_DIAGNOSIS_SENTENCE_H
#define COMMON_DIAGNOSIS_SENTENCE_H

struct diagnosis;
void sentence_write(struct diagnosis *d);

#endif
