/* A command line as far as the cursor, and the words that were found for it. */
#include "client/complete.h"

#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/render.h"
#include "client/utf8.h"

#define SAYS_MAX 160 /* a list of candidates has a line each */

/* Characters that a terminal might obey are no part of a word, and blanks in what is said of it. */
static bool printable(const char *word)
{
    uint32_t c;
    for (size_t len; *word != '\0'; word += len)
        if ((len = utf8_decode(word, &c)) == 0 || render_is_unsafe(c))
            return false;
    return true;
}

static void put_says(struct buf *out, const char *says)
{
    uint32_t c;
    for (size_t i = 0, len; says[i] != '\0' && i < SAYS_MAX; i += len > 0 ? len : 1) {
        len = utf8_decode(says + i, &c);
        if (len == 0 || render_is_unsafe(c))
            buf_putc(out, ' ');
        else
            buf_append(out, says + i, len);
    }
}

void complete_put(struct completion *k, const char *word, const char *says)
{
    if (strncmp(word, k->prefix, strlen(k->prefix)) != 0 || !printable(word))
        return;
    buf_printf(&k->out, "%.*s%s\t", (int)k->before_len, k->before != NULL ? k->before : "", word);
    put_says(&k->out, says);
    buf_putc(&k->out, '\n');
}

char *complete_argument_kind(const struct verb *v, size_t i)
{
    if (v->arg == NULL)
        return NULL;
    char *copy = xstrdup(v->arg), *bracket = strchr(copy, '['), *rest = copy, *kind = NULL;
    if (bracket != NULL) {
        memmove(bracket, bracket + 1, strlen(bracket));
        bracket[strcspn(bracket, " ]")] = '\0';
    }
    bool many = v->kind == ARG_ID_VALUES || v->kind == ARG_TEXT_VALUES;
    for (size_t at = 0; rest != NULL && (at <= i || kind == NULL); at++)
        kind = strsep(&rest, " ");
    size_t words = 1;
    for (const char *p = copy; p < kind; p++)
        words += *p == '\0';
    kind = i < words || many ? xstrdup(kind) : NULL;
    free(copy);
    return kind;
}

const char *complete_argument(const struct completion *k, const char *kind)
{
    const struct verb *v = k->client->opts.verb;
    for (size_t i = 0; v != NULL && i < k->argument_count; i++) {
        char *seen = complete_argument_kind(v, i);
        bool same = seen != NULL && strcmp(seen, kind) == 0;
        free(seen);
        if (same)
            return k->arguments[i];
    }
    return NULL;
}
