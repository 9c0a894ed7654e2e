/* Logs as other programs and other people write them: each a small one of its kind. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "sweep/curve_file.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "tests/unit/curves/curve_cases.h"

#define CHECK(cases) curve_cases_check(cases, ARRAY_LEN(cases))
#define FULL "100%|\xe2\x96\x88\xe2\x96\x88| 8/8 [00:03<00:00, 2.5it/s]\n"
#define HALF " 50%|\xe2\x96\x88 | 4/8 [00:01<00:01, 2.5it/s]"

static void test_tables_on_a_terminal(void **state)
{
    static const struct curve_case CASES[] = {
        {"yolo.txt",
         "      Epoch    GPU_mem   box_loss   obj_loss  Instances       Size\n"
         "        0/1      1.3G       2.5        0.5         46        640: " FULL
         "                 Class     Images  Instances          P          R: " FULL
         "                   all        128        929       0.70       0.61\n\n"
         "      Epoch    GPU_mem   box_loss   obj_loss  Instances       Size\n"
         "        1/1      1.3G       2.0       0.25         46        640: " FULL,
         "0:3/- 1:2.25/-", "train_loss is the sum of 'box_loss' and 'obj_loss'"},
        {"yolo.txt", /* drawn again and again, with colours; the epoch's number only at the end */
         "\x1b[34m\x1b[1m      Epoch    GPU_mem   box_loss   cls_loss       Size\x1b[0m\n"
         "\r        1/2      2.6G       9.0        9.0        640: " HALF
         "\r\x1b[K        1/2      2.6G       2.5        0.5        640: " FULL
         "\r\x1b[K        2/2      2.6G       8.0        8.0        640: " HALF,
         "1:3/-", NULL},
        {"yolo.txt",
         "     Epoch   gpu_mem       box       obj       cls     total\n"
         "       0/9     9.98G      0.5      0.25      0.25       1.5: " FULL
         "       1/9     9.98G      0.5      0.25      0.25         1: " FULL,
         "0:1.5/- 1:1/-", "left out: 'box_loss', 'obj_loss' and 'cls_loss'"},
        {"skorch.txt",
         "  epoch    train_loss    valid_acc    valid_loss     dur\n"
         "-------  ------------  -----------  ------------  ------\n"
         "      1        \x1b[36m2.5000\x1b[0m       \x1b[32m0.5000\x1b[0m        "
         "\x1b[35m3.0000\x1b[0m  0.0212\n"
         "      2        \x1b[36m2.0000\x1b[0m       0.5000        2.5000  0.0212\n",
         "1:2.5/3;-/0.5 2:2/2.5;-/0.5", NULL},
        {"fastai.txt",
         "epoch     train_loss  valid_loss  accuracy  time    \n"
         "Epoch 1/2 : |----| 0.00% [0/10 00:00<?]\rEpoch 1/2 : |\xe2\x96\x88| 100.00% [10/10 00:03]\r"
         "0         2.500000    3.000000    0.500000  00:12     \n"
         "Epoch 2/2 : |----| 0.00% [0/10 00:00<?]\r1         2.000000    2.500000    0.750000  00:12\n",
         "0:2.5/3;-/0.5 1:2/2.5;-/0.75", NULL},
        {"gbm.txt",
         "      Iter       Train Loss   Remaining Time \n         1           2.5000            1.5s\n"
         "         2           2.0000            1.4s\n", "1:2.5/- 2:2/-",
         "epochs are those of column 'Iter'"},
    };
    CHECK(CASES);
}

static void test_printed_lines(void **state)
{
    static const struct curve_case CASES[] = {
        {"darknet.txt", "Loaded: 0.00003 seconds\nRegion Avg IOU: 0.30, Class: 0.02, Obj: 0.5, count: 8\n"
                        " 1: 9.5, 9.25 avg, 0.001 rate, 3.5 seconds, 64 images\n"
                        "v3 (mse loss, Normalizer: (iou: 0.75)) Region 82, total_loss = 300.5\n"
                        " 2: 8.5, 9 avg loss, 0.001 rate, 3.5 seconds, 128 images\n",
         "1:9.25/- 2:9/-", "train_loss from column 3 'avg loss'"},
        {"lgb.txt", "[10]\ttraining's l2: 4\tvalid_1's l2: 5\n[20]\ttraining's l2: 3\tvalid_1's l2: 4\n"
                    "[30]\ttraining's l2: 2\tvalid_1's l2: 6\nEarly stopping, best iteration is:\n"
                    "[20]\ttraining's l2: 3\tvalid_1's l2: 4\n",
         "10:4/5 20:3/4 30:2/6", NULL},
        {"xgb.txt", "[0]\ttrain-rmse:4\teval-rmse:5\n[1]\ttrain-rmse:3\teval-rmse:4\n"
                    "[2]\ttrain-rmse:2\teval-rmse:6\nStopping. Best iteration:\n"
                    "[1]\ttrain-rmse:3\teval-rmse:4\n",
         "0:4/5 1:3/4 2:2/6", NULL},
        {"megatron.txt", " iteration 100/ 500 | lm loss: 2.5E+00 | loss scale: 65536.0 |\n"
                         " validation loss at iteration 100 | lm loss value: 3.0E+00 | lm loss PPL: 2E+01 | \n",
         "100:2.5/3", "left out: 'validation PPL'"},
        {"caffe.txt", "solver.cpp:330] Iteration 0, Testing net (#0)\n"
                      "solver.cpp:397]     Test net output #0: accuracy = 0.5\n"
                      "solver.cpp:397]     Test net output #1: loss = 3 (* 1 = 3 loss)\n"
                      "solver.cpp:218] Iteration 0 (10.5 iter/s, 1.5s/100 iters), loss = 2.5\n"
                      "solver.cpp:237]     Train net output #0: loss = 2.5 (* 1 = 2.5 loss)\n",
         "0:2.5/3;-/0.5", NULL},
        {"timm.txt", "Train: 0 [   0/100 (  0%)]  Loss: 3.5 (3.5)  Time: 1.2s\n"
                     "Train: 0 [  99/100 (100%)]  Loss: 3.0 (2.5)  Time: 1.2s\n"
                     "Test: [   0/20]  Time: 0.5 (0.5)  Loss:  9 (9)\n"
                     "Test: [  20/20]  Time: 0.5 (0.5)  Loss:  4 (3)\n"
                     "Train: 1 [  50/100 (100%)]  Loss: 3.0 (2.0)  Time: 1.2s\n",
         "0:3.5/- 0.99:2.5/- 1:-/3 1.5:2/-", NULL},
        {"kohya.txt", "epoch 1/2\n\rsteps:  25%|\xe2\x96\x88 | 1/4 [00:11<00:50, 1.5it/s, loss=0.5]"
                      "\rsteps:  50%|\xe2\x96\x88 | 2/4 [00:11<00:50, 1.5it/s, loss=0.4]\nepoch 2/2\n"
                      "\rsteps:  75%|\xe2\x96\x88 | 3/4 [00:11<00:50, 1.5it/s, loss=0.3]"
                      "\rsteps: 100%|\xe2\x96\x88 | 4/4 [00:11<00:50, 1.5it/s, loss=0.2]\n",
         "1:0.5/- 2:0.4/- 3:0.3/- 4:0.2/-", "epochs are those of column 'step'"},
    };
    CHECK(CASES);
}

static void test_exports_of_trackers(void **state)
{
    static const struct curve_case CASES[] = {
        {"aim.csv", "run.hash,metric.name,metric.context,step,value\n"
                    "a,loss,\"{'subset': 'train'}\",1,2.5\na,loss,\"{'subset': 'val'}\",1,3\n"
                    "a,loss,\"{'subset': 'train'}\",2,2\na,loss,\"{'subset': 'val'}\",2,2.5\n",
         "1:2.5/3 2:2/2.5", "training or validation is told by column 'metric.context'"},
        {"clearml.csv", "metric,variant,iter,value\nloss,train,1,2.5\nloss,validation,1,3\n"
                        "loss,train,2,2\nloss,validation,2,2.5\n", "1:2.5/3 2:2/2.5", NULL},
        {"comet.csv", "metricName,metricValue,timestamp,step,epoch\nloss,2.5,17,10,1\n"
                      "val_loss,3,17,10,1\nloss,2,17,20,2\nval_loss,2.5,17,20,2\n",
         "1:2.5/3 2:2/2.5", NULL},
        {"x.csv", "epoch,whatever,loss\n1,train,2.5\n1,test,3\n2,train,2\n2,test,2.5\n",
         "1:2.5/3 2:2/2.5", "told by column 'whatever'"},
    };
    CHECK(CASES);
}

static void test_runs_side_by_side(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "rank,step,loss\n0,1,2.5\n1,1,3\n0,2,2\n1,2,2.5\n",
         "!x.csv: column 'rank' tells 2 runs apart; take one with --run: '0', '1'"},
        {"x.csv", "corpus,epoch,loss\nA,1,2.5\nB,1,3\nA,2,2\nB,2,2.5\n",
         "!x.csv: column 'corpus' tells 2 runs apart; take one with --run: 'A', 'B'"},
        {"x.csv", "corpus,epoch,loss\nA,1,2.5\nB,1,3\nA,2,2\nB,2,2.5\n", "1:3/- 2:2.5/-", NULL, "B"},
        {"x.csv", "note,epoch,loss\nsaved,1,2.5\n,2,2\nsaved,3,1.5\n", "1:2.5/- 2:2/- 3:1.5/-", NULL},
        {"x.csv", "note,epoch,loss\na,1,2.5\nb,2,2\na,3,1.5\n", "1:2.5/- 2:2/- 3:1.5/-", NULL},
        {"x.csv", "model,train_loss,val_loss\nvgg,2.5,3\nresnet,2,2.5\nvit,1,2\n",
         "!x.csv: column 'model' names another run in each row: a table of runs"},
    };
    CHECK(CASES);
}

static void test_what_was_not_measured(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "epoch,loss,val_loss\n1,9,0\n2,8,7\n3,7,0\n4,6,5\n5,5,0\n6,4,4\n",
         "1:9/- 2:8/7 3:7/- 4:6/5 5:5/- 6:4/4",
         "0 in 'val_loss', but for one row in 2, is taken as not measured"},
        {"x.csv", "epoch,loss,val_loss\n1,9,-1\n2,8,-1\n3,7,7\n4,6,-1\n5,5,-1\n6,4,5\n7,3,4\n",
         "1:9/- 2:8/- 3:7/7 4:6/- 5:5/- 6:4/5 7:3/4", "-1 in 'val_loss'"},
        /* hinge losses come to 0 */
        {"x.csv", "epoch,loss,val_loss\n1,9,3\n2,8,2\n3,7,1\n4,6,0\n5,5,0\n6,4,0\n",
         "1:9/3 2:8/2 3:7/1 4:6/0 5:5/0 6:4/0", NULL},
        {"x.csv", "epoch,loss,val_loss\n1,9,0\n2,8,7\n3,7,0\n4,6,0\n5,5,6\n6,4,0\n7,3,5\n8,2,0\n",
         "1:9/0 2:8/7 3:7/0 4:6/0 5:5/6 6:4/0 7:3/5 8:2/0", NULL},
        {"x.csv", "epoch,loss\n1,2.5 \xc2\xb1 0.1\n2,2 +/- 0.1\n3,1.5+-0.1\n", "1:2.5/- 2:2/- 3:1.5/-",
         NULL},
    };
    CHECK(CASES);
}

static void test_the_newest_first(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "timestamp,loss\n2024-01-03 10:00,1\n2024-01-02 10:00,2\n2024-01-01 10:00,3\n",
         "1:3/- 2:2/- 3:1/-", "the rows are put in order of 'timestamp', the last first"},
        {"x.csv", "time,loss\n1700000003.5,1\n1700000002.5,2\n1700000001.5,3\n", "1:3/- 2:2/- 3:1/-",
         NULL},
        {"x.csv", "timestamp,loss\n2024-01-01,3\n2024-01-02,2\n2024-01-03,1\n", "1:3/- 2:2/- 3:1/-",
         "rows are counted"},
        {"x.csv", "seconds,loss\n30,3\n20,2\n10,1\n", "1:3/- 2:2/- 3:1/-", NULL}, /* durations */
    };
    CHECK(CASES);
}

static void test_other_languages(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "Epoche;Trainingsverlust;Validierungsverlust;Genauigkeit\n1;2,5;3;0,5\n2;2;2,5;0,75\n",
         "1:2.5/3;-/0.5 2:2/2.5;-/0.75", NULL},
        {"x.csv", "Schritt;Verlust;Val-Verlust\n1.000;2,5;3\n2.000;2,25;2,5\n", "1000:2.5/3 2000:2.25/2.5",
         "epochs are those of column 'Schritt'"},
        {"x.csv", "\xc3\x89poque;Perte entra\xc3\xaenement;Perte de validation\n1;2,5;3\n2;2,25;2,5\n",
         "1:2.5/3 2:2.25/2.5", NULL},
        {"x.csv", "\xc3\xa9poca,p\xc3\xa9rdida entrenamiento,p\xc3\xa9rdida validaci\xc3\xb3n\n1,2.5,3\n2,2,2.5\n",
         "1:2.5/3 2:2/2.5", NULL},
        {"x.csv", "轮次,训练损失,验证损失,准确率\n1,2.5,3,0.5\n2,2,2.5,0.75\n",
         "1:2.5/3;-/0.5 2:2/2.5;-/0.75", NULL},
        {"x.csv", "エポック,訓練損失,検証損失\n1,2.5,3\n2,2,2.5\n", "1:2.5/3 2:2/2.5", NULL},
        {"gan.csv", "epoch,d_loss,g_loss\n1,2,3\n", "!gan.csv: columns 'd_loss' and 'g_loss' are"},
    };
    CHECK(CASES);
}

static void test_losses_by_name(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "update,policy_loss,value_loss,total_loss\n1,-0.5,1,2.5\n2,-0.5,1,2\n", "1:2.5/- 2:2/-",
         "left out: 'policy_loss' and 'value_loss'"},
        {"x.csv", "epoch,data_loss,l2_loss,total_loss\n1,2,0.5,2.5\n2,1.5,0.5,2\n", "1:2.5/- 2:2/-", NULL},
        {"x.csv", "epoch,loss value,val_loss/value\n1,2.5,3\n", "1:2.5/3", NULL},
        {"x.csv", "epoch,losses\n1,2.5\n", "1:2.5/-", NULL},
        {"x.csv", "epoch,neg_mean_squared_error\n1,-2.5\n2,-2\n",
         "!x.csv: no column is a loss: 'neg_mean_squared_error' (a negated error, of which more is better)"},
        {"x.csv", "epoch,train_neg_log_loss\n1,-2.5\n", "!x.csv: no column is a loss"},
        {"x.csv", "epoch,neg_log_likelihood\n1,2.5\n2,2\n", "1:2.5/- 2:2/-", NULL},
        {"x.csv", "checkpoint,eval_loss\ncheckpoint-1000,2\ncheckpoint-1500,1.5\ncheckpoint-500,3\n",
         "500:-/3 1000:-/2 1500:-/1.5", "put in order"},
        {"x.csv", "epoch,is_train,loss\n1,1,2.5\n1,0,3\n2,1,2\n2,0,2.5\n", "1:2.5/3 2:2/2.5",
         "told by column 'is_train'"},
        {"x.csv", "epoch,validation,loss\n1,False,2.5\n1,True,3\n2,False,2\n2,True,2.5\n",
         "1:2.5/3 2:2/2.5", NULL},
        {"x.csv", "epoch,layer,loss\n1,0,2.5\n1,1,9\n2,0,2\n2,1,8\n",
         "!x.csv: column 'layer' tells 2 runs apart; take one with --run: '0', '1'"},
    };
    CHECK(CASES);
}

static void test_tables_that_are_no_curves(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "lr,batch_size,train_loss,val_loss\n0.1,32,2,3\n0.01,32,1,2\n0.1,64,3,4\n0.01,64,2,3\n",
         "!x.csv: no column counts epochs or steps, and 'lr' is another in each row: a table of runs"},
        {"x.txt", "lr 1e-6: loss 2.5\nlr 1e-5: loss 2.4\nlr 1e-4: loss 2\nlr 1e-3: loss 1\nlr 1e-2: loss 9\n",
         "!x.txt: no column counts epochs or steps, and 'lr' is another in each row"},
        {"x.csv", "lr,loss\n1e-6,2.5\n1e-5.5,2.5\n1e-5,2.4\n1e-4,2\n1e-3,1\n1e-2,9\n",
         "!x.csv: no column counts epochs or steps, and 'lr' is another in each row"},
        /* a rate of training: once a tenth, and the halves of each epoch */
        {"x.csv", "lr,loss\n0.1,4\n0.1,3\n0.01,2\n0.01,1\n", "1:4/- 2:3/- 3:2/- 4:1/-", NULL},
        {"x.csv", "lr,loss\n0.8,4\n0.4,3\n0.2,2\n0.1,1\n", "1:4/- 2:3/- 3:2/- 4:1/-", NULL},
        {"x.csv", "epoch,lr,loss\n1,0.1,4\n2,0.01,3\n3,0.001,2\n4,0.0001,1\n", "1:4/- 2:3/- 3:2/- 4:1/-", NULL},
        {"x.csv", ",train_loss,val_loss\ncount,9,9\nmean,2,3\nstd,0.5,0.5\nmin,1,2\n50%,2,3\nmax,3,4\n",
         "!x.csv: the rows are statistics of a curve"},
    };
    CHECK(CASES);
}

static void test_titles_and_ends(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "Unnamed: 0,epoch,loss,val_loss\n0,1,2.5,3\n1,2,2,2.5\n", "1:2.5/3 2:2/2.5", NULL},
        {"x.csv", ",epoch,loss,val_loss\n0,0,2.5,3\n1,1,2,2.5\n2,epoch,loss,val_loss\n3,2,1.5,2\n",
         "0:2.5/3 1:2/2.5 2:1.5/2", "line 4 has the titles again"},
        {"x.csv", "epoch,loss,val_loss,\n0,2.5,3\n1,2,2.5\n2,1.5,2\n", "0:2.5/3 1:2/2.5 2:1.5/2",
         "train_loss from column 2 'loss'"},
        {"x.csv", "epoch,loss\r\r\n1,2.5\r\r\n2,2\r\r\n", "1:2.5/- 2:2/-", NULL},
        {"x.csv", "epoch,loss,val_loss\n1,2.5,\"<tf.Tensor: shape=(), dtype=float32, numpy=3.0>\"\n",
         "1:2.5/3", NULL},
        {"x.tsv", "EPOCH\tTRAIN_LOSS\tDEV_LOSS\n1\t2.5\t_\n2\t2\t\xe2\x80\x94\n3\t1.5\t3\n",
         "1:2.5/- 2:2/- 3:1.5/3", NULL},
        {"x.csv", "epoch,loss\n1,2.5\n2,nan(ind)\n3,1.#QNAN\n", "1:2.5/- 2:nan/- 3:nan/-", NULL},
        {"x.csv", "epoch,loss\n1,$2\n2,(0.5)\n3,1\n", "1:2/- 2:-0.5/- 3:1/-", NULL},
        {"x.csv", "step,Loss/total_loss,Loss/regularization_loss\n1,2.5,1\n2,2,1\n", "1:2.5/- 2:2/-",
         "left out: 'Loss/regularization_loss'"},
        {"x.csv", "step,loss,eval_en_loss,eval_de_loss\n1,2.5,3,4\n2,2,2.5,3\n", "1:2.5/- 2:2/-",
         "left out: 'eval_en_loss' and 'eval_de_loss'"},
        {"x.csv", "train/loss,time/iterations\n,1\n2.5,2\n2,3\n", "2:2.5/- 3:2/-", NULL},
        {"x.txt", "[5]\tcv_agg's l2: 2.5 + 0.1\n[10]\tcv_agg's l2: 2 + 0.1\n", "5:-/2.5 10:-/2", NULL},
        {"x.txt", "Epoch: 1 \tTraining Loss: 2.5 \tValidation Loss: 3\n"
                  "Validation loss decreased (inf --> 3.000000).  Saving model ...\n"
                  "Epoch: 2 \tTraining Loss: 2 \tValidation Loss: 2.5\n"
                  "Validation loss decreased (3.000000 --> 2.500000).  Saving model ...\n",
         "1:2.5/3 2:2/2.5", NULL},
    };
    CHECK(CASES);
}

static void test_zeros_behind_a_text(void **state)
{
    static const char text[] = "epoch,loss\n1,2.5\n2,2\n\0\0\0\0\0";
    struct curve_source in = {.name = "x.csv", .bytes = text, .len = sizeof(text) - 1};
    struct curve c;
    struct errbuf err;

    assert_int_equal(curve_file_parse(&in, &c, &err), 0);
    assert_int_equal(c.count, 2);
    assert_string_equal(c.notes[0], "5 zeros at the end of the file are left out");
    curve_finish(&c);
    in.len -= 5;
    assert_int_equal(curve_file_parse(&in, &c, &err), 0);
    assert_null(strstr(c.notes[0], "zeros"));
    curve_finish(&c);
}

static void test_json_by_name(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.json", "{\"0\": {\"loss\": 2.5, \"val_loss\": 3}, \"1\": {\"loss\": 2, \"val_loss\": 2.5}, "
                   "\"2\": {\"loss\": 1, \"val_loss\": 2}}", "0:2.5/3 1:2/2.5 2:1/2", NULL},
        {"x.json", "{\"epoch_1\": {\"train\": {\"loss\": 2.5}}, \"epoch_2\": {\"train\": {\"loss\": 2}}, "
                   "\"epoch_10\": {\"train\": {\"loss\": 1}}}", "1:2.5/- 2:2/- 10:1/-", NULL},
        {"x.json", "{\"fold_1\": {\"loss\": 2.5}, \"fold_2\": {\"loss\": 2}, \"fold_3\": {\"loss\": 1}}",
         "!x.json: columns 'fold_1/loss'"},
        {"x.json", "{\"train_loss\": [{\"step\": 1, \"value\": 2.5}, {\"step\": 2, \"value\": 2}], "
                   "\"val_loss\": [{\"step\": 2, \"value\": 3}]}", "1:2.5/- 2:2/3", NULL},
        {"x.json", "{\"metrics\": [{\"key\": \"loss\", \"step\": 1, \"value\": 2.5}, {\"key\": \"val_loss\", "
                   "\"step\": 1, \"value\": 3}]}", "1:2.5/3", NULL},
        {"x.json", "[[1700000000.5, 0, 2.5], [1700000001.5, 1, 2]]", "0:2.5/- 1:2/-", NULL},
        {"x.json", "[[0, 2.5, 3], [1, 2, 2.5]]", "!x.json: no column is a loss"},
        {"x.txt", "\xe2\x94\x8f\xe2\x94\x81\xe2\x94\xb3\xe2\x94\x81\xe2\x94\x93\n\xe2\x94\x83 Epoch \xe2\x94\x83 "
                  "Train Loss \xe2\x94\x83\n\xe2\x94\x82 1 \xe2\x94\x82 2.5 \xe2\x94\x82\n\xe2\x94\x82 2 "
                  "\xe2\x94\x82 2 \xe2\x94\x82\n\xe2\x94\x94\xe2\x94\x80\xe2\x94\xb4\xe2\x94\x80\xe2\x94\x98\n",
         "1:2.5/- 2:2/-", NULL},
    };
    CHECK(CASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_on_a_terminal), cmocka_unit_test(test_printed_lines),
        cmocka_unit_test(test_exports_of_trackers),  cmocka_unit_test(test_runs_side_by_side),
        cmocka_unit_test(test_what_was_not_measured), cmocka_unit_test(test_the_newest_first),
        cmocka_unit_test(test_other_languages),       cmocka_unit_test(test_losses_by_name),
        cmocka_unit_test(test_tables_that_are_no_curves), cmocka_unit_test(test_json_by_name),
        cmocka_unit_test(test_titles_and_ends),           cmocka_unit_test(test_zeros_behind_a_text),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("curve_kinds", tests, NULL, NULL);
}
