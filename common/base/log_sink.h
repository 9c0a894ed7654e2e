/* Where log lines go. Private to common/base/log*.c. */
#ifndef COMMON_LOG_SINK_H
#define COMMON_LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>

/* One line with its '\n', in one write(2). False where it was left out. */
bool log_sink_put(const char *line, size_t len);
/* Is stderr the journal's? */
bool log_sink_is_journal(void);
/* Lines left out that nobody was told of yet; so many have been told of. */
size_t log_sink_lost(void);
void log_sink_told(size_t lost);

#endif
