/* What a program's libraries write into files while it runs: looked at now and then, read from
 * their beginning, and of that the rows given that are new. Files of one kind count, those of an
 * earlier attempt only once they have changed. A look costs at most a part of the time that goes by
 * until the next. */
#ifndef WORKER_COMMAND_FILES_FILES_H
#define WORKER_COMMAND_FILES_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sweep/err.h"
#include "worker/command/files/kinds.h"
#include "worker/command/listen.h"

#define FILES_MAX 4096          /* that are kept in mind */
#define FILES_FIRST_SECONDS 0.5
#define FILES_EVERY_SECONDS 1.0
#define FILES_COST_RATIO 20     /* a look waits so many times as long as the last one took */

/* Enough to see that a file was written since. */
struct file_stamp {
    uint64_t device, inode;
    int64_t size, changed_ns;
};

struct logged_file {
    char *path;
    enum file_kind kind;
    struct file_stamp seen; /* when it was read last, or as it was before the program began */
    bool earlier;           /* it was there before, and has not changed */
    size_t given;           /* place in the log (training_log_where) of the last row given */
    double given_axis;      /* and how far that one counts */
};

struct files {
    const struct command_config *config; /* borrowed */
    const char *run_dir;                 /* borrowed */
    pid_t group;           /* the program's; 0: not started yet */
    size_t count, room;
    struct logged_file *all;
    int kind;              /* that is read; FILE_KIND_COUNT: none yet */
    bool has_metric;       /* its files have what the sweep ranks by */
    double next;           /* since the run's start */
    struct errbuf trouble; /* the first file that could not be read */
};

/* Before the program begins: what is there already is an earlier attempt's. */
void files_begin(struct files *f, const struct command_config *c, const char *run_dir);
void files_finish(struct files *f);
/* Gives what is new. seconds: since the run's start; ended: nobody writes any more. 0, or what the
 * listener returned. */
int files_look(struct files *f, struct listener *l, double seconds, bool ended);
/* Seconds from now until the next look; below 0: none is needed. */
double files_due(const struct files *f, const struct listener *l, double seconds);

#endif
