/* Log lines on stderr: "2026-11-24 00:50:58.123Z warn  engine: text". The level is the one
 * writable global of the programs. */
#ifndef SWEEP_LOG_H
#define SWEEP_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
/* Level from its name ("error" … "debug"); -1 when unknown. */
int log_level_from_name(const char *name);
void log_write(enum log_level level, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Each .c file that logs defines LOG_MODULE before it includes this header's users' macros. */
#define log_error(...) log_write(LOG_ERROR, LOG_MODULE, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, LOG_MODULE, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, LOG_MODULE, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, LOG_MODULE, __VA_ARGS__)

#endif
