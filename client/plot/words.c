#include "client/plot/words.h"

#include <string.h>

#include "sweep/require.h"

static const char *const words[WORD_COUNT][LANGUAGE_COUNT] = {
#define X(id, en, zh) {en, zh},
    WORD_MAP(X) SITE_WORD_MAP(X)
#undef X
};
static const char *const languages[LANGUAGE_COUNT] = {"en", "zh"};

const char *word_in(enum language language, enum word w)
{
    return words[w][language];
}

int language_find(const char *name)
{
    for (int i = 0; i < LANGUAGE_COUNT; i++)
        if (strcmp(languages[i], name) == 0)
            return i;
    return -1;
}

const char *language_name(enum language l)
{
    return languages[l];
}
