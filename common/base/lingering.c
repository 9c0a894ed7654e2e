#include "sweep/lingering.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/buf.h"

#define FILE_BYTES_MAX (64 * 1024)

static const struct {
    const char *says, *mend;
} texts[] = {
    [LINGERING_FINE] = {"logging out does not end the daemon", ""},
    [LINGERING_OFF] = {"the daemon is a user service: it ends when you log out",
                       "loginctl enable-linger"},
    [LINGERING_SESSION] = {"logind ends what a session started, the daemon too, when you log out",
                           "systemctl --user start sweepd, and loginctl enable-linger"},
};

const char *lingering_says(enum lingering l)
{
    return texts[l].says;
}

const char *lingering_mend(enum lingering l)
{
    return texts[l].mend;
}

static bool is_there(const char *root, const char *path, const char *name)
{
    char *whole = xasprintf("%s%s%s", root, path, name);
    bool there = access(whole, F_OK) == 0;
    free(whole);
    return there;
}

/* "" where it cannot be read. */
static void read_text(struct buf *out, const char *root, const char *path)
{
    char *whole = xasprintf("%s%s", root, path);
    buf_clear(out);
    buf_read_file(out, whole, FILE_BYTES_MAX, NULL);
    buf_puts(out, "");
    free(whole);
}

/* logind.conf(5): a line that is no comment. */
static bool session_is_killed(const char *root)
{
    struct buf text = {0};
    read_text(&text, root, "/etc/systemd/logind.conf");
    bool killed = false;
    for (const char *line = text.data; line && *line && !killed;) {
        killed = strncmp(line, "KillUserProcesses=yes", strlen("KillUserProcesses=yes")) == 0;
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    buf_finish(&text);
    return killed;
}

static bool lingers(const char *root)
{
    const struct passwd *user = getpwuid(geteuid());
    return user && is_there(root, "/var/lib/systemd/linger/", user->pw_name);
}

enum lingering lingering_of(const char *root, int64_t pid)
{
    struct buf cgroup = {0};
    char path[48], service[48];
    enum lingering l = LINGERING_FINE;
    snprintf(path, sizeof(path), "/proc/%" PRId64 "/cgroup", pid);
    snprintf(service, sizeof(service), "/user@%u.service/", (unsigned)geteuid());
    read_text(&cgroup, root, path);
    if (!is_there(root, "/run/systemd/system", ""))
        l = LINGERING_FINE;
    else if (strstr(cgroup.data, service))
        l = lingers(root) ? LINGERING_FINE : LINGERING_OFF;
    else if (strstr(cgroup.data, "/session-") && session_is_killed(root))
        l = LINGERING_SESSION;
    buf_finish(&cgroup);
    return l;
}
