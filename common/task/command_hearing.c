/* Which of a program's words are metrics: patterns of one's own, and the channels listened to. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/task/command_hearing.h"
#include "common/task/pattern_size.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define PATTERN_SIZE_MAX 1000 /* compiled in some 10 ms */
#define PATTERNS_SIZE_MAX 4000

static const char *const channel_names[] = {
#define X(id, name) name,
    COMMAND_CHANNEL_MAP(X)
#undef X
};

const char *command_channel_name(enum command_channel c)
{
    return channel_names[c];
}

/* --- patterns ------------------------------------------------------------------------------- */

/* size: of those before it, written out; its own is added. */
static int check_pattern(const struct json *v, const char *path, size_t *size, struct errbuf *err)
{
    char why[128];
    regex_t r;

    if (json_type(v) != JSON_STRING)
        return field_refuse(err, ERR_TYPE, path, v, "a regular expression with a group, such as "
                                                    "\"loss is ([0-9.e+-]+)\"");
    if (strlen(json_string(v)) > COMMAND_PATTERN_BYTES_MAX)
        return field_refuse(err, ERR_LIMIT, path, v, "at most %d bytes", COMMAND_PATTERN_BYTES_MAX);
    if (pattern_refers_back(json_string(v)))
        return field_refuse(err, ERR_VALUE, path, v, "no reference back to a group");
    size_t own = pattern_size(json_string(v), PATTERN_SIZE_MAX);
    *size += own;
    if (own > PATTERN_SIZE_MAX || *size > PATTERNS_SIZE_MAX)
        return field_refuse(err, ERR_LIMIT, path, v,
                            "at most %d characters with its repetitions written out (x{3} is xxx, "
                            "x+ is xx*), %d in all patterns",
                            PATTERN_SIZE_MAX, PATTERNS_SIZE_MAX);
    int rc = regcomp(&r, json_string(v), REG_EXTENDED);
    if (rc != 0) {
        regerror(rc, &r, why, sizeof(why));
        return field_refuse(err, ERR_VALUE, path, v, "a POSIX extended regular expression (%s)",
                            why);
    }
    size_t groups = r.re_nsub;
    regfree(&r);
    if (groups == 0)
        return field_refuse(err, ERR_VALUE, path, v, "a group ( ) around the number");
    return 0;
}

int command_patterns_parse(const struct json *v, const char *path, struct command_manner *out,
                           struct errbuf *err)
{
    char member[FIELD_PATH_MAX];
    size_t size = 0;

    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, path, v, "an object: a metric's name and a regular "
                                                    "expression");
    if (json_count(v) > COMMAND_PATTERNS_MAX)
        return field_refuse(err, ERR_LIMIT, path, v, "at most %d patterns", COMMAND_PATTERNS_MAX);
    out->patterns = xcalloc(json_count(v) + 1, sizeof(*out->patterns));
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        field_path(member, path, json_key(m));
        if (!metric_name_valid(json_key(m)))
            return field_refuse(err, ERR_KEY, member, m, "names of 1 to %d bytes", METRIC_NAME_MAX);
        int rc = check_pattern(m, member, &size, err);
        if (rc)
            return rc;
        struct command_pattern *p = &out->patterns[out->pattern_count++];
        str_copy(p->name, sizeof(p->name), json_key(m));
        p->text = xstrdup(json_string(m));
    }
    return 0;
}

void command_patterns_write(const struct command_manner *m, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < m->pattern_count; i++)
        jw_kv_string(w, m->patterns[i].name, m->patterns[i].text);
    jw_end_object(w);
}

void command_patterns_copy(const struct command_manner *from, struct command_manner *to)
{
    to->patterns = from->pattern_count ? xcalloc(from->pattern_count, sizeof(*to->patterns)) : NULL;
    for (size_t i = 0; i < from->pattern_count; i++) {
        to->patterns[i] = from->patterns[i];
        to->patterns[i].text = xstrdup(from->patterns[i].text);
    }
}

void command_patterns_finish(struct command_manner *m)
{
    for (size_t i = 0; i < m->pattern_count; i++)
        free(m->patterns[i].text);
    free(m->patterns);
    m->patterns = NULL;
    m->pattern_count = 0;
}

/* --- channels ------------------------------------------------------------------------------- */

int command_channels_parse(const struct json *v, const char *path, unsigned *out,
                           struct errbuf *err)
{
    char member[FIELD_PATH_MAX];
    unsigned set = 0;
    size_t i = 0;

    if (json_type(v) != JSON_ARRAY || json_count(v) == 0)
        return field_refuse(err, ERR_TYPE, path, v, "a list of names, such as [\"descriptor\", "
                                                    "\"text\"]");
    for (const struct json *m = json_first(v); m; m = json_next(m), i++) {
        int channel;
        field_path_index(member, path, i);
        int rc = field_name(m, member, channel_names, COMMAND_CHANNEL_COUNT, &channel, err);
        if (rc)
            return rc;
        set |= 1u << channel;
    }
    *out = set;
    return 0;
}

void command_channels_write(unsigned set, struct json_writer *w)
{
    jw_begin_array(w);
    for (int i = 0; i < COMMAND_CHANNEL_COUNT; i++)
        if (set & (1u << i))
            jw_string(w, channel_names[i]);
    jw_end_array(w);
}
