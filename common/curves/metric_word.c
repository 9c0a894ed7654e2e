#include "sweep/metric_word.h"

#include <ctype.h>

#include "sweep/require.h"

/* Found anywhere in a word … */
static const char *const parts[] = {
    "loss", "accuracy", "error", "perplexity", "precision", "recall", "entropy", "logloss",
    "rmse", "metric", "score",
};
/* … and only as a whole part of one: letters and digits between others. */
static const char *const wholes[] = {
    "acc", "err", "mae", "mse", "mape", "rmsle", "msle", "auc", "auroc", "aucpr", "f1", "ppl",
    "nll", "nlll", "bce", "ce", "kl", "cost", "bleu", "rouge", "wer", "cer", "bpc", "bpb", "map",
    "ndcg", "iou", "miou", "dice", "l1", "l2", "r2", "elbo", "top1", "top5", "prec", "reward",
    "merror", "huber", "quantile", "poisson", "fid", "psnr", "ssim", "objective", "learn",
};

/* ASCII alone, as the names are. A program that prints without end is read word by word: a call a
 * byte was two thirds of what that took. */
static inline char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Bytes of the name that the word begins with. */
static inline size_t in_common(const char *word, size_t len, const char *name)
{
    size_t n = 0;
    while (n < len && name[n] && lower(word[n]) == name[n])
        n++;
    return n;
}

bool word_is(const char *word, size_t len, const char *name)
{
    if (len == 0 || lower(word[0]) != name[0]) /* most are another */
        return false;
    size_t n = in_common(word, len, name);
    return n == len && name[n] == '\0';
}

static bool has_part(const char *word, size_t len, const char *part)
{
    for (size_t i = 0; i < len; i++)
        if (lower(word[i]) == part[0] && part[in_common(word + i, len - i, part)] == '\0')
            return true;
    return false;
}

static bool is_whole(const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(wholes); i++)
        if (word_is(word, len, wholes[i]))
            return true;
    return false;
}

bool is_metric_word(const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (has_part(word, len, parts[i]))
            return true;
    for (size_t i = 0; i < len;) {
        size_t from = i;
        while (i < len && isalnum((unsigned char)word[i]))
            i++;
        if (i > from && is_whole(word + from, i - from))
            return true;
        i += i < len;
    }
    return false;
}
