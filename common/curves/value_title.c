#include "common/curves/value_title.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "sweep/err.h"

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

static bool is_value(const char *title)
{
    return strcasecmp(title, "value") == 0;
}

static size_t value_column(const struct training_log *l, const struct curve_title *titles)
{
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < training_log_columns(l); i++) {
        if (titles[i].role == CURVE_ROLE_LOSS || titles[i].role == CURVE_ROLE_PART)
            return SIZE_MAX;
        if (found == SIZE_MAX && is_value(training_log_title(l, i)))
            found = i;
    }
    return found;
}

static int fail_tag(const struct reading *r, const struct curve_title *t, const char *tag,
                    size_t len)
{
    return err_set(r->err, ERR_VALUE,
                   "%.80s: column 'Value' is no loss by the file's name: '%.*s' is %s; a loss is "
                   "needed (epoch_loss, val_loss, …)",
                   r->name, len < 80 ? (int)len : 80, tag,
                   t->what ? t->what : "no name of a loss that is known");
}

int value_title_find(const struct training_log *l, struct reading *r, struct curve_title *titles)
{
    size_t at = value_column(l, titles), len, tag_len;

    if (at == SIZE_MAX)
        return 0;
    const char *stem = stem_of(r->name, &len);
    tag_len = len;
    const char *tag = tag_of(stem, &tag_len);
    const char *name = tag ? tag : stem;
    size_t name_len = tag ? tag_len : len;
    struct curve_title t = read_name(name, name_len);
    if (t.role == CURVE_ROLE_PART)
        t.role = CURVE_ROLE_LOSS;
    if (t.role != CURVE_ROLE_LOSS && (tag || is_known(&t)))
        return fail_tag(r, &t, name, name_len);
    if (t.role != CURVE_ROLE_LOSS) {
        t = curve_title_read("loss", 4);
        curve_note(r->curve, "column 'Value' is taken as a loss: nothing says what it is");
    }
    if (t.split == CURVE_SPLIT_NONE)
        t.split = split_in(stem, len);
    titles[at] = t;
    return 0;
}
