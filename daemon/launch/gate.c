#include "daemon/launch/gate.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POWER_SUPPLIES "/sys/class/power_supply"

/* --- looking --------------------------------------------------------------------------------- */

/* Does the file of a power supply hold that word? */
static bool says(const char *supply, const char *file, const char *word)
{
    char path[512], text[32] = "";
    int n = snprintf(path, sizeof(path), POWER_SUPPLIES "/%s/%s", supply, file);
    int fd = n > 0 && n < (int)sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    ssize_t len = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return strcmp(text, word) == 0;
}

/* A battery of the machine itself (not of a mouse) that is being emptied. */
static bool on_battery(void)
{
    DIR *dir = opendir(POWER_SUPPLIES);
    bool found = false;
    for (const struct dirent *e; dir && !found && (e = readdir(dir)) != NULL;)
        found = says(e->d_name, "type", "Battery") && says(e->d_name, "status", "Discharging") &&
                !says(e->d_name, "scope", "Device");
    if (dir)
        closedir(dir);
    return found;
}

void gate_look(struct gate_facts *out)
{
    time_t now = time(NULL);
    struct tm local = {0};
    localtime_r(&now, &local);
    *out = (struct gate_facts){.minute = local.tm_hour * 60 + local.tm_min,
                               .on_battery = on_battery()};
    if (getloadavg(&out->load, 1) != 1)
        out->load = 0;
}

/* --- judging --------------------------------------------------------------------------------- */

/* 22:00-07:30 lies over midnight. */
static bool within(int from, int until, int minute)
{
    if (from == GATE_ANY_TIME || from == until)
        return true;
    if (from < until)
        return minute >= from && minute < until;
    return minute >= from || minute < until;
}

struct gate_judgement gate_judge(const struct gate *g, const struct gate_facts *f)
{
    struct gate_judgement j = {.verdict = GATE_OPEN};
    if (!within(g->from, g->until, f->minute)) {
        j.verdict = GATE_PAUSE;
        snprintf(j.why, sizeof(j.why), "outside the active hours %02d:%02d-%02d:%02d", g->from / 60,
                 g->from % 60, g->until / 60, g->until % 60);
    } else if (g->mains_only && f->on_battery) {
        j.verdict = GATE_PAUSE;
        snprintf(j.why, sizeof(j.why), "the machine runs on battery");
    } else if (g->max_load > 0 && f->load >= g->max_load) {
        j.verdict = GATE_NO_STARTS;
        snprintf(j.why, sizeof(j.why), "the load of %.2f is not below --max-load %g", f->load,
                 g->max_load);
    }
    return j;
}
