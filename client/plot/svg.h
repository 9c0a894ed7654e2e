/* SVG as text: elements, names made safe, and the style that all charts share. */
#ifndef SWEEPCTL_SVG_H
#define SWEEPCTL_SVG_H

#include <stdbool.h>
#include <stdint.h>

#include "sweep/buf.h"
#include "sweep/pattern.h"

struct svg_frame {
    const char *id; /* unique in its page */
    double width, height;
    const char *title, *says; /* for those who do not see it */
    bool standalone;
};

/* The rules of style of every chart, light and dark: CSS. */
void svg_style(struct buf *out);
void svg_begin(struct buf *out, const struct svg_frame *f);
void svg_end(struct buf *out);

/* Text as XML and HTML have it; control characters, which they cannot have, are U+FFFD. */
void svg_escape(struct buf *out, const char *text);
/* The same, cut behind max characters. */
void svg_escape_cut(struct buf *out, const char *text, size_t max);

/* classes: a constant of the program. Numbers that are not finite draw nothing. */
void svg_line(struct buf *out, const char *classes, const double from[2], const double to[2]);
void svg_rect(struct buf *out, const char *classes, const double at[2], const double size[2]);
void svg_circle(struct buf *out, const char *classes, const double at[2], double radius);
enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };
void svg_text(struct buf *out, const char *classes, const double at[2], enum svg_anchor anchor,
              const char *text);
/* A line of text turned a quarter to the left. */
void svg_text_up(struct buf *out, const char *classes, const double at[2], const char *text);
/* A path that is broken where a point is not finite; run: whose it is, 0: nobody's. */
void svg_path_begin(struct buf *out, const char *classes, int64_t run);
void svg_path_to(struct buf *out, double x, double y, bool *pen_down);
void svg_path_end(struct buf *out);

/* "p-overfitting", "p-none": the class that has a label's colour. */
const char *svg_pattern_class(enum pattern p);

#endif
