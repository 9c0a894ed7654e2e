/* The specification of exactly one run: what `submit` trains from it has the same configuration,
 * seeds and data, and so the same bits. Pure. */
#ifndef SWEEPCTL_AGAIN_H
#define SWEEPCTL_AGAIN_H

struct buf;
struct errbuf;
struct json;

/* spec: the sweep's, as `show` has it; run: the row of method `run`. Appends the specification, a
 * member a line. 0, or an error that says what of the two cannot be said in one. */
int again_write(const struct json *spec, const struct json *run, struct buf *out,
                struct errbuf *err);

#endif
