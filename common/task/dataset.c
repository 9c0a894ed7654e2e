#include "sweep/dataset.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define BASES_MAX 64

static const char *const mnist_files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                          "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
static const char *const endings[] = {"", ".gz"};

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool holds_mnist(const char *folder)
{
    for (size_t i = 0; i < ARRAY_LEN(mnist_files); i++) {
        bool found = false;

        for (size_t k = 0; k < ARRAY_LEN(endings) && !found; k++) {
            char *path = xasprintf("%s/%s%s", folder, mnist_files[i], endings[k]);

            found = is_file(path);
            free(path);
        }
        if (!found)
            return false;
    }
    return true;
}

/* Fills out when base/datasets/name is a data set whose names fit. */
static bool read_folder(const char *base, const char *name, struct dataset *out)
{
    struct dataset d = {.format = "idx"};
    int path_len = snprintf(d.path, sizeof(d.path), "%s/datasets/%s", base, name);
    int name_len = snprintf(d.name, sizeof(d.name), "%s", name);

    if ((size_t)path_len >= sizeof(d.path) || (size_t)name_len >= sizeof(d.name))
        return false;
    if (!holds_mnist(d.path))
        return false;
    *out = d;
    return true;
}

/* The folders of data, most important first, each absolute (XDG Base Directory Specification
 * 0.8): calls visit until it returns true. */
static bool each_base(bool (*visit)(const char *base, void *arg), void *arg)
{
    const char *own = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    const char *dirs = getenv("XDG_DATA_DIRS");
    struct buf base = {0};
    bool done = false;

    if (own && own[0] == '/')
        buf_puts(&base, own);
    else if (home && home[0] == '/')
        buf_printf(&base, "%s/.local/share", home);
    if (base.len > 0)
        done = visit(base.data, arg);
    if (!dirs || !*dirs)
        dirs = "/usr/local/share:/usr/share";
    for (int i = 0; *dirs && !done && i < BASES_MAX; i++) {
        size_t len = strcspn(dirs, ":");

        buf_clear(&base);
        buf_append(&base, dirs, len);
        if (base.data[0] == '/')
            done = visit(base.data, arg);
        dirs += len + (dirs[len] == ':');
    }
    buf_finish(&base);
    return done;
}

struct listing {
    struct dataset *out;
    size_t max, count;
};

static bool is_listed(const struct listing *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->out[i].name, name) == 0)
            return true;
    return false;
}

static bool list_base(const char *base, void *arg)
{
    struct listing *l = arg;
    char *folder = xasprintf("%s/datasets", base);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;

        if (l->count < l->max && name[0] != '.' && !is_listed(l, name) &&
            read_folder(base, name, &l->out[l->count]))
            l->count++;
        free(entries[i]);
    }
    free(entries);
    free(folder);
    return l->count == l->max;
}

static int compare_names(const void *a, const void *b)
{
    const struct dataset *x = a, *y = b;

    return strcmp(x->name, y->name);
}

size_t dataset_list(struct dataset *out, size_t max)
{
    struct listing l = {.out = out, .max = max};

    if (max > 0)
        each_base(list_base, &l);
    qsort(out, l.count, sizeof(*out), compare_names);
    return l.count;
}

struct search {
    const char *name;
    struct dataset *out;
};

static bool find_base(const char *base, void *arg)
{
    struct search *s = arg;

    return read_folder(base, s->name, s->out);
}

/* Says which names there are and which of them may be meant. */
static int refuse_name(const char *name, struct errbuf *err)
{
    struct dataset *all = xcalloc(DATASET_MAX, sizeof(*all));
    const char *names[DATASET_MAX];
    size_t count = dataset_list(all, DATASET_MAX);
    const char *near;
    struct buf text = {0};

    for (size_t i = 0; i < count; i++) {
        names[i] = all[i].name;
        buf_printf(&text, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    near = err_nearest(name, names, count);
    if (near)
        err_bad(err, ERR_NOT_FOUND, "$.data.name", name, "did you mean \"%s\"? There are: %s", near,
                text.data);
    else
        err_bad(err, ERR_NOT_FOUND, "$.data.name", name, "%s",
                count > 0 ? text.data
                          : "no data set is installed; Debian has one in dataset-fashion-mnist");
    buf_finish(&text);
    free(all);
    return ERR_NOT_FOUND;
}

int dataset_find(const char *name, struct dataset *out, struct errbuf *err)
{
    struct search s = {.name = name, .out = out};

    /* A name is one folder, never a way out of "datasets". */
    if (*name && name[0] != '.' && !strchr(name, '/') && each_base(find_base, &s))
        return 0;
    return refuse_name(name, err);
}
