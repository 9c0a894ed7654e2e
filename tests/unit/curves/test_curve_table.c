/* Delimited logs: dialects, titles, cells. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sweep/buf.h"
#include "sweep/curve_file.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "tests/unit/curves/curve_cases.h"

#define CHECK(cases) curve_cases_check(cases, ARRAY_LEN(cases))

static void test_dialects(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "epoch,train_loss,val_loss,val_acc\n1,2.5,3,0.5\n2,2,,nan\n3,1,2,0.6\n",
         "1:2.5/3;-/0.5 2:2/- 3:1/2;-/0.6", ""},
        {"x.csv", "\xef\xbb\xbf\"val_loss\", train_loss ,epoch,note\r\n3,2.5,1,a\r\n\r\n,2,2,b",
         "1:2.5/3 2:2/-", ""},
        {"x.csv", "sep=;\r\nepoch;train_loss;val_loss\r\n1;2,5;3\r\n2;1,5e-1;\r\n;;\r\n",
         "1:2.5/3 2:0.15/-", "a comma is the decimal mark"},
        {"x.csv", "\xef\xbb\xbfsep=,\nepoch,train_loss,val_loss\n1,2.5,3\n2,0.15,\n,,,,\n",
         "1:2.5/3 2:0.15/-", NULL},
        {"x.csv", "epoch,train_loss,val_loss\r1,2.5,3\r2,0.15,\r", "1:2.5/3 2:0.15/-", NULL},
        {"x.csv", "sep=|\repoch|train_loss|val_loss\r1|2.5|3\r2|0.15|", "1:2.5/3 2:0.15/-", NULL},
        {"x.tsv", "epoch\ttrain_loss\tval_loss\n1\t2.5\tNo log\n2\t0.15\t3\n",
         "1:2.5/- 2:0.15/3", ""},
        {"x.txt", "epoch train_loss val_loss\n1 2.5 3\n2 0.15 2\n", "1:2.5/3 2:0.15/2", ""},
        {"x.txt", "   epoch   train_loss  val_loss\n0      1    2.500000       3.0\n"
                  "1      2    0.150000       NaN\n2      3    0.1            2.5\n",
         "1:2.5/3 2:0.15/- 3:0.1/2.5", NULL},
        {"x.txt", "   Epoch  Training Loss  Validation Loss\n0      1            2.5              3\n"
                  "1      2           0.15              2\n",
         "1:2.5/3 2:0.15/2", NULL},
        {"x.txt", "# epoch train_loss val_loss\n1.0e+00 2.5e+00 3.0e+00\n2.0e+00 1.5e-01 2.0e+00\n",
         "1:2.5/3 2:0.15/2", NULL},
        {"x.csv", "#epoch,train_loss,val_loss\n1,2.5,3\n2,0.15,2\n", "1:2.5/3 2:0.15/2", NULL},
        {"x.csv", "# host: a\n# seed=3, lr=0.1\nepoch,train_loss\n1,2.5\n# resumed\n2,0.15\n",
         "1:2.5/- 2:0.15/-", NULL},
        {"x.csv", "Experiment: first\nModel=resnet,lr=0.1\n\nepoch,train_loss,val_loss\n1,2.5,3\n"
                  "2,2,2.75\n3,0.15,2\n",
         "1:2.5/3 2:2/2.75 3:0.15/2", NULL},
        {"x.md", "| epoch | train_loss | val_loss |\n|---|---|---|\n| 1 | 2.5 | 3 |\n"
                 "| 2 | 0.15 | 2 |\n",
         "1:2.5/3 2:0.15/2", NULL},
        {"x.csv", "epoch;\"loss, mean\";train_loss\n1;7;2.5\n2;7;0.15\n", "1:2.5/- 2:0.15/-",
         "left out: 'loss, mean'"},
        {"x.csv", "epoch,train_loss\n(#),(nats)\n1,2.5\n2,0.15\n", "1:2.5/- 2:0.15/-", NULL},
        {"x.csv", "\"epoch\",\"train_loss\"\n\"1\",\"2.5\"\n\"2\",\"0.15\"\n", "1:2.5/- 2:0.15/-", ""},
        {"x.csv", "epoch\ttrain_loss\n1\t1,234.5\n2\t987.25\n", "1:1234.5/- 2:987.25/-", NULL},
        {"x.csv", "epoch,train_loss\n1,\"1,234.5\"\n2,987.25\n", "1:1234.5/- 2:987.25/-", NULL},
        {"x.csv", "epoch;train_loss\n1;1.234,5\n2;987,25\n", "1:1234.5/- 2:987.25/-",
         "a comma is the decimal mark"},
        {"x.csv", "epoch,train_loss\n1,\"2,5\"\n2,\"0,15\"\n", "1:2.5/- 2:0.15/-",
         "a comma is the decimal mark"},
        {"x.csv", "step,loss\n\"1,000\",2.5\n\"2,000\",0.15\n", "1000:2.5/- 2000:0.15/-", NULL},
        /* R writes no title above the names of rows. */
        {"x.csv", "\"epoch\",\"train_loss\"\n\"1\",1,2.5\n\"2\",2,0.15\n", "1:2.5/- 2:0.15/-", NULL},
    };
    CHECK(CASES);
}

static void test_utf16(void **state)
{
    static const char TEXT[] = "epoch,train_loss\n1,2.5\n";
    char wide[2 + 2 * sizeof(TEXT)] = "\xff\xfe";
    struct curve c;
    struct errbuf err;

    for (size_t i = 0; i < sizeof(TEXT) - 1; i++)
        wide[2 + 2 * i] = TEXT[i];
    struct curve_source in = {.name = "x", .bytes = wide, .len = 2 * sizeof(TEXT)};
    assert_int_equal(curve_file_parse(&in, &c, &err), 0);
    assert_true(c.count == 1 && c.points[0].v[CURVE_TRAIN_LOSS] == 2.5);
    curve_finish(&c);
}

static void test_cells(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "epoch,train_loss,val_acc\n1,2.5,61.5%\n2,2,63 %\n",
         "1:2.5/-;-/0.615 2:2/-;-/0.63", NULL},
        {"x.csv", "epoch,train_loss,val_acc\n1,2.5,61.5\n2,2,63\n",
         "1:2.5/-;-/0.615 2:2/-;-/0.63", "'val_acc' is taken as per cent"},
        {"x.csv", "epoch,train_loss,Val Acc (%)\n1,2.5,61.5\n2,2,63\n",
         "1:2.5/-;-/0.615 2:2/-;-/0.63", NULL},
        {"x.csv", "epoch;train_loss;val_acc\n1;2,5;61,5%\n2;2,25;63,25%\n",
         "1:2.5/-;-/0.615 2:2.25/-;-/0.6325", NULL},
        {"x.csv", "epoch,train_loss,val_acc\n1,2.5,good\n2,2,bad\n", "1:2.5/- 2:2/-", NULL},
        {"x.csv", "epoch,train_loss\n1,tensor(2.5)\n2,\"tensor(0.15, device='cuda:0')\"\n",
         "1:2.5/- 2:0.15/-", NULL},
        {"x.csv", "epoch,train_loss\n1,[2.5]\n2,np.float32(0.15)\n", "1:2.5/- 2:0.15/-", NULL},
        {"x.csv", "epoch,train_loss\n1/30,2.5\n2/30,0.15\n", "1:2.5/- 2:0.15/-", NULL},
        {"x.csv", "epoch,train_loss\n[1/30],2.5\n[2/30],0.15\n", "1:2.5/- 2:0.15/-", NULL},
        {"x.csv", "epoch,train_loss\nEpoch 1,2.5\nEpoch 2,0.15\n", "1:2.5/- 2:0.15/-", NULL},
        {"x.csv", "epoch,train_loss\n1,2.5 nats\n2,0.15 nats\n", "1:2.5/- 2:0.15/-", NULL},
        {"x.csv", "Epoch [#],Train Loss (nats),Val Loss (nats),LR [1e-3]\n1,2.5,3,1\n2,0.15,2,1\n",
         "1:2.5/3 2:0.15/2", NULL},
        {"x.csv", "epoch,train_loss\n1,inf\n2,-inf\n3,+Infinity\n4,1e-3\n",
         "1:inf/- 2:-inf/- 3:inf/- 4:0.001/-", NULL},
        {"x.csv", "epoch,train_loss,val_loss\n1,5,none\n2,4,NONE\n3,3,n/a\n4,2,#N/A\n5,1,<NA>\n"
                  "6,1,-\n7,1,--\n8,1,?\n9,1,No log\n10,1,Null\n11,1,nil\n12,1,3\n",
         "1:5/- 2:4/- 3:3/- 4:2/- 5:1/- 6:1/- 7:1/- 8:1/- 9:1/- 10:1/- 11:1/- 12:1/3", ""},
        {"x.csv", "epoch,train_loss\n1,2.5\n2,abc\n",
         "!x.csv: line 3, column train_loss: got \"abc\"; allowed: a number, nan, inf, -inf, or "
         "nothing (not measured)"},
        {"x.csv", "epoch,train_loss\n1,1e999\n",
         "!x.csv: line 2, column train_loss: got \"1e999\"; allowed"},
        {"x.csv", "epoch,train_loss\n1,0x10\n",
         "!x.csv: line 2, column train_loss: got \"0x10\"; allowed"},
    };
    CHECK(CASES);
}

static void test_damage(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "epoch,train_loss,val_loss\n1,2.5,3\n2,2,2.5\n3,1.", "1:2.5/3 2:2/2.5",
         "line 4, the last, is cut off: left out"},
        {"x.csv", "epoch,train_loss,val_loss\n1,2.5,3\n2,2,2.5\n\"3", "1:2.5/3 2:2/2.5",
         "line 4, the last, is cut off: left out"},
        {"x.csv", "epoch,train_loss,val_loss\n1,2.5000,3.0000\n2,2.0000,2.5000\n3,1.5000,2.1",
         "1:2.5/3 2:2/2.5", "line 4, the last, is cut off: left out"},
        {"x.csv", "epoch,train_loss,val_loss\n1,2.5,3\n2,2,2.5\n3,1.5,1e-", "1:2.5/3 2:2/2.5",
         "line 4, the last, is cut off: left out"},
        {"x.csv", "epoch,train_loss,val_loss\n1,2.5,3\n2,2\n3,1,2\n", "1:2.5/3 2:2/- 3:1/2",
         "line 3 has 2 cells of 3"},
        {"x.csv", "epoch,train_loss,val_loss\n1,2.5,3\nresumed from last.pt\n2,2,2\n",
         "1:2.5/3 2:2/2", "line 3 is no row: left out"},
        {"x.csv", "epoch,train_loss\n1,2\n2,2,3\n",
         "!x.csv: line 3: got 3; allowed: 2 cells, as in the header; numbers with decimal commas "
         "need quotes, or ';' between the cells"},
        {"x.csv", "epoch,train_loss,val_loss\n1,2,5,3,5\n2,1,5,2,5\n",
         "!x.csv: line 2: got 5; allowed: 3 cells"},
        {"x.csv", "epoch,train_loss\n1,2\n2,1\nmean,1.5\n", "1:2/- 2:1/-", "line 4 has no number in"},
        {"x.csv", "", "!x.csv: empty; the first line must name the columns"},
        {"x.csv", "\n \n", "!x.csv: empty; the first line must name the columns"},
        {"x.csv", "1,2.5,3\n2,2,2.5\n",
         "!x.csv: no titles: the first line is numbers already; the first line must name"},
        {"x.csv", "epoch,train_loss\n,1\n",
         "!x.csv: line 2, column epoch: got \"\"; allowed: a number"},
        {"x.csv", "epoch,train_loss\ninf,1\n",
         "!x.csv: line 2, column epoch: got \"inf\"; allowed: a finite number >= 0"},
        {"x.csv", "epoch,train_loss\nfirst,1\nsecond,2\n",
         "!x.csv: line 2, column epoch: got \"first\"; allowed: a number"},
        {"x.csv", "epoch,train_loss,val_loss\n1,,\n2,,\n", "!x.csv: no row has a value of a loss"},
    };
    CHECK(CASES);
}

static int parse(const struct buf *text, struct curve *c, struct errbuf *err)
{
    struct curve_source in = {.name = "x", .bytes = text->data, .len = text->len};
    return curve_file_parse(&in, c, err);
}

static void test_too_much_is_refused(void **state)
{
    struct buf text = {0};
    struct errbuf err;
    struct curve c;

    buf_puts(&text, "epoch");
    for (int i = 0; i < LOG_COLUMNS_MAX; i++)
        buf_printf(&text, ",a%d", i);
    buf_puts(&text, "\n1");
    for (int i = 0; i < LOG_COLUMNS_MAX; i++)
        buf_puts(&text, ",1");
    assert_int_equal(parse(&text, &c, &err), ERR_LIMIT);
    buf_clear(&text);
    /* Each of them a training from the start, and each as long. */
    buf_puts(&text, "epoch,train_loss\n");
    for (int i = 0; i < 200000; i++)
        buf_puts(&text, "0,9\n1,8\n2,1\n");
    assert_int_equal(parse(&text, &c, &err), ERR_VALUE);
    buf_clear(&text);
    /* One title thousands of times. */
    buf_puts(&text, "loss");
    for (int i = 1; i < LOG_COLUMNS_MAX; i++)
        buf_puts(&text, ",loss");
    for (int row = 0; row < 20; row++) {
        buf_puts(&text, "\n1");
        for (int i = 1; i < LOG_COLUMNS_MAX; i++)
            buf_puts(&text, ",1");
    }
    assert_int_equal(parse(&text, &c, &err), ERR_VALUE);
    buf_clear(&text);
    buf_puts(&text, "train_loss\n");
    for (int i = 0; i < LOG_ROWS_MAX; i++)
        buf_puts(&text, "1.5\n");
    assert_int_equal(parse(&text, &c, &err), 0);
    assert_int_equal(c.count, LOG_ROWS_MAX);
    curve_finish(&c);
    buf_puts(&text, "1\n");
    assert_int_equal(parse(&text, &c, &err), ERR_LIMIT);
    buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_too_much_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("curve_table", tests, NULL, NULL);
}
