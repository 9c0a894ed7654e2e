/* Agreement with a person on recorded curves: argument 1 is the folder of curves and labels. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/curve_input.h"
#include "sweep/buf.h"
#include "sweep/diagnosis.h"
#include "sweep/err.h"

/* Measured with version 1 of the rules: 0.66 strictly, 0.91 with the alternatives. */
#define STRICT_FLOOR 0.72
#define ACCEPTED_FLOOR 0.94

static const char *folder;

struct tally {
    size_t count, strict, accepted;
};

static void tally_add(struct tally *t, bool strict, bool accepted)
{
    t->count++;
    t->strict += strict;
    t->accepted += strict || accepted;
}

static void tally_print(const char *name, const struct tally *t)
{
    if (t->count > 0)
        print_message("# %-20s n=%3zu strict %.3f accepted %.3f\n", name, t->count,
                      (double)t->strict / (double)t->count, (double)t->accepted / (double)t->count);
}

static void diagnose_file(const char *id, struct diagnosis *d)
{
    char *path = xasprintf("%s/%s.csv", folder, id);
    struct curve c;
    struct errbuf err;

    if (curve_input_read(path, NULL, &c, &err) != 0)
        fail_msg("%s", err.message);
    void *workspace = xmalloc(diagnosis_workspace_bytes(c.count));
    diagnose(&(struct diagnosis_input){.points = c.points, .count = c.count}, workspace, d);
    free(workspace);
    curve_finish(&c);
    free(path);
}

static bool listed(const char *names, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = names; at != NULL && *at != '\0';) {
        const char *comma = strchr(at, ',');
        size_t n = comma != NULL ? (size_t)(comma - at) : strlen(at);
        if (n == len && memcmp(at, name, len) == 0)
            return true;
        at = comma != NULL ? comma + 1 : NULL;
    }
    return false;
}

static void test_agreement_with_a_person(void **state)
{
    struct buf text = {0};
    struct errbuf err;
    struct tally all = {0}, firm = {0}, weak = {0}, by_label[PATTERN_COUNT] = {0};
    char *path = xasprintf("%s/labels.tsv", folder), *next;

    assert_int_equal(buf_read_file(&text, path, 1 << 20, &err), 0);
    next = strchr(text.data, '\n') + 1;
    for (char *row; (row = strsep(&next, "\n")) != NULL && *row != '\0';) {
        char *id = strsep(&row, "\t"), *label = strsep(&row, "\t");
        char *alternatives = strsep(&row, "\t");
        struct diagnosis d;

        assert_non_null(alternatives);
        int wanted = pattern_find(label);
        if (wanted < 0)
            fail_msg("labels.tsv: no pattern \"%s\"", label);
        diagnose_file(id, &d);
        bool strict = (int)d.pattern == wanted;
        bool accepted = listed(alternatives, pattern_name(d.pattern));
        tally_add(&all, strict, accepted);
        tally_add(d.confidence > 0.6 ? &firm : &weak, strict, accepted);
        tally_add(&by_label[wanted], strict, accepted);
    }
    for (int p = 0; p < PATTERN_COUNT; p++)
        tally_print(pattern_name((enum pattern)p), &by_label[p]);
    tally_print("confidence > 0.6", &firm);
    tally_print("confidence <= 0.6", &weak);
    tally_print("all", &all);
    assert_true(all.count >= 90);
    assert_true((double)all.strict >= STRICT_FLOOR * (double)all.count);
    assert_true((double)all.accepted >= ACCEPTED_FLOOR * (double)all.count);
    buf_finish(&text);
    free(path);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agreement_with_a_person)};

    if (argc < 2) {
        fprintf(stderr, "usage: test_curves FOLDER\n");
        return 2;
    }
    folder = argv[1];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("curves", tests, NULL, NULL);
}
