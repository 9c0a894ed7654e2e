/* What is known of the success of remedies: counts by the label they answered and the remedy.
 * A sweep freezes what earlier ones taught at its submit; its own treatments are added. Pure. */
#ifndef SWEEPD_SEARCH_REMEDY_PRIOR_H
#define SWEEPD_SEARCH_REMEDY_PRIOR_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/causes/cause.h"
#include "sweep/pattern.h"
#include "daemon/causes/remedy.h"

struct errbuf;
struct json_writer;

struct remedy_count {
    enum pattern pattern;
    enum cause_id cause;
    enum remedy remedy;
    int64_t tried, cured;
};

struct remedy_prior {
    size_t count, cap;
    struct remedy_count *items;
};

void remedy_prior_add(struct remedy_prior *p, const struct remedy_count *c);
void remedy_prior_finish(struct remedy_prior *p);
/* tried and cured of that label and remedy are added to the two. */
void remedy_prior_count(const struct remedy_prior *p, enum pattern pattern, enum cause_id cause,
                        enum remedy remedy, int64_t *tried, int64_t *cured);
/* [{"pattern":"…","cause":"…","remedy":"…","tried":4,"cured":3}, …]; names that this version does
 * not know are passed over. 0 or an error. */
void remedy_prior_write(const struct remedy_prior *p, struct json_writer *w);
int remedy_prior_parse(const char *text, struct remedy_prior *out, struct errbuf *err);

#endif
