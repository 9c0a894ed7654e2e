#include "client/yaml_input.h"

#ifdef HAVE_YAML

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "sweep/json.h"
#include "sweep/require.h"

#define DEPTH_MAX 64
#define ANCHORS_MAX 1000
#define KEYS_MAX 100000 /* of all objects that are open */

struct anchor {
    char *name;
    const struct buf *in;
    size_t from, to; /* of its value in that; to is 0 while it lasts */
};

/* An object or list that is open. */
struct level {
    bool is_object, has_key; /* has_key: its value comes next */
    size_t count, first_key;
    size_t anchor; /* its own + 1; 0: it has none */
    bool merges;   /* its key is <<: what comes next is merged into it */
    size_t merge_from, merge_to; /* of that in merged; equal: it has none */
};

struct converter {
    yaml_parser_t parser;
    struct buf *out, *whole; /* out: merged while what is merged is read, else whole */
    struct buf merged;
    size_t start, most, lines; /* lines: that the output has */
    struct level levels[DEPTH_MAX];
    size_t depth;
    char **keys;
    size_t key_count;
    struct anchor *anchors;
    size_t anchor_count;
    struct errbuf *err;
};

static int fail(struct converter *c, const yaml_mark_t *at, int code, const char *what)
{
    return err_set(c->err, code, "line %zu, column %zu: %s", at->line + 1, at->column + 1, what);
}

static int fail_parse(struct converter *c)
{
    const yaml_parser_t *p = &c->parser;
    const char *hint = p->problem && strstr(p->problem, "cannot start any token")
                           ? " (a tab cannot indent; a value that begins so needs quotes)"
                           : "";
    return err_set(c->err, ERR_PARSE, "line %zu, column %zu: %s%s%s%s", p->problem_mark.line + 1,
                   p->problem_mark.column + 1, p->context ? p->context : "", p->context ? ", " : "",
                   p->problem ? p->problem : "no YAML", hint);
}

/* --- scalars --------------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* Those of JSON's own kinds; others ask for objects of a programming language. */
static bool is_known_tag(const yaml_char_t *tag)
{
    static const char *const known[] = {
        "tag:yaml.org,2002:str",  "tag:yaml.org,2002:int", "tag:yaml.org,2002:float",
        "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null", "tag:yaml.org,2002:map",
        "tag:yaml.org,2002:seq",  NULL};
    return tag == NULL || is_one_of((const char *)tag, known);
}

static bool is_null(const char *t)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
    return is_one_of(t, words);
}

static bool is_bool(const char *t, bool *value)
{
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES",
                                      "on",   "On",   "ON",   NULL};
    static const char *const no[] = {"false", "False", "FALSE", "no", "No", "NO",
                                     "off",   "Off",   "OFF",   NULL};
    *value = is_one_of(t, yes);
    return *value || is_one_of(t, no);
}

/* Digits with '_' between, a point, an exponent: without the '_' in digits. */
static bool is_number(const char *t, char digits[64])
{
    bool digit = false, point = false, exponent = false;
    size_t n = 0;
    for (size_t i = 0; t[i]; i++) {
        bool sign = (t[i] == '-' || t[i] == '+') && (i == 0 || t[i - 1] == 'e' || t[i - 1] == 'E');
        if (n == 63)
            return false;
        if (t[i] == '_' && digit)
            continue;
        if (isdigit((unsigned char)t[i]))
            digit = true;
        else if (t[i] == '.' && !point && !exponent)
            point = true;
        else if ((t[i] == 'e' || t[i] == 'E') && digit && !exponent)
            exponent = true, digit = false;
        else if (!sign)
            return false;
        digits[n++] = t[i];
    }
    digits[n] = '\0';
    return digit;
}

static int put_number(struct converter *c, const yaml_mark_t *at, const char *digits)
{
    struct errbuf why;
    size_t plus = digits[0] == '+';
    struct json *v = json_parse(digits + plus, strlen(digits + plus), &why);
    double value = strtod(digits, NULL);
    struct json_writer w;
    if (!isfinite(value)) {
        json_destroy(v);
        return fail(c, at, ERR_VALUE, "a number beyond 1e308; allowed: a finite one");
    }
    if (v) {
        buf_puts(c->out, digits + plus); /* with the digits that it has */
    } else {
        jw_init(&w, c->out);
        jw_real(&w, value);
        if (value == floor(value) && fabs(value) < 1e15 && strpbrk(digits, ".eE"))
            buf_puts(c->out, ".0"); /* "1." is no integer */
    }
    json_destroy(v);
    return 0;
}

/* "0755" is octal where these files come from, and "089" is text. */
static bool is_padded(const char *t, const char *digits)
{
    while (*t && strchr(digits, *t))
        t++;
    return *t == '\0';
}

static int put_plain(struct converter *c, const yaml_mark_t *at, const char *t)
{
    char digits[64];
    bool truth;
    char *end;
    struct json_writer w;
    if (strcasecmp(t, ".nan") == 0 || strcasecmp(t, ".inf") == 0 || strcasecmp(t, "-.inf") == 0 ||
        strcasecmp(t, "+.inf") == 0)
        return fail(c, at, ERR_VALUE, "no number; allowed: a finite one");
    if (is_null(t)) {
        buf_puts(c->out, "null");
    } else if (is_bool(t, &truth)) {
        buf_puts(c->out, truth ? "true" : "false");
    } else if (t[0] == '0' && t[1] && is_padded(t, "01234567") && strlen(t) <= 16) {
        buf_printf(c->out, "%llu", strtoull(t, NULL, 8));
    } else if (t[0] == '0' && t[1] && is_padded(t, "0123456789_")) {
        jw_init(&w, c->out);
        jw_string(&w, t);
    } else if (is_number(t, digits)) {
        return put_number(c, at, digits);
    } else if (strncmp(t, "0x", 2) == 0 && isxdigit((unsigned char)t[2]) && strlen(t) <= 15 &&
               (strtoull(t, &end, 16), *end == '\0')) {
        buf_printf(c->out, "%llu", strtoull(t, NULL, 16));
    } else {
        jw_init(&w, c->out);
        jw_string(&w, t);
    }
    return 0;
}

static int put_scalar(struct converter *c, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value, *tag = (const char *)e->data.scalar.tag;
    struct json_writer w;
    if (strlen(text) != e->data.scalar.length)
        return fail(c, &e->start_mark, ERR_VALUE, "a NUL character; allowed: text without");
    if (!is_known_tag(e->data.scalar.tag))
        return fail(c, &e->start_mark, ERR_VALUE, "a tag (!…); allowed: plain values");
    bool plain = tag ? strcmp(tag, "tag:yaml.org,2002:str") != 0
                     : e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain)
        return put_plain(c, &e->start_mark, text);
    jw_init(&w, c->out);
    jw_string(&w, text);
    return 0;
}

/* --- structure ------------------------------------------------------------------------------- */

static void go_to_line(struct converter *c, const yaml_event_t *e)
{
    for (; c->out == c->whole && c->lines < e->start_mark.line; c->lines++)
        buf_putc(c->out, '\n');
}

static bool has_key(const struct converter *c, const struct level *l, const char *key)
{
    for (size_t i = l->first_key; i < c->key_count; i++)
        if (strcmp(c->keys[i], key) == 0)
            return true;
    return false;
}

static int note_key(struct converter *c, const struct level *l, const yaml_mark_t *at,
                    const char *key)
{
    if (c->key_count == KEYS_MAX || c->key_count - l->first_key > 4096)
        return fail(c, at, ERR_LIMIT, "too many keys");
    c->keys = xrealloc(c->keys, (c->key_count + 1) * sizeof(*c->keys));
    c->keys[c->key_count++] = xstrdup(key);
    return 0;
}

/* "<<": what it stands for is kept apart until all of the object's own keys are known. */
static int begin_merge(struct converter *c, struct level *l, const yaml_event_t *e)
{
    if (c->out == &c->merged)
        return fail(c, &e->start_mark, ERR_VALUE, "a merge key (<<) in what is merged; allowed: "
                                                  "an alias of it, or a list of them");
    l->merges = l->has_key = true;
    l->merge_from = c->merged.len;
    c->out = &c->merged;
    return 0;
}

static int put_key(struct converter *c, struct level *l, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    struct json_writer w;
    if (e->type != YAML_SCALAR_EVENT)
        return fail(c, &e->start_mark, ERR_VALUE, "a key that is a list, an object or an alias; "
                                                  "allowed: words");
    if (has_key(c, l, text))
        return fail(c, &e->start_mark, ERR_KEY, "this key is there twice");
    int rc = note_key(c, l, &e->start_mark, text);
    if (rc != 0)
        return rc;
    if (strcmp(text, "<<") == 0 && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return begin_merge(c, l, e);
    if (l->count++ > 0)
        buf_putc(c->out, ',');
    go_to_line(c, e);
    jw_init(&w, c->out);
    jw_string(&w, text);
    buf_putc(c->out, ':');
    l->has_key = true;
    return 0;
}

static void begin_value(struct converter *c, const yaml_event_t *e)
{
    struct level *l = c->depth ? &c->levels[c->depth - 1] : NULL;
    if (l && l->is_object)
        l->has_key = false;
    else if (l && l->count++ > 0)
        buf_putc(c->out, ',');
    go_to_line(c, e);
}

static int add_anchor(struct converter *c, const yaml_event_t *e, const yaml_char_t *name,
                      size_t *out)
{
    *out = 0;
    if (!name)
        return 0;
    if (c->anchor_count == ANCHORS_MAX)
        return fail(c, &e->start_mark, ERR_LIMIT, "more than 1000 anchors");
    c->anchors = xrealloc(c->anchors, (c->anchor_count + 1) * sizeof(*c->anchors));
    c->anchors[c->anchor_count] =
        (struct anchor){xstrdup((const char *)name), c->out, c->out->len, 0};
    *out = ++c->anchor_count;
    return 0;
}

static void end_anchor(struct converter *c, size_t anchor)
{
    if (anchor > 0)
        c->anchors[anchor - 1].to = c->out->len;
}

static size_t bytes_of(const struct converter *c)
{
    return c->whole->len - c->start + c->merged.len;
}

static int put_alias(struct converter *c, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    for (size_t i = c->anchor_count; i-- > 0;) {
        const struct anchor *a = &c->anchors[i];
        if (strcmp(a->name, name) != 0)
            continue;
        size_t len = a->to - a->from;
        if (a->to == 0)
            return fail(c, &e->start_mark, ERR_VALUE, "an alias inside of what it stands for");
        if (bytes_of(c) + len > c->most)
            return fail(c, &e->start_mark, ERR_LIMIT, "too long, with what its aliases stand for");
        char *copy = xcalloc(len + 1, 1);
        memcpy(copy, a->in->data + a->from, len);
        for (size_t k = 0; k < len; k++) /* between values: within text they are written as \n */
            copy[k] = copy[k] == '\n' ? ' ' : copy[k];
        buf_append(c->out, copy, len);
        free(copy);
        return 0;
    }
    return fail(c, &e->start_mark, ERR_VALUE, "an alias (*…) of an anchor (&…) that is not above");
}

static int open_level(struct converter *c, const yaml_event_t *e, bool is_object, size_t anchor)
{
    if (c->depth == DEPTH_MAX)
        return fail(c, &e->start_mark, ERR_LIMIT, "more than 64 levels");
    c->levels[c->depth++] = (struct level){
        .is_object = is_object, .first_key = c->key_count, .anchor = anchor};
    buf_putc(c->out, is_object ? '{' : '[');
    return 0;
}

/* --- what is merged -------------------------------------------------------------------------- */

/* Those that the object has not got itself; of several objects the first one's count. */
static int merge_object(struct converter *c, struct level *l, const struct json *from,
                        const yaml_mark_t *at)
{
    int rc = 0;
    if (json_type(from) != JSON_OBJECT)
        return fail(c, at, ERR_VALUE, "a merge key (<<) of what is no object; allowed: an alias "
                                      "of an object, or a list of them");
    for (const struct json *m = json_first(from); m && rc == 0; m = json_next(m)) {
        struct json_writer w;
        if (has_key(c, l, json_key(m)))
            continue;
        rc = note_key(c, l, at, json_key(m));
        if (l->count++ > 0)
            buf_putc(c->out, ',');
        jw_init(&w, c->out);
        jw_string(&w, json_key(m));
        buf_putc(c->out, ':');
        jw_init(&w, c->out);
        jw_value(&w, m);
        if (bytes_of(c) > c->most)
            rc = fail(c, at, ERR_LIMIT, "too long, with what is merged");
    }
    return rc;
}

static int merge(struct converter *c, struct level *l, const yaml_mark_t *at)
{
    struct errbuf why;
    struct json *root = json_parse(c->merged.data + l->merge_from, l->merge_to - l->merge_from,
                                   &why);
    int rc = 0;
    if (!root)
        return fail(c, at, ERR_VALUE, "a merge key (<<) that cannot be read");
    if (json_type(root) == JSON_ARRAY)
        for (const struct json *m = json_first(root); m && rc == 0; m = json_next(m))
            rc = merge_object(c, l, m, at);
    else
        rc = merge_object(c, l, root, at);
    json_destroy(root);
    return rc;
}

/* The value of a merge key is whole, when what it was read on has ended. */
static void end_merge(struct converter *c)
{
    struct level *l = c->depth ? &c->levels[c->depth - 1] : NULL;
    if (!l || !l->merges || l->has_key)
        return;
    l->merges = false;
    l->merge_to = c->merged.len;
    c->out = c->whole;
}

static int close_level(struct converter *c, const yaml_event_t *e)
{
    struct level *l = &c->levels[c->depth - 1];
    int rc = l->merge_to > l->merge_from ? merge(c, l, &e->start_mark) : 0;
    c->depth--;
    while (c->key_count > l->first_key)
        free(c->keys[--c->key_count]);
    buf_putc(c->out, l->is_object ? '}' : ']');
    end_anchor(c, l->anchor);
    return rc;
}

static int put_value(struct converter *c, const yaml_event_t *e)
{
    bool object = e->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *name = object ? e->data.mapping_start.anchor
                              : e->type == YAML_SCALAR_EVENT ? e->data.scalar.anchor
                              : e->type == YAML_SEQUENCE_START_EVENT ? e->data.sequence_start.anchor
                                                                     : NULL;
    size_t anchor;
    begin_value(c, e);
    if (e->type == YAML_ALIAS_EVENT)
        return put_alias(c, e);
    int rc = add_anchor(c, e, name, &anchor);
    if (rc != 0)
        return rc;
    if (e->type != YAML_SCALAR_EVENT) {
        if (!is_known_tag(object ? e->data.mapping_start.tag : e->data.sequence_start.tag))
            return fail(c, &e->start_mark, ERR_VALUE, "a tag (!…); allowed: plain values");
        return open_level(c, e, object, anchor);
    }
    rc = put_scalar(c, e);
    end_anchor(c, anchor);
    return rc;
}

static int take(struct converter *c, const yaml_event_t *e, int *documents)
{
    int rc;
    struct level *l = c->depth ? &c->levels[c->depth - 1] : NULL;
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents == 1)
            return 0;
        return fail(c, &e->start_mark, ERR_VALUE, "a second document; allowed: one");
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        rc = close_level(c, e);
        end_merge(c);
        return rc;
    case YAML_SCALAR_EVENT:
    case YAML_ALIAS_EVENT:
        if (l && l->is_object && !l->has_key)
            return put_key(c, l, e);
        rc = put_value(c, e);
        end_merge(c);
        return rc;
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return l && l->is_object && !l->has_key ? put_key(c, l, e) : put_value(c, e);
    default:
        return 0;
    }
}

static int convert(struct converter *c)
{
    int rc = 0, documents = 0;
    for (bool more = true; more && rc == 0;) {
        yaml_event_t e;
        if (!yaml_parser_parse(&c->parser, &e))
            return fail_parse(c);
        rc = take(c, &e, &documents);
        if (rc == 0 && bytes_of(c) > c->most)
            rc = fail(c, &e.start_mark, ERR_LIMIT, "too long");
        more = e.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
    return rc;
}

bool yaml_is_there(void)
{
    return true;
}

int yaml_to_json(const char *text, size_t len, size_t most, struct buf *out, struct errbuf *err)
{
    struct converter *c = xcalloc(1, sizeof(*c));
    c->out = c->whole = out;
    c->start = out->len;
    c->most = most;
    c->err = err;
    REQUIRE(yaml_parser_initialize(&c->parser) == 1);
    yaml_parser_set_input_string(&c->parser, (const unsigned char *)text, len);
    int rc = convert(c);
    yaml_parser_delete(&c->parser);
    while (c->key_count > 0)
        free(c->keys[--c->key_count]);
    while (c->anchor_count > 0)
        free(c->anchors[--c->anchor_count].name);
    free(c->keys);
    free(c->anchors);
    buf_finish(&c->merged);
    free(c);
    return rc;
}

#else

bool yaml_is_there(void)
{
    return false;
}

int yaml_to_json(const char *text, size_t len, size_t most, struct buf *out, struct errbuf *err)
{
    return err_set(err, ERR_PARSE, "this sweepctl was built without libyaml");
}

#endif
