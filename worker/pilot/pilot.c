#include "worker/pilot/pilot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "worker/pilot/charge.h"
#include "worker/pilot/offers.h"
#define LOG_MODULE "pilot"
#include "sweep/log.h"

#define ROOM_MAX 65536
#define NAMES_MAX 1000
#define WAIT_LEAST 0.05 /* seconds between two looks at the orders … */
#define WAIT_MOST 2.0   /* … when nothing comes */
#define WAIT_BUSY 0.5   /* … while a run is under way */

/* How it is to behave: seconds. */
struct manner {
    double beat;  /* a sign of life that often */
    double idle;  /* with nothing to do it stays so long */
    double lease; /* so long without the spool, and what it has is not its own any more */
    double grace; /* from SIGTERM to SIGKILL when it has to go */
};

struct pilot {
    const char *room;
    char name[SPOOL_PILOT_MAX], job[64], host[64];
    char *card, *log_path, *orders_path;
    struct spool_writer log;
    struct offers offers;
    struct charge charge;
    struct manner manner;
    double beat_at, read_at, wait; /* the next, and how long to the one behind it */
    double idle_since, heard;      /* monotonic seconds */
    bool is_forgotten;             /* its log was removed: the daemon counts on it no more */
    const char *leaving;           /* why; NULL: it stays */
};

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* --- who it is ------------------------------------------------------------------------------- */

static void keep_plain(char *text)
{
    for (char *p = text; *p; p++)
        if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
              *p == '_' || *p == '-' || *p == '.'))
            *p = '-';
}

/* The job as squeue names it; "" outside of Slurm. */
static void find_job(struct pilot *p)
{
    const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID");
    const char *job = getenv("SLURM_JOB_ID");
    if (array && task)
        snprintf(p->job, sizeof(p->job), "%s_%s", array, task);
    else
        snprintf(p->job, sizeof(p->job), "%s", job ? job : "");
    if (gethostname(p->host, sizeof(p->host) - 1) != 0)
        str_copy(p->host, sizeof(p->host), "unknown");
}

/* A folder that was not there: ids of jobs are given again. */
static int make_home(struct pilot *p, struct errbuf *err)
{
    const char *restarts = getenv("SLURM_RESTART_COUNT");
    char base[SPOOL_PILOT_MAX - 8];
    if (p->job[0])
        snprintf(base, sizeof(base), "%s.%s", p->job, restarts ? restarts : "0");
    else
        snprintf(base, sizeof(base), "%s.%ld", p->host, (long)getpid());
    keep_plain(base);
    for (int n = 0; n < NAMES_MAX; n++) {
        snprintf(p->name, sizeof(p->name), n ? "%s-%d" : "%s", base, n);
        char *home = xasprintf("%s/" SPOOL_PILOTS "/%s", p->room, p->name);
        int rc = mkdir(home, 0700), why = errno;
        p->card = xasprintf("%s/" SPOOL_CARD, home);
        p->log_path = xasprintf("%s/" SPOOL_LOG, home);
        if (rc != 0)
            err_set(err, ERR_IO, "%s: %s", home, strerror(why));
        free(home);
        if (rc == 0)
            return 0;
        free(p->card);
        free(p->log_path);
        p->card = p->log_path = NULL;
        if (why != EEXIST)
            break;
    }
    return ERR_IO;
}

static int note(struct pilot *p, const struct spool_note *n, struct errbuf *err)
{
    struct buf line = {0};
    spool_note_write(n, &line);
    int rc = spool_append(&p->log, line.data, line.len, err);
    buf_finish(&line);
    if (rc != 0)
        log_error("%s", err->message);
    else
        p->heard = now_seconds();
    p->is_forgotten |= rc == ERR_NOT_FOUND;
    return rc;
}

/* The card before the log: who is seen may claim. */
static int say_hello(struct pilot *p, struct errbuf *err)
{
    struct stat st;
    struct spool_note hello = {.type = SPOOL_NOTE_HELLO};
    int orders = spool_open_plain(p->orders_path, O_RDONLY);
    if (orders >= 0 && fstat(orders, &st) == 0)
        hello.orders = st.st_size;
    if (orders >= 0)
        close(orders);
    char *card = xasprintf("%s\n", p->name);
    str_copy(hello.job, sizeof(hello.job), p->job);
    str_copy(hello.host, sizeof(hello.host), p->host);
    int rc = spool_publish(p->card, card, 0600, err);
    free(card);
    if (rc == 0)
        rc = spool_publish(p->log_path, "", 0600, err);
    p->log = (struct spool_writer){.path = p->log_path};
    return rc == 0 ? note(p, &hello, err) : rc;
}

static double seconds_of(const struct json *root, const char *key, double usual)
{
    double v;
    return json_get_real(root, key, &v, NULL) == 0 && v > 0 && v < 1e6 ? v : usual;
}

static int read_room(struct pilot *p, struct errbuf *err)
{
    struct json *root = NULL;
    char *path = xasprintf("%s/" SPOOL_ROOM_FILE, p->room);
    int rc = json_read_file(path, ROOM_MAX, &root, err);
    free(path);
    if (rc != 0)
        return rc;
    p->manner = (struct manner){.beat = seconds_of(root, "beat_seconds", 10),
                                .idle = seconds_of(root, "idle_seconds", 300),
                                .lease = seconds_of(root, "lease_seconds", 90),
                                .grace = seconds_of(root, "grace_seconds", 60)};
    json_destroy(root);
    return 0;
}

/* --- a run ------------------------------------------------------------------------------------ */

static char *claim_path(const struct pilot *p, const struct spool_attempt *at)
{
    char name[SPOOL_ATTEMPT_MAX];
    spool_attempt_name(at, name);
    return xasprintf("%s/" SPOOL_CLAIMS "/%s", p->room, name);
}

/* Where this one begins to look, so that hundreds do not all want the same. */
static size_t place_of(const struct pilot *p, size_t count)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *c = p->name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return (size_t)(hash % count);
}

/* The attempt that is ours now; false: none is to be had. */
static bool claim_one(struct pilot *p, struct spool_attempt *out)
{
    struct errbuf err;
    while (p->offers.count > 0) {
        struct spool_attempt at = p->offers.open[place_of(p, p->offers.count)];
        char *path = claim_path(p, &at);
        int got = spool_claim(p->card, path, &err);
        free(path);
        if (got < 0)
            log_error("%s", err.message);
        offers_drop(&p->offers, &at);
        *out = at;
        if (got == 1) {
            offers_took(&p->offers, &at);
            return true;
        }
    }
    return false;
}

static void report_end(struct pilot *p, struct spool_note *n)
{
    struct errbuf err;
    if (p->leaving) {
        n->leaving = true;
        str_copy(n->text, sizeof(n->text), p->leaving);
    }
    (void)note(p, n, &err); /* else its own last line says how it ended */
    p->offers.term = p->offers.kill = p->offers.gone = false;
    p->idle_since = now_seconds();
    p->read_at = 0;
    p->wait = WAIT_LEAST;
}

static void begin_run(struct pilot *p, const struct spool_attempt *at)
{
    struct errbuf err;
    struct spool_note took = {.type = SPOOL_NOTE_TOOK, .at = *at};
    struct spool_note failed = {.type = SPOOL_NOTE_ENDED, .at = *at, .status = EX_IOERR};
    p->charge.at = *at;
    if (note(p, &took, &err) == 0 && charge_start(&p->charge, p->room, &err) == 0)
        return;
    p->charge.pid = 0;
    str_copy(failed.text, sizeof(failed.text), err.message);
    report_end(p, &failed);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void leave(struct pilot *p, const char *why)
{
    if (!p->leaving)
        log_info("leaving: %s", why);
    p->leaving = p->leaving ? p->leaving : why;
    charge_term(&p->charge, now_seconds() + p->manner.grace);
}

static void take_signal(struct pilot *p, int signal)
{
    if (signal == SIGUSR1 || signal == SIGUSR2)
        leave(p, "its time is nearly over");
    else if (signal == SIGTERM || signal == SIGINT)
        leave(p, "it was told to end (preempted, cancelled, or the node is wanted)");
}

static void obey(struct pilot *p)
{
    struct charge *c = &p->charge;
    if (c->pid > 0 && (p->offers.kill || p->offers.gone) && !c->killed)
        charge_kill(c);
    else if (c->pid > 0 && p->offers.term)
        charge_term(c, 0);
    if (c->pid > 0 && c->kill_at != 0 && now_seconds() >= c->kill_at && !c->killed)
        charge_kill(c);
}

static void read_orders(struct pilot *p, double now)
{
    struct errbuf err;
    bool busy = p->charge.pid > 0;
    if (now < p->read_at)
        return;
    bool news = offers_read(&p->offers, busy ? &p->charge.at : NULL, &err);
    if (err.code == 0)
        p->heard = now;
    if (news)
        p->wait = WAIT_LEAST;
    else
        p->wait = p->wait * 1.5 < WAIT_MOST ? p->wait * 1.5 : WAIT_MOST;
    p->read_at = now + (busy && p->wait > WAIT_BUSY ? WAIT_BUSY : p->wait);
    if (busy)
        charge_look(&p->charge);
}

static void beat(struct pilot *p, double now)
{
    struct errbuf err;
    if (now < p->beat_at)
        return;
    p->beat_at = now + p->manner.beat;
    (void)note(p, &(struct spool_note){.type = SPOOL_NOTE_BEAT}, &err);
}

/* What it has may be another's by now. */
static void check_lease(struct pilot *p, double now)
{
    if (now - p->heard < p->manner.lease && !p->is_forgotten)
        return;
    if (p->charge.pid > 0 && !p->charge.killed)
        charge_kill(&p->charge);
    leave(p, p->is_forgotten ? "the daemon counts on it no more" : "the spool cannot be reached");
}

static void turn(struct pilot *p)
{
    struct spool_note end;
    struct spool_attempt at;
    double now = now_seconds();
    if (charge_ended(&p->charge, &end))
        report_end(p, &end);
    read_orders(p, now);
    beat(p, now);
    obey(p);
    check_lease(p, now);
    if (p->charge.pid > 0)
        return;
    if (!p->leaving && p->offers.end)
        leave(p, "there are no more runs");
    if (!p->leaving && claim_one(p, &at))
        begin_run(p, &at);
    else if (!p->leaving && now - p->idle_since > p->manner.idle)
        leave(p, "there was nothing to do for long");
}

/* To the next thing that is due, or a signal. */
static void wait_for_signal(struct pilot *p, const sigset_t *set)
{
    double now = now_seconds(), until = p->read_at < p->beat_at ? p->read_at : p->beat_at;
    double seconds = until > now ? until - now : 0;
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    int signal = sigtimedwait(set, NULL, &t);
    if (signal > 0)
        take_signal(p, signal);
}

static void serve(struct pilot *p, const sigset_t *set)
{
    struct errbuf err;
    struct spool_note bye = {.type = SPOOL_NOTE_BYE};
    p->heard = p->idle_since = now_seconds();
    p->wait = WAIT_LEAST;
    p->beat_at = p->heard + p->manner.beat;
    while (!p->leaving || p->charge.pid > 0) {
        turn(p);
        if (!p->leaving || p->charge.pid > 0)
            wait_for_signal(p, set);
    }
    str_copy(bye.text, sizeof(bye.text), p->leaving);
    (void)note(p, &bye, &err);
}

int pilot_run(const char *room)
{
    struct errbuf err;
    sigset_t set;
    struct pilot p = {.room = room};
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGHUP, SIG_IGN);
    umask(077);
    find_job(&p);
    p.orders_path = xasprintf("%s/" SPOOL_ORDERS, room);
    p.offers.reader.path = p.orders_path;
    int rc = read_room(&p, &err);
    if (rc == 0)
        rc = make_home(&p, &err);
    if (rc == 0)
        rc = say_hello(&p, &err);
    if (rc == 0)
        serve(&p, &set);
    else
        log_error("%s", err.message);
    offers_finish(&p.offers);
    free(p.card);
    free(p.log_path);
    free(p.orders_path);
    return rc == 0 ? EX_OK : EX_IOERR;
}
