/* Logs as curves: which column is which quantity, which rows make up one run. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "sweep/curve_file.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "tests/unit/curves/curve_cases.h"

#define CHECK(cases) curve_cases_check(cases, ARRAY_LEN(cases))

static void test_exports_of_other_programs(void **state)
{
    static const struct curve_case CASES[] = {
        {"keras.csv", "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,2,0.4,3\n",
         "0:2/3;0.5/0.4", "train_loss from column 3 'loss'"},
        {"keras.csv", "epoch;acc;loss;val_acc;val_loss\n0;0.5;2;0.4;3\n", "0:2/3;0.5/0.4", NULL},
        {"pandas.csv", ",loss,accuracy,val_loss,val_accuracy\n0,2,0.5,3,0.4\n1,1,0.6,2,0.5\n",
         "1:2/3;0.5/0.4 2:1/2;0.6/0.5", "rows are counted"},
        {"steps.csv", "epoch,step,train_loss_step\n0,9,2\n", "0:2/-", NULL},
        {"history.csv", "_step,_runtime,trainer/global_step,train/loss,val/loss\n1,9,1,2,3\n",
         "1:2/3", NULL},
        {"writer.csv", "step,Loss/train,Loss/val,Accuracy/val\n1,2,3,0.5\n", "1:2/3;-/0.5", NULL},
        {"means.csv", "epoch,avg_train_loss,avg_valid_loss\n1,2,3\n", "1:2/3", NULL},
        {"hf.tsv", "step\tTraining Loss\tValidation Loss\n500\t2\t3\n", "500:2/3",
         "epochs are those of column 'step'"},
        {"hf.tsv", "Epoch\tTraining Loss\tValidation Loss\tAccuracy\n1\tNo log\t3\t0.5\n2\t2\t2.5\t0.6\n",
         "1:-/3;-/0.5 2:2/2.5;-/0.6", "val_acc from column 4 'Accuracy'"},
        {"fastai.csv", "epoch,train_loss,valid_loss,accuracy,time\n0,2,3,0.5,00:12\n1,1,2,0.6,00:12\n",
         "0:2/3;-/0.5 1:1/2;-/0.6", NULL},
        {"skorch.csv", "epoch,train_loss,valid_loss\n1,2,3\n", "1:2/3", NULL},
        {"x.csv", "Epoch,trainLoss,valLoss\n1,2,3\n", "1:2/3", NULL},
        {"x.csv", "Epoch,trainloss,testloss\n1,2,3\n", "1:2/3", NULL},
        {"x.csv", "ep,tr_loss,dev_loss\n1,2,3\n", "1:2/3", NULL},
        {"x.csv", "Epoch,Training - Loss,Validation - Loss\n1,2,3\n", "1:2/3", NULL},
        {"lightning.csv",
         "epoch,lr-Adam,step,train_loss_epoch,train_loss_step,val_loss\n,0.01,0,,,\n0,,49,,2.1,\n"
         "0,,99,,,1.5\n0,,99,1.75,,\n1,,199,,,1.25\n1,,199,1.5,,\n",
         "0:1.75/1.5 1:1.5/1.25", "left out: 'train_loss_step'"},
        {"xgb.csv", ",train-rmse-mean,train-rmse-std,test-rmse-mean,test-rmse-std\n0,2,0.1,3,0.1\n"
                    "1,1,0.1,2.5,0.1\n", "1:2/3 2:1/2.5", "train_loss from column 2"},
        {"xgb.csv", "iteration,validation_0-logloss,validation_1-logloss\n0,2,3\n1,1,2.5\n",
         "0:2/3 1:1/2.5", NULL},
        {"xgb.csv", "round,train-auc,eval-auc,train-logloss,eval-logloss\n0,0.5,0.4,2,3\n",
         "0:2/3", NULL},
        {"test_error.tsv", "iter\tLogloss\n0\t2\n1\t1\n", "0:2/- 1:1/-", NULL},
        {"cat.tsv", "iter\tlearn-RMSE\ttest-RMSE\n0\t2\t3\n1\t1\t2\n", "0:2/3 1:1/2", NULL},
        {"lgb.csv", "iteration,training binary_logloss,valid_1 binary_logloss\n1,2,3\n", "1:2/3", NULL},
        {"yolo.csv", "               epoch,      train/box_loss,      train/obj_loss,   metrics/mAP_0.5,"
                     "        val/box_loss,        val/obj_loss\n                   0,  1, 0.5, 0.4, 1.25, 0.25\n",
         "0:1.5/1.5", "train_loss is the sum of 'train/box_loss' and 'train/obj_loss'"},
        {"detr.csv", "epoch,train_loss,train_loss_ce,train_loss_bbox,test_loss,test_loss_ce\n1,2,1,1,3,1\n",
         "1:2/3", NULL},
        {"vae.csv", "epoch,loss,recon_loss,kl_loss,val_loss,val_recon_loss\n1,2,1,1,3,2\n", "1:2/3", NULL},
        {"x.csv", "epoch,train_bce_loss,val_bce_loss\n1,2,3\n", "1:2/3", NULL},
        {"x.csv", "epoch,mae,mse,val_mae,val_mse\n1,5,2,6,3\n", "1:2/3", "left out: 'mae' and 'val_mae'"},
        {"x.csv", "epoch,Loss (MSE),Val Loss (MSE),Time (s)\n1,2,3,9\n", "1:2/3", NULL},
        {"x.csv", "epoch,train perplexity,valid perplexity\n1,20,30\n", "1:20/30", NULL},
        {"x.csv", "epoch,train_seg_loss,val_seg_loss\n1,2,3\n", "1:2/3", NULL},
        {"x.csv", "epoch,train_loss,val_rmse\n1,2,3\n", "1:2/-", "left out: 'val_rmse'"},
        {"x.csv", "epoch,loss_scale,lr,train_loss,best_val_loss,val_loss\n1,65536,0.1,2,1,3\n", "1:2/3", NULL},
        {"gan.csv", "epoch,d_loss,g_loss\n1,2,3\n",
         "!gan.csv: columns 'd_loss' and 'g_loss' are losses of parts, and none is the whole; rename"},
    };
    CHECK(CASES);
}

static void test_several_columns_of_one_quantity(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "epoch,test_loss,train_loss,val_loss\n1,9,2,3\n", "1:2/3", "left out: 'test_loss'"},
        {"x.csv", "epoch,train_loss,eval_loss,test_loss\n1,2,3,9\n", "1:2/3", "left out: 'test_loss'"},
        {"x.csv", "epoch,train_loss,dev_loss,val_loss\n1,2,9,3\n", "1:2/3", "left out: 'dev_loss'"},
        {"x.csv", "epoch,loss,train_loss,val_loss\n1,9,2,3\n", "1:2/3", "left out: 'loss'"},
        {"x.csv", "epoch,train_loss,train_loss_epoch\n1,9,2\n", "1:2/-", NULL},
        {"x.csv", "epoch,train_loss,val_loss,val_acc,test_acc,acc,accuracy\n1,2,3,0.5,0.6,0.7,0.8\n",
         "1:2/3;0.7/0.5", NULL},
        {"log.csv", ",loss,epoch,eval_loss,train_runtime,train_loss\n0,9,1,,,\n1,8,2,,,\n2,,2,7,,\n"
                    "3,7,3,,,\n4,,3,,60,8\n", "1:9/- 2:8/7 3:7/-", "left out: 'train_loss'"},
        {"x.csv", "epoch,train_loss,val_loss,test_loss\n1,2,,3\n2,1,,2\n", "1:2/3 2:1/2", NULL},
        {"x.csv", "epoch,val_loss,valid_loss\n1,2,3\n",
         "!x.csv: columns 'val_loss' and 'valid_loss' are one quantity twice; rename the one"},
        {"x.csv", "epoch,val_loss,valid_loss\n1,3,3\n", "1:-/3", NULL},
        {"x.csv", "epoch,loss,loss\n1,2,3\n",
         "!x.csv: columns 'loss' and 'loss (column 3)' are one quantity twice"},
        {"x.csv", "epoch,acc,accuracy,loss\n1,0.5,0.6,2\n", "1:2/-;0.5/-", "left out: 'accuracy'"},
    };
    CHECK(CASES);
}

static void test_what_is_no_loss(void **state)
{
    static const struct curve_case CASES[] = {
        {"run-train-tag-epoch_loss.csv", "Wall time,Step,Value\n1700000000.1,0,2\n", "0:2/-", NULL},
        {"run_validation-tag-epoch_loss.csv", "Wall time,Step,Value\n1.7e9,0,3\n", "0:-/3", NULL},
        {"run-a-tag-Loss_train.csv", "Wall time,Step,Value\n1.7e9,0,3\n", "0:3/-", NULL},
        {"run-a-tag-val_loss.csv", "Wall time,Step,Value\n1.7e9,0,3\n", "0:-/3", NULL},
        {"export.csv", "Wall time,Step,Value\n1.7e9,0,3\n", "0:3/-", "nothing says what it is"},
        {"run-train-tag-epoch_accuracy.csv", "Wall time,Step,Value\n1.7e9,0,0.5\n",
         "!run-train-tag-epoch_accuracy.csv: column 'Value' is no loss by the file's name: "
         "'epoch_accuracy' is an accuracy; a loss is needed"},
        {"run_eval-tag-metric_ndcg@10.csv", "Wall time,Step,Value\n1.7e9,0,0.5\n",
         "!run_eval-tag-metric_ndcg@10.csv: column 'Value' is no loss by the file's name: "
         "'metric_ndcg@10' is a score of which more is better"},
        {"run-train-tag-learning_rate.csv", "Wall time,Step,Value\n1.7e9,0,0.5\n",
         "!run-train-tag-learning_rate.csv: column 'Value' is no loss by the file's name: "
         "'learning_rate' is the learning rate"},
        {"accuracy.csv", "Wall time,Step,Value\n1.7e9,0,0.5\n", "!accuracy.csv: column 'Value' is no loss"},
        {"losses.csv", "epoch,train,val\n1,2,3\n", "1:2/3", NULL},
        {"x.csv", "epoch,train,val\n1,2,3\n", "!x.csv: no column is a loss"},
        {"study.csv", "number,value,params_lr\n0,2,0.1\n1,1,0.2\n", "!study.csv: no column is a loss"},
        {"lr_run2.csv", "Step,Value\n0,0.5\n", "!lr_run2.csv: column 'Value' is no loss"},
        {"f1.csv", "Step,Value\n0,0.5\n", "!f1.csv: column 'Value' is no loss"},
        {"x.csv", "epoch,acc,val_acc\n1,0.5,0.6\n",
         "!x.csv: no column is a loss: 'acc' (an accuracy), 'val_acc' (an accuracy); at least one of "
         "the columns train_loss (or loss, Value), val_loss is needed"},
        {"x.csv", "epoch,lr,foo\n1,0.5,0.6\n",
         "!x.csv: no column is a loss: 'lr' (the learning rate), 'foo' (unknown); at least one"},
        {"x.csv", "epoch,dropout_rate,gpu_total,eta\n1,0.5,7,9\n", "!x.csv: no column is a loss"},
        {"x.csv", "epoch,val_f1,val_auc\n1,0.5,0.6\n", "!x.csv: no column is a loss"},
        {"x.csv", "tag,step,value\naccuracy,1,0.5\naccuracy,2,0.6\n", "!x.csv: no column is a loss"},
    };
    CHECK(CASES);
}

static void test_nan(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "epoch,train_loss,val_loss\n0,NaN,3\n0,2,NaN\n1,NaN,2\n1,1,NaN\n", "0:2/3 1:1/2",
         "NaN in 'val_loss' with numbers behind it is taken as not measured"},
        {"x.csv", "epoch,train_loss,val_loss\n1,5,nan\n2,4,nan\n3,3,3\n4,2,nan\n5,1,nan\n",
         "1:5/- 2:4/- 3:3/3 4:2/- 5:1/-", NULL},
        {"x.csv", "epoch,train_loss,val_loss\n1,5,4\n2,4,nan\n3,nan,nan\n", "1:5/4 2:4/nan 3:nan/nan", ""},
        {"x.csv", "epoch,train_loss,val_loss\n1,5,4\n2,nan,3\n3,3,2\n", "1:5/4 2:-/3 3:3/2", NULL},
        {"x.csv", "epoch,train_loss,val_loss\n1,5,nan\n2,4,nan\n3,3,nan\n", "1:5/- 2:4/- 3:3/-",
         "'val_loss' is never a number: taken as not measured"},
        {"x.csv", "epoch,train_loss,val_loss\n1,nan,nan\n2,nan,nan\n", "1:nan/nan 2:nan/nan", NULL},
        {"x.csv", "epoch,train_loss\n1,2\n2,inf\n3,nan\n4,nan\n", "1:2/- 2:inf/- 3:nan/- 4:nan/-", ""},
        {"x.csv", "epoch,loss,val_loss\n1,2,3\n2,1,none\n3,1,\n", "1:2/3 2:1/- 3:1/-", NULL},
    };
    CHECK(CASES);
}

static void test_resumed(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "epoch,train_loss\n0,9\n1,8\nepoch,train_loss\n2,7\n3,6\n", "0:9/- 1:8/- 2:7/- 3:6/-",
         "line 4 has the titles again"},
        {"x.csv", "epoch;train_loss\r\n0;9\r\n1;8\r\nepoch;train_loss;val_loss\r\n2;7;5\r\n3;6;4\r\n",
         "0:9/- 1:8/- 2:7/5 3:6/4", "line 4 has titles again, of other columns"},
        {"x.csv", "epoch,train_loss\n0,9\n1,8\n2,7\n0,6\n1,5\n", "0:9/- 1:8/- 2:7/- 3:6/- 4:5/-",
         "the count of epochs begins again at line 5, the loss goes on"},
        {"x.csv", "epoch,train_loss\n1,9\n2,8\n3,7\n4,6.5\n3,7.5\n4,6\n5,5\n",
         "1:9/- 2:8/- 3:7.5/- 4:6/- 5:5/-", "resumed at epoch 3 (line 6): where epochs come twice"},
        {"x.csv", "step,train_loss\n100,9\n200,8\n100,7\n200,6\n",
         "100:9/- 200:8/- 300:7/- 400:6/-", NULL},
        {"x.csv", "epoch,train_loss\n0,9\n1,8\n0,9.5\n1,8.5\n2,6\n3,5\n4,4\n5,3\n",
         "0:9.5/- 1:8.5/- 2:6/- 3:5/- 4:4/- 5:3/-", "training begins anew 1 times"},
        {"x.csv", "epoch,train_loss\n0,9\n1,5\n2,2\n0,9\n1,5\n2,2\n0,9\n1,6\n2,3\n",
         "!x.csv: 3 trainings one after the other, each from the start, at lines 2, 5, 8; take one "
         "with --run 1 to --run 3"},
        {"x.csv", "epoch,train_loss\n0,9\n1,5\n2,2\n0,9\n1,5\n2,2\n0,9\n1,6\n2,3\n",
         "0:9/- 1:6/- 2:3/-", "training 3 of 3", "3"},
        {"x.csv", "epoch,train_loss\n0,9\n1,5\n2,2\n0,9\n1,5\n2,2\n",
         "!--run: got 4; allowed: a number from 1 to 2", NULL, "4"},
        {"x.csv", "epoch,loss,val_loss\n0,9,8\n1,8,7\nepoch,loss,lr,val_loss\n2,7,0.1,6\n3,6,0.1,5\n"
                  "4,5,0.1,4\n5,4,0.1,3\n",
         "0:9/8 1:8/7 2:7/6 3:6/5 4:5/4 5:4/3", "line 4 has titles again, of other columns"},
        {"x.csv", "iter,loss\n0,5\n1,5.1\n2,4.9\n0,4\n1,4.1\n2,4.2\n0,3\n1,3.1\n2,2.9\n",
         "0:5/- 1:5.1/- 2:4.9/- 3:4/- 4:4.1/- 5:4.2/- 6:3/- 7:3.1/- 8:2.9/-", "goes on"},
        {"x.csv", "epoch,train_loss\n3,1\n2,2\n1,3\n", "1:3/- 2:2/- 3:1/-", "put in order"},
        {"x.csv", "loss,val_loss\n9,8\n8,7\nloss,val_loss\n7,6\n", "1:9/8 2:8/7 3:7/6", NULL},
        {"x.csv", "epoch,step,train_loss\n0,1,3\n0,2,2\n0,3,1\n", "1:3/- 2:2/- 3:1/-", NULL},
        {"x.csv", "epoch,train_loss\n1,9\n,8\n2,7\n,6\n", "1:9/- 1:8/- 2:7/- 2:6/-", "2 rows without"},
    };
    CHECK(CASES);
}

static void test_several_runs(void **state)
{
    static const char RUNS[] = "run,epoch,loss\na,1,9\na,2,8\nb,1,7\nb,2,6\n";
    static const char PANEL[] = "Step,a - loss,a - loss__MIN,b - loss,b - loss__MAX\n1,2,1,3,4\n";
    static const char BOTH[] = "run_id,run_name,epoch,loss\nx1,fast,1,9\nx1,fast,2,8\nx2,slow,1,7\n"
                               "x2,slow,2,6\n";
    static const struct curve_case CASES[] = {
        {"x.csv", RUNS, "!x.csv: column 'run' tells 2 runs apart; take one with --run: 'a', 'b'"},
        {"x.csv", RUNS, "1:7/- 2:6/-", "run 'b', one of 2", "b"},
        {"x.csv", RUNS, "!--run: got c; allowed: one of those in x.csv: 'a', 'b'", NULL, "c"},
        {"x.csv", BOTH, "!x.csv: column 'run_name' tells 2 runs apart; take one with --run: 'fast', 'slow'"},
        {"x.csv", BOTH, "1:7/- 2:6/-", NULL, "slow"},
        {"x.csv", "fold,epoch,loss\n0,1,9\n0,2,8\n1,1,7\n1,2,6\n", "1:7/- 2:6/-", NULL, "1"},
        {"x.csv", "model,seed,epoch,loss\nm,1,1,9\nm,1,2,8\nm,2,1,7\nm,2,2,6\nn,1,1,5\nn,1,2,4\n",
         "1:7/- 2:6/-", NULL, "m/2"},
        {"x.csv", "run,epoch,loss\na,1,9\na,2,8\n", "1:9/- 2:8/-", NULL},
        {"x.csv", "epoch,loss\n1,9\n", "!--run: got a; allowed: nothing", NULL, "a"},
        {"x.csv", "Name,Runtime,loss\na,9,1\nb,9,2\nc,9,3\n",
         "!x.csv: column 'Name' names another run in each row: a table of runs"},
        {"x.csv", PANEL, "!x.csv: the titles' beginning before ' - ' tells 2 runs apart; take one with "
                         "--run: 'a', 'b'"},
        {"x.csv", PANEL, "1:3/-", "run 'b', one of 2", "b"},
        {"x.csv", "\"Step\",\"a, b - train/loss\",\"a, b - train/loss__MIN\",\"a, b - train/loss__MAX\","
                  "\"a, b - val/loss\"\n\"1\",\"2\",\"2\",\"2\",\"3\"\n", "1:2/3", NULL},
        {"x.csv", "\"Step\",\"a - _step\",\"a - _step__MIN\",\"a - _step__MAX\",\"a - loss\"\n"
                  "\"4\",\"4\",\"4\",\"4\",\"2\"\n", "4:2/-", NULL},
    };
    CHECK(CASES);
}

static void test_long_tables(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "key,step,value\ntrain_loss,1,9\nval_loss,1,8\naccuracy,1,0.5\ntrain_loss,2,7\nval_loss,2,6\n",
         "1:9/8;-/0.5 2:7/6", "told by column 'key'"},
        {"x.csv", "step,metric,value\n1,loss,9\n2,loss,7\n1,val_loss,8\n2,val_loss,6\n", "1:9/8 2:7/6", NULL},
        {"x.csv", "run,tag,step,value\ntrain,epoch_loss,0,9\ntrain,epoch_loss,1,7\nvalidation,epoch_loss,0,8\n"
                  "validation,epoch_loss,1,6\n", "0:9/8 1:7/6", NULL},
        {"x.csv", "run,tag,step,value\nlr1/train,loss,0,9\nlr1/validation,loss,0,8\n", "0:9/8", NULL},
        {"x.csv", "run,tag,step,value\na/train,loss,0,9\na/train,loss,1,8\nb/train,loss,0,8\n"
                  "b/train,loss,1,7\n", "!x.csv: column 'run' tells 2 runs apart", NULL},
        {"x.csv", "epoch,phase,loss,acc\n1,train,9,0.5\n1,val,8,0.6\n2,train,7,0.7\n2,val,6,0.8\n",
         "1:9/8;0.5/0.6 2:7/6;0.7/0.8", "told by column 'phase'"},
        {"x.csv", "run,key,step,value\na,loss,1,9\na,loss,2,8\nb,loss,1,7\nb,loss,2,6\n",
         "!x.csv: column 'run' tells 2 runs apart"},
        {"x.csv", "run,key,step,value\na,loss,1,9\na,loss,2,8\nb,loss,1,7\nb,loss,2,6\n", "1:7/- 2:6/-", NULL, "b"},
        {"x.csv", "key,step,value\nepoch,10,1\nloss,10,9\nepoch,20,2\nloss,20,8\n", "10:9/- 20:8/-", NULL},
        {"x.csv", "key,step,value\nbox_loss,1,9\ncls_loss,1,1\nbox_loss,2,8\ncls_loss,2,1\n", "1:10/- 2:9/-", "sum"},
        {"x.csv", "key,step,value\nloss,0,9\nloss,1,8\nloss,2,7\nloss,2,6.5\nloss,1,7.5\nloss,2,6\nval_loss,0,9\n"
                  "val_loss,1,8\nval_loss,2,7\nval_loss,1,7.5\nval_loss,2,6\n", "0:9/9 1:7.5/7.5 2:6/6", NULL},
    };
    CHECK(CASES);
}

static void test_epochs_that_stand_several_times(void **state)
{
    static const struct curve_case CASES[] = {
        {"x.csv", "epoch,loss,val_loss\n1,9,8\n1,9,8\n2,7,6\n2,7,6\n3,5,nan\n3,5,nan\n", "1:9/8 2:7/6 3:5/nan",
         "each epoch stands 2 times with the same values: taken once"},
        {"x.csv", "epoch,loss,val_loss\n1,9,8\n1,9,8.5\n2,7,6\n2,7,6\n3,5,4\n", "1:9/8 1:9/8.5 2:7/6 2:7/6 3:5/4", NULL},
        {"x.csv", "epoch,loss,val_loss\n1,9,8\n1,9,8.5\n2,7,6\n2,7,6.5\n3,5,4\n3,5,4.5\n",
         "1:9/8 1:9/8.5 2:7/6 2:7/6.5 3:5/4 3:5/4.5", "each epoch has 2 validation losses"},
        {"x.csv", "epoch,loss\n1,9\n1,8\n2,7\n2,6\n3,5\n3,4\n", "1:9/- 1:8/- 2:7/- 2:6/- 3:5/- 3:4/-", NULL},
        {"x.csv", "epoch,loss,val_loss\n1,9,8\n1,8,8\n2,7,6\n2,6,6\n3,5,4\n3,4,4\n",
         "1:9/8 1:8/8 2:7/6 2:6/6 3:5/4 3:4/4", NULL},
        {"x.csv", "epoch,loss\n1,9\n1,9\n2,7\n2,7\n", "1:9/- 1:9/- 2:7/- 2:7/-", NULL},
    };
    CHECK(CASES);
}

static void test_a_second_file_joins_by_epoch(void **state)
{
    struct curve_source train_in = {.name = "a", .bytes = "Step,train_loss\n0,5\n1,4\n3,3\n"};
    struct curve_source val_in = {.name = "b", .bytes = "Step,loss\n1,7\n2,6\n3,nan\n"};
    struct errbuf err;
    struct curve train, val;

    train_in.len = strlen(train_in.bytes);
    val_in.len = strlen(val_in.bytes);
    assert_int_equal(curve_file_parse(&train_in, &train, &err), 0);
    assert_int_equal(curve_file_parse(&val_in, &val, &err), 0);
    curve_join_val(&train, &val);
    assert_int_equal(train.count, 4);
    for (int i = 0; i < 4; i++) {
        const struct point *p = &train.points[i];
        assert_true(p->point == i + 1 && p->epoch == i);
        assert_int_equal(point_has(p, CURVE_TRAIN_LOSS), i != 2);
        assert_int_equal(point_has(p, CURVE_VAL_LOSS), i != 0);
    }
    assert_true(train.points[2].v[CURVE_VAL_LOSS] == 6 && isnan(train.points[3].v[CURVE_VAL_LOSS]));
    curve_finish(&train);
    curve_finish(&val);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exports_of_other_programs),
        cmocka_unit_test(test_several_columns_of_one_quantity),
        cmocka_unit_test(test_what_is_no_loss),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_several_runs),
        cmocka_unit_test(test_long_tables),
        cmocka_unit_test(test_epochs_that_stand_several_times),
        cmocka_unit_test(test_a_second_file_joins_by_epoch),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("curve_file", tests, NULL, NULL);
}
