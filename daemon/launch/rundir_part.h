/* Private to the files rundir*.c: a run's folder and its files as descriptors. Nothing here follows
 * a symbolic link, for what lies in the folder may be anybody's. */
#ifndef SWEEPD_RUNDIR_PART_H
#define SWEEPD_RUNDIR_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/launch/rundir.h"
#include "sweep/paths.h"

/* The folder as a descriptor, made if make is set; -1 and errno. */
int rundir_folder(const char *runs_dir, int64_t run_id, bool make);
/* The same where there is none yet; -1 and errno (EEXIST). */
int rundir_new_folder(const char *runs_dir, int64_t run_id);
/* A plain file that has no other name; -1 and errno (ENOTSUP: it is none). */
int rundir_file(int folder, enum run_file f, int flags);
/* An empty one in place of whatever has its name, to append to; -1 and errno. */
int rundir_new_file(int folder, enum run_file f);
/* A new file with that line in place of whatever has its name. 0, or -1 and errno. */
int rundir_put(int folder, enum run_file f, const char *text);
/* Files of the folder whose names end in ".tmp": their writer was killed. */
void rundir_remove_unfinished(int folder);

enum rundir_claim {
    CLAIM_LOOK, /* changes nothing */
    CLAIM_OPEN, /* what is not the run's is set aside */
    CLAIM_MAKE, /* and a folder is made where there is none */
};
/* As with CLAIM_MAKE. fresh: it was made now, and holds nothing but its identity. */
int rundir_claim_new(const struct rundir_place *at, char note[RUNDIR_NOTE_MAX], bool *fresh);
/* The run's own folder as a descriptor; -1 and errno (ENOENT: there is none, or it is not the
 * run's). note: what was set aside, and why; untouched where nothing was. */
int rundir_claim(const struct rundir_place *at, enum rundir_claim how, char note[RUNDIR_NOTE_MAX]);

/* Its identity.json names another database. */
bool rundir_is_anothers(int folder, const char *database);

/* Bytes of run.jsonl that a resumed worker appends to, or -1 and errno. */
int64_t rundir_kept_bytes(int folder);

#endif
