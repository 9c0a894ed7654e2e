/* Charts as text: every kind over every sort of sweep is well-formed, names its runs, and has no
 * number that is none. */
#include "client/page/html.h"
#include "client/page/page.h"
#include "client/plot/plot.h"
#include "client/plot/scale.h"
#include "client/plot/study.h"
#include "client/plot/svg.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define HOSTILE "<script>alert('x')</script> \"q\" & \x01\n\xff]]>"

/* Every element that is opened is closed in its order, and every attribute is quoted. */
static void expect_well_formed(const char *text)
{
    char open[32][32];
    size_t depth = 0;
    for (const char *p = strchr(text, '<'); p != NULL; p = strchr(p, '<')) {
        const char *end = strchr(p, '>');
        size_t len = strcspn(p + 1, " \n/>");
        assert_non_null(end);
        if (p[1] == '/') {
            len = strcspn(p + 2, ">");
            assert_true(depth > 0);
            depth--;
            assert_int_equal(strlen(open[depth]), len);
            assert_memory_equal(open[depth], p + 2, len);
        } else if (end[-1] != '/') {
            assert_true(depth < ARRAY_LEN(open) && len < sizeof open[0]);
            snprintf(open[depth++], sizeof open[0], "%.*s", (int)len, p + 1);
        }
        size_t quotes = 0;
        for (const char *q = p; q < end; q++)
            quotes += *q == '"';
        assert_int_equal(quotes % 2, 0);
        p = end;
    }
    assert_int_equal(depth, 0);
}

static bool has(const struct buf *b, const char *what)
{
    return strstr(b->data, what) != NULL;
}

static size_t count_of(const struct buf *b, const char *what)
{
    size_t n = 0;
    for (const char *p = b->data; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

/* A study of so many runs whose curves fall; every seventh has failed, every fifth is stopped. */
static void make_study(struct study *s, size_t runs, size_t parameters)
{
    *s = (struct study){.id = 3,
                        .name = xstrdup(HOSTILE),
                        .metric = xstrdup("val_<loss>"),
                        .parameter_count = parameters,
                        .run_count = runs};
    s->parameters = xcalloc(parameters + 1, sizeof *s->parameters);
    s->runs = xcalloc(runs + 1, sizeof *s->runs);
    for (size_t i = 0; i < parameters; i++) {
        struct study_parameter *p = &s->parameters[i];
        *p = (struct study_parameter){.name = xasprintf("p%zu" HOSTILE, i),
                                      .logarithmic = i % 3 == 0};
        if (i % 3 == 1) {
            p->choices = xcalloc(2, sizeof *p->choices);
            p->choices[p->choice_count++] = xstrdup("a choice of a very long name <b>");
            p->choices[p->choice_count++] = xstrdup("b");
        }
    }
    for (size_t i = 0; i < runs; i++) {
        struct study_run *r = &s->runs[i];
        *r = (struct study_run){.id = (int64_t)i + 1,
                                .number = (int64_t)i,
                                .status = i % 5 == 4 ? RUN_STOPPED : RUN_COMPLETED,
                                .pattern = (enum pattern)((int)(i % 3) - 1),
                                .metric = 1 / (1 + (double)i),
                                .seconds = (double)i,
                                .ended = NAN};
        r->started = (double)i;
        r->ended = (double)i + 1.5;
        r->stage = xstrdup("random");
        r->cause = xstrdup("");
        r->why = xstrdup("");
        r->values = xcalloc(parameters + 1, sizeof *r->values);
        for (size_t k = 0; k < parameters; k++)
            r->values[k] = k % 3 == 1 ? (double)(i % 2) : 0.001 * (double)(i + 1);
        if (i % 7 == 6) {
            r->status = RUN_FAILED;
            r->metric = NAN;
        }
        struct study_curve *c = &r->curve;
        c->count = 10;
        c->epoch = xcalloc(10, sizeof(double));
        c->train = xcalloc(10, sizeof(double));
        c->val = xcalloc(10, sizeof(double));
        for (size_t k = 0; k < 10; k++) {
            c->epoch[k] = (double)k + 1;
            c->train[k] = 1 - 0.05 * (double)k;
            c->val[k] = k == 5 ? NAN : 2 - 0.1 * (double)k;
        }
        c->regime_count = 2;
        c->regimes[0] = (struct diagnosis_regime){1, 5, PATTERN_LEARNING};
        c->regimes[1] = (struct diagnosis_regime){6, 10, PATTERN_OVERFITTING};
    }
}

static void draw(enum plot_kind k, const struct study *s, struct plot_options o, struct buf *out)
{
    buf_clear(out);
    (void)plot_draw(k, s, &o, out);
    expect_well_formed(out->data);
    assert_true(strncmp(out->data, "<svg ", 5) == 0);
    assert_true(has(out, "<title id=") && has(out, "<desc id=") && has(out, "role=\"img\""));
    assert_false(has(out, "<script"));
    assert_false(has(out, "nan\"") || has(out, "\"nan") || has(out, "inf\"") || has(out, "Mnan") ||
                 has(out, "Lnan"));
    assert_true(has(out, "&lt;script&gt;"));
}

static void draw_all_kinds(const struct study *s)
{
    struct buf out = {0};
    for (int k = 0; k < PLOT_COUNT; k++) {
        for (int l = 0; l < LANGUAGE_COUNT; l++) {
            draw((enum plot_kind)k, s, (struct plot_options){.language = (enum language)l}, &out);
            draw((enum plot_kind)k, s, (struct plot_options){.standalone = true, .run = 2}, &out);
            assert_true(has(&out, "prefers-color-scheme"));
        }
    }
    buf_finish(&out);
}

static void test_every_kind_of_every_sweep(void **state)
{
    static const size_t runs[] = {0, 1, 2, 9, 40, 700}, parameters[] = {0, 1, 2, 5, 30};
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        for (size_t k = 0; k < ARRAY_LEN(parameters); k++) {
            struct study s;
            make_study(&s, runs[i], parameters[k]);
            draw_all_kinds(&s);
            s.maximize = true;
            draw_all_kinds(&s);
            study_finish(&s);
        }
    }
}

/* The metric and so many others, of which the last one is to be high; every ninth run lacks one. */
static void give_objectives(struct study *s, size_t count)
{
    s->objective_count = count;
    s->objectives[0] = (struct study_objective){xstrdup(s->metric), s->maximize};
    for (size_t k = 1; k < count; k++)
        s->objectives[k] =
            (struct study_objective){xasprintf("goal%zu" HOSTILE, k), k + 1 == count};
    for (size_t i = 0; i < s->run_count; i++) {
        s->runs[i].objectives = xcalloc(count, sizeof(double));
        s->runs[i].on_front = i % 10 == 0;
        for (size_t k = 0; k < count; k++)
            s->runs[i].objectives[k] = k == 0           ? s->runs[i].metric
                                       : i % 9 == k % 9 ? NAN
                                                        : (double)((i + 1) * (k + 3) % 17);
    }
}

static void test_several_objectives(void **state)
{
    static const size_t counts[] = {2, 3, 4, 8}, runs[] = {0, 1, 9, 40, 700};
    for (size_t i = 0; i < ARRAY_LEN(counts) * ARRAY_LEN(runs); i++) {
        size_t count = counts[i / ARRAY_LEN(runs)];
        struct study s;
        struct buf out = {0};
        make_study(&s, runs[i % ARRAY_LEN(runs)], 30);
        give_objectives(&s, count);
        draw_all_kinds(&s);
        draw(PLOT_pareto, &s, (struct plot_options){0}, &out);
        if (s.run_count >= 9) {
            assert_int_equal(count_of(&out, "class=\"best\""), count * (count - 1) / 2);
            assert_true(has(&out, word_in(LANGUAGE_EN, WORD_FRONTS)));
            assert_true(has(&out, "class=\"ring\""));
        }
        draw(PLOT_pareto, &s,
             (struct plot_options){.x = s.objectives[0].name, .y = s.objectives[count - 1].name},
             &out);
        assert_int_equal(count_of(&out, "class=\"best\""), s.run_count >= 9 ? 1 : s.run_count == 1);
        draw(PLOT_pareto, &s, (struct plot_options){.y = s.objectives[0].name}, &out);
        draw(PLOT_parallel, &s, (struct plot_options){0}, &out);
        assert_true(s.run_count == 0 || has(&out, ">goal1&lt;script"));
        buf_finish(&out);
        study_finish(&s);
    }
}

/* Where its line bends: each run on the front is a place "x y" behind an L or the M. */
static void test_front_of_a_pair(void **state)
{
    /* to be low, to be high; the last is bettered by the second in both */
    static const double values[][2] = {{1, 1}, {2, 5}, {3, 9}, {4, 9}, {2.5, 4}};
    struct study s;
    struct buf out = {0};
    make_study(&s, ARRAY_LEN(values), 1);
    give_objectives(&s, 2);
    for (size_t i = 0; i < s.run_count; i++)
        memcpy(s.runs[i].objectives, values[i], sizeof values[i]);
    draw(PLOT_pareto, &s, (struct plot_options){0}, &out);
    const char *line = strstr(out.data, "<path class=\"best\" d=\"");
    assert_non_null(line);
    size_t bends = 0;
    for (line = strstr(line, " d=\"") + strlen(" d=\""); *line != '"'; line++)
        bends += *line == 'M' || *line == 'L';
    assert_int_equal(bends, 1 + 2 + 2); /* three runs, a step between two of them */
    buf_finish(&out);
    study_finish(&s);
}

static void test_no_run_has_a_value(void **state)
{
    struct study s;
    make_study(&s, 12, 3);
    for (size_t i = 0; i < s.run_count; i++) {
        s.runs[i].metric = NAN;
        s.runs[i].status = RUN_FAILED;
        s.runs[i].started = s.runs[i].ended = s.runs[i].seconds = NAN;
        s.runs[i].curve.count = 0;
    }
    draw_all_kinds(&s);
    struct buf out = {0};
    draw(PLOT_pareto, &s, (struct plot_options){0}, &out);
    assert_true(has(&out, word_in(LANGUAGE_EN, WORD_NOTHING)));
    draw(PLOT_history, &s, (struct plot_options){0}, &out);
    assert_int_equal(count_of(&out, "l6 6m-6 0"), 12); /* crosses, of three labels */
    buf_finish(&out);
    study_finish(&s);
}

static void test_numbers_at_the_ends_of_doubles(void **state)
{
    static const double ends[] = {0, -1e308, 1e308, 5e-324, -5e-324, 1e300, 1, 1};
    struct study s;
    make_study(&s, 8, 3);
    for (size_t i = 0; i < 8; i++) {
        s.runs[i].metric = ends[i];
        s.runs[i].values[0] = fabs(ends[7 - i]);
        s.runs[i].values[2] = ends[i];
        s.runs[i].curve.val[3] = ends[i];
        s.runs[i].seconds = fabs(ends[i]);
    }
    draw_all_kinds(&s);
    study_finish(&s);
}

static void test_history_marks_each_run(void **state)
{
    struct study s;
    struct buf out = {0};
    make_study(&s, 20, 2);
    draw(PLOT_history, &s, (struct plot_options){0}, &out);
    assert_int_equal(count_of(&out, "data-run="), 18); /* two failed */
    assert_int_equal(count_of(&out, "class=\"hollow"), 4);
    assert_true(has(&out, "class=\"best\""));
    buf_finish(&out);
    study_finish(&s);
}

static void test_bands_of_one_run(void **state)
{
    struct study s;
    struct buf out = {0};
    make_study(&s, 3, 1);
    draw(PLOT_curves, &s, (struct plot_options){.run = 2}, &out);
    assert_int_equal(count_of(&out, "class=\"band "), 2);
    assert_true(has(&out, "class=\"band p-learning\"") &&
                has(&out, "class=\"band p-overfitting\""));
    /* The point that is none breaks the line in two. */
    const char *solid = strstr(out.data, "<path class=\"best\" data-run=\"2\" d=\"");
    assert_non_null(solid);
    size_t pens = 0;
    for (const char *p = strstr(solid, "d=\""); *p != '/'; p++)
        pens += *p == 'M';
    assert_int_equal(pens, 2);
    buf_finish(&out);
    study_finish(&s);
}

static void test_contour_chooses_what_tells_most(void **state)
{
    struct study s;
    struct buf out = {0};
    make_study(&s, 40, 5);
    for (size_t i = 0; i < 40; i++) {
        s.runs[i].status = RUN_COMPLETED;
        s.runs[i].values[2] = fabs((double)i - 20); /* both ways from the middle */
        s.runs[i].metric = s.runs[i].values[2] + 0.1 * (double)(i % 2);
        s.runs[i].values[0] = (double)(i * 7 % 11 + 1);
        s.runs[i].values[3] = (double)(i * 5 % 13 + 1);
        s.runs[i].values[4] = (double)(i * 3 % 17);
    }
    assert_true(study_strength(&s, 2) > 0.8);
    assert_true(study_strength(&s, 0) < 0.3);
    draw(PLOT_contour, &s, (struct plot_options){0}, &out);
    assert_true(has(&out, ">p2&lt;script"));
    draw(PLOT_contour, &s,
         (struct plot_options){.x = s.parameters[3].name, .y = s.parameters[4].name}, &out);
    assert_true(has(&out, ">p3&lt;script") && has(&out, ">p4&lt;script") && !has(&out, ">p2&lt;"));
    buf_finish(&out);
    study_finish(&s);
}

static void test_importance_in_its_order(void **state)
{
    struct study s;
    struct buf out = {0};
    make_study(&s, 20, 3);
    draw(PLOT_importance, &s, (struct plot_options){0}, &out);
    assert_false(has(&out, "class=\"bar")); /* too early to say */
    s.importance_runs = 18;
    s.parameters[0].importance = 0.25;
    s.parameters[1].importance = 0;
    s.parameters[2].importance = 0.75;
    draw(PLOT_importance, &s, (struct plot_options){0}, &out);
    assert_true(has(&out, ">75.00 %<") && has(&out, "By 18 of 20 runs."));
    assert_true(strstr(out.data, ">75.00 %<") < strstr(out.data, ">25.00 %<"));
    assert_true(strstr(out.data, ">25.00 %<") < strstr(out.data, ">0.00 %<"));
    s.parameters[0].importance = s.parameters[2].importance = 0; /* nothing shows an influence */
    draw(PLOT_importance, &s, (struct plot_options){0}, &out);
    buf_finish(&out);
    study_finish(&s);
}

static void test_scales(void **state)
{
    struct scale s = {.from = 0, .to = 100};
    double ticks[SCALE_TICKS_MAX];
    scale_over(&s, (double[]){1, 10, 100}, 3, true);
    assert_true(s.logarithmic);
    assert_true(fabs(scale_at(&s, 10) - 50) < 1e-6);
    assert_true(isnan(scale_at(&s, NAN)));
    assert_true(scale_ticks(&s, 4, ticks) >= 2);
    scale_over(&s, (double[]){0, 10}, 2, true); /* no logarithm of 0 */
    assert_false(s.logarithmic);
    scale_over(&s, (double[]){5}, 1, false);
    assert_true(s.low < 5 && s.high > 5);
    double many[20];
    for (size_t i = 0; i < 20; i++)
        many[i] = 1 + 0.01 * (double)i;
    many[4] = 1e30;
    assert_int_equal(scale_over_metric(&s, many, 20, false), 1);
    assert_true(s.high < 2);
    assert_true(scale_at(&s, 1e30) == 100);
}

static void test_names_are_escaped(void **state)
{
    struct buf out = {0};
    svg_escape(&out, "<a href=\"x\">&'\x01\xff"
                     "ok\xe6\xb7\xb1");
    assert_string_equal(out.data, "&lt;a href=&quot;x&quot;&gt;&amp;&#39;\xef\xbf\xbd\xef\xbf\xbd"
                                  "ok\xe6\xb7\xb1");
    buf_clear(&out);
    svg_escape_cut(&out, "<<<<", 2);
    assert_string_equal(out.data, "&lt;&lt;…");
    buf_finish(&out);
}

/* --- reports ------------------------------------------------------------------------------------
 */

/* As `show` has it, with names that would be elements. */
static struct json *hostile_show(void)
{
    static const char text[] =
        "{\"sweep\":{\"id\":3,\"name\":\"<script>x</"
        "script>\",\"status\":\"held\",\"reason\":\"<b>\"},"
        "\"treatments\":[{\"run_id\":2,\"parent_id\":1,\"pattern\":\"<i>\",\"remedy\":"
        "\"\\\"l2\\\"\","
        "\"cured\":1,\"change\":\"nan\"}],\"front\":[{\"run_id\":1,\"repetitions\":2,"
        "\"objectives\":{\"val_<loss>\":1},\"params\":{\"<b>\":\"<i>\"}},7],"
        "\"findings\":[{\"kind\":\"<u>\",\"count\":3}],"
        "\"range_edits\":7,\"stopping\":null}";
    struct errbuf err;
    struct json *show = json_parse(text, sizeof text - 1, &err);
    assert_non_null(show);
    return show;
}

static void make_page(size_t runs, enum language language, struct buf *out)
{
    struct page_decision why = {1, xstrdup("proposed"), xstrdup(HOSTILE)};
    struct json *show = hostile_show();
    char mark[] = "<u>";
    struct decision_group group = {mark, mark, why.reason, 1, 0, 900};
    struct page_sweep sweep = {.show = show, .groups = {&group, 1, 1}, .decisions = &why,
                               .decision_count = 1, .decisions_all = 900};
    make_study(&sweep.study, runs, 5);
    give_objectives(&sweep.study, 3);
    for (size_t i = 0; i < runs; i++) {
        free(sweep.study.runs[i].why);
        sweep.study.runs[i].why = xstrdup(HOSTILE);
    }
    page_write(&(struct page){language, "2026-01-31 22:05", &sweep, 1}, out);
    study_finish(&sweep.study);
    json_destroy(show);
    free(why.kind);
    free(why.reason);
}

static void test_page_holds_no_element_of_a_name(void **state)
{
    static const size_t runs[] = {0, 1, 12, 400};
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        for (int l = 0; l < LANGUAGE_COUNT; l++) {
            struct buf out = {0};
            make_page(runs[i], (enum language)l, &out);
            assert_int_equal(count_of(&out, "<script"), page_library.len > 0 ? 3 : 2);
            assert_true(has(&out, word_in((enum language)l, WORD_FRONT)));
            assert_false(has(&out, "<b>") || has(&out, "<i>") || has(&out, "<u>"));
            assert_int_equal(count_of(&out, "http://"),
                             count_of(&out, "http://www.w3.org/2000/svg"));
            assert_true(has(&out, "default-src 'none'") && !has(&out, "unsafe"));
            assert_true(has(&out, l == LANGUAGE_ZH ? "lang=\"zh-Hans\"" : "lang=\"en\""));
            buf_finish(&out);
        }
    }
}

static void test_page_data_is_json(void **state)
{
    struct buf out = {0};
    struct errbuf err;
    make_page(12, LANGUAGE_EN, &out);
    const char *start = strstr(out.data, "id=\"data\">") + strlen("id=\"data\">");
    struct json *data = json_parse(start, (size_t)(strstr(start, "</script>") - start), &err);
    assert_non_null(data);
    const struct json *sweep = json_first(json_get(data, "sweeps"));
    assert_int_equal(json_count(json_get(sweep, "runs")), 12);
    assert_int_equal(json_count(json_get(sweep, "curves")), 12);
    const struct json *curve = json_first(json_get(sweep, "curves"));
    assert_int_equal(json_number(json_first(curve)), 10);
    assert_int_equal(json_count(json_get(sweep, "objectives")), 2);
    const struct json *run = json_first(json_get(sweep, "runs"));
    assert_int_equal(json_count(run), 6 + 5 + 2); /* then its parameters, then those */
    json_destroy(data);
    buf_finish(&out);
}

static void test_hash_and_base64(void **state)
{
    struct buf out = {0};
    html_hash(&out, "abc", 3);
    assert_string_equal(out.data, "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='");
    buf_clear(&out);
    html_base64(&out, "ab", 2);
    assert_string_equal(out.data, "YWI=");
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_every_sweep),
        cmocka_unit_test(test_several_objectives),
        cmocka_unit_test(test_front_of_a_pair),
        cmocka_unit_test(test_no_run_has_a_value),
        cmocka_unit_test(test_numbers_at_the_ends_of_doubles),
        cmocka_unit_test(test_history_marks_each_run),
        cmocka_unit_test(test_bands_of_one_run),
        cmocka_unit_test(test_contour_chooses_what_tells_most),
        cmocka_unit_test(test_importance_in_its_order),
        cmocka_unit_test(test_scales),
        cmocka_unit_test(test_names_are_escaped),
        cmocka_unit_test(test_page_holds_no_element_of_a_name),
        cmocka_unit_test(test_page_data_is_json),
        cmocka_unit_test(test_hash_and_base64),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
