/* Ways in which a line of a program's stdout may say what was measured: one file each, and a row of
 * the table (their order and names: COMMAND_CHANNEL_MAP). */
#ifndef WORKER_COMMAND_LINE_FORMAT_H
#define WORKER_COMMAND_LINE_FORMAT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "sweep/loose_json.h"
#include "sweep/plain_pairs.h"
#include "sweep/command.h"
#include "sweep/terminal_text.h"
#include "worker/command/metrics_line.h"

/* X(CHANNEL, name): worker/command/lines/<name>.c has line_format_<name>. */
#define LINE_FORMAT_MAP(X)  \
    X(MARKED, marked)       \
    X(SYNE_TUNE, syne_tune) \
    X(PATTERNS, patterns)   \
    X(JSON, json)           \
    X(DICT, dict)           \
    X(PAIRS, pairs)         \
    X(TABLE, table)         \
    X(TEXT, text)

#define LINE_TEXT_MAX 4096 /* bytes of a line that expressions and free text are looked for in */

#define TABLE_VALUES_MAX 64
enum table_kind { TABLE_RULED, TABLE_WIDE, TABLE_COMMAS, TABLE_NARROW }; /* how cells are parted */

/* What the lines before said of a table. */
struct line_table {
    enum table_kind kind;
    size_t columns; /* 0: there were no titles */
    char title[TERMINAL_CELLS_MAX][METRIC_NAME_MAX + 1];
    /* Of a box of names and values that is not whole: */
    char section[METRIC_NAME_MAX + 1]; /* "train/": a part of the names that stand further in */
    size_t section_indent;
    size_t held;
    struct metric_value values[TABLE_VALUES_MAX];
};

/* What they share: what is wanted, and room to work in. */
struct line_reader {
    const struct command_config *config; /* borrowed */
    size_t pattern_count;
    regex_t *patterns;
    struct loose_json loose;
    struct plain_line plain;
    struct line_table table;
    struct buf text;
};

/* r: zeroed. */
void line_reader_init(struct line_reader *r, const struct command_config *c);
void line_reader_finish(struct line_reader *r);

/* Does the line (without its end) say what was measured? Then out has it. */
typedef bool line_read(struct line_reader *r, const char *line, size_t len,
                       struct metrics_line *out);
#define X(channel, name) line_read line_format_##name;
LINE_FORMAT_MAP(X)
#undef X

/* --- for the formats ------------------------------------------------------------------------- */

/* Adds a value; one whose name is none is counted as left out. */
void line_put(struct metrics_line *out, const char *name, double value);
/* One of the names is what the sweep asks for (its metric, or a series of curves), or, where
 * any_measure, means something that is measured. So other objects and assignments in a program's
 * words are none of ours. */
bool line_is_wanted(const struct line_reader *r, const struct metrics_line *l, bool any_measure);
/* The members that are numbers of the object or dict that text begins with; those within others
 * have names joined by '/'. */
bool line_read_object(struct line_reader *r, const char *text, size_t len,
                      struct metrics_line *out);
/* The sweep's metric, or a series of curves; something that is measured, by its title. */
bool line_is_named(const struct line_reader *r, const char *name);
bool line_is_measure(const char *name);
/* At most LINE_TEXT_MAX bytes, without escape sequences and NULs; ends with a NUL. */
void line_clean(struct buf *out, const char *text, size_t len);
/* Behind blanks, without those at the end. */
const char *line_trim(const char *line, size_t *len);

#endif
