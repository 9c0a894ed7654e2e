/* Checkpoints as they come from outside: any bytes; one of this run with bytes changed or cut; and
 * the same with a checksum that is right again, for what stands behind it. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/sha256.h"
#include "worker/checkpoint.h"

#include "../unit/worker/tiny_net.h"

#define CHECK_BYTES 65
#define FILE_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct training {
    struct tiny_net tiny;
    struct step step;
    real moments[2][TINY_VALUES], best[TINY_VALUES];
    struct progress progress;
    struct checkpointed held;
};

static const char identity[65] = "a1b2";

static void training_init(struct training *t)
{
    static const struct optim_ops ops = {.state_count = 2};
    memset(t, 0, sizeof *t);
    tiny_net_init(&t->tiny);
    t->step.net = t->tiny.net;
    t->step.optim.ops = &ops;
    for (size_t i = 0; i < 2; i++)
        t->step.optim.state[i] = t->moments[i];
    t->held = (struct checkpointed){&t->step, t->best, &t->progress};
}

/* A file without a folder: path is how it is opened. */
static int memory_file(char path[32])
{
    int fd = memfd_create("checkpoint", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

/* A whole checkpoint of this run, as it is written: made once. */
static size_t whole(uint8_t out[FILE_MAX])
{
    static uint8_t bytes[FILE_MAX];
    static size_t len;
    if (len == 0) {
        struct training t;
        char path[32];
        struct errbuf err;
        snprintf(path, sizeof path, "checkpoint-%d", (int)getpid());
        training_init(&t);
        t.progress.epoch = 3;
        REQUIRE(checkpoint_write(path, identity, &t.held, &err) == 0);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        REQUIRE(fd >= 0);
        ssize_t got = read(fd, bytes, sizeof bytes);
        close(fd);
        unlink(path);
        REQUIRE(got > CHECK_BYTES && (size_t)got < sizeof bytes);
        len = (size_t)got;
    }
    memcpy(out, bytes, len);
    return len;
}

static void sign(uint8_t *bytes, size_t len)
{
    struct sha256 sum;
    char check[CHECK_BYTES];
    sha256_init(&sum);
    sha256_add(&sum, bytes, len - CHECK_BYTES);
    sha256_hex(&sum, check);
    memcpy(bytes + len - CHECK_BYTES, check, CHECK_BYTES);
}

/* Edits: two bytes of place, one of change; what is left over of the data is cut off the end. */
static size_t edited(const uint8_t *data, size_t size, uint8_t out[FILE_MAX])
{
    size_t len = whole(out), i = 0;
    for (; i + 3 <= size; i += 3)
        out[(data[i] | (size_t)data[i + 1] << 8) % len] ^= data[i + 2];
    return len - (size - i);
}

static void check_read(const uint8_t *bytes, size_t len, bool same)
{
    struct training t, untouched;
    char path[32];
    struct errbuf err = {0};
    int fd = memory_file(path);
    REQUIRE(write(fd, bytes, len) == (ssize_t)len);
    training_init(&t);
    training_init(&untouched);
    int rc = checkpoint_read(path, identity, &t.held, &err);
    close(fd);
    REQUIRE(!same || rc == 0);
    if (rc == 0)
        return;
    REQUIRE(err.code == rc && err.message[0]);
    REQUIRE(memcmp(t.tiny.values, untouched.tiny.values, sizeof t.tiny.values) == 0);
    REQUIRE(memcmp(t.moments, untouched.moments, sizeof t.moments) == 0);
    REQUIRE(memcmp(t.best, untouched.best, sizeof t.best) == 0);
    REQUIRE(memcmp(&t.progress, &untouched.progress, sizeof t.progress) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[FILE_MAX], original[FILE_MAX];
    if (size == 0 || size > FILE_MAX)
        return 0;
    if (data[0] % 3 == 0) {
        check_read(data + 1, size - 1, false);
        return 0;
    }
    size_t len = edited(data + 1, size - 1, bytes);
    size_t all = whole(original);
    if (data[0] % 3 == 2)
        sign(bytes, len);
    check_read(bytes, len, len == all && memcmp(bytes, original, all) == 0);
    return 0;
}
