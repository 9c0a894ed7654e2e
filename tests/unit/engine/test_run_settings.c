/* Settings that are read one after the other are what each is by itself, whatever the bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/rows.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"

static char *text_of(const struct settings *s, int64_t start_from, struct layer_list *layers)
{
    struct trainer_config c = {.settings = *s, .start_from = start_from, .layers = layers};
    struct run_row row = {.config = &c};
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    run_row_write_settings(&row, &w);
    return buf_take(&text);
}

static void some_settings(struct rng *r, struct settings *s)
{
    settings_init(s);
    s->v[SETTING_LEARNING_RATE] = 0.001 * (double)(1 + rng_below(r, 5));
    s->v[SETTING_BATCH_SIZE] = (double)(1 + rng_below(r, 200));
    s->v[SETTING_OPTIMIZER] = (double)rng_below(r, OPTIMIZER_COUNT);
    s->v[SETTING_DEPTH] = (double)rng_below(r, 12);
    s->v[SETTING_SCALE] = (double)rng_below(r, SCALE_COUNT);
    s->v[SETTING_SHUFFLE] = (double)rng_below(r, 2);
}

/* Read by itself and read behind others: the same. */
static void check_same(struct run_settings_reader *reader, const char *text)
{
    struct run_row alone = {0}, behind = {0};
    struct errbuf one = {0}, other = {0};
    int expected = run_row_read_settings(&alone, text, &one);
    assert_int_equal(run_settings_read(reader, &behind, text, &other), expected);
    if (expected == 0 && alone.config != NULL) {
        assert_non_null(behind.config);
        assert_memory_equal(&alone.config->settings, &behind.config->settings,
                            sizeof(alone.config->settings));
        assert_int_equal(alone.config->start_from, behind.config->start_from);
        assert_int_equal(alone.config->layers != NULL, behind.config->layers != NULL);
    } else if (expected == 0) {
        assert_null(behind.config);
    } else {
        assert_string_equal(one.message, other.message);
    }
    run_row_finish(&alone);
    run_row_finish(&behind);
}

static void runs_of_sweeps(void **state)
{
    struct run_settings_reader reader = {0};
    struct layer_list layers = {.count = 1};
    struct rng r;
    rng_init(&r, 1, RNG_SEARCH, 0);
    layers.entries[0] = (struct layer_entry){.kind = LAYER_FLATTEN, .repeat = 1};
    for (int o = 0; o < LAYER_OPTION_COUNT; o++)
        layers.entries[0].value[o] = NAN;
    for (int i = 0; i < 2000; i++) {
        struct settings s;
        some_settings(&r, &s);
        bool odd = rng_below(&r, 10) == 0;
        char *text = text_of(&s, odd ? 7 : 0, rng_below(&r, 10) == 0 ? &layers : NULL);
        check_same(&reader, text);
        free(text);
    }
    check_same(&reader, "{}");
    check_same(&reader, "");
    run_settings_reader_finish(&reader);
}

/* A text with some bytes changed, left out or put in: taken from itself, so that they mean
 * something. */
static char *damaged(struct rng *r, const char *text)
{
    static const char odd[] = "{}[]:,\"\\0e-. tn";
    struct buf b = {0};
    size_t len = strlen(text), at = rng_below(r, len), more = rng_below(r, 6);
    buf_append(&b, text, at);
    for (size_t i = 0; i < more; i++)
        buf_putc(&b, rng_below(r, 2) ? odd[rng_below(r, sizeof(odd) - 1)]
                                     : text[rng_below(r, len)]);
    size_t skip = at + rng_below(r, 6);
    if (skip < len)
        buf_puts(&b, text + skip);
    else
        buf_puts(&b, "}");
    return buf_take(&b);
}

static void damaged_texts(void **state)
{
    struct rng r;
    rng_init(&r, 2, RNG_SEARCH, 0);
    for (int i = 0; i < 4000; i++) {
        struct run_settings_reader reader = {0};
        struct settings s;
        some_settings(&r, &s);
        char *text = text_of(&s, 0, NULL);
        check_same(&reader, text);
        char *bad = damaged(&r, text);
        check_same(&reader, bad);
        check_same(&reader, text);
        free(bad);
        free(text);
        run_settings_reader_finish(&reader);
    }
}

/* Texts that nobody here writes, each read behind each. */
static void others_texts(void **state)
{
    static const char *const texts[] = {
        "{\"data\":{\"name\":\"a,b}c\"},\"train\":{\"batch_size\":8}}",
        "{\"data\":{\"name\":\"a,b}d\"},\"train\":{\"batch_size\":9}}",
        "{\"data\":{\"name\":\"a\"},\"train\":{\"batch_size\":8}}",
        "{\"data\":{\"name\":\"a\\\",\\\"b\"},\"train\":{\"batch_size\":8}}",
        "{\"data\":{\"name\": \"a,b\"},\"train\":{\"batch_size\":8}}",
        "{\"data\":{\"name\":\"a\"b,\"},\"train\":{\"batch_size\":8}}",
        "{\"data\":{\"name\":5,b\"},\"train\":{\"batch_size\":8}}",
        "{\"data\":{\"name\":{\"x\":1}},\"train\":{\"batch_size\":8}}",
        "{\"data\":{\"name\":[1]},\"train\":{\"batch_size\":8}}",
        "{\"data\":{\"name\":\"a\"},\"train\":{\"batch_size\": 8 }}",
        "{\"data\":{\"name\":\"a\"},\"train\":{\"batch_size\":8.5}}",
        "{\"data\":{\"name\":\"a\"},\"train\":{\"batch_size\":}}",
        "{\"data\":{\"name\":\"a\"},\"train\":{\"batch_size\":8}} ",
        "{\"data\":{\"name\":\"a\"},\"train\":{\"batch_size\":8},\"train\":{}}",
        "{\"data\":{\"name\":\"a\"},\"train\":{\"batch_size\":8,\"batch_size\":9}}",
        "{\"data\":{},\"model\":{},\"train\":{}}",
        "{\"start_from\":3,\"train\":{}}",
        "{\"train\":{\"depth\":1}}",
        "{\"odd\":{\"depth\":1},\"train\":{\"batch_size\":8}}",
        "{\"odd\":{\"depth\":2},\"train\":{\"batch_size\":7}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            struct run_settings_reader reader = {0};
            check_same(&reader, texts[i]);
            check_same(&reader, texts[k]);
            run_settings_reader_finish(&reader);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_of_sweeps),
        cmocka_unit_test(damaged_texts),
        cmocka_unit_test(others_texts),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
