/* What was written to a terminal and kept: colours, movements of the cursor, progress bars. */
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

#endif
