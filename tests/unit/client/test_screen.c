/* The full screen of watch, as text. Argument 1: the folder of what it is to look like;
 * SCREENS_WRITE in the environment: it is written there instead. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/screen/keys.h"
#include "client/screen/layout.h"
#include "client/screen/writer.h"
#include "client/utf8.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define NOW INT64_C(1796000000000000) /* UTC, µs */

static const char *folder;

/* --- a model -------------------------------------------------------------------------------- */

static struct json *parse(const char *text)
{
    struct errbuf err;
    struct json *v = json_parse(text, strlen(text), &err);
    if (v == NULL)
        fail_msg("%s: %s", err.message, text);
    return v;
}

static void sweep(struct model *m, const char *text)
{
    struct json *v = parse(text);
    model_take_sweep(m, v);
    json_destroy(v);
}

static void run_text(struct model *m, int64_t id, char *text)
{
    struct json *v = parse(text);
    model_take_run(m, id, v);
    json_destroy(v);
    free(text);
}

static void note(struct model *m, const char *method, char *text, int64_t when)
{
    struct json *v = parse(text);
    model_apply(m, method, v, when);
    json_destroy(v);
    free(text);
}

static void points(struct model *m, int64_t run, int count)
{
    for (int i = 1; i <= count; i++)
        note(m, "point",
             xasprintf("{\"sweep\":7,\"run\":%lld,\"point\":%d,\"epoch\":%d,\"train_loss\":%.6f,"
                       "\"val_loss\":%.6f,\"train_acc\":null,\"val_acc\":null,\"grad_norm\":%.6f}",
                       (long long)run, i, i, 2.0 / (1 + i), 0.4 + 0.02 * abs(i - 12), 3.0 / i),
             NOW - (count - i) * 1000000);
}

static void begin(struct model *m)
{
    model_init(m);
    m->workers = 2;
    sweep(m, "{\"id\":5,\"name\":\"wine\",\"status\":\"completed\",\"metric\":\"val_loss\","
             "\"goal\":\"minimize\",\"run_cap\":30,\"runs\":30,\"done\":30,\"best\":0.1201}");
    sweep(m, "{\"id\":6,\"name\":\"程序 with a wide name\",\"status\":\"held\",\"reason\":\"most "
             "runs failed alike\",\"metric\":\"score\",\"goal\":\"maximize\",\"run_cap\":8,"
             "\"runs\":8,\"done\":3,\"failed\":3}");
    sweep(m, "{\"id\":7,\"name\":\"fashion\",\"status\":\"running\",\"metric\":\"val_loss\","
             "\"goal\":\"minimize\",\"run_cap\":40,\"runs\":30,\"done\":20,\"running\":2,"
             "\"epochs\":30,\"best\":0.2965,\"best_run\":119,"
             "\"started_at\":\"2026-11-29 22:00:00.000\"}");
    m->selected = 7;
    for (int i = 0; i < 30; i++)
        run_text(m, 7,
                 xasprintf("{\"run_id\":%d,\"number\":%d,\"stage\":\"coarse\",\"status\":\"%s\","
                           "\"params\":{\"learning_rate\":%g,\"batch_size\":%d,\"optimizer\":"
                           "\"adam\",\"depth\":%d},\"metric_value\":%s,\"val_loss\":%s,"
                           "\"epochs\":30,\"epochs_done\":%s,\"seconds\":%s,\"label\":%s,"
                           "\"ended_at\":\"2026-11-29 22:10:00.000\"}",
                           100 + i, i, i < 20 ? "completed" : i < 22 ? "running" : "queued",
                           0.1 / (1 + i), 32 << i % 3, 1 + i % 3, i < 20 ? "0.31" : "null",
                           i < 20 ? "0.3125" : "null", i < 20 ? "30" : "null",
                           i < 20 ? "60" : "null", i < 20 ? "\"overfitting\"" : "null"));
    points(m, 120, 24);
    points(m, 121, 9);
    note(m, "label", xasprintf("{\"sweep\":7,\"run\":120,\"pattern\":\"overfitting\","
                               "\"confidence\":0.8,\"cause\":\"net_too_large\"}"), NOW);
}

static char *screen_text(const struct model *m, struct view *v, size_t width, size_t height)
{
    struct grid g;
    struct buf text = {0};
    grid_init(&g, width, height, v->ascii);
    view_order(v, m);
    layout_draw(&g, m, v, NOW);
    grid_text(&g, &text);
    grid_finish(&g);
    return buf_take(&text);
}

static void compare(const char *name, char *seen)
{
    char *path = xasprintf("%s/%s.txt", folder, name);
    struct buf asked = {0};
    struct errbuf err;
    if (getenv("SCREENS_WRITE") != NULL) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(seen, f);
        fclose(f);
    } else if (buf_read_file(&asked, path, 1 << 20, &err) != 0) {
        fail_msg("%s", err.message);
    } else if (strcmp(asked.data, seen) != 0) {
        fail_msg("%s: asked\n%s\nseen\n%s", path, asked.data, seen);
    }
    buf_finish(&asked);
    free(path);
    free(seen);
}

static void test_runs_page(void **state)
{
    struct model m;
    struct view v = {.colour = true};
    begin(&m);
    compare("80x24", screen_text(&m, &v, 80, 24));
    compare("140x40", screen_text(&m, &v, 140, 40));
    compare("200x60", screen_text(&m, &v, 200, 60));
    v.ascii = true;
    compare("80x24-ascii", screen_text(&m, &v, 80, 24));
    view_finish(&v);
    model_finish(&m);
}

static void test_run_page(void **state)
{
    struct model m;
    struct view v = {.colour = true, .page = PAGE_RUN, .run = 120};
    begin(&m);
    struct json *why = parse(
        "{\"label\":{\"evidence\":{\"sentence\":\"The validation loss rises since epoch 12.\","
        "\"timeline\":[{\"from\":1,\"to\":12,\"pattern\":\"learning\"},"
        "{\"from\":13,\"to\":24,\"pattern\":\"overfitting\"}]},"
        "\"causes\":[{\"cause\":\"net_too_large\",\"evidence\":\"50 weights for each sample\"}]},"
        "\"remedies\":[{\"remedy\":\"l2\",\"does\":\"adds an L2 term\"}]}");
    model_take_detail(&m, 120, why, "one\ntwo\nthree\n");
    json_destroy(why);
    compare("run-80x24", screen_text(&m, &v, 80, 24));
    compare("run-140x40", screen_text(&m, &v, 140, 40));
    v.page = PAGE_LOG;
    char *log = screen_text(&m, &v, 80, 24);
    assert_non_null(strstr(log, "\none\ntwo\nthree\n"));
    free(log);
    view_key(&v, &m, KEY_ESCAPE);
    assert_int_equal(v.page, PAGE_RUN);
    view_key(&v, &m, KEY_ESCAPE);
    assert_int_equal(v.page, PAGE_RUNS);
    view_key(&v, &m, ' ');
    view_key(&v, &m, ' ');
    assert_int_equal(view_key(&v, &m, 'o'), WISH_CURVES);
    compare("overlay-80x24", screen_text(&m, &v, 80, 24));
    view_finish(&v);
    model_finish(&m);
}

/* --- keys ----------------------------------------------------------------------------------- */

static void press(struct view *v, struct model *m, const char *keys)
{
    for (; *keys != '\0'; keys++) {
        view_order(v, m);
        view_key(v, m, *keys == '\r' ? KEY_ENTER : *keys);
    }
    view_order(v, m);
}

static void test_sort_and_filter(void **state)
{
    struct model m;
    struct view v = {0};
    begin(&m);
    press(&v, &m, "");
    assert_int_equal(v.order_count, 30);
    assert_int_equal(m.runs[v.order[0]].id, 121); /* under way first */
    assert_int_equal(m.runs[v.order[29]].id, 122); /* what waits last */
    press(&v, &m, "r");
    assert_int_equal(m.runs[v.order[0]].id, 100);
    press(&v, &m, "/queued depth=3\r");
    assert_int_equal(v.order_count, 3);
    press(&v, &m, "/ nowhere\r");
    assert_int_equal(v.order_count, 0);
    assert_null(view_run(&v, &m));
    press(&v, &m, "jk \r lo?q");
    view_key(&v, &m, KEY_ESCAPE);
    for (int i = 0; i < SORT_COUNT; i++)
        press(&v, &m, "srjG");
    view_finish(&v);
    model_finish(&m);
}

static void test_keys(void **state)
{
    static const struct {
        const char *bytes;
        int key;
    } cases[] = {{"\x1b[A", KEY_UP},  {"\x1bOB", KEY_DOWN}, {"\x1b[5~", KEY_PAGE_UP},
                 {"\x1b[Z", KEY_BACK_TAB}, {"\r", KEY_ENTER}, {"\x7f", KEY_BACKSPACE},
                 {"q", 'q'}, {"ü", 0xfc}, {"程", 0x7a0b}, {"\x1b[1;5A", KEY_NONE},
                 {"\xff", KEY_NONE}, {"\x01", KEY_NONE}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int key;
        size_t len = strlen(cases[i].bytes);
        for (size_t part = 1; part < len; part++) /* the rest may come later */
            assert_int_equal(keys_take(cases[i].bytes, part, false, &key), 0);
        assert_int_equal(keys_take(cases[i].bytes, len, false, &key), len);
        assert_int_equal(key, cases[i].key);
    }
    int key;
    assert_int_equal(keys_take("\x1b", 1, true, &key), 1);
    assert_int_equal(key, KEY_ESCAPE);
    assert_int_equal(keys_take("\x1bq", 2, false, &key), 1);
    assert_int_equal(key, KEY_ESCAPE);
}

/* --- the model ------------------------------------------------------------------------------- */

static void test_speed(void **state)
{
    struct model m;
    begin(&m);
    const struct model_sweep *s = model_sweep(&m, 7);
    assert_true(fabs(model_epoch_seconds(&m, s) - 2) < 1e-9);
    /* 18 runs to come of 30 epochs, and 6 and 21 that are left; 2 s each, two workers. */
    assert_true(fabs(model_eta(&m, s) - (18 * 30 + 6 + 21)) < 1e-9);
    assert_true(model_rate(&m, NOW) == 0);
    note(&m, "run_ended", xasprintf("{\"sweep\":7,\"run\":121,\"number\":21,\"status\":\"completed\","
                                    "\"metric_value\":0.2,\"seconds\":18}"), NOW);
    assert_true(fabs(model_rate(&m, NOW) - 1.0 / 60) < 1e-9);
    assert_int_equal(s->done, 21);
    assert_int_equal(s->running, 1);
    assert_int_equal(s->best_run, 121);
    assert_true(s->best_us == NOW);
    note(&m, "run_ended", xasprintf("{\"sweep\":7,\"run\":120,\"status\":\"failed\","
                                    "\"metric_value\":0.001}"), NOW);
    assert_int_equal(s->best_run, 121); /* what failed is never the best */
    note(&m, "sweep_ended", xasprintf("{\"sweep\":7,\"status\":\"completed\"}"), NOW);
    assert_true(s->over && model_eta(&m, s) == 0);
    assert_false(m.stale);
    note(&m, "run_started", xasprintf("{\"sweep\":9,\"run\":500,\"number\":0}"), NOW);
    assert_true(m.stale);
    model_finish(&m);
}

/* A run of very many points keeps its form, not its points. */
static void test_many_points(void **state)
{
    struct model m;
    begin(&m);
    struct model_run *r = model_run(&m, 120);
    for (int i = 25; i < 100000; i++) {
        char *text = xasprintf("{\"point\":%d,\"epoch\":%d,\"val_loss\":%d}", i, i, i);
        struct json *v = parse(text);
        model_take_point(&m, r, v);
        json_destroy(v);
        free(text);
    }
    assert_true(r->count <= MODEL_SAMPLES_MAX && r->count >= MODEL_SAMPLES_MAX / 2);
    for (size_t i = 100; i < r->count; i++) {
        assert_true(r->samples[i].v[SAMPLE_EPOCH] > r->samples[i - 1].v[SAMPLE_EPOCH]);
        assert_true(fabs(r->samples[i].v[SAMPLE_VAL] - r->samples[i].v[SAMPLE_EPOCH]) <
                    (double)r->fold);
    }
    model_finish(&m);
}

/* --- the writer: a terminal that understands what it writes ---------------------------------- */

struct emulator {
    struct grid g;
    size_t row, column;
};

static void obey(struct emulator *e, const char *bytes)
{
    while (*bytes != '\0') {
        uint32_t c;
        if (*bytes == 0x1b) {
            size_t used = strspn(bytes + 2, "0123456789;") + 2;
            assert_int_equal(bytes[1], '[');
            if (bytes[used] == 'H') {
                assert_int_equal(sscanf(bytes + 2, "%zu;%zu", &e->row, &e->column), 2);
                e->row--;
                e->column--;
            } else if (bytes[used] == 'J') {
                grid_clear(&e->g);
            } else {
                assert_int_equal(bytes[used], 'm');
            }
            bytes += used + 1;
        } else {
            size_t len = utf8_decode(bytes, &c);
            assert_true(len > 0 && c >= 0x20 && e->row < e->g.height && e->column < e->g.width);
            grid_set(&e->g, e->row, e->column, c, INK_PLAIN);
            if (utf8_width(c) == 2 && e->column + 1 < e->g.width) {
                grid_set(&e->g, e->row, e->column + 1, ' ', INK_PLAIN);
                e->g.cells[e->row * e->g.width + e->column + 1].c = 0;
            }
            e->column += utf8_width(c);
            bytes += len;
        }
    }
}

/* Whatever is drawn after whatever: the terminal shows it. */
static void test_writer(void **state)
{
    static const char *const words[] = {"a", "程序", "", "long words of many columns", "│─⣿", "é"};
    struct rng r;
    struct grid shown = {0}, next;
    struct emulator e = {0};
    rng_init(&r, 5, (enum rng_stream)0, 0);
    grid_init(&next, 37, 9, false);
    grid_init(&e.g, 37, 9, false);
    for (int i = 0; i < 3000; i++) {
        struct buf out = {0};
        struct span at = {rng_below(&r, 9), rng_below(&r, 37), 1 + rng_below(&r, 20)};
        grid_put(&next, at, words[rng_below(&r, ARRAY_LEN(words))],
                 (enum ink)rng_below(&r, INK_COUNT));
        writer_diff(&shown, &next, i % 2 == 0, &out);
        if (out.len > 0)
            obey(&e, out.data);
        buf_clear(&out);
        for (size_t k = 0; k < 37 * 9; k++)
            if (e.g.cells[k].c != next.cells[k].c)
                fail_msg("turn %d, cell %zu: %x, asked %x", i, k, e.g.cells[k].c, next.cells[k].c);
        buf_finish(&out);
    }
    struct buf nothing = {0};
    writer_diff(&shown, &next, true, &nothing);
    buf_clear(&nothing);
    writer_diff(&shown, &next, true, &nothing);
    assert_int_equal(nothing.len, 0); /* what is shown costs nothing */
    buf_finish(&nothing);
    grid_finish(&shown);
    grid_finish(&next);
    grid_finish(&e.g);
}

/* --- hostile ---------------------------------------------------------------------------------- */

static void check_cells(const struct grid *g)
{
    for (size_t i = 0; i < g->width * g->height; i++) {
        uint32_t c = g->cells[i].c;
        if ((c != 0 && c < 0x20) || (c >= 0x7f && c < 0xa0) || (g->ascii && c > 0x7e))
            fail_msg("cell %zu holds %x", i, c);
    }
}

static void test_hostile(void **state)
{
    static const size_t sizes[][2] = {{1, 1}, {20, 5}, {40, 10}, {80, 24}, {81, 25}, {500, 200}};
    struct model m;
    struct buf name = {0}, text = {0};
    struct json_writer w;
    for (int i = 0; i < 2500; i++)
        buf_puts(&name, i % 3 == 0 ? "\x1b[2J" : i % 3 == 1 ? "程\n\u0301" : "\u202e\r\t\x7f");
    begin(&m);
    jw_init(&w, &text);
    jw_string(&w, name.data);
    char *row = xasprintf("{\"id\":8,\"name\":%s,\"status\":%s,\"reason\":%s,\"metric\":%s,"
                          "\"run_cap\":-5,\"done\":\"nan\",\"best\":\"+inf\",\"epochs\":-1}",
                          text.data, text.data, text.data, text.data);
    sweep(&m, row);
    free(row);
    m.selected = 8;
    run_text(&m, 8, xasprintf("{\"run_id\":900,\"number\":1,\"status\":\"running\",\"stage\":%s,"
                              "\"params\":{%s:%s},\"label\":%s,\"cause\":%s,\"error_text\":%s}",
                              text.data, text.data, text.data, text.data, text.data, text.data));
    struct model_run *r = model_run(&m, 900);
    for (int i = 1; i < 50; i++) {
        struct json *v = parse(i % 4 == 0 ? "{\"point\":1e300,\"epoch\":\"nan\"}"
                               : i % 4 == 1 ? "{\"point\":3,\"epoch\":-1e308,\"val_loss\":\"nan\"}"
                               : i % 4 == 2 ? "{\"point\":4,\"epoch\":1e308,\"val_loss\":1e308}"
                                            : "{\"point\":5,\"epoch\":2,\"val_loss\":-1e308}");
        model_take_point(&m, r, v);
        json_destroy(v);
    }
    model_take_detail(&m, 900, NULL, name.data);
    for (int page = PAGE_RUNS; page <= PAGE_HELP; page++)
        for (size_t i = 0; i < ARRAY_LEN(sizes) * 2; i++) {
            struct view v = {.page = (enum view_page)page, .run = 900, .ascii = i % 2 == 0,
                             .colour = i % 3 == 0, .scroll = 7};
            struct grid g;
            r->marked = true;
            grid_init(&g, sizes[i / 2][0], sizes[i / 2][1], v.ascii);
            view_order(&v, &m);
            layout_draw(&g, &m, &v, NOW);
            check_cells(&g);
            grid_finish(&g);
            view_finish(&v);
        }
    buf_finish(&name);
    buf_finish(&text);
    model_finish(&m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_page), cmocka_unit_test(test_run_page),
        cmocka_unit_test(test_sort_and_filter), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_speed), cmocka_unit_test(test_many_points),
        cmocka_unit_test(test_writer), cmocka_unit_test(test_hostile),
    };

    if (argc < 2) {
        fprintf(stderr, "usage: test_screen FOLDER\n");
        return 2;
    }
    folder = argv[1];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("client_screen", tests, NULL, NULL);
}
