#include "worker/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/sha256.h"
#include "worker/data/atomic_file.h"

#define MAGIC "SWEEPCKP"
#define VERSION 2

/* The file: this head, then the vectors one after another, then the SHA-256 of all before it in
 * hex. This machine's byte order and this build's structures: a checkpoint is never carried
 * elsewhere, and the identity tells another build. */
struct head {
    char magic[8];
    uint32_t version, real_bytes;
    char identity[72];
    uint64_t values, states, has_best, has_average; /* numbers in a vector, vectors of state */
    uint64_t step, averaged; /* so many weights are in the average */
    struct schedule schedule;
    struct progress progress;
};

#define CHECK_BYTES 65 /* hex and NUL */
/* Of the file system: what no checkpoint takes. */
#define RESERVE_MAX ((uint64_t)64 << 20)
#define RESERVE_SHARE 20

/* The vectors in the order of the file. */
struct part {
    real *data;
    size_t count;
};

#define PARTS_MAX (OPTIM_STATE_MAX + 3)

static size_t parts_of(const struct checkpointed *c, struct part out[PARTS_MAX])
{
    const struct step *s = c->step;
    const struct net *n = &s->net;
    size_t count = 0;
    out[count++] = (struct part){n->values, n->value_count};
    for (size_t i = 0; i < s->optim.ops->state_count; i++)
        out[count++] = (struct part){s->optim.state[i], n->parameter_count};
    if (c->best)
        out[count++] = (struct part){c->best, n->value_count};
    if (s->average.values)
        out[count++] = (struct part){s->average.values, n->value_count};
    return count;
}

static void head_fill(struct head *h, const char identity[65], const struct step *s, bool has_best)
{
    memset(h, 0, sizeof *h);
    memcpy(h->magic, MAGIC, sizeof h->magic);
    h->version = VERSION;
    h->real_bytes = sizeof(real);
    str_copy(h->identity, sizeof h->identity, identity);
    h->values = s->net.value_count;
    h->states = s->optim.ops->state_count;
    h->has_best = has_best;
    h->has_average = s->average.values != NULL;
}

static size_t file_bytes(const struct checkpointed *c)
{
    struct part parts[PARTS_MAX];
    size_t count = parts_of(c, parts), bytes = sizeof(struct head) + CHECK_BYTES;
    for (size_t i = 0; i < count; i++)
        bytes += parts[i].count * sizeof(real);
    return bytes;
}

/* The quota of all runs' checkpoints: what is nearly full is left to results and the database. */
static int check_room(const char *path, size_t bytes, struct errbuf *err)
{
    char folder[PATHS_MAX];
    struct statvfs fs;
    str_copy(folder, sizeof folder, path);
    if (statvfs(dirname(folder), &fs) != 0)
        return 0; /* writing it will say why not */
    uint64_t all = (uint64_t)fs.f_blocks * fs.f_frsize, left = (uint64_t)fs.f_bavail * fs.f_frsize;
    uint64_t kept = all / RESERVE_SHARE < RESERVE_MAX ? all / RESERVE_SHARE : RESERVE_MAX;
    if (left >= kept + bytes)
        return 0;
    return err_set(err, ERR_IO, "%s: not written: of %llu MiB that are free the last %llu are kept",
                   path, (unsigned long long)left >> 20, (unsigned long long)kept >> 20);
}

static int put(struct atomic_file *f, struct sha256 *sum, const void *data, size_t bytes,
               struct errbuf *err)
{
    sha256_add(sum, data, bytes);
    return atomic_file_write(f, data, bytes, err);
}

int checkpoint_write(const char *path, const char identity[65], const struct checkpointed *c,
                     struct errbuf *err)
{
    struct atomic_file f;
    struct sha256 sum;
    struct head h;
    struct part parts[PARTS_MAX];
    char check[CHECK_BYTES];
    size_t count = parts_of(c, parts);
    head_fill(&h, identity, c->step, c->best != NULL);
    h.step = c->step->optim.step;
    h.averaged = c->step->average.count;
    h.schedule = c->step->schedule;
    h.progress = *c->progress;
    sha256_init(&sum);
    int rc = check_room(path, file_bytes(c), err);
    if (rc == 0)
        rc = atomic_file_open(&f, path, err);
    if (rc == 0)
        rc = put(&f, &sum, &h, sizeof h, err);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = put(&f, &sum, parts[i].data, parts[i].count * sizeof(real), err);
    sha256_hex(&sum, check);
    if (rc == 0)
        rc = atomic_file_write(&f, check, sizeof check, err);
    if (rc == 0)
        rc = atomic_file_commit(&f, true, err);
    return rc;
}

/* Everything of the head but what changes as the training goes on. */
static bool head_fits(const struct head *h, const char identity[65], const struct step *s,
                      bool has_best)
{
    struct head want;
    head_fill(&want, identity, s, has_best);
    return memcmp(h, &want, offsetof(struct head, step)) == 0;
}

static bool intact(const char *bytes, size_t len)
{
    struct sha256 sum;
    char check[CHECK_BYTES];
    sha256_init(&sum);
    sha256_add(&sum, bytes, len - sizeof check);
    sha256_hex(&sum, check);
    return memcmp(check, bytes + len - sizeof check, sizeof check) == 0;
}

/* All that stands before it in the file is whole, and of this build. */
static int head_of(const char *bytes, size_t len, struct head *out)
{
    if (len < sizeof *out + CHECK_BYTES)
        return ERR_DATA;
    memcpy(out, bytes, sizeof *out);
    return intact(bytes, len) ? 0 : ERR_DATA;
}

/* The vectors behind the head; best_bytes: of best values that only the file has. */
static void take_parts(const char *at, const struct checkpointed *c, size_t best_bytes)
{
    struct part parts[PARTS_MAX];
    size_t count = parts_of(c, parts), states = 1 + c->step->optim.ops->state_count;
    for (size_t i = 0; i < count; i++) {
        at += i == states ? best_bytes : 0;
        memcpy(parts[i].data, at, parts[i].count * sizeof(real));
        at += parts[i].count * sizeof(real);
    }
}

static int take(const char *bytes, size_t len, const char identity[65],
                const struct checkpointed *c)
{
    struct head h;
    if (len != file_bytes(c))
        return ERR_DATA;
    int rc = head_of(bytes, len, &h);
    if (rc != 0 || !head_fits(&h, identity, c->step, c->best != NULL))
        return ERR_DATA;
    take_parts(bytes + sizeof h, c, 0);
    c->step->optim.step = h.step;
    c->step->average.count = h.averaged;
    c->step->schedule = h.schedule;
    *c->progress = h.progress;
    return 0;
}

/* What a plateau has seen and cut is of the weights; the rate it cuts is the run's own. */
static void inherit_schedule(struct schedule *own, const struct schedule *from)
{
    own->best = from->best;
    own->cut = from->cut;
    own->has_best = from->has_best;
    own->bad_epochs = from->bad_epochs;
}

static int inherit(const char *bytes, size_t len, const struct checkpointed *c)
{
    struct head h;
    struct step *s = c->step;
    struct checkpointed without = {.step = s, .progress = c->progress}; /* best values */
    int rc = head_of(bytes, len, &h);
    if (rc != 0)
        return rc;
    int64_t epochs = s->schedule.total_steps / s->schedule.steps_per_epoch;
    if (h.progress.batch != 0 || h.progress.epoch < 1 || h.progress.epoch > epochs)
        return ERR_DATA; /* nothing is left to train, or an epoch is half done */
    h.identity[sizeof h.identity - 1] = '\0';
    size_t best_bytes = h.has_best ? s->net.value_count * sizeof(real) : 0;
    if (!head_fits(&h, h.identity, s, h.has_best) || len != file_bytes(&without) + best_bytes)
        return ERR_DATA;
    take_parts(bytes + sizeof h, &without, best_bytes);
    *c->progress = (struct progress){.epoch = h.progress.epoch};
    s->optim.step = (uint64_t)((h.progress.epoch - 1) * s->schedule.steps_per_epoch);
    s->average.count = h.averaged;
    inherit_schedule(&s->schedule, &h.schedule);
    return 0;
}

/* identity NULL: another run's. */
static int read_file(const char *path, const char *identity, const struct checkpointed *c,
                     struct errbuf *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    int rc = ERR_DATA;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        size_t len = (size_t)st.st_size;
        char *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map != MAP_FAILED) {
            rc = identity ? take(map, len, identity, c) : inherit(map, len, c);
            munmap(map, len);
        }
    }
    close(fd);
    return rc == 0 ? 0
                   : err_set(err, rc, "%s is no checkpoint %s", path,
                             identity ? "of this run" : "that this run can go on from");
}

int checkpoint_read(const char *path, const char identity[65], const struct checkpointed *c,
                    struct errbuf *err)
{
    return read_file(path, identity, c, err);
}

int checkpoint_inherit(const char *path, const struct checkpointed *c, struct errbuf *err)
{
    return read_file(path, NULL, c, err);
}
