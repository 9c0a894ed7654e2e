/* What methods keep of a sweep between asks, so that a decision costs after 100,000 runs what it
 * costs after 1,000. All of it follows from the study: its loss changes nothing but the time. */
#ifndef SWEEPD_SEARCH_MEMO_H
#define SWEEPD_SEARCH_MEMO_H

/* Who keeps something. */
enum memo_part {
    MEMO_TRIED,
    MEMO_PAST,
    MEMO_BUDGETS,
    MEMO_EVOLUTION,
    MEMO_KERNEL,
    MEMO_PART_COUNT
};

/* NULL-tolerant. A memo serves the studies of one sweep, whose runs stay where they are and do not
 * change once they are terminal; when its space changes, the memo has to go. */
struct memo *memo_create(void);
void memo_destroy(struct memo *m);

/* NULL: nothing yet. */
void *memo_get(const struct memo *m, enum memo_part part);
/* Once; destroy(data) ends it with the memo. */
void memo_keep(struct memo *m, enum memo_part part, void *data, void (*destroy)(void *data));

#endif
