#include "client/client.h"

#include <stdlib.h>

#include "sweep/require.h"

const struct verb client_verbs[] = {
#define X(id, name, arg, kind, required, options, summary)                                       \
    [VERB_##id] = {name, arg, kind, required, options, summary},
    VERB_MAP(X)
#undef X
};
const size_t client_verb_count = ARRAY_LEN(client_verbs);

static void help_options(FILE *out, uint64_t options)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (((options >> i) & 1) == 0)
            continue;
        const struct option_info *o = option_get((enum option_id)i);
        char *name = xasprintf("%s%s%s%s%s", o->brief != NULL ? o->brief : "",
                               o->brief != NULL ? ", " : "", o->name,
                               o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
        fprintf(out, "  %-24s %s\n", name, o->doc);
        free(name);
    }
}

static void usage_line(FILE *out, const struct verb *v)
{
    fprintf(out, "usage: sweepctl [--socket PATH] [--json] %s", v->name);
    if (v->arg != NULL)
        fprintf(out, v->required ? " %s" : " [%s]", v->arg);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *o = option_get((enum option_id)i);
        if ((v->options >> i) & 1)
            fprintf(out, " [%s%s%s]", o->brief != NULL ? o->brief : o->name,
                    o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
    }
    fputc('\n', out);
}

void client_help_verb(FILE *out, const struct verb *v)
{
    usage_line(out, v);
    fprintf(out, "%s\n\n", v->summary);
    help_options(out, v->options);
    help_options(out, OPTIONS_GLOBAL);
}

void client_help(FILE *out)
{
    fputs("usage: sweepctl [--socket PATH] [--json] VERB …\n\n", out);
    for (size_t i = 0; i < client_verb_count; i++) {
        const struct verb *v = &client_verbs[i];
        char *name = xasprintf("%s %s%s%s", v->name, v->arg == NULL || v->required ? "" : "[",
                               v->arg != NULL ? v->arg : "",
                               v->arg == NULL || v->required ? "" : "]");
        fprintf(out, "  %-20s %s\n", name, v->summary);
        free(name);
    }
    fputc('\n', out);
    help_options(out, OPTIONS_GLOBAL);
    fputs("\n`sweepctl help VERB` says more. Exit status: 0 done, 1 the daemon said no,\n"
          "2 wrong usage, 3 no daemon.\n", out);
}
