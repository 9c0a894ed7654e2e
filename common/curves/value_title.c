#include "common/curves/value_title.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "sweep/err.h"

#define OPEN_MAX 8

/* The last part of a path, without what follows its last dot: "run-validation-tag-epoch_loss". */
static const char *stem_of(const char *path, size_t *len)
{
    const char *slash = strrchr(path, '/'), *stem = slash ? slash + 1 : path;
    const char *dot = strrchr(stem, '.');
    *len = dot && dot != stem ? (size_t)(dot - stem) : strlen(stem);
    return stem;
}

/* What stands behind "tag-", which begins a word. */
static const char *tag_of(const char *stem, size_t *len)
{
    const char *end = stem + *len, *tag = NULL;

    for (const char *p = stem; p + 4 < end; p++)
        if (strncasecmp(p, "tag-", 4) == 0 && (p == stem || !isalnum((unsigned char)p[-1])))
            tag = p + 4;
    *len = tag ? (size_t)(end - tag) : 0;
    return tag;
}

static bool is_known(const struct curve_title *t)
{
    return t->role != CURVE_ROLE_OTHER && t->role != CURVE_ROLE_PART &&
           t->role != CURVE_ROLE_EPOCH && t->role != CURVE_ROLE_STEP;
}

/* The meaning of the name, or of its longest end that has one: "exp3_val_loss". */
static struct curve_title read_name(const char *name, size_t len)
{
    struct curve_title whole = curve_title_read(name, len), t = whole;

    for (size_t i = 1; i < len && !is_known(&t); i++)
        if (isalnum((unsigned char)name[i]) && !isalnum((unsigned char)name[i - 1]))
            t = curve_title_read(name + i, len - i);
    return is_known(&t) ? t : whole;
}

/* One of the words of a name without a tag says what no loss is: "lr_of_run7". */
static bool find_no_loss(const char *name, size_t len, struct curve_title *out)
{
    for (size_t i = 0, n; i < len; i += n + 1) {
        for (n = 0; i + n < len && isalnum((unsigned char)name[i + n]);)
            n++;
        struct curve_title t = curve_title_read(name + i, n);
        bool score = t.what && strncmp(t.what, "a score", 7) == 0;
        if (n > 0 && (t.role == CURVE_ROLE_ACC || t.role == CURVE_ROLE_COLUMN || score)) {
            *out = t;
            return true;
        }
    }
    return false;
}

/* Validation or test, by any word of the name. */
static enum curve_split split_in(const char *name, size_t len)
{
    enum curve_split found = CURVE_SPLIT_NONE;

    for (size_t i = 0, n; i < len; i += n > 0 ? n : 1) {
        for (n = 0; i + n < len && isalpha((unsigned char)name[i + n]);)
            n++;
        char word[16];
        if (n == 0 || n >= sizeof(word))
            continue;
        for (size_t k = 0; k < n; k++)
            word[k] = (char)tolower((unsigned char)name[i + k]);
        enum curve_split s = curve_split_find(word, n);
        found = s != CURVE_SPLIT_NONE ? s : found;
    }
    return found;
}

/* Does the file's name have to say what that column is: "Value", or "train" beside "val"? */
static bool is_open(const struct training_log *l, size_t i, const struct curve_title *t)
{
    return t->bare || strcasecmp(training_log_title(l, i), "value") == 0;
}

static bool has_cells(const struct training_log *l, size_t column)
{
    for (size_t row = 0; row < training_log_rows(l); row++)
        if (training_log_cell(l, row, column, NULL, NULL) != LOG_NOTHING)
            return true;
    return false;
}

/* The open columns of a file that has no loss by a title. *others: columns that mean nothing to
 * us. */
static size_t find_open(const struct training_log *l, const struct curve_title *titles,
                        size_t first[OPEN_MAX], bool *others)
{
    size_t count = 0;

    *others = false;
    for (size_t i = 0; i < training_log_columns(l); i++) {
        if (titles[i].role == CURVE_ROLE_LOSS || titles[i].role == CURVE_ROLE_PART)
            return 0;
        if (is_open(l, i, &titles[i]) && count < OPEN_MAX)
            first[count++] = i;
        else if (titles[i].role == CURVE_ROLE_OTHER && training_log_title(l, i)[0])
            *others |= has_cells(l, i);
    }
    return count;
}

static int fail_tag(const struct reading *r, const char *title, const struct curve_title *t,
                    const char *tag, size_t len)
{
    return err_set(r->err, ERR_VALUE,
                   "%.80s: column '%.40s' is no loss by the file's name: '%.*s' is %s; a loss is "
                   "needed (epoch_loss, val_loss, …)",
                   r->name, title, len < 80 ? (int)len : 80, tag,
                   t->what ? t->what : "no name of a loss that is known");
}

/* What the file's name says, as a loss. NULL tag: the name has none. 0, ERR_VALUE: it says that it
 * is none; ERR_NOT_FOUND: it says nothing. */
static int read_file_name(const struct reading *r, const char *title, struct curve_title *out)
{
    size_t len, tag_len;
    const char *stem = stem_of(r->name, &len);

    tag_len = len;
    const char *tag = tag_of(stem, &tag_len), *name = tag ? tag : stem;
    size_t name_len = tag ? tag_len : len;
    *out = read_name(name, name_len);
    if (out->role == CURVE_ROLE_PART)
        out->role = CURVE_ROLE_LOSS;
    if (out->role == CURVE_ROLE_OTHER && !tag && find_no_loss(name, name_len, out))
        return fail_tag(r, title, out, name, name_len);
    if (out->role != CURVE_ROLE_LOSS && (tag || is_known(out)))
        return fail_tag(r, title, out, name, name_len);
    bool says = out->role == CURVE_ROLE_LOSS;
    if (!says)
        *out = curve_title_read("loss", 4);
    if (out->split == CURVE_SPLIT_NONE)
        out->split = split_in(stem, len);
    return says ? 0 : ERR_NOT_FOUND;
}

int value_title_find(const struct training_log *l, struct reading *r, struct curve_title *titles)
{
    size_t open[OPEN_MAX];
    struct curve_title t;
    bool others;
    size_t count = find_open(l, titles, open, &others);

    if (count == 0)
        return 0;
    const char *title = training_log_title(l, open[0]);
    int rc = read_file_name(r, title, &t);
    if (rc == ERR_VALUE)
        return rc;
    bool sets = titles[open[0]].bare;
    if (rc == ERR_NOT_FOUND && (sets || count > 1 || others))
        return 0; /* of a table of anything: it is left unknown */
    if (rc == ERR_NOT_FOUND)
        curve_note(r->curve, "column 'Value' is taken as a loss: nothing says what it is");
    for (size_t i = 0; i < count; i++) {
        enum curve_split split = titles[open[i]].bare ? titles[open[i]].split : t.split;
        titles[open[i]] = t;
        titles[open[i]].split = split;
    }
    return 0;
}
