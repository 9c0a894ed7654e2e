#include "daemon/engine/data_read.h"

#include "sweep/buf.h"
#include "sweep/json.h"

static void write_notes(const struct record_prepared *p, struct json_writer *w)
{
    jw_begin_array(w);
    for (size_t i = 0; i < p->note_count; i++) {
        jw_begin_object(w);
        jw_kv_string(w, "key", p->notes[i].key);
        jw_kv_string(w, "text", p->notes[i].text);
        jw_end_object(w);
    }
    jw_end_array(w);
}

char *data_read_notes(const struct record_prepared *p)
{
    struct buf json = {0};
    struct json_writer w;
    if (p->hash[0] == '\0')
        return NULL;
    jw_init(&w, &json);
    write_notes(p, &w);
    return buf_take(&json);
}

void data_read_write(const struct record_prepared *p, struct json_writer *w)
{
    if (p->hash[0] == '\0')
        return;
    jw_key(w, "data");
    jw_begin_object(w);
    jw_kv_string(w, "task", p->classes > 0 ? "classification" : "regression");
    jw_kv_string(w, "target", p->target[0] ? p->target : NULL);
    jw_kv_int(w, "samples", p->samples);
    jw_kv_int(w, "features", p->features);
    jw_kv_int(w, "classes", p->classes);
    jw_kv_int(w, "outputs", p->outputs);
    jw_key(w, "notes");
    write_notes(p, w);
    jw_end_object(w);
}
