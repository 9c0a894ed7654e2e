/* The parts of a sweep's section, which share a page and a buffer. */
#ifndef SWEEPCTL_SECTION_H
#define SWEEPCTL_SECTION_H

#include "client/page/page.h"

struct section {
    const struct page *page;
    const struct page_sweep *sweep;
    struct buf *out;
};

const char *section_word(const struct section *s, enum word w);
void section_head(const struct section *s, enum word w);
/* A table's start, its titles as words. */
void section_table(const struct section *s, enum word caption, const enum word *titles,
                   size_t count);
/* A run's id; where runs have pages, a link to its own. */
void section_run(const struct section *s, int64_t id);
/* The same as a cell; 0: a dash. */
void section_run_cell(const struct section *s, int64_t id);
/* A sentence with two numbers. */
void section_note(const struct section *s, enum word w, size_t some, size_t all);

/* Labels with counts and examples; treatments beside their parents; failures by their kind. */
void section_patterns(const struct section *s);
void section_treatments(const struct section *s);
void section_failures(const struct section *s);
/* What no other configuration betters in all of several objectives. */
void section_front(const struct section *s);
/* Lists as the daemon has them: configurations by their seeds; edits, findings, stopping. */
void section_configurations(const struct section *s);
void section_lists(const struct section *s);

#endif
