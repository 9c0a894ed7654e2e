#include "client/complete.h"

#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/find_socket.h"
#include "client/plot/plot.h"
#include "client/sort_words.h"
#include "client/verb_words.h"
#include "sweep/importance.h"
#include "sweep/pattern.h"
#include "sweep/require.h"
#include "sweep/run.h"

#define WAIT_MS 1500 /* a daemon that says nothing does not hold up who types */

/* --- words that are always the same ----------------------------------------------------------- */

static void put_files(struct completion *k)
{
    buf_puts(&k->out, ":files\n");
}

static void put_verbs(struct completion *k)
{
    for (size_t i = 0; i < client_verb_count; i++)
        complete_put(k, client_verbs[i].name, client_verbs[i].summary);
}

static void put_plots(struct completion *k)
{
    for (int i = 0; i < PLOT_COUNT; i++) {
        const struct plot_info *p = plot_info((enum plot_kind)i);
        complete_put(k, p->name, word_in(LANGUAGE_EN, p->title));
    }
}

static void put_statuses(struct completion *k)
{
    for (int i = 0; i < RUN_STATUS_COUNT; i++)
        complete_put(k, run_status_name((enum run_status)i), "");
}

static void put_labels(struct completion *k)
{
    for (int i = 0; i < PATTERN_COUNT; i++)
        complete_put(k, pattern_name((enum pattern)i), pattern_info((enum pattern)i)->says);
    complete_put(k, "none", "without a label");
}

/* "-seconds": the largest first. */
static void put_columns(struct completion *k)
{
    bool descending = k->prefix[0] == '-';
    for (size_t i = 0; sort_word(i) != NULL; i++) {
        char *word = xasprintf("%s%s", descending ? "-" : "", sort_word(i));
        complete_put(k, word, "");
        free(word);
    }
}

static void put_importances(struct completion *k)
{
    for (int i = 0; i < IMPORTANCE_COUNT; i++)
        complete_put(k, importance_name((enum importance_method)i),
                     importance_says((enum importance_method)i));
}

static void put_groups(struct completion *k)
{
    setgrent();
    for (const struct group *g = getgrent(); g != NULL; g = getgrent())
        complete_put(k, g->gr_name, "");
    endgrent();
}

/* What the tables of verbs and options call a word, by its beginning. */
static const struct {
    const char *kind;
    void (*put)(struct completion *k);
} kinds[] = {
    {"SWEEP", complete_sweeps},     {"RUN", complete_runs},        {"REMEDY", complete_remedies},
    {"PARAMETER", complete_parameters}, {"X=", complete_values},   {"FILE", put_files},
    {"PATH", put_files},            {"DIR", put_files},            {"SPEC", put_files},
    {"PROGRAM", put_files},         {"VERB", put_verbs},           {"KIND", put_plots},
    {"STATUS", put_statuses},       {"LABEL", put_labels},         {"COLUMN", put_columns},
    {"METHOD", put_importances},    {"GROUP", put_groups},
};

/* One of "RUN|SWEEP"; what is written small is the word itself: "en|zh". */
static void put_one(struct completion *k, const char *kind)
{
    if (kind[0] >= 'a' && kind[0] <= 'z') {
        complete_put(k, kind, "");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strncmp(kind, kinds[i].kind, strlen(kinds[i].kind)) == 0) {
            kinds[i].put(k);
            return;
        }
    }
}

static void put_kind(struct completion *k, const char *kind)
{
    char *copy = xstrdup(kind), *rest = copy;
    for (char *one = strsep(&rest, "|"); one != NULL; one = strsep(&rest, "|"))
        put_one(k, one);
    free(copy);
}

/* --- where the cursor is ---------------------------------------------------------------------- */

static int find_option(const char *word, size_t len)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *o = option_get((enum option_id)i);
        if ((strlen(o->name) == len && memcmp(o->name, word, len) == 0) ||
            (o->brief != NULL && strlen(o->brief) == len && memcmp(o->brief, word, len) == 0))
            return i;
    }
    return -1;
}

static const struct verb *find_verb(const char *word)
{
    const char *alias = verb_alias(word);
    for (size_t i = 0; i < client_verb_count; i++)
        if (strcmp(client_verbs[i].name, alias != NULL ? alias : word) == 0)
            return &client_verbs[i];
    return NULL;
}

static void take_word(struct completion *k, const char *word)
{
    if (k->client->opts.verb == NULL)
        k->client->opts.verb = find_verb(word);
    else if (k->argument_count < COMPLETE_ARGUMENTS_MAX)
        k->arguments[k->argument_count++] = word;
}

/* The words before the cursor. Returns the option whose value is at the cursor, -1: none; ended:
 * "--" was there. */
static int take_words(struct completion *k, size_t count, char *const *words, bool *ended)
{
    struct opts *o = &k->client->opts;
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i], *value = strchr(word, '=');
        if (*ended || word[0] != '-' || word[1] == '\0') {
            take_word(k, word);
            continue;
        }
        if (strcmp(word, "--") == 0) {
            *ended = true;
            continue;
        }
        int id = find_option(word, value != NULL ? (size_t)(value - word) : strlen(word));
        if (id < 0)
            continue;
        o->given |= UINT64_C(1) << id;
        if (option_get((enum option_id)id)->kind == OPTION_FLAG)
            continue;
        if (value == NULL && i + 1 == count)
            return id;
        o->text[id] = value != NULL ? value + 1 : words[++i];
    }
    return -1;
}

static void put_options(struct completion *k)
{
    const struct opts *o = &k->client->opts;
    uint64_t known = OPTIONS_GLOBAL | (o->verb != NULL ? o->verb->options : 0);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *option = option_get((enum option_id)i);
        if (((known & ~o->given) >> i) & 1)
            complete_put(k, option->name, option->doc);
    }
}

static void put_option_value(struct completion *k, int id)
{
    const struct verb *v = k->client->opts.verb;
    const struct option_info *o = option_get((enum option_id)id);
    /* Of a file a run has a name of its own. */
    if (o->value != NULL && !(o->kind == OPTION_RUN_NAME && v != NULL && v->kind == ARG_TEXT))
        put_kind(k, o->value);
}

static void put_words(struct completion *k, int option, bool ended)
{
    const struct verb *v = k->client->opts.verb;
    const char *value = strchr(k->prefix, '=');
    if (option >= 0) {
        put_option_value(k, option);
    } else if (!ended && k->prefix[0] == '-' && value != NULL) {
        option = find_option(k->prefix, (size_t)(value - k->prefix));
        k->before = k->prefix;
        k->before_len = (size_t)(value + 1 - k->prefix);
        k->prefix = value + 1;
        if (option >= 0)
            put_option_value(k, option);
    } else if (!ended && k->prefix[0] == '-') {
        put_options(k);
    } else if (v == NULL) {
        put_verbs(k);
    } else {
        char *kind = complete_argument_kind(v, k->argument_count);
        if (kind != NULL)
            put_kind(k, kind);
        free(kind);
    }
}

/* Who types sees no errors of what was asked for them. */
static void silence(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    dup2(fd, STDERR_FILENO);
    close(fd);
}

int complete_main(struct client *c, size_t count, char *const *words)
{
    struct completion k = {.client = c, .prefix = count > 0 ? words[count - 1] : ""};
    struct errbuf err;
    bool ended = false;
    silence();
    c->rpc.timeout_ms = WAIT_MS;
    int option = take_words(&k, count > 0 ? count - 1 : 0, words, &ended);
    if (opts_has(&c->opts, OPTION_SOCKET) && c->opts.text[OPTION_SOCKET] != NULL)
        snprintf(c->socket, sizeof c->socket, "%s", c->opts.text[OPTION_SOCKET]);
    else if (find_socket(c->socket, &err) != 0)
        c->socket[0] = '\0';
    put_words(&k, option, ended);
    client_print(c, &k.out);
    return CLIENT_DONE;
}
