/* The descriptor on which a program says what it measured (SWEEPD_METRICS_FD): its end and ours.
 *
 * A pipe; for a program that can resume a file in its run's folder, which outlives a supervisor
 * that is killed: what had not become points by then is read again by the next one. Such a file is
 * written at its end only, and what is read of it and needed no more is given back to the disk. */
#ifndef WORKER_COMMAND_DESCRIPTOR_H
#define WORKER_COMMAND_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DESCRIPTOR_FORGET_BYTES (8 << 20) /* as much is given back at once */
#define DESCRIPTOR_LOOK_MS 100            /* where nobody tells us that a file has grown */

struct errbuf;

struct descriptor {
    int theirs;      /* the program's end; -1: it has it */
    int ours;        /* not blocking; -1: closed */
    int wake;        /* readable when there is something to read; of a file another than ours; -1:
                        there is none */
    bool is_file;
    bool more;       /* of a file: the last read did not come to its end */
    int64_t at;      /* of a file: read up to here */
    int64_t forgotten; /* and given back up to here */
};

void descriptor_init(struct descriptor *d); /* closed */
/* Each: 0 or ERR_IO. */
int descriptor_open_pipe(struct descriptor *d, struct errbuf *err);
/* keeps: what earlier attempts have said stays, and is read first. A line that was cut is ended. */
int descriptor_open_file(struct descriptor *d, const char *run_dir, bool keeps, struct errbuf *err);
/* The program has its end. */
void descriptor_hand_over(struct descriptor *d);
void descriptor_close(struct descriptor *d);
/* Of a file: its run is over, and all of it are points. */
void descriptor_remove(const struct descriptor *d, const char *run_dir);

/* Reads once. The number of bytes; 0: none at the moment; -1: it is closed. */
ssize_t descriptor_read(struct descriptor *d, char *bytes, size_t size);
/* Bytes that are there to be read now, at most. */
int64_t descriptor_left(const struct descriptor *d);
/* Milliseconds until it must be looked at; -1: wake says when. */
int descriptor_due_ms(const struct descriptor *d);
/* Nothing before this place in the file is needed any more. */
void descriptor_forget(struct descriptor *d, int64_t at);

#endif
