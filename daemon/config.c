#include "daemon/config.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/run_config.h"

/* X(id, flag, environment variable or NULL, value's name or NULL for none, what it is) */
#define FLAG_MAP(X)                                                                                \
    X(DB, "--db", NULL, "PATH", "database (SWEEPD_DB; else $XDG_STATE_HOME/sweepd/sweeps.db)")     \
    X(SOCKET, "--socket", NULL, "PATH",                                                            \
      "socket (SWEEPD_SOCKET; else $XDG_RUNTIME_DIR/sweepd/sock)")                                 \
    X(WORKERS, "--workers", "SWEEPD_WORKERS", "N",                                                 \
      "runs at the same time (SWEEPD_WORKERS; else one per core)")                                 \
    X(GPUS, "--gpus", "SWEEPD_GPUS", "LIST",                                                       \
      "GPUs for runs, named as CUDA_VISIBLE_DEVICES has them: 0,1; or none (SWEEPD_GPUS; else "    \
      "CUDA_VISIBLE_DEVICES, else those that nvidia-smi finds)")                                   \
    X(RESOURCES, "--resources", "SWEEPD_RESOURCES", "LIST",                                        \
      "what else runs may be given, by numbers: license=2,cpus=8,memory_mib=16000 "                \
      "(SWEEPD_RESOURCES; cpus and memory_mib else as this machine has them)")                     \
    X(WORKER, "--worker-program", "SWEEPD_WORKER", "PATH",                                         \
      "worker program (SWEEPD_WORKER; else sweep-worker beside sweepd or in libexec)")             \
    X(CHECKPOINT_SECONDS, "--checkpoint-seconds", NULL, "N",                                       \
      "least time between two checkpoints of a run (30)")                                          \
    X(FORCE_NETWORK, "--force-network", NULL, NULL,                                                \
      "open a database on a network file system; no other machine may")                            \
    X(WORKER_NICE, "--worker-nice", "SWEEPD_WORKER_NICE", "N",                                     \
      "nice value of workers, 0 to 19 (19: what nobody else wants, of the disk too)")              \
    X(RETRY_SECONDS, "--retry-seconds", NULL, "N",                                                 \
      "first wait before what could not be started is tried again; doubles up to 64 times (1)")    \
    X(RUN_MEMORY, "--run-memory", NULL, "MIB",                                                     \
      "memory that a run may use (nine tenths of this machine's; 0: no limit)")                    \
    X(RUN_SECONDS, "--run-seconds", NULL, "N", "time that a run may take (0: no limit)")           \
    X(IDLE_SECONDS, "--idle-seconds", NULL, "N",                                                   \
      "time without a line or processor time that ends a run's worker (1800; 0: no limit)")        \
    X(PREPARE_MEMORY, "--prepare-memory", NULL, "MIB",                                             \
      "memory that reading a sweep's data may use (as --run-memory)")                              \
    X(PREPARE_SECONDS, "--prepare-seconds", NULL, "N",                                             \
      "time that reading a sweep's data may take (600; 0: no limit)")                              \
    X(MAX_LOAD, "--max-load", "SWEEPD_MAX_LOAD", "LOAD",                                           \
      "start no run while the load average is not below this (SWEEPD_MAX_LOAD)")                   \
    X(ACTIVE_HOURS, "--active-hours", "SWEEPD_ACTIVE_HOURS", "FROM-TO",                            \
      "run in these hours only, 22:00-07:30 (SWEEPD_ACTIVE_HOURS); else runs pause")               \
    X(PAUSE_ON_BATTERY, "--pause-on-battery", NULL, NULL, "runs pause while on battery")           \
    X(GROUP, "--group", NULL, "NAME", "let the members of this group in; they act as you do")      \
    X(SPOOL, "--spool", "SWEEPD_SPOOL", "DIR",                                                     \
      "folder that is shared with a cluster's nodes (SWEEPD_SPOOL; else DATABASE.spool)")          \
    X(SLURM_SECONDS, "--slurm-seconds", NULL, "N", "time between two looks at Slurm's queue (5)")  \
    X(LEASE_SECONDS, "--lease-seconds", NULL, "N",                                                 \
      "a pilot that says nothing for so long is not counted on (90)")                              \
    X(ON_EVENT, "--on-event", NULL, "PROGRAM",                                                     \
      "run this for every event, with JSON on its stdin, at most 30 s")                            \
    X(LOG, "--log", NULL, "FILE", "write the log there, and turn it at 8 MiB")                     \
    X(CHECK, "--check", NULL, NULL, "say what is wrong with this machine, and exit")               \
    X(LOG_LEVEL, "--log-level", NULL, "LEVEL", "error, warn, info (the default) or debug")         \
    X(VERSION, "--version", NULL, NULL, "print the version and exit")                              \
    X(HELP, "--help", NULL, NULL, "print this and exit")

enum flag_id {
#define X(id, flag, env, value, what) FLAG_##id,
    FLAG_MAP(X)
#undef X
        FLAG_COUNT
};

static const struct flag {
    const char *name, *env, *value, *what;
} flags[FLAG_COUNT] = {
#define X(id, flag, env, value, what) {flag, env, value, what},
    FLAG_MAP(X)
#undef X
};

void config_usage(void)
{
    printf("Usage: sweepd [FLAG…]\n"
           "Keeps a queue of hyperparameter sweeps and trains their runs.\n\n");
    for (size_t i = 0; i < FLAG_COUNT; i++)
        printf("  %-20s %-6s %s\n", flags[i].name, flags[i].value ? flags[i].value : "",
               flags[i].what);
}

static int unknown_flag(const char *word, struct errbuf *err)
{
    const char *names[FLAG_COUNT];
    for (size_t i = 0; i < FLAG_COUNT; i++)
        names[i] = flags[i].name;
    const char *near = err_nearest(word, names, FLAG_COUNT);
    if (near)
        return err_bad(err, ERR_KEY, "command line", word, "did you mean %s?", near);
    struct buf all = {0};
    for (size_t i = 0; i < FLAG_COUNT; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
    err_bad(err, ERR_KEY, "command line", word, "%s", all.data);
    buf_finish(&all);
    return ERR_KEY;
}

/* "--flag value" and "--flag=value". given[] borrows from argv. */
static int read_flags(int argc, char **argv, const char *given[FLAG_COUNT], struct errbuf *err)
{
    for (int a = 1; a < argc; a++) {
        size_t len = strcspn(argv[a], "=");
        size_t i = 0;
        while (i < FLAG_COUNT &&
               (strlen(flags[i].name) != len || strncmp(flags[i].name, argv[a], len) != 0))
            i++;
        if (i == FLAG_COUNT)
            return unknown_flag(argv[a], err);
        if (!flags[i].value) {
            if (argv[a][len] == '=')
                return err_bad(err, ERR_VALUE, flags[i].name, argv[a] + len + 1, "no value");
            given[i] = flags[i].name;
        } else if (argv[a][len] == '=') {
            given[i] = argv[a] + len + 1;
        } else if (a + 1 < argc) {
            given[i] = argv[++a];
        } else {
            return err_bad(err, ERR_MISSING, flags[i].name, NULL, "%s", flags[i].what);
        }
    }
    return 0;
}

/* The name the value came under, for messages. */
static const char *setting_of(enum flag_id id, const char *const given[FLAG_COUNT])
{
    return given[id] ? flags[id].name : flags[id].env;
}

static int read_absolute(char out[PATHS_MAX], const char *flag, const char *path,
                         struct errbuf *err)
{
    char dir[PATHS_MAX] = "";
    if (path[0] == '\0')
        return err_bad(err, ERR_VALUE, flag, "\"\"", "a path");
    if (path[0] != '/' && !getcwd(dir, sizeof(dir)))
        return err_set(err, ERR_IO, "%s %s: no working directory: %s", flag, path, strerror(errno));
    int n = snprintf(out, PATHS_MAX, "%s%s%s", dir, dir[0] ? "/" : "", path);
    if (n < 0 || n >= PATHS_MAX)
        return err_bad(err, ERR_VALUE, flag, path, "a path of fewer than %d bytes", PATHS_MAX);
    return 0;
}

static int read_integer(const char *name, const char *text, long min, long max, long *out,
                        struct errbuf *err)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < min || n > max)
        return err_bad(err, ERR_VALUE, name, text, "an integer from %ld to %ld", min, max);
    *out = n;
    return 0;
}

static int read_workers(const char *name, const char *text, size_t *out, struct errbuf *err)
{
    long given = 0;
    if (!text) {
        cpu_set_t cpus;
        int n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus)
                                                               : (int)sysconf(_SC_NPROCESSORS_ONLN);
        *out = n < 1 ? 1 : n > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : (size_t)n;
        return 0;
    }
    int rc = read_integer(name, text, 1, CONFIG_WORKERS_MAX, &given, err);
    if (rc == 0)
        *out = (size_t)given;
    return rc;
}

static int read_checkpoint_seconds(const char *text, long *out, struct errbuf *err)
{
    *out = RUN_CHECKPOINT_SECONDS;
    return text ? read_integer(flags[FLAG_CHECKPOINT_SECONDS].name, text, 0,
                               CONFIG_CHECKPOINT_SECONDS_MAX, out, err)
                : 0;
}

static int read_worker_nice(const char *name, const char *text, long *out, struct errbuf *err)
{
    *out = CONFIG_WORKER_NICE_MAX;
    return text ? read_integer(name, text, 0, CONFIG_WORKER_NICE_MAX, out, err) : 0;
}

static int read_load(const char *name, const char *text, double *out, struct errbuf *err)
{
    char *end;
    double load = text ? strtod(text, &end) : 0;
    if (text && (end == text || *end || !(load > 0 && load <= CONFIG_LOAD_MAX)))
        return err_bad(err, ERR_VALUE, name, text, "a number above 0, at most %d", CONFIG_LOAD_MAX);
    *out = load;
    return 0;
}

/* Two times of the local day; those over midnight are fine. */
static int read_hours(const char *name, const char *text, struct config *c, struct errbuf *err)
{
    int hour[2], minute[2], len = 0;
    c->active_from = c->active_until = CONFIG_ANY_TIME;
    if (!text)
        return 0;
    if (sscanf(text, "%2d:%2d-%2d:%2d%n", &hour[0], &minute[0], &hour[1], &minute[1], &len) != 4 ||
        text[len] != '\0')
        return err_bad(err, ERR_VALUE, name, text, "two times of the day, as in 22:00-07:30");
    for (int i = 0; i < 2; i++) {
        if (hour[i] < 0 || hour[i] > 23 || minute[i] < 0 || minute[i] > 59)
            return err_bad(err, ERR_VALUE, name, text, "hours to 23 and minutes to 59");
    }
    c->active_from = hour[0] * 60 + minute[0];
    c->active_until = hour[1] * 60 + minute[1];
    if (c->active_from == c->active_until)
        return err_bad(err, ERR_VALUE, name, text, "two different times");
    return 0;
}

static int read_group(const char *name, gid_t *out, struct errbuf *err)
{
    const struct group *g = name ? getgrnam(name) : NULL;
    *out = CONFIG_NO_GROUP;
    if (name && !g)
        return err_bad(err, ERR_VALUE, flags[FLAG_GROUP].name, name, "a group of this machine");
    if (g)
        *out = g->gr_gid;
    return 0;
}

static int read_program(const char *name, const char *path, char out[PATHS_MAX], struct errbuf *err)
{
    if (!path)
        return 0;
    int rc = read_absolute(out, name, path, err);
    if (rc == 0 && access(out, X_OK) != 0)
        rc = err_bad(err, ERR_VALUE, name, path, "an executable program (%s)", strerror(errno));
    return rc;
}

/* --- limits ---------------------------------------------------------------------------------- */

/* Time and memory, and what is meant where nothing is said. */
static int read_amount(enum flag_id id, const char *const given[FLAG_COUNT], double min, double max,
                       double *inout, struct errbuf *err)
{
    const char *text = given[id];
    char *end;
    if (!text)
        return 0;
    double n = strtod(text, &end);
    if (end == text || *end || !(n >= min && n <= max))
        return err_bad(err, ERR_VALUE, flags[id].name, text, "a number from %g to %.0f", min, max);
    *inout = n;
    return 0;
}

static int read_mib(enum flag_id id, const char *const given[FLAG_COUNT], int64_t *inout,
                    struct errbuf *err)
{
    double n = (double)*inout;
    int rc = read_amount(id, given, 0, (double)LIMITS_MEMORY_MIB_MAX, &n, err);
    if (rc == 0)
        *inout = n > 0 && n < 1 ? 1 : (int64_t)n;
    return rc;
}

static int64_t most_memory_mib(void)
{
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    return bytes > 0 ? (int64_t)(0.9 * bytes / (1 << 20)) : 0;
}

static int read_limits(const char *const given[FLAG_COUNT], struct config *c, struct errbuf *err)
{
    struct run_limits *run = &c->run_limits, *prepare = &c->prepare_limits;
    int rc;
    run->memory_mib = prepare->memory_mib = most_memory_mib();
    run->quiet_seconds = CONFIG_IDLE_SECONDS;
    prepare->seconds = CONFIG_PREPARE_SECONDS;
    c->retry_seconds = 1;
    if ((rc = read_amount(FLAG_RETRY_SECONDS, given, 0.001, 3600, &c->retry_seconds, err)) < 0 ||
        (rc = read_mib(FLAG_RUN_MEMORY, given, &run->memory_mib, err)) < 0 ||
        (rc = read_amount(FLAG_RUN_SECONDS, given, 0, LIMITS_SECONDS_MAX, &run->seconds, err)) <
            0 ||
        (rc = read_amount(FLAG_IDLE_SECONDS, given, 0, LIMITS_SECONDS_MAX, &run->quiet_seconds,
                          err)) < 0 ||
        (rc = read_mib(FLAG_PREPARE_MEMORY, given, &prepare->memory_mib, err)) < 0)
        return rc;
    return read_amount(FLAG_PREPARE_SECONDS, given, 0, LIMITS_SECONDS_MAX, &prepare->seconds, err);
}

/* The build tree, an installation, and an installation that was moved (DESTDIR). */
static int find_worker(char out[PATHS_MAX], struct errbuf *err)
{
    char dir[PATHS_MAX];
    int rc = paths_program_dir(dir, err);
    if (rc < 0)
        return rc;
    static const char *const below[] = {"", "/../worker", "/" SWEEPD_LIBEXECDIR_FROM_BIN};
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        int n = snprintf(out, PATHS_MAX, "%s%s/sweep-worker", dir, below[i]);
        if (n > 0 && n < PATHS_MAX && access(out, X_OK) == 0)
            return 0;
    }
    snprintf(out, PATHS_MAX, "%s/sweep-worker", SWEEPD_LIBEXECDIR);
    if (access(out, X_OK) == 0)
        return 0;
    return err_bad(err, ERR_NOT_FOUND, "--worker-program", NULL,
                   "the path of sweep-worker; it is not beside sweepd (%s) nor in %s", dir,
                   SWEEPD_LIBEXECDIR);
}

static int read_worker(const char *name, const char *path, char out[PATHS_MAX], struct errbuf *err)
{
    return path ? read_program(name, path, out, err) : find_worker(out, err);
}

static int read_log_level(const char *text, enum log_level *out, struct errbuf *err)
{
    int level = text ? log_level_from_name(text) : LOG_INFO;
    if (level < 0)
        return err_bad(err, ERR_VALUE, flags[FLAG_LOG_LEVEL].name, text,
                       "error, warn, info or debug");
    *out = (enum log_level)level;
    return 0;
}

/* The flag, else the environment, else the default: the last two are read by sweep/paths.h. */
static int read_path(enum flag_id id, const char *const given[FLAG_COUNT],
                     int (*fallback)(char *, struct errbuf *), char out[PATHS_MAX],
                     struct errbuf *err)
{
    char found[PATHS_MAX];
    if (given[id])
        return read_absolute(out, flags[id].name, given[id], err);
    int rc = fallback(found, err);
    return rc < 0 ? rc : read_absolute(out, flags[id].name, found, err);
}

/* "license=2,cpus:8": whole numbers. */
static int read_resources(const char *name, const char *text, struct resources *out,
                          struct errbuf *err)
{
    for (const char *at = text; at && *at;) {
        size_t len = strcspn(at, ","), word = strcspn(at, ",=:");
        char *end;
        long n = word < len ? strtol(at + word + 1, &end, 10) : -1;
        bool good = word < len && end == at + len && end > at + word + 1 && n >= 0 &&
                    n <= RESOURCE_MAX &&
                    !(word == strlen(RESOURCE_GPUS) && strncmp(at, RESOURCE_GPUS, word) == 0);
        if (!good || !resources_add(out, at, word, n * RESOURCE_ONE))
            return err_bad(err, ERR_VALUE, name, at,
                           "at most %d of NAME=NUMBER with commas between, each name once (of GPUs "
                           "--gpus)", RESOURCES_MAX);
        at += len + (at[len] == ',');
    }
    return 0;
}

/* Names with commas between. */
static int read_gpus(const char *name, const char *text, struct config *c, struct errbuf *err)
{
    size_t count = 0;
    for (const char *at = text; at && *at; count++) {
        size_t len = strcspn(at, ",");
        if (len == 0 || len >= RESOURCE_NAME_MAX || memchr(at, ' ', len) ||
            count == RESOURCE_DEVICES_MAX)
            return err_bad(err, ERR_VALUE, name, text, "at most %d names such as 0,1,2, or none",
                           RESOURCE_DEVICES_MAX);
        at += len + (at[len] == ',');
    }
    c->finds_gpus = text == NULL;
    str_copy(c->gpus, sizeof(c->gpus), text && strcmp(text, "none") != 0 ? text : "");
    return 0;
}

/* How a good neighbour runs, who is let in, what is told to whom. */
static int read_manners(const char *const given[FLAG_COUNT], const char *const value[FLAG_COUNT],
                        struct config *c, struct errbuf *err)
{
    int rc;
    c->pause_on_battery = given[FLAG_PAUSE_ON_BATTERY] != NULL;
    if ((rc = read_load(setting_of(FLAG_MAX_LOAD, given), value[FLAG_MAX_LOAD], &c->max_load,
                        err)) < 0 ||
        (rc = read_hours(setting_of(FLAG_ACTIVE_HOURS, given), value[FLAG_ACTIVE_HOURS], c, err)) <
            0 ||
        (rc = read_group(given[FLAG_GROUP], &c->group, err)) < 0 ||
        (rc = read_program(flags[FLAG_ON_EVENT].name, given[FLAG_ON_EVENT], c->on_event, err)) < 0)
        return rc;
    return given[FLAG_LOG] ? read_absolute(c->log, flags[FLAG_LOG].name, given[FLAG_LOG], err) : 0;
}

/* What sweeps on a cluster go by. After the database is known. */
static int read_cluster(const char *const given[FLAG_COUNT], const char *spool, struct config *c,
                        struct errbuf *err)
{
    int rc;
    c->slurm_seconds = CONFIG_SLURM_SECONDS;
    c->lease_seconds = CONFIG_LEASE_SECONDS;
    if ((rc = read_amount(FLAG_SLURM_SECONDS, given, 0.1, 3600, &c->slurm_seconds, err)) < 0 ||
        (rc = read_amount(FLAG_LEASE_SECONDS, given, 1, 86400, &c->lease_seconds, err)) < 0)
        return rc;
    if (spool)
        return read_absolute(c->spool, setting_of(FLAG_SPOOL, given), spool, err);
    int n = snprintf(c->spool, sizeof(c->spool), "%s.spool", c->db);
    return n > 0 && (size_t)n < sizeof(c->spool) ? 0
                                                 : err_bad(err, ERR_VALUE, "--spool", c->db,
                                                           "a shorter path of the database");
}

int config_read(int argc, char **argv, struct config *out, enum config_verdict *verdict,
                struct errbuf *err)
{
    const char *given[FLAG_COUNT] = {NULL};
    struct config c;
    memset(&c, 0, sizeof(c));
    int rc = read_flags(argc, argv, given, err);
    if (rc < 0)
        return rc;
    if (given[FLAG_HELP] || given[FLAG_VERSION]) {
        *verdict = given[FLAG_HELP] ? CONFIG_HELP : CONFIG_VERSION;
        return 0;
    }
    const char *value[FLAG_COUNT];
    for (size_t i = 0; i < FLAG_COUNT; i++)
        value[i] = given[i] ? given[i] : flags[i].env ? getenv(flags[i].env) : NULL;

    if ((rc = read_log_level(given[FLAG_LOG_LEVEL], &c.log_level, err)) < 0 ||
        (rc = read_checkpoint_seconds(given[FLAG_CHECKPOINT_SECONDS], &c.checkpoint_seconds, err)) <
            0 ||
        (rc = read_worker_nice(setting_of(FLAG_WORKER_NICE, given), value[FLAG_WORKER_NICE],
                               &c.worker_nice, err)) < 0 ||
        (rc = read_limits(given, &c, err)) < 0 ||
        (rc = read_path(FLAG_DB, given, paths_database, c.db, err)) < 0 ||
        (rc = read_path(FLAG_SOCKET, given, paths_socket, c.socket, err)) < 0 ||
        (rc = read_workers(setting_of(FLAG_WORKERS, given), value[FLAG_WORKERS], &c.workers, err)) <
            0 ||
        (rc = read_worker(setting_of(FLAG_WORKER, given), value[FLAG_WORKER], c.worker, err)) < 0 ||
        (rc = read_gpus(setting_of(FLAG_GPUS, given), value[FLAG_GPUS], &c, err)) < 0 ||
        (rc = read_resources(setting_of(FLAG_RESOURCES, given), value[FLAG_RESOURCES],
                             &c.resources, err)) < 0 ||
        (rc = read_manners(given, value, &c, err)) < 0 ||
        (rc = read_cluster(given, value[FLAG_SPOOL], &c, err)) < 0)
        return rc;
    c.worker_is_named = value[FLAG_WORKER] != NULL;
    c.force_network = given[FLAG_FORCE_NETWORK] != NULL;
    *out = c;
    *verdict = given[FLAG_CHECK] ? CONFIG_CHECK : CONFIG_RUN;
    return 0;
}
