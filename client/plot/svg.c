#include "client/plot/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/render.h"
#include "client/utf8.h"
#include "sweep/require.h"

#define CUT_ALL ((size_t)-1)
#define COORDINATE_MAX 1e6

/* Colours that can be told from each other on white and on black: each label's, light and dark. */
static const struct {
    const char *name, *light, *dark;
} colours[] = {
    {"learning", "#1f8a4c", "#4cc07c"},           {"overfitting", "#b86e00", "#f0a53a"},
    {"overfitting_rising", "#b4460a", "#ff8a4a"}, {"dataset_problem", "#7a5a1c", "#c9a15a"},
    {"bottleneck", "#6a4bb8", "#a98cf0"},         {"converged", "#0f6f8f", "#45b5d8"},
    {"train_above_val", "#2f6db3", "#6fa8ea"},    {"dropout_too_strong", "#9b3f8a", "#dd86cc"},
    {"train_rising", "#b0305f", "#f07ba3"},       {"diverging", "#c02020", "#ff6b6b"},
    {"slow_rise", "#8f6200", "#d2a545"},          {"oscillating", "#3f5fd0", "#8aa2ff"},
    {"not_a_number", "#7c1010", "#ff9d9d"},       {"too_short", "#666c75", "#9aa1ab"},
};

static void pattern_rules(struct buf *out, bool dark)
{
    for (size_t i = 0; i < ARRAY_LEN(colours); i++) {
        const char *colour = dark ? colours[i].dark : colours[i].light;
        buf_printf(out, ".chart .p-%s{fill:%s;stroke:%s}\n", colours[i].name, colour, colour);
    }
}

/* Of the cells of a contour, from the worst to the best. */
static void cell_rules(struct buf *out, bool dark)
{
    static const char *const light[] = {"#f7fafc", "#e0ecf4", "#c5dcea", "#a3c8df",
                                        "#7aafd0", "#4f92bd", "#2b73a3", "#0f5280"};
    static const char *const deep[] = {"#1c232b", "#1f2f3c", "#223c4f", "#264c66",
                                       "#2b5f82", "#3376a2", "#4a92c3", "#7fb8e0"};
    for (size_t i = 0; i < ARRAY_LEN(light); i++)
        buf_printf(out, ".chart .c%zu{fill:%s}\n", i, dark ? deep[i] : light[i]);
}

/* Of runs that are compared. */
static void own_rules(struct buf *out, bool dark)
{
    static const char *const light[] = {"#0b62c4", "#c2410c", "#15803d", "#9333ea",
                                        "#be123c", "#0e7490", "#854d0e", "#4b5563"};
    static const char *const deep[] = {"#6cb0ff", "#ff9a5c", "#5fd68b", "#c79bff",
                                       "#ff8fa8", "#5fd0e6", "#e0b455", "#b6bfca"};
    for (size_t i = 0; i < ARRAY_LEN(light); i++)
        buf_printf(out, ".chart .own%zu{stroke:%s}\n", i, dark ? deep[i] : light[i]);
}

void svg_style(struct buf *out)
{
    buf_puts(out, ".chart{font:12px system-ui,'DejaVu Sans','Noto Sans CJK SC',sans-serif;"
                  "background:#fff}\n"
                  ".chart text{fill:#333;stroke:none}.chart .big{font-size:15px;font-weight:600}\n"
                  ".chart .grid{stroke:#e3e6ea;stroke-width:1}.chart .axis{stroke:#8a9099}\n"
                  ".chart text.halo{paint-order:stroke;stroke:#fff;stroke-width:3px}\n"
                  ".chart .p-none{fill:#555b64;stroke:#555b64}\n");
    pattern_rules(out, false);
    cell_rules(out, false);
    own_rules(out, false);
    buf_puts(
        out,
        ".chart .best{fill:none;stroke:#111;stroke-width:2}\n"
        ".chart .thin{fill:none;stroke-width:1;stroke-opacity:.45}\n"
        ".chart .bold{fill:none;stroke-width:2.5}\n"
        ".chart .strong{fill:none;stroke-width:1.8;stroke-opacity:.7}\n"
        ".chart .dots{fill:none;stroke-width:4;stroke-linecap:round}\n"
        ".chart .dashed{stroke-dasharray:5 4}\n"
        ".chart .hollow{fill:none;stroke-width:1.5}.chart .dot{stroke:none}\n"
        ".chart .cross{stroke-width:1.5}\n"
        ".chart .band{fill-opacity:.22;stroke:none}.chart .bar{stroke:none}\n"
        ".chart .point{fill:#111;stroke:#fff;stroke-width:.6}\n"
        ".chart .ring{fill:none;stroke:#111;stroke-width:1.2}\n"
        "@media (prefers-color-scheme:dark){\n"
        ".chart{background:#16191d}.chart text{fill:#d7dbe0}\n"
        ".chart text.halo{stroke:#16191d}.chart .grid{stroke:#2a2f36}.chart .axis{stroke:#7b828c}\n"
        ".chart .p-none{fill:#aab0b8;stroke:#aab0b8}\n");
    pattern_rules(out, true);
    cell_rules(out, true);
    own_rules(out, true);
    buf_puts(out, ".chart .best{stroke:#f2f4f6}.chart .point{fill:#f2f4f6;stroke:#16191d}"
                  ".chart .ring{stroke:#f2f4f6}\n"
                  "}\n"
                  ".chart .hollow,.chart .thin,.chart .bold,.chart .strong,.chart .best,.chart "
                  ".dots{fill:none}\n"
                  ".chart .dot,.chart .bar,.chart .band{stroke:none}\n");
}

static bool is_character(uint32_t c)
{
    return (!render_is_unsafe(c) && c != 0xfffe && c != 0xffff) || c == '\n' || c == '\t';
}

static void escape_character(struct buf *out, const char *p, size_t len, uint32_t c)
{
    if (c == '<')
        buf_puts(out, "&lt;");
    else if (c == '>')
        buf_puts(out, "&gt;");
    else if (c == '&')
        buf_puts(out, "&amp;");
    else if (c == '"')
        buf_puts(out, "&quot;");
    else if (c == '\'')
        buf_puts(out, "&#39;");
    else if (is_character(c))
        buf_append(out, p, len);
    else
        buf_puts(out, "\xef\xbf\xbd");
}

void svg_escape_cut(struct buf *out, const char *text, size_t max)
{
    size_t count = 0;
    for (const char *p = text; *p != '\0'; count++) {
        uint32_t c;
        size_t len = utf8_decode(p, &c);
        if (count >= max) {
            buf_puts(out, "…");
            return;
        }
        if (len == 0)
            buf_puts(out, "\xef\xbf\xbd");
        else
            escape_character(out, p, len, c);
        p += len != 0 ? len : 1;
    }
}

void svg_escape(struct buf *out, const char *text)
{
    svg_escape_cut(out, text, CUT_ALL);
}

void svg_begin(struct buf *out, const struct svg_frame *f)
{
    buf_printf(out,
               "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
               "viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" "
               "aria-labelledby=\"%s-title %s-says\">\n<title id=\"%s-title\">",
               f->width, f->height, f->width, f->height, f->id, f->id, f->id);
    svg_escape(out, f->title);
    buf_printf(out, "</title>\n<desc id=\"%s-says\">", f->id);
    svg_escape(out, f->says);
    buf_puts(out, "</desc>\n");
    if (f->standalone) {
        buf_puts(out, "<style>\n");
        svg_style(out);
        buf_puts(out, "</style>\n");
    }
}

void svg_end(struct buf *out)
{
    buf_puts(out, "</svg>\n");
}

/* Far outside stays outside, and short. */
static double placed(double v)
{
    return fmax(-COORDINATE_MAX, fmin(COORDINATE_MAX, v));
}

static bool drawable(const double at[2])
{
    return isfinite(at[0]) && isfinite(at[1]);
}

void svg_line(struct buf *out, const char *classes, const double from[2], const double to[2])
{
    if (drawable(from) && drawable(to))
        buf_printf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                   classes, placed(from[0]), placed(from[1]), placed(to[0]), placed(to[1]));
}

void svg_rect(struct buf *out, const char *classes, const double at[2], const double size[2])
{
    if (drawable(at) && drawable(size))
        buf_printf(out,
                   "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                   "height=\"%.1f\"/>\n",
                   classes, placed(at[0]), placed(at[1]), fmax(0, placed(size[0])),
                   fmax(0, placed(size[1])));
}

void svg_circle(struct buf *out, const char *classes, const double at[2], double radius)
{
    if (drawable(at))
        buf_printf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n", classes,
                   placed(at[0]), placed(at[1]), radius);
}

void svg_text(struct buf *out, const char *classes, const double at[2], enum svg_anchor anchor,
              const char *text)
{
    static const char *const names[] = {"start", "middle", "end"};
    buf_printf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", classes,
               placed(at[0]), placed(at[1]), names[anchor]);
    svg_escape(out, text);
    buf_puts(out, "</text>\n");
}

void svg_text_up(struct buf *out, const char *classes, const double at[2], const char *text)
{
    buf_printf(out,
               "<text class=\"%s\" text-anchor=\"middle\" "
               "transform=\"translate(%.1f %.1f) rotate(-90)\">",
               classes, placed(at[0]), placed(at[1]));
    svg_escape(out, text);
    buf_puts(out, "</text>\n");
}

void svg_path_begin(struct buf *out, const char *classes, int64_t run)
{
    buf_printf(out, "<path class=\"%s\"", classes);
    if (run != 0)
        buf_printf(out, " data-run=\"%lld\"", (long long)run);
    buf_puts(out, " d=\"");
}

void svg_path_to(struct buf *out, double x, double y, bool *pen_down)
{
    if (!isfinite(x) || !isfinite(y)) {
        *pen_down = false;
        return;
    }
    buf_printf(out, "%c%.1f %.1f", *pen_down ? 'L' : 'M', placed(x), placed(y));
    *pen_down = true;
}

void svg_path_end(struct buf *out)
{
    buf_puts(out, "\"/>\n");
}

const char *svg_pattern_class(enum pattern p)
{
    static const char *const classes[] = {
#define X(id, name, guide, look, says, guide_remedies, our_remedies) "p-" name,
        PATTERN_MAP(X)
#undef X
    };
    return p >= 0 && p < PATTERN_COUNT ? classes[p] : "p-none";
}
