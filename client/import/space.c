/* Which parameters of a history can be a sweep's, and how a specification says them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/import/history.h"
#include "sweep/json.h"
#include "sweep/space.h"

#define WIDE 100 /* the highest value so many times the lowest: on a logarithmic scale */

static const struct history_value *value_of(const struct history_run *r, size_t parameter)
{
    static const struct history_value absent;
    return parameter < r->value_count ? &r->values[parameter] : &absent;
}

/* As one of a list is written. */
static void text_of(const struct history_value *v, char out[SPACE_TEXT_MAX * 2])
{
    if (v->type == HISTORY_TEXT)
        str_copy(out, SPACE_TEXT_MAX * 2, v->text);
    else if (v->type == HISTORY_SWITCH)
        str_copy(out, SPACE_TEXT_MAX * 2, v->number != 0 ? "true" : "false");
    else
        snprintf(out, SPACE_TEXT_MAX * 2, "%.17g", v->number);
}

static bool is_plain(const char *text, size_t max)
{
    size_t len = strlen(text);
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return len > 0 && len < max;
}

/* One type for all runs; HISTORY_ABSENT: some have none. Different ones are texts. */
static int type_of(const struct history *h, size_t parameter)
{
    int type = HISTORY_ABSENT;
    for (size_t i = 0; i < h->run_count; i++) {
        int own = (int)value_of(&h->runs[i], parameter)->type;
        if (own == HISTORY_ABSENT)
            return HISTORY_ABSENT;
        type = i == 0 || own == type ? own : HISTORY_TEXT;
    }
    return type;
}

struct listing {
    char texts[SPACE_MAX_VALUES][SPACE_TEXT_MAX];
    size_t count;
};

/* Why not; NULL: they can be listed. */
static const char *list_values(const struct history *h, size_t parameter, struct listing *out)
{
    out->count = 0;
    for (size_t i = 0; i < h->run_count; i++) {
        char text[SPACE_TEXT_MAX * 2];
        size_t k = 0;
        text_of(value_of(&h->runs[i], parameter), text);
        if (!is_plain(text, SPACE_TEXT_MAX))
            return "its values are long, empty or no plain texts";
        while (k < out->count && strcmp(out->texts[k], text) != 0)
            k++;
        if (k < out->count)
            continue;
        if (out->count == SPACE_MAX_VALUES)
            return "it has more than 256 values";
        str_copy(out->texts[out->count++], SPACE_TEXT_MAX, text);
    }
    return NULL;
}

static const char *why_not(const struct history *h, size_t parameter, struct listing *listing)
{
    int type = type_of(h, parameter);
    if (!is_plain(h->parameters[parameter].name, SPACE_NAME_MAX))
        return "its name is longer than 63 bytes, or no plain text";
    if (type == HISTORY_ABSENT)
        return "not all runs have it";
    return type == HISTORY_TEXT ? list_values(h, parameter, listing) : NULL;
}

void history_space_init(struct history_space *s, struct history *h)
{
    struct listing *listing = xmalloc(sizeof *listing);
    *s = (struct history_space){.kept = xcalloc(SPACE_MAX_DIMENSIONS, sizeof *s->kept),
                                .text = xcalloc(SPACE_MAX_DIMENSIONS, sizeof *s->text)};
    for (size_t i = 0; i < h->parameter_count; i++) {
        const char *why = why_not(h, i, listing);
        if (why == NULL && s->count == SPACE_MAX_DIMENSIONS)
            why = "a sweep has at most 64 parameters";
        if (why != NULL) {
            history_note(h, "parameter %.80s is left out: %s", h->parameters[i].name, why);
            continue;
        }
        s->text[s->count] = type_of(h, i) == HISTORY_TEXT;
        s->kept[s->count++] = i;
    }
    free(listing);
}

void history_space_finish(struct history_space *s)
{
    free(s->kept);
    free(s->text);
}

static void write_value(const struct history_value *v, bool as_text, struct json_writer *w)
{
    char text[SPACE_TEXT_MAX * 2];
    text_of(v, text);
    if (as_text)
        jw_string(w, text);
    else if (v->type == HISTORY_SWITCH)
        jw_bool(w, v->number != 0);
    else if (v->number == floor(v->number) && fabs(v->number) < JSON_MAX_SAFE_INTEGER)
        jw_int(w, (int64_t)v->number);
    else
        jw_real(w, v->number);
}

static void write_list(const struct history *h, size_t parameter, struct json_writer *w)
{
    struct listing *listing = xmalloc(sizeof *listing);
    list_values(h, parameter, listing);
    jw_key(w, "values");
    jw_begin_array(w);
    for (size_t i = 0; i < listing->count; i++)
        jw_string(w, listing->texts[i]);
    jw_end_array(w);
    free(listing);
}

static void write_range(const struct history *h, size_t parameter, struct json_writer *w)
{
    const struct history_parameter *p = &h->parameters[parameter];
    double low = p->has_range ? p->low : INFINITY, high = p->has_range ? p->high : -INFINITY;
    bool whole = !p->has_range || (p->low == floor(p->low) && p->high == floor(p->high));
    for (size_t i = 0; i < h->run_count; i++) {
        double v = value_of(&h->runs[i], parameter)->number;
        low = fmin(low, v);
        high = fmax(high, v);
        whole = whole && v == floor(v) && fabs(v) < JSON_MAX_SAFE_INTEGER;
    }
    bool wide = p->has_range ? p->logarithmic : low > 0 && high / low >= WIDE;
    if (low == high) {
        jw_key(w, "value");
        write_value(&(struct history_value){HISTORY_NUMBER, low, NULL}, false, w);
        return;
    }
    jw_key(w, "min");
    write_value(&(struct history_value){HISTORY_NUMBER, low, NULL}, false, w);
    jw_key(w, "max");
    write_value(&(struct history_value){HISTORY_NUMBER, high, NULL}, false, w);
    if (wide && low > 0)
        jw_kv_string(w, "distribution", whole ? "q_log_uniform_values" : "log_uniform_values");
    else
        jw_kv_string(w, "distribution", whole ? "int_uniform" : "uniform");
    if (wide && low > 0 && whole)
        jw_kv_int(w, "q", 1);
}

static void write_switch(struct json_writer *w)
{
    jw_key(w, "values");
    jw_begin_array(w);
    jw_bool(w, true);
    jw_bool(w, false);
    jw_end_array(w);
}

void history_space_write(const struct history_space *s, const struct history *h,
                         struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < s->count; i++) {
        jw_key(w, h->parameters[s->kept[i]].name);
        jw_begin_object(w);
        if (s->text[i])
            write_list(h, s->kept[i], w);
        else if (type_of(h, s->kept[i]) == HISTORY_SWITCH)
            write_switch(w);
        else
            write_range(h, s->kept[i], w);
        jw_end_object(w);
    }
    jw_end_object(w);
}

void history_values_write(const struct history_space *s, const struct history *h,
                          const struct history_run *r, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < s->count; i++) {
        jw_key(w, h->parameters[s->kept[i]].name);
        write_value(value_of(r, s->kept[i]), s->text[i], w);
    }
    jw_end_object(w);
}
