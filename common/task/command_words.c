#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/command.h"

void command_words_add(struct command_words *w, char *word)
{
    if ((w->count & (w->count - 1)) == 0) /* full at every power of two */
        w->words = xrealloc(w->words, (w->count ? 2 * w->count : 1) * sizeof(*w->words));
    w->words[w->count++] = word;
}

void command_words_finish(struct command_words *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->words[i]);
    free(w->words);
    *w = (struct command_words){0};
}
