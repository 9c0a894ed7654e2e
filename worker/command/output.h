/* What a program prints, into the run's file stderr: its first 64 KiB and its last 64 KiB stay, so
 * that no program fills the disk. While it runs the file may hold up to 256 KiB. Not a file (a
 * terminal, a pipe): all goes through. */
#ifndef WORKER_COMMAND_OUTPUT_H
#define WORKER_COMMAND_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

#define OUTPUT_HEAD_BYTES 65536
#define OUTPUT_TAIL_BYTES 65536

struct output {
    int fd; /* borrowed */
    bool is_file;
    int64_t base;     /* bytes that were there before */
    uint64_t total;   /* printed */
    uint64_t in_file; /* of them, and the note that some are left out */
    struct buf last;  /* at least the last OUTPUT_TAIL_BYTES */
};

void output_init(struct output *o, int fd);
void output_finish(struct output *o);
void output_put(struct output *o, const char *bytes, size_t len);
/* No more: the file gets its final form. */
void output_end(struct output *o);
/* The last words, at most max bytes of UTF-8 as one line: the last line, then those above it. */
void output_last_words(const struct output *o, size_t max, struct buf *out);

#endif
