/* A command line as far as the cursor, and the words that were found for it. */
#include "client/complete.h"

#include <stdlib.h>
#include <string.h>

#include "client/client.h"

#define SAYS_MAX 160 /* a list of candidates has a line each */

static bool printable(const char *word)
{
    for (; *word != '\0'; word++)
        if ((unsigned char)*word < ' ' || *word == 0x7f)
            return false;
    return true;
}

void complete_put(struct completion *k, const char *word, const char *says)
{
    if (strncmp(word, k->prefix, strlen(k->prefix)) != 0 || !printable(word))
        return;
    buf_printf(&k->out, "%.*s%s\t", (int)k->before_len, k->before != NULL ? k->before : "", word);
    for (size_t i = 0; says[i] != '\0' && (i < SAYS_MAX || (says[i] & 0xc0) == 0x80); i++)
        buf_putc(&k->out, (unsigned char)says[i] < ' ' || says[i] == 0x7f ? ' ' : says[i]);
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
