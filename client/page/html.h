/* Elements of a page: tables and lists whose text is made safe. */
#ifndef SWEEPCTL_HTML_H
#define SWEEPCTL_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

/* <tag>text</tag> */
void html_element(struct buf *out, const char *tag, const char *text);
/* A table's start: what it shows, and the titles of its columns. */
void html_table(struct buf *out, const char *caption, const char *const *titles, size_t count);
void html_table_end(struct buf *out);
/* Around a chart, which is wider than a narrow screen: scrolled there, from the keyboard too.
 * attributes: of the figure, with a space before them, or "". */
void html_chart_begin(struct buf *out, const char *attributes, const char *name);
void html_chart_end(struct buf *out, const char *says);
void html_row(struct buf *out);
void html_row_end(struct buf *out);
void html_cell(struct buf *out, const char *text);
/* The same to the right, as a person reads it; NAN: a dash. */
void html_number(struct buf *out, double v);
/* A name and its value, in a list of facts; nothing where value is "". */
void html_fact(struct buf *out, const char *name, const char *value);

/* "sha256-…", as a content security policy names a text. */
void html_hash(struct buf *out, const void *text, size_t len);
void html_base64(struct buf *out, const void *bytes, size_t len);

#endif
