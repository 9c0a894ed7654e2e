/* Lists and facts that the daemon has as JSON, as tables and lists of a page. */
#ifndef SWEEPCTL_PAGE_LIST_H
#define SWEEPCTL_PAGE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "client/plot/words.h"
#include "client/render.h"
#include "sweep/buf.h"

struct json;

struct page_column {
    enum word title;
    const char *key; /* "run_id", "parent_id": where runs have pages of their own, a link */
    enum cell_format format;
};

struct page_list {
    enum language language;
    bool linked;
    enum word head; /* above it, and its caption */
    const struct page_column *columns;
    size_t count; /* of them, at most 12 */
    bool top;     /* its head is right below the page's */
};

/* Nothing where there are no rows. */
void page_list(const struct page_list *l, const struct json *rows, struct buf *out);
/* A list of facts: those members that there are. */
void page_facts(const struct page_list *l, const struct json *object, struct buf *out);
/* The same without its frame, for a list that has others too. */
void page_some_facts(const struct page_list *l, const struct json *object, struct buf *out);

#endif
