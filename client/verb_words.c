/* Words that people type for a verb, from other programs of the kind. */
#include "client/verb_words.h"

#include <stdbool.h>
#include <string.h>

#include "sweep/require.h"

static const struct {
    const char *words; /* separated by blanks */
    const char *verb;  /* the word is another name of it; NULL: only a hint */
    const char *hint;
} rows[] = {
    {"ls sweeps", "list", ""},
    {"rm del", "delete", ""},
    {"logs", "log", ""},
    {"kill abort terminate", NULL, "'cancel SWEEP', or 'cancel --run RUN' for one run"},
    {"stop halt", NULL, "'pause SWEEP' (to go on later), 'cancel SWEEP' (for good) or 'shutdown' "
                        "(the daemon)"},
    {"top ps htop jobs squeue queue running", NULL,
     "'status' (the daemon), 'list' (sweeps) or 'watch' (runs as they go)"},
    {"plot graph chart figure draw curves history", NULL,
     "'curve RUN' (CSV, for a program that plots) or 'run RUN' (a sparkline on a terminal)"},
    {"new create add launch agent sweep train sbatch qsub", NULL, "'submit SPEC.json'"},
    {"up server daemon init boot", NULL, "'start'"},
    {"quit exit down off", NULL, "'shutdown'"},
    {"tail follow attach", NULL, "'watch SWEEP', or 'log RUN' for what a run wrote"},
    {"info describe get inspect details detail cat", NULL, "'show SWEEP' or 'run RUN'"},
    {"results result leaderboard ranking rank top-runs winner", NULL, "'best SWEEP'"},
    {"why diagnose diagnosis", NULL, "'explain RUN', 'explain --sweep SWEEP'"},
    {"importances sensitivity anova fanova pedanova", "importance", ""},
    {"continue unpause go unhold", NULL, "'resume SWEEP'"},
    {"restart retry rerun redo", NULL, "'resume SWEEP', 'enqueue SWEEP X=V' or 'replay RUN'"},
    {"save download weights model load", NULL, "'export RUN -o FILE'"},
    {"validate check lint dry-run plan", NULL, "'submit SPEC.json --dry-run'"},
    {"test", NULL, "'doctor' (this machine) or 'submit SPEC.json --dry-run' (a spec)"},
    {"version", NULL, "'--version'"},
    {"widen enlarge more grow", NULL, "'extend SWEEP --runs N'"},
    {"suspend hold", NULL, "'pause SWEEP'"},
    {"fix cure", NULL, "'treat RUN'"},
    {"infer inference eval evaluate apply forward", NULL, "'predict RUN FILE'"},
    {"dump snapshot copy", NULL, "'backup FILE'"},
    {"datasets", "data", ""},
    {"trials trial experiments", NULL, "'runs SWEEP'"},
    {"edit update set priority", NULL,
     "'extend SWEEP' (more runs, wider ranges), 'enqueue SWEEP X=V' or 'submit' a changed spec"},
    {"ui web dashboard gui open", NULL, "'serve' (a page for the browser) or 'watch' (here)"},
};

static bool among(const char *word, const char *words)
{
    size_t len = strlen(word);
    for (const char *p = words; p != NULL; p = strchr(p, ' ') != NULL ? strchr(p, ' ') + 1 : NULL)
        if (strncmp(p, word, len) == 0 && (p[len] == ' ' || p[len] == '\0'))
            return true;
    return false;
}

const char *verb_alias(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].verb != NULL && among(word, rows[i].words))
            return rows[i].verb;
    return NULL;
}

const char *verb_hint(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].verb == NULL && *word != '\0' && among(word, rows[i].words))
            return rows[i].hint;
    return NULL;
}
