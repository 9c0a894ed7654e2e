#include "daemon/launch/prepared.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sweep/buf.h"
#include "sweep/err.h"

static bool same_file(const struct record_source *s)
{
    struct stat st;
    return stat(s->path, &st) == 0 && st.st_size == s->size_bytes &&
           (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec == s->mtime_ns;
}

static bool still_true(const struct record_prepared *r)
{
    struct stat st;
    if (r->source_count == 0 || stat(r->cache, &st) != 0)
        return false;
    for (size_t i = 0; i < r->source_count; i++) {
        if (!same_file(&r->sources[i]))
            return false;
    }
    return true;
}

static void forget(struct prepared_entry *e)
{
    free(e->key);
    free(e->line);
    memset(e, 0, sizeof(*e));
}

void prepared_finish(struct prepared_memory *m)
{
    for (size_t i = 0; i < PREPARED_MAX; i++)
        forget(&m->entries[i]);
}

static struct prepared_entry *find(struct prepared_memory *m, const char *key)
{
    for (size_t i = 0; i < PREPARED_MAX; i++) {
        if (m->entries[i].key && strcmp(m->entries[i].key, key) == 0)
            return &m->entries[i];
    }
    return NULL;
}

struct record_prepared *prepared_recall(struct prepared_memory *m, const char *key)
{
    struct prepared_entry *e = find(m, key);
    struct record r = {0};
    struct errbuf why;
    if (!e)
        return NULL;
    if (record_parse(e->line, strlen(e->line), &r, &why) < 0 || r.type != RECORD_PREPARED ||
        !still_true(r.u.prepared)) {
        record_finish(&r);
        forget(e);
        return NULL;
    }
    e->used = ++m->clock;
    return r.u.prepared;
}

void prepared_remember(struct prepared_memory *m, const char *key, const char *line, size_t len)
{
    struct prepared_entry *e = find(m, key);
    for (size_t i = 0; !e && i < PREPARED_MAX; i++) {
        if (!m->entries[i].key)
            e = &m->entries[i];
    }
    if (!e) {
        e = &m->entries[0];
        for (size_t i = 1; i < PREPARED_MAX; i++) {
            if (m->entries[i].used < e->used)
                e = &m->entries[i];
        }
    }
    forget(e);
    e->key = xstrdup(key);
    e->used = ++m->clock;
    e->line = xasprintf("%.*s", (int)len, line);
}
