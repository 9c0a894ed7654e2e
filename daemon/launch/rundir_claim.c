/* Whose folder it is. Ids are given again when a database was deleted or restored from a backup, so
 * the folder says in identity.json which run of which database it was made for; and a link in it
 * may lead anywhere. What is not the run's own is set aside under another name, whole. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/engine/engine.h"
#include "daemon/launch/rundir_part.h"
#include "sweep/buf.h"

#define ASIDE_NAMES_MAX 1000

/* --- plain files ----------------------------------------------------------------------------- */

/* What is wrong with a file of the folder; false: nothing, or it is not there. */
static bool is_strange(int folder, enum run_file f, char *why, size_t size)
{
    struct stat st;
    const char *name = run_file_name(f);
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (S_ISREG(st.st_mode) && st.st_nlink == 1)
        return false;
    if (S_ISREG(st.st_mode))
        snprintf(why, size, "%s has %lu names (hard links)", name, (unsigned long)st.st_nlink);
    else
        snprintf(why, size, "%s is %s", name,
                 S_ISLNK(st.st_mode) ? "a symbolic link" : "no plain file");
    return true;
}

/* The weights are only ever removed or replaced by name, and people link to them. */
static bool has_strange_file(int folder, char *why, size_t size)
{
    for (int f = 0; f < RUN_FILE_COUNT; f++)
        if (f != RUN_FILE_WEIGHTS && is_strange(folder, (enum run_file)f, why, size))
            return true;
    return false;
}

/* --- identity -------------------------------------------------------------------------------- */

static bool is_there(int folder, enum run_file f)
{
    return faccessat(folder, run_file_name(f), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Its identity.json, or "" where there is none that can be read. */
static void read_identity(int folder, char out[RUN_OWNER_MAX])
{
    int fd = rundir_file(folder, RUN_FILE_IDENTITY, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, out, RUN_OWNER_MAX - 1);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

/* Nothing of a worker lies in it. */
static bool is_fresh(int folder)
{
    return !is_there(folder, RUN_FILE_LINES) && !is_there(folder, RUN_FILE_CHECKPOINT);
}

static bool is_foreign(int folder, const struct run_owner *owner, char *why, size_t size)
{
    char identity[RUN_OWNER_MAX];
    if (owner == NULL)
        return false;
    read_identity(folder, identity);
    if (strcmp(identity, owner->identity) == 0)
        return false;
    if (identity[0] == '\0' && (owner->may_be_unmarked || is_fresh(folder)))
        return false;
    if (identity[0] == '\0')
        snprintf(why, size, "it does not say whose run it is");
    else
        snprintf(why, size, "it is of another run: %s", identity);
    return true;
}

bool rundir_is_anothers(int folder, const char *database)
{
    char identity[RUN_OWNER_MAX], ours[RUN_OWNER_MAX];
    read_identity(folder, identity);
    snprintf(ours, sizeof(ours), "{\"database\":\"%s\",", database); /* daemon/engine/owner.c */
    return identity[0] != '\0' && strncmp(identity, ours, strlen(ours)) != 0;
}

/* It says from now on whose it is. */
static int mark(int folder, const struct run_owner *owner)
{
    if (owner == NULL || is_there(folder, RUN_FILE_IDENTITY))
        return 0;
    return rundir_put(folder, RUN_FILE_IDENTITY, owner->identity);
}

/* --- aside ----------------------------------------------------------------------------------- */

/* To the first name "ID.not-ours-N" that is free: an earlier one is never overwritten. */
static int set_aside(const struct rundir_place *at, const char *why, char note[RUNDIR_NOTE_MAX])
{
    char from[PATHS_MAX], to[PATHS_MAX + 32];
    if (!paths_run(from, sizeof(from), at->runs_dir, at->run_id)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (int n = 1; n <= ASIDE_NAMES_MAX; n++) {
        snprintf(to, sizeof(to), "%s.not-ours-%d", from, n);
        if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
            snprintf(note, RUNDIR_NOTE_MAX, "its folder was set aside as %s: %s",
                     strrchr(to, '/') + 1, why);
            return 0;
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* The folder, or -1 and errno; why, not empty: what lies there is not the run's. */
static int look(const struct rundir_place *at, bool make, char *why, size_t size)
{
    int folder = rundir_folder(at->runs_dir, at->run_id, make);
    why[0] = '\0';
    if (folder < 0 && (errno == ELOOP || errno == ENOTDIR))
        snprintf(why, size, "it is a symbolic link, or no folder");
    if (folder < 0)
        return -1;
    if (!has_strange_file(folder, why, size) && !is_foreign(folder, at->owner, why, size))
        return folder;
    close(folder);
    errno = ENOENT;
    return -1;
}

int rundir_claim(const struct rundir_place *at, enum rundir_claim how, char note[RUNDIR_NOTE_MAX])
{
    char why[RUNDIR_NOTE_MAX / 2];
    bool make = how == CLAIM_MAKE;
    int folder = look(at, make, why, sizeof(why));
    if (folder < 0 && why[0] != '\0' && how != CLAIM_LOOK) {
        if (set_aside(at, why, note) != 0)
            return -1;
        folder = look(at, make, why, sizeof(why));
    }
    if (folder >= 0 && how != CLAIM_LOOK && mark(folder, at->owner) != 0) {
        int saved = errno;
        close(folder);
        errno = saved;
        return -1;
    }
    return folder;
}

/* Of most runs there is none yet: nothing has to be looked at. */
int rundir_claim_new(const struct rundir_place *at, char note[RUNDIR_NOTE_MAX], bool *fresh)
{
    int folder = rundir_new_folder(at->runs_dir, at->run_id);
    *fresh = folder >= 0 &&
             (!at->owner || rundir_put(folder, RUN_FILE_IDENTITY, at->owner->identity) == 0);
    if (*fresh)
        return folder;
    if (folder >= 0)
        close(folder);
    return rundir_claim(at, CLAIM_MAKE, note);
}
