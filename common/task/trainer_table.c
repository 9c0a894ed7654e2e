/* Keys of "data" that say how a table is written, where its content does not say it well. */
#include "common/task/trainer_part.h"

#include <stdio.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define WORD_MAX 256 /* bytes, with the NUL */
#define USUAL "..."  /* in a list of missing words: the usual ones, too */

bool data_words_next(const struct data_words *w, const char **word)
{
    const char *next = *word ? *word + strlen(*word) + 1 : w->text;

    *word = next < w->text + w->bytes ? next : NULL;
    return *word != NULL;
}

static int add_word(struct data_words *w, const char *word, const char *path,
                    const struct json *v, struct errbuf *err)
{
    size_t len = strlen(word) + 1;

    if (len > sizeof(w->text) - w->bytes)
        return field_refuse(err, ERR_LIMIT, path, v, "at most %d bytes in all", DATA_WORDS_BYTES);
    memcpy(w->text + w->bytes, word, len);
    w->bytes += (uint32_t)len;
    w->count++;
    return 0;
}

/* A string, or with `numbers` a column's number, which is kept as its digits. */
static int parse_word(const struct json *m, const char *path, bool numbers, struct data_words *out,
                      struct errbuf *err)
{
    char word[WORD_MAX];
    int64_t number;
    int rc;

    if (numbers && json_type(m) == JSON_NUMBER) {
        rc = field_integer(m, path, 1, INT32_MAX, &number, err);
        snprintf(word, sizeof(word), "%d", rc ? 0 : (int)number);
    } else if (json_type(m) == JSON_STRING) {
        rc = field_string(m, path, word, sizeof(word), err);
    } else {
        return field_refuse(err, ERR_TYPE, path, m, "%s",
                            numbers ? "the name of a column, or its number from 1" : "a word");
    }
    return rc ? rc : add_word(out, word, path, m, err);
}

/* A list of words, or one. */
static int parse_words(const struct json *v, const char *path, bool numbers,
                       struct data_words *out, struct errbuf *err)
{
    char where[FIELD_PATH_MAX];
    size_t index = 0;
    int rc = 0;

    if (json_type(v) != JSON_ARRAY)
        return parse_word(v, path, numbers, out, err);
    for (const struct json *m = json_first(v); m && !rc; m = json_next(m)) {
        field_path_index(where, path, index++);
        rc = parse_word(m, where, numbers, out, err);
    }
    return rc;
}

static int parse_missing(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    struct data_words all = {0};
    int rc = parse_words(v, "$.data.missing", false, &all, err);

    d->missing_told = true;
    for (const char *word = NULL; !rc && data_words_next(&all, &word);) {
        if (strcmp(word, USUAL) == 0)
            d->missing_usual = true;
        else
            rc = add_word(&d->missing, word, "$.data.missing", v, err);
    }
    return rc;
}

static int parse_without_target(const struct json *v, bool *drop, struct errbuf *err)
{
    const char *text = json_type(v) == JSON_STRING ? json_string(v) : "";
    *drop = strcmp(text, "drop") == 0;
    if (*drop || strcmp(text, "refuse") == 0)
        return 0;
    return field_refuse(err, ERR_VALUE, "$.data.without_target", v, "refuse, drop");
}

static int parse_header(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    if (json_type(v) == JSON_NUMBER) {
        d->header = HEADER_YES;
        return field_integer(v, "$.data.header", 1, INT32_MAX, &d->header_line, err);
    }
    if (json_type(v) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, "$.data.header", v,
                            "true or false, or the number of its line");
    d->header = json_bool(v) ? HEADER_YES : HEADER_NO;
    return 0;
}

/* One of a few characters, by itself or by its name. */
struct mark {
    char mark;
    const char *text, *name;
};

static const struct mark delimiters[] = {{',', ",", "comma"}, {';', ";", "semicolon"},
                                         {'\t', "\t", "tab"},  {'|', "|", "bar"},
                                         {' ', " ", "blanks"}};
static const struct mark decimals[] = {{'.', ".", "point"}, {',', ",", "comma"}};
static const struct mark thousands[] = {{',', ",", "comma"}, {'.', ".", "point"},
                                        {' ', " ", "blank"}, {'\'', "'", "apostrophe"},
                                        {'-', "none", "none"}};

static int parse_mark(const struct json *v, const char *path, const struct mark *marks,
                      size_t count, char *out, struct errbuf *err)
{
    char allowed[160] = "";
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        const char *text = json_type(v) == JSON_STRING ? json_string(v) : "";
        if (strcmp(text, marks[i].text) == 0 || strcmp(text, marks[i].name) == 0) {
            *out = marks[i].mark;
            return 0;
        }
        at += (size_t)snprintf(allowed + at, sizeof(allowed) - at, "%s%s", i > 0 ? ", " : "",
                               marks[i].name);
    }
    return field_refuse(err, ERR_VALUE, path, v, "%s, or the character itself", allowed);
}

static const char *mark_text(const struct mark *marks, size_t count, char mark)
{
    for (size_t i = 0; i < count; i++)
        if (marks[i].mark == mark)
            return marks[i].text;
    REQUIRE(!"a mark without a text");
    return "";
}

static int parse_encoding(const struct json *v, char out[ENCODING_NAME_MAX], struct errbuf *err)
{
    const char *text = json_type(v) == JSON_STRING ? json_string(v) : "";
    size_t len = strlen(text);
    if (len == 0 || len >= ENCODING_NAME_MAX ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:+-") < len)
        return field_refuse(err, ERR_VALUE, "$.data.encoding", v,
                            "a name that `iconv --list` prints, such as GB18030 or SHIFT_JIS");
    memcpy(out, text, len + 1);
    return 0;
}

int spec_table_parse(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    const struct json *m;
    int rc = 0;

    if ((m = json_get(v, "header")) != NULL)
        rc = parse_header(m, d, err);
    if (!rc && (m = json_get(v, "skip_rows")) != NULL) {
        rc = field_integer(m, "$.data.skip_rows", 0, INT32_MAX, &d->skip_rows, err);
        d->skip_told = true;
    }
    if (!rc && (m = json_get(v, "skip_footer")) != NULL) {
        rc = field_integer(m, "$.data.skip_footer", 0, DATA_FOOTER_MAX, &d->skip_footer, err);
        d->footer_told = true;
    }
    if (!rc && (m = json_get(v, "encoding")) != NULL)
        rc = parse_encoding(m, d->encoding, err);
    if (!rc && (m = json_get(v, "delimiter")) != NULL)
        rc = parse_mark(m, "$.data.delimiter", delimiters, ARRAY_LEN(delimiters), &d->delimiter,
                        err);
    if (!rc && (m = json_get(v, "decimal")) != NULL)
        rc = parse_mark(m, "$.data.decimal", decimals, ARRAY_LEN(decimals), &d->decimal, err);
    if (!rc && (m = json_get(v, "thousands")) != NULL)
        rc = parse_mark(m, "$.data.thousands", thousands, ARRAY_LEN(thousands), &d->thousands,
                        err);
    if (!rc && d->decimal && d->decimal == d->thousands)
        rc = field_refuse(err, ERR_VALUE, "$.data.thousands", m, "another mark than data.decimal");
    if (!rc && (m = json_get(v, "missing")) != NULL)
        rc = parse_missing(m, d, err);
    if (!rc && (m = json_get(v, "without_target")) != NULL)
        rc = parse_without_target(m, &d->drop_without_target, err);
    if (!rc && (m = json_get(v, "ignore")) != NULL)
        rc = parse_words(m, "$.data.ignore", true, &d->ignore, err);
    if (!rc && (m = json_get(v, "max_categories")) != NULL)
        rc = field_integer(m, "$.data.max_categories", 2, DATA_CATEGORIES_MAX, &d->max_categories,
                           err);
    return rc;
}

static void write_words(const struct data_words *words, const char *key, bool usual,
                        struct json_writer *w)
{
    jw_key(w, key);
    jw_begin_array(w);
    if (usual)
        jw_string(w, USUAL);
    for (const char *word = NULL; data_words_next(words, &word);)
        jw_string(w, word);
    jw_end_array(w);
}

void spec_table_write(const struct spec_data *d, struct json_writer *w)
{
    if (d->header_line > 0)
        jw_kv_int(w, "header", d->header_line);
    else if (d->header != HEADER_AUTO)
        jw_kv_bool(w, "header", d->header == HEADER_YES);
    if (d->skip_told)
        jw_kv_int(w, "skip_rows", d->skip_rows);
    if (d->footer_told)
        jw_kv_int(w, "skip_footer", d->skip_footer);
    if (d->encoding[0])
        jw_kv_string(w, "encoding", d->encoding);
    if (d->delimiter)
        jw_kv_string(w, "delimiter", mark_text(delimiters, ARRAY_LEN(delimiters), d->delimiter));
    if (d->decimal)
        jw_kv_string(w, "decimal", mark_text(decimals, ARRAY_LEN(decimals), d->decimal));
    if (d->thousands)
        jw_kv_string(w, "thousands", mark_text(thousands, ARRAY_LEN(thousands), d->thousands));
    if (d->missing_told)
        write_words(&d->missing, "missing", d->missing_usual, w);
    if (d->drop_without_target)
        jw_kv_string(w, "without_target", "drop");
    if (d->ignore.count > 0)
        write_words(&d->ignore, "ignore", false, w);
    if (d->max_categories > 0)
        jw_kv_int(w, "max_categories", d->max_categories);
}
