/* Runs a fuzz target without an engine: replay FOLDER [MUTATIONS [SEED]]. Every file of the folder
 * as it is, then MUTATIONS seeded changes of each, so a failure comes again with the same
 * arguments. Each file has a process of its own; the input it died of is kept as crash-FILE. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define INPUT_MAX 65536
#define FILE_SECONDS 120 /* for one file and its mutations: longer is a hang */
#define EDITS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Shared with the child, so that its last input outlives it. */
struct input {
    size_t len, mutation;
    unsigned char bytes[INPUT_MAX];
};

static void edit_flip(struct rng *r, struct input *in)
{
    if (in->len > 0)
        in->bytes[rng_below(r, in->len)] ^= (unsigned char)(1u << rng_below(r, 8));
}

/* Bytes that formats give a meaning to. */
static void edit_set(struct rng *r, struct input *in)
{
    static const char telling[] = "{}[]\",:\\/ue0195+-. \n\t\0\x7f\x80\xC0\xED\xF4\xFF";

    if (in->len > 0)
        in->bytes[rng_below(r, in->len)] =
            (unsigned char)telling[rng_below(r, sizeof(telling) - 1)];
}

static void edit_cut(struct rng *r, struct input *in)
{
    size_t from = rng_below(r, in->len + 1), count = rng_below(r, in->len - from + 1);

    memmove(in->bytes + from, in->bytes + from + count, in->len - from - count);
    in->len -= count;
}

static void edit_truncate(struct rng *r, struct input *in)
{
    in->len = rng_below(r, in->len + 1);
}

/* A piece of the input once more, somewhere else. */
static void edit_repeat(struct rng *r, struct input *in)
{
    size_t from = rng_below(r, in->len + 1), count = rng_below(r, in->len - from + 1);
    size_t to = rng_below(r, in->len + 1);
    unsigned char *piece = xmalloc(count);

    if (in->len + count <= INPUT_MAX) {
        memcpy(piece, in->bytes + from, count);
        memmove(in->bytes + to + count, in->bytes + to, in->len - to);
        memcpy(in->bytes + to, piece, count);
        in->len += count;
    }
    free(piece);
}

static void mutate(struct rng *r, struct input *in)
{
    static void (*const edits[])(struct rng *, struct input *) = {
        edit_flip, edit_set, edit_set, edit_cut, edit_truncate, edit_repeat};

    for (uint64_t n = 1 + rng_below(r, EDITS_MAX); n > 0; n--)
        edits[rng_below(r, ARRAY_LEN(edits))](r, in);
}

/* From memory of exactly its size, so that a sanitizer sees a byte too far. */
static void run_one(const struct input *in)
{
    uint8_t *copy = xmalloc(in->len);

    memcpy(copy, in->bytes, in->len);
    LLVMFuzzerTestOneInput(copy, in->len);
    free(copy);
}

static void run_file(const struct buf *file, struct input *in, size_t mutations, uint64_t seed)
{
    for (size_t i = 0; i <= mutations; i++) {
        struct rng r;

        memcpy(in->bytes, file->data, file->len);
        in->len = file->len;
        in->mutation = i;
        rng_init(&r, seed, RNG_TEST, i);
        if (i > 0)
            mutate(&r, in);
        run_one(in);
    }
}

static void keep_crash(const char *name, const struct input *in)
{
    char *path = xasprintf("crash-%s", name);
    FILE *f = fopen(path, "wb");

    if (f) {
        fwrite(in->bytes, 1, in->len, f);
        fclose(f);
        printf("# mutation %zu; the input is in %s\n", in->mutation, path);
    }
    free(path);
}

/* NULL when the child came through; else the reason, for people. */
static const char *run_in_child(const struct buf *file, struct input *in, size_t mutations,
                                uint64_t seed)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        alarm(FILE_SECONDS);
        run_file(file, in, mutations, seed);
        exit(0); /* not _exit: the leak check runs at exit */
    }
    if (pid < 0)
        return strerror(errno);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return strerror(errno);
    if (WIFSIGNALED(status))
        return strsignal(WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? NULL : "a sanitizer's report";
}

static int replay(const char *folder, struct dirent **files, int count, size_t mutations,
                  uint64_t seed)
{
    struct input *in =
        mmap(NULL, sizeof(*in), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int failed = 0;

    REQUIRE(in != MAP_FAILED);
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s", folder, files[i]->d_name);
        struct buf file = {0};
        struct errbuf err;
        const char *reason;

        buf_reserve(&file, 1);
        reason = buf_read_file(&file, path, INPUT_MAX, &err) == 0 ? NULL : err.message;
        free(path);
        fflush(stdout); /* else the child prints it again */
        if (!reason)
            reason = run_in_child(&file, in, mutations, seed);
        printf("%s %d - %s%s%s\n", reason ? "not ok" : "ok", i + 1, files[i]->d_name,
               reason ? ": " : "", reason ? reason : "");
        if (reason) {
            keep_crash(files[i]->d_name, in);
            failed++;
        }
        buf_finish(&file);
        free(files[i]);
    }
    munmap(in, sizeof(*in));
    return failed;
}

static int is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    size_t mutations = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    struct dirent **files = NULL;
    int count = argc > 1 ? scandir(argv[1], &files, is_visible, alphasort) : -1;
    int failed;

    if (count <= 0) {
        fprintf(stderr, "usage: replay FOLDER [MUTATIONS [SEED]]; the folder holds inputs\n");
        return 2;
    }
    failed = replay(argv[1], files, count, mutations, seed);
    free(files);
    return failed > 0;
}
