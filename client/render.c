#include "client/render.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/utf8.h"
#include "sweep/require.h"

#define WRAP_LEAST 24 /* columns that broken text keeps */
#define CUT_LEAST 12  /* columns that cut text keeps */
#define GAP 2 /* blanks between the columns of a table */

static const char *const tone_codes[] = {
    [TONE_PLAIN] = "",      [TONE_DIM] = "\x1b[2m",   [TONE_BOLD] = "\x1b[1m",
    [TONE_GOOD] = "\x1b[32m", [TONE_WARN] = "\x1b[33m", [TONE_BAD] = "\x1b[31m",
};

static const struct {
    const char *word;
    enum tone tone;
} word_tones[] = {
    {"running", TONE_BOLD},        {"completed", TONE_GOOD},     {"failed", TONE_BAD},
    {"cancelled", TONE_WARN},      {"held", TONE_BAD},           {"paused", TONE_WARN},
    {"queued", TONE_DIM},          {"stopped", TONE_DIM},        {"converged", TONE_GOOD},
    {"learning", TONE_GOOD},       {"diverging", TONE_BAD},      {"not_a_number", TONE_BAD},
    {"overfitting", TONE_WARN},    {"bottleneck", TONE_WARN},    {"oscillating", TONE_WARN},
    {"train_rising", TONE_WARN},   {"slow_rise", TONE_WARN},     {"dataset_problem", TONE_WARN},
    {"too_short", TONE_DIM},       {"train_above_val", TONE_WARN},
    {"overfitting_rising", TONE_WARN}, {"dropout_too_strong", TONE_WARN},
};

bool render_wants_colour(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no_color != NULL && *no_color != '\0')
        return false;
    return isatty(fileno(out)) && term != NULL && strcmp(term, "dumb") != 0;
}

enum tone render_word_tone(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(word_tones); i++) {
        if (strcmp(word_tones[i].word, word) == 0)
            return word_tones[i].tone;
    }
    return TONE_PLAIN;
}

/* C0, DEL and C1, and those marks. */
bool render_is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

void render_text(struct buf *out, const char *text, bool keep_lines)
{
    const char *p = text;
    while (*p != '\0') {
        uint32_t c;
        size_t len = utf8_decode(p, &c);
        if (len == 0) {
            buf_putc(out, '?');
            p++;
            continue;
        }
        if (render_is_unsafe(c) && !(keep_lines && (c == '\n' || c == '\t')))
            buf_putc(out, '?');
        else
            buf_append(out, p, len);
        p += len;
    }
}

/* The writer of JSON has escaped ASCII's control characters; what is left of them ends a line. */
void render_document(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0, bytes; i < len; i += bytes) {
        uint32_t c = 0;
        bytes = utf8_decode(text + i, &c);
        if ((bytes > 1 || c == 0x7f) && render_is_unsafe(c))
            buf_printf(out, "\\u%04x", (unsigned)c);
        else
            buf_append(out, text + i, bytes > 0 ? bytes : 1);
        bytes = bytes > 0 ? bytes : 1;
    }
}

size_t render_width(const char *text)
{
    size_t width = 0;
    while (*text != '\0') {
        uint32_t c;
        size_t len = utf8_decode(text, &c);
        width += len == 0 ? 1 : utf8_width(c);
        text += len == 0 ? 1 : len;
    }
    return width;
}

size_t render_terminal(FILE *out, size_t *rows)
{
    struct winsize size;
    bool known = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    if (rows != NULL)
        *rows = known ? size.ws_row : 24;
    return known ? size.ws_col : 80;
}

/* Bytes of text that fit into width columns, and the columns they take. */
static size_t fit(const char *text, size_t width, size_t *taken)
{
    size_t at = 0;
    *taken = 0;
    while (text[at] != '\0') {
        uint32_t c;
        size_t len = utf8_decode(text + at, &c);
        size_t columns = len == 0 ? 1 : utf8_width(c);
        if (*taken + columns > width)
            break;
        *taken += columns;
        at += len == 0 ? 1 : len;
    }
    return at;
}

static void blanks(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_putc(out, ' ');
}

enum tone render_tone(enum tone tone, bool colour)
{
    return colour ? tone : TONE_PLAIN;
}

void render_field(struct buf *out, const char *text, size_t width, bool right, enum tone tone)
{
    struct buf safe = {0};
    size_t taken, bytes;
    bool paint = tone != TONE_PLAIN;
    render_text(&safe, text, false);
    const char *s = safe.data != NULL ? safe.data : "";
    bytes = fit(s, width, &taken);
    if (right)
        blanks(out, width - taken);
    if (paint)
        buf_puts(out, tone_codes[tone]);
    buf_append(out, s, bytes);
    if (paint)
        buf_puts(out, "\x1b[0m");
    if (!right)
        blanks(out, width - taken);
    buf_finish(&safe);
}

/* Mean of the finite values of v[from..to); NaN when one of them is not finite. */
static double piece_mean(const double *v, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += isfinite(v[i]) ? v[i] : NAN;
    return sum / (double)(to - from);
}

void render_sparkline(struct buf *out, const double *v, size_t count, size_t width)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t cells = count < width ? count : width;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < cells; i++) {
        double m = piece_mean(v, i * count / cells, (i + 1) * count / cells);
        low = isfinite(m) ? fmin(low, m) : low;
        high = isfinite(m) ? fmax(high, m) : high;
    }
    for (size_t i = 0; i < cells; i++) {
        double m = piece_mean(v, i * count / cells, (i + 1) * count / cells);
        /* Each term is halved, so that the span of two huge values stays finite. */
        double span = high / 2 - low / 2;
        double share = span > 0 ? (m / 2 - low / 2) / span : 0;
        size_t last = ARRAY_LEN(blocks) - 1;
        buf_puts(out, isfinite(m) ? blocks[(size_t)(share * (double)last + 0.5)] : "×");
    }
}

void render_table_init(struct render_table *t, const struct table_column *columns, size_t count)
{
    REQUIRE(count > 0);
    memset(t, 0, sizeof *t);
    t->columns = columns;
    t->column_count = count;
}

void render_table_finish(struct render_table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i].text);
    free(t->cells);
    memset(t, 0, sizeof *t);
}

void render_table_add(struct render_table *t, const char *text, enum tone tone)
{
    t->cells = array_room(t->cells, &t->cap, t->count, sizeof *t->cells);
    struct buf safe = {0};
    render_text(&safe, text, false);
    t->cells[t->count].text = buf_take(&safe);
    t->cells[t->count++].tone = tone;
}

static size_t column_width(const struct render_table *t, size_t column)
{
    size_t width = render_width(t->columns[column].title);
    for (size_t i = column; i < t->count; i += t->column_count) {
        size_t w = render_width(t->cells[i].text);
        width = w > width ? w : width;
    }
    return width;
}

/* Nothing but "-" in it (a column that this sweep does not use). */
static bool column_empty(const struct render_table *t, size_t column)
{
    for (size_t i = column; i < t->count; i += t->column_count) {
        if (strcmp(t->cells[i].text, "-") != 0)
            return false;
    }
    return t->count > 0;
}

/* Blanks at the end of a line help nobody. */
static void end_line(struct buf *out)
{
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    buf_putc(out, '\n');
}

/* Bytes of text for a line of at most width columns: up to the last blank that fits, or as much as
 * does. */
static size_t line_bytes(const char *text, size_t width)
{
    size_t taken, bytes = fit(text, width, &taken), at = bytes;
    if (text[bytes] == '\0')
        return bytes;
    while (at > 0 && text[at] != ' ')
        at--;
    return at > 0 ? at : bytes > 0 ? bytes : 1;
}

void render_wrapped(struct buf *out, const char *text, size_t indent, size_t width, enum tone tone)
{
    struct buf safe = {0};
    render_text(&safe, text, false);
    const char *s = safe.data != NULL ? safe.data : "";
    for (bool first = true; first || *s != '\0'; first = false) {
        size_t bytes = width > 0 ? line_bytes(s, width) : strlen(s);
        char *line = xasprintf("%.*s", (int)bytes, s);
        if (!first) {
            end_line(out);
            blanks(out, indent);
        }
        render_field(out, line, render_width(line), false, tone);
        free(line);
        s += bytes;
        s += strspn(s, " ");
    }
    buf_finish(&safe);
}

/* Widths of the columns that are shown, 0 of those that are not. */
struct widths {
    size_t *columns;
    size_t total; /* with the gaps */
    size_t last;  /* column whose text is broken; column_count: none */
    size_t wrap;  /* to that width */
};

static size_t total_width(const struct render_table *t, const size_t *widths)
{
    size_t total = 0;
    for (size_t c = 0; c < t->column_count; c++)
        total += widths[c] > 0 ? widths[c] + GAP : 0;
    return total > GAP ? total - GAP : 0;
}

/* The shown column that goes first where there is no room; column_count: none may go. */
static size_t droppable(const struct render_table *t, const size_t *widths)
{
    size_t found = t->column_count;
    for (size_t c = 0; c < t->column_count; c++)
        if (widths[c] > 0 && t->columns[c].drop > 0 &&
            (found == t->column_count || t->columns[c].drop > t->columns[found].drop))
            found = c;
    return found;
}

/* The widest column of text that may still be cut; column_count: none may. */
static size_t cuttable(const struct render_table *t, const struct widths *w)
{
    size_t found = t->column_count;
    for (size_t c = 0; c < t->column_count; c++)
        if (c != w->last && !t->columns[c].right && w->columns[c] > CUT_LEAST &&
            (found == t->column_count || w->columns[c] > w->columns[found]))
            found = c;
    return found;
}

/* Still too wide (a long name): a line that the terminal breaks is worse than a text cut short. */
static void cut_widths(const struct render_table *t, size_t max, struct widths *w)
{
    size_t total = total_width(t, w->columns);
    if (w->last < t->column_count)
        total -= w->columns[w->last] - w->wrap;
    for (size_t c; total > max && (c = cuttable(t, w)) < t->column_count; total--)
        w->columns[c]--;
}

static void find_widths(const struct render_table *t, size_t max, struct widths *w)
{
    w->columns = xcalloc(t->column_count, sizeof *w->columns);
    w->last = t->column_count;
    size_t end = 0;
    for (size_t c = 0; c < t->column_count; c++) {
        w->columns[c] = column_empty(t, c) ? 0 : column_width(t, c);
        end = w->columns[c] > 0 ? c : end;
    }
    bool breaks = !t->columns[end].right && w->columns[end] > WRAP_LEAST;
    for (size_t c; max > 0 && (c = droppable(t, w->columns)) < t->column_count;) {
        size_t total = total_width(t, w->columns);
        if (total <= max || (breaks && c != end && total - w->columns[end] + WRAP_LEAST <= max))
            break;
        w->columns[c] = 0;
    }
    size_t total = total_width(t, w->columns);
    if (max == 0 || total <= max)
        return;
    if (breaks && w->columns[end] > 0) {
        size_t rest = total - w->columns[end];
        w->last = end;
        w->wrap = max > rest + WRAP_LEAST ? max - rest : WRAP_LEAST;
    }
    cut_widths(t, max, w);
}

/* The caller's; NULL: the text fits. */
static char *cut_text(const char *text, size_t width)
{
    size_t taken;
    return render_width(text) > width ? xasprintf("%.*s…", (int)fit(text, width - 1, &taken), text)
                                      : NULL;
}

static void print_cell(const struct render_table *t, size_t i, const struct widths *w, bool colour,
                       struct buf *out)
{
    size_t c = i % t->column_count;
    const struct table_cell *cell = &t->cells[i];
    if (w->columns[c] == 0)
        return;
    if (c == w->last) {
        size_t before = total_width(t, w->columns) - w->columns[c];
        render_wrapped(out, cell->text, before, w->wrap, render_tone(cell->tone, colour));
        return;
    }
    char *cut = cut_text(cell->text, w->columns[c]);
    render_field(out, cut != NULL ? cut : cell->text, w->columns[c], t->columns[c].right,
                 render_tone(cell->tone, colour));
    free(cut);
    blanks(out, GAP);
}

void render_table_print(const struct render_table *t, size_t max, bool colour, struct buf *out)
{
    size_t rows = t->count / t->column_count;
    struct widths w = {0};
    find_widths(t, max, &w);
    for (size_t c = 0; c < t->column_count; c++) {
        if (w.columns[c] == 0)
            continue;
        render_field(out, t->columns[c].title,
                     c == w.last ? render_width(t->columns[c].title) : w.columns[c],
                     t->columns[c].right, render_tone(TONE_DIM, colour));
        blanks(out, GAP);
    }
    end_line(out);
    for (size_t i = 0; i < rows * t->column_count; i++) {
        print_cell(t, i, &w, colour, out);
        if ((i + 1) % t->column_count == 0)
            end_line(out);
    }
    free(w.columns);
}
