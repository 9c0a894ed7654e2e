/* Macros: ${args} and its kin. A word that is nothing but a macro of the parameters becomes as
 * many arguments as there are parameters; inside a longer word they stand side by side, with
 * blanks between. "$${" is "${" without a meaning. Any other '$' is one. */
#include "sweep/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

/* Text is given as it is, all else as JSON: 0.1, 16, true; or as Python has it: True. */
static void put_value(const struct json *v, const struct command_values *of, struct buf *out)
{
    struct json_writer w;

    if (json_type(v) == JSON_STRING) {
        buf_puts(out, json_string(v));
        return;
    }
    if (json_type(v) == JSON_BOOL && of->manner && of->manner->python_values) {
        buf_puts(out, json_bool(v) ? "True" : "False");
        return;
    }
    jw_init(&w, out);
    jw_value(&w, v);
}

/* A text that stands for true or false is a switch too. */
static const struct json *meant(const struct json *param, const struct command_values *of)
{
    const struct json *literal = command_literal(of->literals, param);
    return literal ? literal : param;
}

static bool put_pair(const struct json *param, const struct command_values *of, struct buf *out)
{
    buf_printf(out, "%s=", json_key(param));
    put_value(param, of, out);
    return true;
}

static bool put_option(const struct json *param, const struct command_values *of, struct buf *out)
{
    buf_puts(out, "--");
    return put_pair(param, of, out);
}

static bool put_name(const struct json *param, const struct command_values *of, struct buf *out)
{
    (void)of;
    buf_printf(out, "--%s", json_key(param));
    return true;
}

/* False: a flag that is off is left out. */
static bool put_flag(const struct json *param, const struct command_values *of, struct buf *out)
{
    const struct json *v = meant(param, of);

    if (json_type(v) != JSON_BOOL)
        return put_option(param, of, out);
    return json_bool(v) && put_name(param, of, out);
}

/* In Hydra's grammar of overrides some characters mean something but in quotes. */
static void put_quoted(const char *text, struct buf *out)
{
    if (*text && !text[strcspn(text, ",:=()[]{}$'\"\\ \t")]) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_putc(out, '\'');
}

static bool put_override(const struct json *param, const struct command_values *of, struct buf *out)
{
    if (json_type(meant(param, of)) != JSON_STRING)
        return put_pair(param, of, out);
    buf_printf(out, "%s=", json_key(param));
    put_quoted(json_string(param), out);
    return true;
}

static bool put_appended(const struct json *param, const struct command_values *of, struct buf *out)
{
    buf_putc(out, '+');
    return put_override(param, of, out);
}

static bool put_overridden(const struct json *param, const struct command_values *of,
                           struct buf *out)
{
    buf_puts(out, "++");
    return put_override(param, of, out);
}

static void put_json(const struct command_values *v, struct buf *out)
{
    struct json_writer w;

    jw_init(&w, out);
    if (!v->manner || !v->manner->nested_params) {
        command_params_write(v, &w);
        return;
    }
    struct buf flat = {0};
    jw_init(&w, &flat);
    command_params_write(v, &w);
    struct json *params = json_parse(flat.data, flat.len, NULL);
    jw_init(&w, out);
    command_params_nest(params, &w);
    json_destroy(params);
    buf_finish(&flat);
}

static void put_json_file(const struct command_values *v, struct buf *out)
{
    buf_printf(out, "%s/" COMMAND_PARAMS_FILE, v->run_dir);
}

static void put_run_dir(const struct command_values *v, struct buf *out)
{
    buf_puts(out, v->run_dir);
}

static void put_epochs(const struct command_values *v, struct buf *out)
{
    buf_printf(out, "%" PRId64, v->epochs);
}

static void put_seed(const struct command_values *v, struct buf *out)
{
    buf_printf(out, "%" PRIu64, v->seed);
}

static void put_run_id(const struct command_values *v, struct buf *out)
{
    buf_printf(out, "%" PRId64, v->run_id);
}

static void put_env(const struct command_values *v, struct buf *out)
{
    (void)v;
    buf_puts(out, "/usr/bin/env");
}

static void put_interpreter(const struct command_values *v, struct buf *out)
{
    (void)v;
    buf_puts(out, "python");
}

static const struct macro {
    const char *name;
    /* Once a parameter; false: it is left out. */
    bool (*each)(const struct json *param, const struct command_values *of, struct buf *out);
    bool apart; /* each is followed by the value, as a word of its own */
    void (*text)(const struct command_values *v, struct buf *out);
} macros[] = {
    {"args", put_option, false, NULL},                  /* --lr=0.1 --depth=2 */
    {"args_no_equals", put_name, true, NULL},           /* --lr 0.1 --depth 2 */
    {"args_no_hyphens", put_pair, false, NULL},         /* lr=0.1 depth=2 */
    {"args_no_boolean_flags", put_flag, false, NULL},   /* --lr=0.1 --amp, without those off */
    {"args_append_hydra", put_appended, false, NULL},   /* +lr=0.1 +depth=2 */
    {"args_override_hydra", put_overridden, false, NULL}, /* ++lr=0.1 ++depth=2 */
    {"args_json", NULL, false, put_json},               /* {"lr":0.1,"depth":2} */
    {"args_json_file", NULL, false, put_json_file},     /* a file with that */
    {"run_dir", NULL, false, put_run_dir},
    {"run_id", NULL, false, put_run_id},
    {"epochs", NULL, false, put_epochs},
    {"seed", NULL, false, put_seed},
    {"env", NULL, false, put_env},
    {"interpreter", NULL, false, put_interpreter},
};

/* ${envvar:NAME}: the variable's value, or its name where it is not set. */
static const char envvar[] = "envvar:";

static bool is_variable(const char *name, size_t len)
{
    return len > strlen(envvar) && strncmp(name, envvar, strlen(envvar)) == 0;
}

static const struct macro *find_macro(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(macros); i++)
        if (strlen(macros[i].name) == len && memcmp(macros[i].name, name, len) == 0)
            return &macros[i];
    return NULL;
}

bool command_macro_known(const char *name, size_t len)
{
    return find_macro(name, len) || is_variable(name, len);
}

bool command_macro_near(const char *name, size_t len)
{
    const char *names[ARRAY_LEN(macros)];
    char copy[64];
    bool small = false;

    for (size_t i = 0; i < len; i++)
        small |= name[i] >= 'a' && name[i] <= 'z';
    if (!small) /* HOME, RUN_DIR: a variable of the shell's */
        return false;
    for (size_t i = 0; i < ARRAY_LEN(macros); i++)
        names[i] = macros[i].name;
    str_copy(copy, len < sizeof(copy) ? len + 1 : sizeof(copy), name);
    return err_nearest(copy, names, ARRAY_LEN(names)) != NULL;
}

/* The next piece of a template at *at: plain text, or a macro and its name. */
struct piece {
    const char *text; /* a macro's name, without ${ } */
    size_t len;
    bool macro, open; /* open: its } is missing */
};

static bool next_piece(const char **at, struct piece *out)
{
    const char *s = *at;
    size_t plain = 0;

    if (!*s)
        return false;
    if (strncmp(s, "$${", 3) == 0) { /* the second '$' and what follows, as they are */
        *out = (struct piece){.text = s + 1, .len = 2};
        *at = s + 3;
        return true;
    }
    if (strncmp(s, "${", 2) == 0) {
        size_t len = strcspn(s + 2, "}");
        bool open = s[2 + len] == '\0';
        *out = (struct piece){.text = s + 2, .len = len, .macro = true, .open = open};
        *at = s + 2 + len + !open;
        return true;
    }
    while (s[plain] && strncmp(s + plain, "${", 2) != 0 && strncmp(s + plain, "$${", 3) != 0)
        plain++;
    *out = (struct piece){.text = s, .len = plain};
    *at = s + plain;
    return true;
}

/* "did you mean ${args}? one of: ${args}, …" */
static void suggest(const char *name, char *out, size_t size)
{
    const char *names[ARRAY_LEN(macros)], *near;
    struct buf text = {0};

    for (size_t i = 0; i < ARRAY_LEN(macros); i++)
        names[i] = macros[i].name;
    near = err_nearest(name, names, ARRAY_LEN(names));
    if (near)
        buf_printf(&text, "did you mean ${%s}? ", near);
    buf_puts(&text, "one of:");
    for (size_t i = 0; i < ARRAY_LEN(macros); i++)
        buf_printf(&text, "%s ${%s}", i ? "," : "", macros[i].name);
    buf_puts(&text, ", ${envvar:NAME}; $${ is ${ as it is");
    str_copy(out, size, text.data);
    buf_finish(&text);
}

static int refuse_macro(const struct piece *p, const struct json *v, const char *path,
                        struct errbuf *err)
{
    char name[64], allowed[sizeof(err->allowed)];

    if (p->open)
        return field_refuse(err, ERR_VALUE, path, v, "a } after ${, or $${ for ${ as it is");
    str_copy(name, p->len < sizeof(name) ? p->len + 1 : sizeof(name), p->text);
    suggest(name, allowed, sizeof(allowed));
    return field_refuse(err, ERR_VALUE, path, v, "%s", allowed);
}

int command_template_check(const struct json *v, const char *path, size_t *macros_seen,
                           struct errbuf *err)
{
    const char *at = json_string(v);
    struct piece p;

    while (next_piece(&at, &p)) {
        if (p.macro && (p.open || !command_macro_known(p.text, p.len)))
            return refuse_macro(&p, v, path, err);
        *macros_seen += p.macro;
    }
    if (*macros_seen > COMMAND_MACROS_MAX)
        return field_refuse(err, ERR_LIMIT, path, v, "at most %d macros in all words",
                            COMMAND_MACROS_MAX);
    return 0;
}

static void put_each(const struct macro *m, const struct command_values *v, struct buf *out)
{
    bool first = true;

    for (const struct json *p = json_first(v->params); p; p = json_next(p)) {
        struct buf one = {0};
        bool there = m->each(p, v, &one);
        if (there)
            buf_printf(out, "%s%s", first ? "" : " ", one.data);
        if (there && m->apart) {
            buf_putc(out, ' ');
            put_value(p, v, out);
        }
        first &= !there;
        buf_finish(&one);
    }
}

static void put_variable(const struct piece *p, const struct command_values *v, struct buf *out)
{
    char *name = xasprintf("%.*s", (int)(p->len - strlen(envvar)), p->text + strlen(envvar));
    const char *value = command_manner_variable(v->manner, name);

    buf_puts(out, value ? value : name);
    free(name);
}

static void put_piece(const struct piece *p, const struct command_values *v, struct buf *out)
{
    const struct macro *m = p->macro ? find_macro(p->text, p->len) : NULL;

    if (p->macro && is_variable(p->text, p->len))
        put_variable(p, v, out);
    else if (!m) /* a template is checked before: an unknown macro cannot come here */
        buf_append(out, p->text, p->len);
    else if (m->each)
        put_each(m, v, out);
    else
        m->text(v, out);
}

/* The macro of the parameters that is all of the word; NULL: there is none. */
static const struct macro *whole_word(const char *word)
{
    const char *at = word;
    struct piece p;

    if (!next_piece(&at, &p) || !p.macro || *at)
        return NULL;
    const struct macro *m = find_macro(p.text, p.len);
    return m && m->each ? m : NULL;
}

static void expand_list(const struct macro *list, const struct command_values *v,
                        struct command_words *out)
{
    struct buf text = {0};

    for (const struct json *m = json_first(v->params); m; m = json_next(m)) {
        if (list->each(m, v, &text))
            command_words_add(out, buf_take(&text));
        if (!list->apart)
            continue;
        put_value(m, v, &text);
        buf_puts(&text, "");
        command_words_add(out, buf_take(&text));
    }
    buf_finish(&text);
}

static void expand_word(const char *word, const struct command_values *v, struct command_words *out)
{
    const struct macro *list = whole_word(word);
    struct buf text = {0};
    struct piece p;

    if (list) {
        expand_list(list, v, out);
        return;
    }
    while (next_piece(&word, &p))
        put_piece(&p, v, &text);
    command_words_add(out, buf_take(&text));
}

void command_expand(const struct command_words *templates, const struct command_values *values,
                    struct command_words *out)
{
    *out = (struct command_words){0};
    for (size_t i = 0; i < templates->count; i++)
        expand_word(templates->words[i], values, out);
}
