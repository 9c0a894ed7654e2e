/* What was written to a terminal and kept: colours, movements of the cursor, progress bars, and
 * lines of tables. */
#ifndef SWEEP_TERMINAL_TEXT_H
#define SWEEP_TERMINAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the escape sequence that text begins with: ESC [ … letter. */
size_t terminal_escape(const char *text, size_t len);
/* Bytes of the first state of a line: up to a return of the carriage, or a backspace. */
size_t terminal_state(const char *text, size_t len);
bool terminal_has_bar(const char *text);
/* " 640: 100%|████| 8/8", "640: 62% ━━━": a bar behind other words goes, with its per cent and the
 * colon. True: it is not full. */
bool terminal_cut_bar(char *text);

#define TERMINAL_CELLS_MAX 40

struct terminal_cell {
    const char *at; /* within its line */
    size_t len;
};

struct terminal_cells {
    size_t count;
    struct terminal_cell list[TERMINAL_CELLS_MAX];
};

/* One more, without the blanks around it. False: there is no room. */
bool terminal_add_cell(struct terminal_cells *c, const char *from, const char *to);
/* A line's cells, which runs of so many blanks, or a tab, set apart. False: there are too many. */
bool terminal_cut_cells(const char *line, size_t blanks, struct terminal_cells *out);

#endif
