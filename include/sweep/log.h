/* Log lines on stderr: "2026-11-24 00:50:58.123Z warn  engine: text", or, where stderr is the
 * journal's, "<4>module=engine msg="text"" (sd-daemon(3)). The level and where lines go are the
 * only writable globals of the programs. */
#ifndef SWEEP_LOG_H
#define SWEEP_LOG_H

#include <stddef.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct errbuf;

void log_set_level(enum log_level level);
/* Level from its name ("error" … "debug"); -1 when unknown. */
int log_level_from_name(const char *name);
void log_write(enum log_level level, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* For a program that must not stop because nobody reads its stderr (a full pipe, a terminal that
 * was stopped): from now on a line that stderr does not take at once is left out, and the next one
 * that it takes is preceded by one that says how many. Called once, before any thread. */
void log_never_wait(void);
/* Stderr goes to the end of that file from now on. At LOG_FILE_BYTES it becomes PATH.1, that
 * PATH.2, and so on; older ones than LOG_FILES_KEPT go. 0 or ERR_IO. Called once, before any
 * thread. */
#define LOG_FILE_BYTES (8 * 1024 * 1024)
#define LOG_FILES_KEPT 3
int log_to_file(const char *path, struct errbuf *err);
/* "key=value" for a line of logfmt, quoted where the value needs it, behind a blank where out is
 * not empty. */
struct buf;
void log_field(struct buf *out, const char *key, const char *value);

/* Each .c file that logs defines LOG_MODULE before it includes this header's users' macros. */
#define log_error(...) log_write(LOG_ERROR, LOG_MODULE, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, LOG_MODULE, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, LOG_MODULE, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, LOG_MODULE, __VA_ARGS__)

#endif
