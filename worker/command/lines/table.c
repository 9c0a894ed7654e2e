/* Tables that a program draws: titles above rows, between bars (Markdown, rich, prettytable), two
 * blanks apart (fastai, skorch, a detector's), as CSV, or behind plain words of titles; and boxes
 * of a name and a value a line, of which each is one point (reinforcement learning's loggers).
 * Titles count where the sweep's metric is among them, or what is measured beside what counts. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sweep/curve_title.h"
#include "sweep/terminal_text.h"
#include "worker/command/lines/line_format.h"

#define NUMBER_BYTES_MAX 63

/* --- lines ------------------------------------------------------------------------------------ */

/* Most lines of most programs are none of these: nothing is copied to see that. */
static bool may_be_one(const struct line_table *t, const char *line, size_t len)
{
    char first = len > 0 ? line[0] : '\0';

    if (t->columns > 0 || t->held > 0 || memchr(line, '|', len) || memchr(line, ',', len) ||
        memmem(line, len, "  ", 2) || memchr(line, '\t', len) || memmem(line, len, "\xe2\x94", 2))
        return true;
    return first && strchr("eEsSiI", first);
}

/* "│ ┃ ║" are bars too. */
static void plain_bars(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        unsigned char a = (unsigned char)from[0], b = (unsigned char)from[1];
        unsigned char c = a == 0xe2 && b ? (unsigned char)from[2] : 0;
        bool bar = (b == 0x94 && (c == 0x82 || c == 0x83)) || (b == 0x95 && c == 0x91);
        *to++ = a == 0xe2 && bar ? '|' : *from;
        from += a == 0xe2 && bar ? 2 : 0;
    }
    *to = '\0';
}

/* Nothing but what lines are drawn with. */
static bool is_rule(const char *text)
{
    size_t drawn = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool box = p[0] == 0xe2 && (p[1] == 0x94 || p[1] == 0x95) && p[2];
        if (!box && !strchr("-=+|:_~* \t", *p))
            return false;
        drawn += box || *p == '-' || *p == '=' || *p == '_' || *p == '~';
        p += box ? 2 : 0;
    }
    return drawn >= 3;
}

static bool cut_at(const char *text, char mark, struct terminal_cells *out)
{
    const char *from = text + strspn(text, " \t"), *end = text + strlen(text);
    bool fits = true;

    while (end > from && isspace((unsigned char)end[-1]))
        end--;
    out->count = 0;
    from += mark == '|' && *from == mark;
    end -= mark == '|' && end > from && end[-1] == mark;
    for (const char *p = from; fits && p <= end; p++) {
        if (p < end && *p != mark)
            continue;
        fits = terminal_add_cell(out, from, p);
        from = p + 1;
    }
    return fits && out->count > 1;
}

static bool cut(enum table_kind kind, const char *text, struct terminal_cells *out)
{
    switch (kind) {
    case TABLE_RULED:
        return strchr(text, '|') && cut_at(text, '|', out);
    case TABLE_COMMAS:
        return strchr(text, ',') && cut_at(text, ',', out);
    case TABLE_WIDE:
        return terminal_cut_cells(text, 2, out) && out->count > 1;
    default:
        return terminal_cut_cells(text, 1, out) && out->count > 1;
    }
}

/* 0.41, 87.5%, and 3/10, which is 3. */
static bool read_number(const struct terminal_cell *c, double *out)
{
    char copy[NUMBER_BYTES_MAX + 1], *end;

    if (c->len == 0 || c->len > NUMBER_BYTES_MAX || !strchr("+-.0123456789nNiI", *c->at))
        return false;
    memcpy(copy, c->at, c->len);
    copy[c->len] = '\0';
    if (strpbrk(copy, "xX"))
        return false;
    *out = strtod(copy, &end);
    if (end > copy && *end == '%' && !end[1]) {
        *out /= 100;
        return true;
    }
    if (end > copy && *end == '/' && isdigit((unsigned char)end[1]))
        end += 1 + strspn(end + 1, "0123456789");
    return end > copy && *end == '\0';
}

static char *name_of(const struct terminal_cell *c, char out[METRIC_NAME_MAX + 1])
{
    size_t len = c->len < METRIC_NAME_MAX ? c->len : METRIC_NAME_MAX;

    memcpy(out, c->at, len);
    out[len] = '\0';
    return out;
}

/* --- titles ----------------------------------------------------------------------------------- */

/* Words: none is a number, or has one behind it. */
static bool is_title(const struct terminal_cell *c)
{
    double number;

    if (c->len == 0 || c->len > METRIC_NAME_MAX || read_number(c, &number))
        return false;
    for (size_t i = 0; i < c->len; i++) {
        bool begins = i > 0 && strchr(" \t=:", c->at[i - 1]);
        if (c->at[i] == '=' || (begins && isdigit((unsigned char)c->at[i])))
            return false;
    }
    return true;
}

static bool counts(const char *title)
{
    enum curve_role role = curve_title_read(title, strlen(title)).role;
    return role == CURVE_ROLE_EPOCH || role == CURVE_ROLE_STEP;
}

static bool are_words(enum table_kind kind, const struct terminal_cells *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (!is_title(&c->list[i]) && !(i == 0 && kind == TABLE_RULED && c->list[i].len == 0))
            return false;
    return true;
}

/* Of plain words each must be something that is known, or sentences would be titles. */
static bool are_wanted(const struct line_reader *r, enum table_kind kind,
                       const struct terminal_cells *c)
{
    bool named = false, counted = false, measured = false, known = true;
    char title[METRIC_NAME_MAX + 1];

    for (size_t i = 0; i < c->count && (known || kind != TABLE_NARROW); i++) {
        name_of(&c->list[i], title);
        bool is_count = counts(title), is_measured = line_is_measure(title);
        named |= line_is_named(r, title);
        counted |= is_count;
        measured |= is_measured;
        known &= is_count || is_measured || line_is_named(r, title) ||
                 curve_title_read(title, strlen(title)).role != CURVE_ROLE_OTHER;
    }
    if (kind == TABLE_RULED || kind == TABLE_WIDE)
        return (named && c->count > 2) || (counted && (measured || named));
    return counted && (measured || named) && (known || kind == TABLE_COMMAS);
}

static bool take_titles(struct line_reader *r, const char *text)
{
    static const enum table_kind kinds[] = {TABLE_RULED, TABLE_WIDE, TABLE_COMMAS, TABLE_NARROW};
    struct line_table *t = &r->table;
    struct terminal_cells c;

    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (!cut(kinds[k], text, &c) || !are_words(kinds[k], &c))
            continue;
        if (!are_wanted(r, kinds[k], &c)) {
            if (kinds[k] <= TABLE_WIDE && c.count > 2)
                t->columns = 0; /* of another table, whose rows are none of ours */
            continue;
        }
        t->kind = kinds[k];
        t->columns = c.count;
        for (size_t i = 0; i < c.count; i++)
            name_of(&c.list[i], t->title[i]);
        return true;
    }
    return false;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* What counts is called as intake knows it, and by its own name where the task names that. */
static void put(const struct line_reader *r, const char *title, double value,
                struct metrics_line *out)
{
    enum curve_role role = curve_title_read(title, strlen(title)).role;
    const char *plain = role == CURVE_ROLE_EPOCH  ? "epoch"
                        : role == CURVE_ROLE_STEP ? "step"
                                                  : NULL;

    if (plain && !metrics_line_find(out, plain))
        line_put(out, plain, value);
    if (!plain || line_is_named(r, title))
        line_put(out, title, value);
}

/* The row of a detector's table that is of all classes has no number in front; one that a data
 * frame prints has its index there. */
static bool is_row(const struct line_table *t, struct terminal_cells *c)
{
    double number;

    if (t->kind != TABLE_RULED && c->count == t->columns + 1 && read_number(&c->list[0], &number)) {
        memmove(c->list, c->list + 1, --c->count * sizeof(c->list[0]));
        return true;
    }
    bool all = c->list[0].len == 3 && strncasecmp(c->list[0].at, "all", 3) == 0;
    bool unnamed = t->title[0][0] == '\0'; /* an index, or a row's name */
    return c->count == t->columns && (all || unnamed || read_number(&c->list[0], &number));
}

static bool take_row(struct line_reader *r, const char *text, struct metrics_line *out)
{
    const struct line_table *t = &r->table;
    struct terminal_cells c;
    double value;

    if (t->columns == 0)
        return false;
    bool fits = cut(t->kind, text, &c) && is_row(t, &c);
    if (!fits && t->kind == TABLE_WIDE)
        fits = cut(TABLE_NARROW, text, &c) && is_row(t, &c);
    for (size_t i = 0; fits && i < c.count; i++)
        if (t->title[i][0] && read_number(&c.list[i], &value))
            put(r, t->title[i], value, out);
    return out->count > 0;
}

/* --- boxes of names and values ---------------------------------------------------------------- */

/* A box is whole: its values are one line. Of what counts the largest. */
static bool end_box(struct line_reader *r, struct metrics_line *out)
{
    struct line_table *t = &r->table;
    double step = -INFINITY;

    for (size_t i = 0; i < t->held; i++) {
        const struct metric_value *v = &t->values[i];
        enum curve_role role = curve_title_read(v->name, strlen(v->name)).role;
        if (role == CURVE_ROLE_STEP && v->value > step)
            step = v->value;
        if (role == CURVE_ROLE_EPOCH && !metrics_line_find(out, "epoch"))
            line_put(out, "epoch", v->value);
        line_put(out, v->name, v->value);
    }
    if (isfinite(step) && !metrics_line_find(out, "step"))
        line_put(out, "step", step);
    t->held = 0;
    t->section[0] = '\0';
    return out->count > 0 && line_is_wanted(r, out, true);
}

/* "| train/ | |": of those below that stand further in. */
static bool take_section(struct line_table *t, const struct terminal_cells *c)
{
    const struct terminal_cell *name = &c->list[0];

    if (c->list[1].len > 0 || name->len == 0 || name->at[name->len - 1] != '/')
        return false;
    name_of(name, t->section);
    return true;
}

static bool take_pair(struct line_reader *r, const char *text, const struct terminal_cells *c,
                      struct metrics_line *out)
{
    struct line_table *t = &r->table;
    struct metric_value v;
    char name[METRIC_NAME_MAX + 1];
    size_t indent = (size_t)(c->list[0].at - text);
    bool below = t->section[0] && indent > t->section_indent;

    if (!read_number(&c->list[1], &v.value))
        return false;
    name_of(&c->list[0], name);
    int len = snprintf(v.name, sizeof(v.name), "%s%s", below ? t->section : "", name);
    if (len >= (int)sizeof(v.name))
        return true;
    for (size_t i = 0; i < t->held; i++)
        if (strcmp(t->values[i].name, v.name) == 0) { /* the next box has begun */
            if (!end_box(r, out))
                out->count = 0;
            break;
        }
    if (t->held < TABLE_VALUES_MAX)
        t->values[t->held++] = v;
    return true;
}

/* A bar stands before the first cell and behind the last. */
static bool is_closed(const char *text)
{
    const char *from = text + strspn(text, " \t"), *end = from + strlen(from);

    while (end > from && isspace((unsigned char)end[-1]))
        end--;
    return end > from + 1 && *from == '|' && end[-1] == '|';
}

/* True: the line was one of a box. */
static bool take_boxed(struct line_reader *r, const char *text, struct metrics_line *out)
{
    struct line_table *t = &r->table;
    struct terminal_cells c;
    double number;

    if (!is_closed(text) || !cut(TABLE_RULED, text, &c) || c.count != 2 || c.list[0].len == 0 ||
        read_number(&c.list[0], &number))
        return false;
    if (take_section(t, &c)) {
        t->section_indent = (size_t)(c.list[0].at - text);
        return true;
    }
    return take_pair(r, text, &c, out);
}

/* --- the format ------------------------------------------------------------------------------- */

/* The line of a table that says nothing yet is ours all the same: nobody else reads it. */
bool line_format_table(struct line_reader *r, const char *line, size_t len,
                       struct metrics_line *out)
{
    struct line_table *t = &r->table;

    len = len < LINE_TEXT_MAX ? len : LINE_TEXT_MAX;
    if (!may_be_one(t, line, len))
        return false;
    line_clean(&r->text, line, len);
    char *text = r->text.data;
    /* "| 40.0% |" is no bar */
    bool partial = text[strspn(text, " \t")] != '|' && terminal_cut_bar(text);
    plain_bars(text);
    if (is_rule(text) || (t->held > 0 && !strchr(text, '|')))
        return end_box(r, out);
    if (partial)
        return t->columns > 0;
    if (take_row(r, text, out) || take_boxed(r, text, out))
        return true;
    return take_titles(r, text);
}
