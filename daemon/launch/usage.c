#include "daemon/launch/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/launch/launcher.h"

#define TREE_MAX 512 /* processes that are looked at */

/* A small file of /proc as text; false: it is gone. */
static bool read_text(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* --- the tree -------------------------------------------------------------------------------- */

struct tree {
    size_t count;
    pid_t pids[TREE_MAX];
};

static void add_children(struct tree *t, pid_t pid, const char *thread)
{
    char path[96], text[4096], *at = text, *end;
    snprintf(path, sizeof(path), "/proc/%ld/task/%.20s/children", (long)pid, thread);
    if (!read_text(path, text, sizeof(text)))
        return;
    for (long child; t->count < TREE_MAX && (child = strtol(at, &end, 10)) > 0 && end != at;
         at = end)
        t->pids[t->count++] = (pid_t)child;
}

/* Each thread has children of its own. */
static void add_descendants(struct tree *t, pid_t pid)
{
    char path[48];
    snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    DIR *threads = opendir(path);
    for (struct dirent *e; threads && (e = readdir(threads)) != NULL;) {
        if (e->d_name[0] != '.')
            add_children(t, pid, e->d_name);
    }
    if (threads)
        closedir(threads);
}

static void read_tree(struct tree *t, pid_t root)
{
    t->count = 1;
    t->pids[0] = root;
    for (size_t i = 0; i < t->count; i++)
        add_descendants(t, t->pids[i]);
}

/* --- one process ----------------------------------------------------------------------------- */

/* proc(5): fields of stat behind the name, which may hold anything but ends at the last ')'. */
static bool add_times(pid_t pid, struct usage *u)
{
    char path[48], text[1024], state;
    uint64_t t[4];
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    const char *name = read_text(path, text, sizeof(text)) ? strrchr(text, ')') : NULL;
    if (!name || sscanf(name + 1,
                        " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                        " %" SCNu64 " %" SCNu64,
                        &state, &t[0], &t[1], &t[2], &t[3]) != 5)
        return false;
    u->cpu_seconds += (double)(t[0] + t[1] + t[2] + t[3]) / (double)sysconf(_SC_CLK_TCK);
    u->stopped |= state == 'T';
    u->busy |= state == 'R' || state == 'D';
    return true;
}

static void add_memory(pid_t pid, struct usage *u)
{
    char path[48], text[256];
    int64_t resident, shared;
    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    if (read_text(path, text, sizeof(text)) &&
        sscanf(text, "%*d %" SCNd64 " %" SCNd64, &resident, &shared) == 2 && resident > shared)
        u->memory_bytes += (resident - shared) * sysconf(_SC_PAGESIZE);
}

bool usage_of_tree(pid_t root, struct usage *out)
{
    struct tree t;
    *out = (struct usage){0};
    if (!add_times(root, out))
        return false;
    read_tree(&t, root);
    for (size_t i = 0; i < t.count; i++) {
        if (i > 0)
            (void)add_times(t.pids[i], out);
        add_memory(t.pids[i], out);
    }
    return true;
}

void usage_signal_tree(pid_t root, int signal)
{
    struct tree t;
    read_tree(&t, root);
    for (size_t i = 0; i < t.count; i++)
        kill(t.pids[i], signal);
}

/* --- the machine ----------------------------------------------------------------------------- */

uint64_t usage_oom_kills(void)
{
    char text[16384];
    const char *row =
        read_text("/proc/vmstat", text, sizeof(text)) ? strstr(text, "\noom_kill ") : NULL;
    return row ? strtoull(row + strlen("\noom_kill "), NULL, 10) : 0;
}
