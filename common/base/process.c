#include "sweep/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sweep/buf.h"

#define KILL_BIT (1ULL << (SIGKILL - 1))

/* proc(5): a line of /proc/PID/status. SIGKILL stays in the set of the whole process (ShdPnd)
 * until that is gone, in a thread's (SigPnd) until the thread takes it. */
static bool tells_the_end(const char *line)
{
    unsigned long long pending;
    char state;

    if (sscanf(line, "State: %c", &state) == 1)
        return state == 'Z' || state == 'X';
    if (sscanf(line, "SigPnd: %llx", &pending) == 1 || sscanf(line, "ShdPnd: %llx", &pending) == 1)
        return pending & KILL_BIT;
    return false;
}

bool process_is_ending(int64_t pid)
{
    char path[48], line[256];
    bool ending = false;

    if (pid <= 0)
        return false;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    snprintf(path, sizeof(path), "/proc/%" PRId64 "/status", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (!ending && fgets(line, sizeof(line), f))
        ending = tells_the_end(line);
    fclose(f);
    return ending;
}

void process_name(int64_t pid, char *out, size_t size)
{
    char path[48];
    ssize_t n = -1;

    snprintf(path, sizeof(path), "/proc/%" PRId64 "/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, out, size - 1);
        close(fd);
    }
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    if (out[0] == '\0')
        str_copy(out, size, "unknown");
}
