#include "worker/neighbour.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICE_MAX 19
/* Of 1000, as a share of memory that it counts as using beside its own: before any daemon. */
#define OOM_SCORE 500

/* ioprio_set(2), for which there are no declarations. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_IDLE 3
#define IOPRIO_CLASS_SHIFT 13

static int read_number(const char *path, int fallback)
{
    char text[16], *end;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    long n = strtol(text, &end, 10);
    return end > text ? (int)n : fallback;
}

static void write_number(const char *path, int n)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", n);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, text, (size_t)len) < 0)
        len = 0; /* not in this kernel, or not in this container: no harm */
    if (fd >= 0)
        close(fd);
}

/* Only a daemon says a number. */
static bool nice_value(int *out)
{
    const char *text = getenv(NEIGHBOUR_NICE_VARIABLE);
    char *end;
    long n = text ? strtol(text, &end, 10) : 0;
    if (!text || end == text || *end != '\0' || n < 0 || n > NICE_MAX)
        return false;
    *out = (int)n;
    return true;
}

void neighbour_yield_memory(void)
{
    int nice;
    if (nice_value(&nice) && read_number("/proc/self/oom_score_adj", OOM_SCORE) < OOM_SCORE)
        write_number("/proc/self/oom_score_adj", OOM_SCORE);
}

/* Where sessions are scheduled as groups (sched(7), autogroup) the nice value counts only within
 * one, and each worker leads a session of its own: the group's counts. */
void neighbour_yield(void)
{
    int nice;
    neighbour_yield_memory();
    if (!nice_value(&nice) || nice == 0)
        return;
    setpriority(PRIO_PROCESS, 0, nice);
    write_number("/proc/self/autogroup", nice);
    if (nice == NICE_MAX)
        syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT);
}
