/* What Slurm is given: the call of sbatch, and the script of a pilot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/launch/site.h"
#include "daemon/launch/slurm_part.h"

/* So long before its time is over a pilot is told, and its run writes a checkpoint. Slurm may send
 * it up to a minute early. */
#define WARN_SECONDS 120

struct words {
    char **items;
    size_t count, cap;
};

static void add(struct words *w, char *word)
{
    w->items = array_room(w->items, &w->cap, w->count, sizeof(*w->items));
    w->items[w->count++] = word;
}

/* What a sweep may say otherwise comes first, for the last of an option counts. */
char **slurm_sbatch_words(const struct slurm_sweep *w, size_t count)
{
    struct words words = {0};
    add(&words, xstrdup("sbatch"));
    add(&words, xstrdup("--requeue"));
    add(&words, xstrdup("--open-mode=append"));
    add(&words, xasprintf("--signal=B:USR1@%d", WARN_SECONDS));
    add(&words, xasprintf("--output=%s/" SPOOL_JOBS "/%%A_%%a.log", w->path));
    if (w->on.partition[0])
        add(&words, xasprintf("--partition=%s", w->on.partition));
    for (size_t i = 0; i < w->on.option_count; i++)
        add(&words, xstrdup(w->on.options[i]));
    add(&words, xstrdup("--parsable"));
    add(&words, xasprintf("--job-name=%s", w->uuid));
    add(&words, xasprintf("--array=0-%zu", count - 1));
    add(&words, xasprintf("%s/" SPOOL_SCRIPT, w->path));
    add(&words, NULL);
    return words.items;
}

void slurm_words_free(char **words)
{
    for (size_t i = 0; words[i]; i++)
        free(words[i]);
    free(words);
}

/* As one word of sh. */
static void put_quoted(struct buf *out, const char *text)
{
    buf_putc(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *text);
    buf_putc(out, '\'');
}

/* One thread for a run of ours: two give other bits. A program gets what its job has. */
char *slurm_script(const struct launch_site *site, const char *room, bool is_program)
{
    struct buf text = {0};
    const char *threads = is_program ? "\"${SLURM_CPUS_PER_TASK:-1}\"" : "1";
    buf_puts(&text, "#!/bin/sh\n# A pilot: it takes runs of the sweep whose room this is.\n");
    buf_printf(&text, "export OPENBLAS_NUM_THREADS=%s OMP_NUM_THREADS=%s SWEEPD_WORKER_NICE=0\n",
               threads, threads);
    buf_puts(&text, "exec ");
    put_quoted(&text, site->worker);
    buf_puts(&text, " --pilot ");
    put_quoted(&text, room);
    buf_putc(&text, '\n');
    return buf_take(&text);
}
