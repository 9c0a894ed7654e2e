#include "client/opts.h"

#include <string.h>

#include "client/client.h"
#include "client/verb_words.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define NAMES_MAX 64

static const struct option_info infos[OPTION_COUNT] = {
#define X(id, name, brief, kind, value, doc) {name, brief, OPTION_##kind, value, doc},
    OPTION_MAP(X)
#undef X
};

const struct option_info *option_get(enum option_id id)
{
    REQUIRE(id >= 0 && id < OPTION_COUNT);
    return &infos[id];
}

int opts_positive(const char *text, int64_t *out)
{
    int64_t v = 0;
    if (*text == '\0')
        return ERR_VALUE;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return ERR_VALUE;
        v = v * 10 + (*p - '0');
        if (v > (int64_t)JSON_MAX_SAFE_INTEGER)
            return ERR_VALUE;
    }
    if (v < 1)
        return ERR_VALUE;
    *out = v;
    return 0;
}

/* The option whose name is arg up to '='; -1 when there is none. */
static int option_find(const char *arg)
{
    size_t len = strcspn(arg, "=");
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *o = &infos[i];
        if (strlen(o->name) == len && memcmp(o->name, arg, len) == 0)
            return i;
        if (o->brief != NULL && strcmp(o->brief, arg) == 0)
            return i;
    }
    return -1;
}

static int unknown_option(const char *arg, struct errbuf *err)
{
    const char *names[OPTION_COUNT];
    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[i] = infos[i].name;
    const char *near = err_nearest(arg, names, OPTION_COUNT);
    if (near != NULL)
        return err_set(err, ERR_KEY, "unknown option '%s'; did you mean '%s'?", arg, near);
    if (arg[1] >= '0' && arg[1] <= '9')
        return err_set(err, ERR_KEY, "unknown option '%s'; ids and numbers are from 1", arg);
    return err_set(err, ERR_KEY, "unknown option '%s'; `sweepctl VERB --help` lists a verb's", arg);
}

static int unknown_verb(const char *arg, const struct verb_table *table, struct errbuf *err)
{
    const char *names[NAMES_MAX];
    REQUIRE(table->count <= NAMES_MAX);
    for (size_t i = 0; i < table->count; i++)
        names[i] = table->verbs[i].name;
    const char *hint = verb_hint(arg);
    const char *near = err_nearest(arg, names, table->count);
    if (hint != NULL)
        return err_set(err, ERR_KEY, "unknown verb '%s'; did you mean %s?", arg, hint);
    if (near != NULL)
        return err_set(err, ERR_KEY, "unknown verb '%s'; did you mean '%s'?", arg, near);
    return err_set(err, ERR_KEY, "unknown verb '%s'; `sweepctl help` lists them", arg);
}

/* Reads the option at argv[*i], and its value, which may be the next argument. */
static int read_option(int argc, char *const *argv, int *i, struct opts *out, struct errbuf *err)
{
    const char *arg = argv[*i];
    int id = option_find(arg);
    if (id < 0)
        return unknown_option(arg, err);
    const struct option_info *o = &infos[id];
    const char *value = strchr(arg, '=');
    if (o->kind == OPTION_FLAG) {
        if (value != NULL)
            return err_set(err, ERR_VALUE, "%s takes no value", o->name);
    } else if (value != NULL) {
        value++;
    } else {
        if (*i + 1 >= argc)
            return err_set(err, ERR_MISSING, "%s needs a value: %s (%s)", arg, o->value, o->doc);
        value = argv[++*i];
    }
    if ((o->kind == OPTION_TEXT || o->kind == OPTION_RUN_NAME) && *value == '\0')
        return err_set(err, ERR_VALUE, "%s: the value is empty", o->name);
    if (o->kind == OPTION_NUMBER && opts_positive(value, &out->number[id]) != 0)
        return err_bad(err, ERR_VALUE, o->name, value, "an integer from 1");
    if (o->kind == OPTION_RUN_NAME && opts_positive(value, &out->number[id]) != 0)
        out->number[id] = 0; /* check_verb: a name */
    out->text[id] = value;
    out->given |= UINT64_C(1) << id;
    return 0;
}

static int add_value(const char *arg, struct opts *out, struct errbuf *err)
{
    if (out->value_count == OPTS_VALUES_MAX)
        return err_set(err, ERR_LIMIT, "%s: '%s' is one more than %d values", out->verb->name, arg,
                       OPTS_VALUES_MAX);
    out->values[out->value_count++] = arg;
    return 0;
}

/* How the verb is called, behind what is wrong. */
static int wants(const struct verb *v, const char *arg, struct errbuf *err)
{
    const char *how = v->arg == NULL ? "none" : v->arg;
    return err_set(err, ERR_VALUE, "%s: unexpected argument '%s'; its arguments: %s%s%s", v->name,
                   arg, v->arg != NULL && !v->required ? "[" : "", how,
                   v->arg != NULL && !v->required ? "]" : "");
}

static int read_word(const char *arg, const struct verb_table *table, struct opts *out,
                     struct errbuf *err)
{
    if (out->verb == NULL) {
        const char *alias = verb_alias(arg);
        for (size_t i = 0; i < table->count; i++) {
            if (strcmp(table->verbs[i].name, alias != NULL ? alias : arg) == 0) {
                out->verb = &table->verbs[i];
                return 0;
            }
        }
        return unknown_verb(arg, table, err);
    }
    const struct verb *v = out->verb;
    if ((v->kind == ARG_ID_VALUES || v->kind == ARG_TEXT_VALUES) && out->arg != NULL)
        return add_value(arg, out, err);
    if (v->kind == ARG_NONE || out->arg != NULL)
        return wants(v, arg, err);
    if (*arg == '\0')
        return err_set(err, ERR_VALUE, "%s: %s is empty", v->name, v->arg);
    bool run = v->arg[0] == 'R';
    if (v->kind != ARG_TEXT && v->kind != ARG_TEXT_VALUES && opts_positive(arg, &out->id) != 0)
        return err_bad(err, ERR_VALUE, run ? "RUN" : "SWEEP", arg,
                       run ? "the id of a run, an integer from 1 (`sweepctl runs` shows them)%s"
                           : "the id of a sweep, an integer from 1 (`sweepctl list` shows them)%s",
                       *arg == '#' ? "; #N is a run's place in its sweep, not its id" : "");
    out->arg = arg;
    return 0;
}

/* Where a person finds what goes there. */
static const char *where_from(const char *arg)
{
    if (strncmp(arg, "SWEEP", 5) == 0)
        return "; `sweepctl list` shows the sweeps";
    if (strncmp(arg, "RUN", 3) == 0)
        return "; `sweepctl runs` shows the runs of the newest sweep";
    return "";
}

/* With those that it has. */
static int no_option(const struct verb *v, const char *name, struct errbuf *err)
{
    struct buf list = {0};
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if ((v->options >> i) & 1)
            buf_printf(&list, "%s%s", list.len > 0 ? ", " : "; it has ", infos[i].name);
    int rc = err_set(err, ERR_KEY, "%s has no option %s%s", v->name, name,
                     list.len > 0 ? list.data : "");
    buf_finish(&list);
    return rc;
}

/* Options that the verb does not know, and an argument that it needs. */
static int check_verb(const struct opts *o, struct errbuf *err)
{
    if (o->verb == NULL || opts_has(o, OPTION_HELP) || opts_has(o, OPTION_VERSION))
        return 0;
    uint64_t extra = o->given & ~(OPTIONS_GLOBAL | o->verb->options);
    for (int i = 0; i < OPTION_COUNT; i++) {
        if ((extra >> i) & 1)
            return no_option(o->verb, infos[i].name, err);
    }
    if (opts_has(o, OPTION_RUN) && o->verb->kind != ARG_TEXT && o->number[OPTION_RUN] == 0)
        return err_bad(err, ERR_VALUE, infos[OPTION_RUN].name, o->text[OPTION_RUN],
                       "an integer from 1");
    if (o->verb->required && o->arg == NULL)
        return err_set(err, ERR_MISSING, "%s needs %s: `sweepctl %s %s`%s", o->verb->name,
                       o->verb->arg, o->verb->name, o->verb->arg, where_from(o->verb->arg));
    return 0;
}

int opts_parse(int argc, char *const *argv, const struct verb_table *table, struct opts *out,
               struct errbuf *err)
{
    bool options = true;
    memset(out, 0, sizeof *out);
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        int rc;
        if (options && strcmp(arg, "--") == 0) {
            options = false;
            continue;
        }
        if (options && arg[0] == '-' && arg[1] != '\0')
            rc = read_option(argc, argv, &i, out, err);
        else if (!options && out->arg != NULL && (out->verb->options & OPTION_BIT(ON)))
            rc = add_value(arg, out, err);
        else
            rc = read_word(arg, table, out, err);
        if (rc != 0)
            return rc;
    }
    if (out->verb == NULL && (out->given & (OPTION_BIT(HELP) | OPTION_BIT(VERSION))) == 0)
        return err_set(err, ERR_MISSING, "a verb is missing; `sweepctl help` lists them");
    return check_verb(out, err);
}
