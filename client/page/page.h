/* A report: one HTML file that opens from file://, asks nobody for anything, and is readable
 * without its scripts. Pure. */
#ifndef SWEEPCTL_PAGE_H
#define SWEEPCTL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/decisions.h"
#include "client/plot/study.h"
#include "client/plot/words.h"
#include "sweep/buf.h"

struct json;

struct page_decision {
    int64_t run; /* 0: of the sweep as a whole */
    char *kind, *reason;
};

struct page_sweep {
    struct study study;
    const struct json *show;                            /* the reply of method `show` */
    struct decision_groups groups;
    struct page_decision *decisions;                    /* the first so many … */
    size_t decision_count, decision_cap, decisions_all; /* … of all */
};

struct page {
    enum language language;
    const char *made_at; /* UTC */
    const struct page_sweep *sweeps;
    size_t count;
    bool linked; /* a run has a page of its own, at /run/ID */
};

void page_write(const struct page *p, struct buf *out);

/* The parts of page_write. */
void page_section(const struct page *p, const struct page_sweep *s, struct buf *out);
/* Something of each label, for the script to ask its colour. */
void page_probe(struct buf *out);
/* What the script reads: JSON that may stand in a script element. */
void page_data(const struct page *p, struct buf *out);

/* X(id, what: embedded at build) */
struct page_asset {
    const char *text;
    size_t len;
};
extern const struct page_asset page_style, page_script, page_library; /* library: len 0 without */

#endif
