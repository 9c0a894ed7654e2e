/* What happened, told once it is durable: a line of the log for each row of events, and the
 * user's program (daemon/launch/hook.h). */
#ifndef SWEEPD_NIGHT_LOG_H
#define SWEEPD_NIGHT_LOG_H

struct happened;
struct hook;
struct store_batch;

/* The events of a batch that is to be written; NULL: there are none. */
struct happened *happened_in(const struct store_batch *b);
/* The batch is durable. hook may be NULL; h may be NULL, and is gone afterwards. */
void happened_tell(struct happened *h, struct hook *hook);

#endif
