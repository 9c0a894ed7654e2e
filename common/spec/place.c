/* "on": where a sweep's runs are carried out. */
#include "sweep/place.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/spec/part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define PATH "$.on"
#define DEFAULT_SLOTS 1

static const char *const names[] = {
#define X(id, name) #name,
    LAUNCHER_MAP(X)
#undef X
};

const char *launcher_name(enum launcher_id id)
{
    REQUIRE((unsigned)id < LAUNCHER_COUNT);
    return names[id];
}

/* --- options ---------------------------------------------------------------------------------- */

/* What says which jobs are the sweep's, or how many: ours to say. */
static const char *const ours[] = {"array", "job-name", "parsable", "wrap",    "wait",
                                   "test-only", "help",   "usage",    "version", "quiet"};
#define OURS_BRIEF "aJWhVQ"

static bool is_ours(const char *option)
{
    if (option[1] != '-')
        return strchr(OURS_BRIEF, option[1]) != NULL;
    size_t len = strcspn(option + 2, "=");
    /* A beginning is taken for the whole name, so any of three letters is. */
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (strncmp(ours[i], option + 2, len) == 0 && (len >= 3 || len == strlen(ours[i])))
            return true;
    return false;
}

/* A word that is no option may only be the value of a brief one: else it would be taken for the
 * script. */
static const char *option_trouble(const char *option, const char *before)
{
    bool follows_brief = before && before[0] == '-' && before[1] != '-' && strlen(before) == 2;
    if (option[0] != '-')
        return follows_brief ? NULL : "an option of sbatch: --name=value, --name, or -x value";
    if (option[1] == '\0' || strcmp(option, "--") == 0)
        return "an option of sbatch: --name=value, --name, or -x value";
    return is_ours(option) ? "an option of sbatch but for those that say which jobs are the "
                             "sweep's, and how many (\"slots\" does)"
                           : NULL;
}

static int parse_option(const struct json *v, size_t i, struct spec_place *p, struct errbuf *err)
{
    char path[FIELD_PATH_MAX], text[PLACE_OPTION_BYTES];
    field_path_index(path, PATH ".options", i);
    int rc = field_string(v, path, text, sizeof(text), err);
    if (rc)
        return rc;
    const char *trouble = option_trouble(text, i ? p->options[i - 1] : NULL);
    if (trouble)
        return field_refuse(err, ERR_VALUE, path, v, "%s", trouble);
    p->options[p->option_count++] = xstrdup(text);
    return 0;
}

static int parse_options(const struct json *v, struct spec_place *p, struct errbuf *err)
{
    size_t i = 0;
    int rc = 0;
    if (json_type(v) != JSON_ARRAY)
        return field_refuse(err, ERR_TYPE, PATH ".options", v,
                            "a list of options of sbatch, [\"--time=60\"]");
    if (json_count(v) > PLACE_OPTIONS_MAX)
        return field_refuse(err, ERR_LIMIT, PATH ".options", NULL, "at most %d options",
                            PLACE_OPTIONS_MAX);
    p->options = xcalloc(json_count(v) + 1, sizeof(*p->options));
    for (const struct json *o = json_first(v); o && !rc; o = json_next(o))
        rc = parse_option(o, i++, p, err);
    return rc;
}

/* --- the place -------------------------------------------------------------------------------- */

static int set_partition(const struct json *v, const char *path, const char *text,
                         struct spec_place *p, struct errbuf *err)
{
    if (text[0] == '\0' || text[0] == '-' || strlen(text) >= sizeof(p->partition))
        return field_refuse(err, ERR_VALUE, path, v,
                            "the name of a partition, or several with ','");
    str_copy(p->partition, sizeof(p->partition), text);
    return 0;
}

/* "slurm", "slurm:partition", "local". */
static int parse_name(const struct json *v, const char *path, struct spec_place *p,
                      struct errbuf *err)
{
    char text[PLACE_PARTITION_MAX + 32], allowed[256];
    int rc = field_string(v, path, text, sizeof(text), err);
    if (rc)
        return rc;
    char *partition = strchr(text, ':');
    if (partition)
        *partition++ = '\0';
    for (int i = 0; i < LAUNCHER_COUNT; i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        p->launcher = (enum launcher_id)i;
        if (partition && i == LAUNCHER_LOCAL)
            return field_refuse(err, ERR_VALUE, path, v, "local, which has no partitions");
        return partition ? set_partition(v, path, partition, p, err) : 0;
    }
    field_suggest(allowed, sizeof(allowed), text, names, LAUNCHER_COUNT);
    return field_refuse(err, ERR_VALUE, path, v, "%s; slurm:PARTITION names a partition", allowed);
}

static int parse_object(const struct json *v, struct spec_place *p, struct errbuf *err)
{
    static const char *const keys[] = {"launcher", "partition", "slots", "options"};
    const struct json *launcher = json_get(v, "launcher"), *slots = json_get(v, "slots");
    const struct json *partition = json_get(v, "partition"), *options = json_get(v, "options");
    char text[PLACE_PARTITION_MAX];
    int rc = field_object(v, PATH, keys, ARRAY_LEN(keys), err);
    if (!rc && !launcher)
        rc = field_missing(err, PATH, "launcher", "local or slurm");
    if (!rc)
        rc = parse_name(launcher, PATH ".launcher", p, err);
    if (!rc && p->launcher == LAUNCHER_LOCAL && (partition || slots || options))
        rc = field_refuse(err, ERR_VALUE, PATH, v,
                          "partition, slots and options only with launcher slurm: this machine's "
                          "workers are the daemon's --workers");
    if (!rc && partition)
        rc = field_string(partition, PATH ".partition", text, sizeof(text), err);
    if (!rc && partition)
        rc = set_partition(partition, PATH ".partition", text, p, err);
    if (!rc && slots)
        rc = field_integer(slots, PATH ".slots", 1, PLACE_SLOTS_MAX, &p->slots, err);
    return !rc && options ? parse_options(options, p, err) : rc;
}

int spec_place_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "on");
    struct spec_place *p = &s->on;
    int rc;
    if (!v)
        return 0;
    if (json_type(v) == JSON_OBJECT)
        rc = parse_object(v, p, err);
    else
        rc = parse_name(v, PATH, p, err);
    if (!rc && p->launcher != LAUNCHER_LOCAL && s->task == TASK_CLIENT)
        rc = field_refuse(err, ERR_VALUE, PATH, v,
                          "local: clients carry out the runs of task client");
    if (!rc && p->launcher != LAUNCHER_LOCAL && p->slots == 0)
        p->slots = DEFAULT_SLOTS;
    return rc;
}

/* Nothing for this machine: as it was before there was another place. */
void spec_place_write(const struct spec *s, struct json_writer *w)
{
    const struct spec_place *p = &s->on;
    if (p->launcher == LAUNCHER_LOCAL)
        return;
    jw_key(w, "on");
    jw_begin_object(w);
    jw_kv_string(w, "launcher", names[p->launcher]);
    if (p->partition[0])
        jw_kv_string(w, "partition", p->partition);
    jw_kv_int(w, "slots", p->slots);
    if (p->option_count) {
        jw_key(w, "options");
        jw_begin_array(w);
        for (size_t i = 0; i < p->option_count; i++)
            jw_string(w, p->options[i]);
        jw_end_array(w);
    }
    jw_end_object(w);
}

void spec_place_finish(struct spec_place *p)
{
    for (size_t i = 0; i < p->option_count; i++)
        free(p->options[i]);
    free(p->options);
    *p = (struct spec_place){0};
}
