#include "daemon/launch/energy.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the counters ---------------------------------------------------------------------------- */

static bool read_text(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return n > 0;
}

static bool read_file(const char *zone, const char *name, char *out, size_t size)
{
    char path[ENERGY_PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/%s", zone, name);
    return read_text(path, out, size);
}

static bool read_count(const char *zone, const char *name, uint64_t *out)
{
    char text[32], *end;
    if (!read_file(zone, name, text, sizeof(text)) || text[0] < '0' || text[0] > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0';
}

/* Packages with all that is in them, and memory, which is not. A package is counted once: what
 * `intel-rapl-mmio` and `psys` say is in it, or has it in them. */
static bool is_counted(const char *folder, const char *zone)
{
    char name[32];
    return strncmp(folder, "intel-rapl:", strlen("intel-rapl:")) == 0 &&
           read_file(zone, "name", name, sizeof(name)) &&
           (strncmp(name, "package-", strlen("package-")) == 0 || strcmp(name, "dram") == 0);
}

static void add_zone(struct energy_meter *m, const char *root, const char *folder)
{
    struct energy_zone *z = &m->zones[m->count];
    int n = snprintf(z->path, sizeof(z->path), "%s/%s", root, folder);
    if (n > 0 && n < (int)sizeof(z->path) && is_counted(folder, z->path) &&
        read_count(z->path, "energy_uj", &z->last) &&
        read_count(z->path, "max_energy_range_uj", &z->highest))
        m->count++;
}

bool energy_open(struct energy_meter *m, const char *root)
{
    DIR *dir = opendir(root);
    *m = (struct energy_meter){0};
    for (const struct dirent *e; dir && m->count < ENERGY_ZONES_MAX && (e = readdir(dir)) != NULL;)
        add_zone(m, root, e->d_name);
    if (dir)
        closedir(dir);
    return m->count > 0;
}

/* proc(5), stat: user, nice, system, idle, iowait, irq, softirq. */
static bool read_busy(double *out)
{
    char text[256];
    uint64_t t[7];
    if (!read_text("/proc/stat", text, sizeof(text)) ||
        sscanf(text,
               "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64,
               &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6]) != 7)
        return false;
    *out = (double)(t[0] + t[1] + t[2] + t[5] + t[6]) / (double)sysconf(_SC_CLK_TCK);
    return true;
}

bool energy_read(struct energy_meter *m, struct energy_reading *out)
{
    if (m->count == 0 || !read_busy(&out->busy_seconds))
        return false;
    for (size_t i = 0; i < m->count; i++) {
        struct energy_zone *z = &m->zones[i];
        uint64_t now, used;
        if (!read_count(z->path, "energy_uj", &now))
            return false;
        used = now >= z->last          ? now - z->last
               : z->highest >= z->last ? z->highest - z->last + now
                                       : 0;
        m->joules += (double)used * 1e-6;
        z->last = now;
    }
    out->joules = m->joules;
    return true;
}

/* --- a share --------------------------------------------------------------------------------- */

void energy_share_look(struct energy_share *s, const struct energy_reading *now,
                       double cpu_seconds)
{
    double busy = now->busy_seconds - s->at.busy_seconds, own = cpu_seconds - s->cpu_seconds;
    if (s->begun && busy <= 0)
        return; /* too early to say */
    if (s->begun) { /* clocks differ by a tick; children that end take their time with them */
        s->part = fmin(fmax(own / busy, 0), 1);
        s->joules += s->part * (now->joules - s->at.joules);
    }
    s->begun = true;
    s->at = *now;
    s->cpu_seconds = cpu_seconds;
}

void energy_share_end(struct energy_share *s, const struct energy_reading *now)
{
    if (s->begun)
        s->joules += s->part * (now->joules - s->at.joules);
    s->at = *now;
}
