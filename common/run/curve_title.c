/* Titles are brought into one form and then looked up: lower case, the run's name that W&B puts
 * before " - " cut off, every other character a '_', synonyms of "train" and "val" replaced. */
#include "sweep/curve_title.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "sweep/require.h"

#define TITLE_MAX 128

/* Ranks of one kind: the name itself, then what stands for it less well. */
static const struct alias {
    const char *name;
    int kind, rank;
} ALIASES[] = {
    {"epoch", CURVE_TITLE_EPOCH, 0},
    {"epochs", CURVE_TITLE_EPOCH, 0},
    {"step", CURVE_TITLE_EPOCH, 1},
    {"global_step", CURVE_TITLE_EPOCH, 1},
    {"trainer_global_step", CURVE_TITLE_EPOCH, 1},
    {"iteration", CURVE_TITLE_EPOCH, 1},
    {"loss", CURVE_TRAIN_LOSS, 0},
    {"epoch_loss", CURVE_TRAIN_LOSS, 0},
    {"train_epoch_loss", CURVE_TRAIN_LOSS, 0},
    {"val_epoch_loss", CURVE_VAL_LOSS, 0},
    {"loss_train", CURVE_TRAIN_LOSS, 1}, /* SummaryWriter's "Loss/train" */
    {"loss_val", CURVE_VAL_LOSS, 1},
    {"avg_train_loss", CURVE_TRAIN_LOSS, 1},
    {"avg_val_loss", CURVE_VAL_LOSS, 1},
    {"accuracy", CURVE_TRAIN_ACC, 0},
    {"acc", CURVE_TRAIN_ACC, 0},
    {"train_accuracy", CURVE_TRAIN_ACC, 0},
    {"val_accuracy", CURVE_VAL_ACC, 0},
    {"accuracy_train", CURVE_TRAIN_ACC, 1},
    {"accuracy_val", CURVE_VAL_ACC, 1},
    {"acc_train", CURVE_TRAIN_ACC, 1},
    {"acc_val", CURVE_VAL_ACC, 1},
    {"lr", CURVE_LEARNING_RATE, 0},
};

static const struct synonym {
    const char *word, *meant;
} SYNONYMS[] = {
    {"training", "train"}, {"tr", "train"},   {"validation", "val"}, {"valid", "val"},
    {"eval", "val"},       {"evaluation", "val"}, {"dev", "val"},    {"test", "val"},
};

static const char *meant(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(SYNONYMS); i++)
        if (strcmp(SYNONYMS[i].word, word) == 0)
            return SYNONYMS[i].meant;
    return word;
}

/* The words of the title, joined by '_'. Empty where it is too long to be one we know. */
static void normal_form(const char *title, size_t len, char out[TITLE_MAX])
{
    char lower[TITLE_MAX], *next = lower;
    size_t used = 0;

    out[0] = '\0';
    if (len >= TITLE_MAX)
        return;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)title[i];
        lower[i] = isalnum(c) ? (char)tolower(c) : '_';
    }
    lower[len] = '\0';
    for (char *word; (word = strsep(&next, "_")) != NULL;) {
        const char *said = meant(word);
        size_t n = strlen(said), room = TITLE_MAX - used;
        if (n == 0 || n + 2 > room)
            continue;
        if (used > 0)
            out[used++] = '_';
        memcpy(out + used, said, n + 1);
        used += n;
    }
}

/* Cuts off a last word; true if it was there. */
static bool cut_suffix(char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);
    if (len <= n || strcmp(name + len - n, suffix) != 0)
        return false;
    name[len - n] = '\0';
    return true;
}

static struct curve_title find(const char *name, int rank)
{
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++)
        if (strcmp(curve_column_name((enum curve_column)i), name) == 0)
            return (struct curve_title){i, rank};
    for (size_t i = 0; i < ARRAY_LEN(ALIASES); i++)
        if (strcmp(ALIASES[i].name, name) == 0)
            return (struct curve_title){ALIASES[i].kind, rank + ALIASES[i].rank};
    return (struct curve_title){CURVE_TITLE_OTHER, 0};
}

/* What follows the last " - ": W&B's export puts the run's name before it. */
static void cut_run_name(const char **title, size_t *len)
{
    for (size_t i = *len; i >= 3; i--) {
        if (memcmp(*title + i - 3, " - ", 3) == 0) {
            *title += i;
            *len -= i;
            return;
        }
    }
}

struct curve_title curve_title_read(const char *title, size_t len)
{
    char name[TITLE_MAX];

    cut_run_name(&title, &len);
    if (len > 5 && (memcmp(title + len - 5, "__MIN", 5) == 0 ||
                    memcmp(title + len - 5, "__MAX", 5) == 0))
        return (struct curve_title){CURVE_TITLE_OTHER, 0}; /* W&B's bounds of the column before */
    normal_form(title, len, name);
    struct curve_title whole = find(name, 0);
    if (whole.kind != CURVE_TITLE_OTHER)
        return whole;
    if (cut_suffix(name, "_epoch"))
        return find(name, 0);
    return cut_suffix(name, "_step") ? find(name, 1) : whole;
}

bool curve_title_is_value(const char *title, size_t len)
{
    return len == 5 && strncasecmp(title, "value", 5) == 0;
}

bool curve_name_is_validation(const char *path)
{
    static const char *const WORDS[] = {"val", "eval", "valid", "validation", "test", "dev"};
    const char *slash = strrchr(path, '/'), *at = slash != NULL ? slash + 1 : path;

    while (*at != '\0') {
        size_t n = 0;
        while (isalpha((unsigned char)at[n]))
            n++;
        for (size_t i = 0; i < ARRAY_LEN(WORDS); i++)
            if (n == strlen(WORDS[i]) && strncasecmp(at, WORDS[i], n) == 0)
                return true;
        at += n > 0 ? n : 1;
    }
    return false;
}
