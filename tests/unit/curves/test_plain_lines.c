/* What programs print. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "log_text.h"

#define BAR "\xe2\x94\x81\xe2\x94\x81"

static void expect(const char *text, const char *expected)
{
    expect_text("plain_lines", text, expected);
}

static void test_names_and_numbers(void **state)
{
    expect("epoch 1 loss 0.41 val_loss 0.5\nepoch 2 loss nan val_loss -inf\n",
           "epoch|loss|val_loss\n1|0.41|0.5\n2|nan|-inf\n");
    expect("Epoch 1/30 - loss: 0.41 - val_loss: 5e-1 - acc: 97.5%\n",
           "epoch|loss|val_loss|acc\n1|0.41|0.5|0.975\n");
    expect("Epoch: 01 | Train Loss: 0.4 | Val. Loss: 1,234.5 | Val Acc: 97 %\n",
           "epoch|Train Loss|Val Loss|Val Acc\n1|0.4|1234.5|0.97\n");
    expect("[Epoch 3] loss=tensor(0.25, device='cuda:0'), lr=1e-3, time=3.5s\n",
           "epoch|loss|lr\n3|0.25|0.001\n");
    expect("step 250: train loss 2.1, val loss 2.2\niter 260: loss 2, time 5ms, mfu 1.2%\n",
           "step|train loss|val loss|loss\n250|2.1|2.2|-\n260|-|-|2\n");
    expect("epoch 3 mean squared error 0,25 total loss (MSE): 0.5\n",
           "epoch|mean squared error|loss (MSE)\n3|0.25|0.5\n");
}

static void test_sets_are_kept_apart(void **state)
{
    expect("Epoch 1: loss: train 0.41 val 0.5\n", "epoch|train loss|val loss\n1|0.41|0.5\n");
    expect("Epoch 1 | train | loss 0.41 acc 0.8 | valid | loss 0.5 acc 0.7\n",
           "epoch|train loss|train acc|valid loss|valid acc\n1|0.41|0.8|0.5|0.7\n");
    expect("Train Loss: 0.3\nVal Loss: 0.4\nTrain Loss: 0.2\nVal Loss: 0.3\n",
           "Train Loss|Val Loss\n0.3|0.4\n0.2|0.3\n");
    expect("epoch 3 loss 0.2 best val loss 0.11\n", "epoch|loss|best val loss\n3|0.2|0.11\n");
    expect("loss: 2.25  [   64/60000]\nTest Error: \n Accuracy: 44.5%, Avg loss: 2.5 \n\n"
           "loss: 2  [   64/60000]\n",
           "step|loss|Test Accuracy|Test loss\n64|2.25|-|-\n-|-|0.445|2.5\n64|2|-|-\n");
    /* A validation's own steps, as PaddlePaddle counts them; but training's, where they go on. */
    expect("Epoch 1/2\nstep 20/20 - loss: 0.5\nEval begin...\nstep 3/5 - loss: 0.8\n"
           "step 5/5 - loss: 0.75\nEval samples: 100\nEpoch 2/2\nstep 20/20 - loss: 0.25\n",
           "epoch|step|loss|Eval loss\n1|20|0.5|-\n1|-|-|0.75\n2|20|0.25|-\n");
    expect("step 20/90 loss 0.5\nRunning validation...\nval_loss 0.75\nstep 30/90 loss 0.25\n",
           "step|loss|val_loss\n20|0.5|-\n-|-|0.75\n30|0.25|-\n");
}

static void test_counters(void **state)
{
    expect("Cost after iteration 100: 0.5\nloss at epoch 3: 0.25\n", "step|Cost|epoch|loss\n"
           "100|0.5|-|-\n-|-|3|0.25\n");
    expect("At epoch 3: loss=0.5\nthe best loss came at epoch 1\n", "epoch|loss\n3|0.5\n");
    expect("epoch 1/10 | loss 0.5 | val 0.75\n", "epoch|loss|val loss\n1|0.5|0.75\n");
    expect("Epoch: 1, Loss: 0.5, Train: 0.6, Val: 0.7\n", "epoch|Loss|Train|Val\n1|0.5|0.6|0.7\n");
    expect("INFO:tensorflow:loss = 0.5, step = 100 (0.5 sec)\nINFO:tensorflow:Saving dict for "
           "global step 100: global_step = 100, loss = 0.75\n",
           "step|loss|eval loss\n100|0.5|-\n100|-|0.75\n");
    /* bars beside lines that say an epoch's end */
    expect("100%|#####| 30/30 [00:01<00:00, 20.1it/s, loss=0.9]\nEpoch 0: loss 0.5, val loss 0.6\n"
           "100%|#####| 30/30 [00:01<00:00, 20.1it/s, loss=0.8]\nEpoch 1: loss 0.4, val loss 0.5\n",
           "epoch|loss|val loss\n0|0.5|0.6\n1|0.4|0.5\n");
}

static void test_what_is_no_measurement(void **state)
{
    expect("epoch 1 loss 0.5\nEpoch 1: val_loss improved from 0.5 to 0.4, saving model\n"
           "Restoring model weights from the end of the best epoch: 1.\nloss took 5ms\n"
           "batch_size: 32\nversion 1.2.3 of loss 1.2.3 at 10:20:30\n",
           "epoch|loss\n1|0.5\n");
    expect_refusal("hello\n", 6, ERR_MISSING, "no line says what was measured");
    expect_refusal("a\0b", 3, ERR_PARSE, "no format");
}

static void test_prefixes_of_logs(void **state)
{
    expect("2024-01-01 10:00:00,123 - INFO - epoch 1 loss 0.5\n"
           "[2024-01-01T10:00:00Z] train.py:45] epoch 2 loss 0.25\nINFO:root:epoch 3 loss 0.125\n",
           "epoch|loss\n1|0.5\n2|0.25\n3|0.125\n");
}

static void test_epochs_in_parts(void **state)
{
    expect("Train Epoch: 1 [0/100 (0%)]\tLoss: 2.5\nTrain Epoch: 1 [50/100 (50%)]\tLoss: 1.5\n\n"
           "Test set: Average loss: 0.0500, Accuracy: 75/100 (75%)\n\n"
           "Train Epoch: 2 [0/100 (0%)]\tLoss: 0.5\n",
           "epoch|Train Loss|Test loss|Test Accuracy\n0|2.5|-|-\n0.5|1.5|-|-\n1|-|0.05|0.75\n"
           "1|0.5|-|-\n");
    expect("Epoch: [0][ 10/100]\tTime  0.4 ( 0.5)\tLoss 6 (7.5)\tAcc@1   0 (  0.12)\n"
           "Test: [ 0/20]\tLoss 0.6 (0.6)\nTest: [10/20]\tLoss 0.6 (0.9)\n *   Acc@1 71.5\n"
           "Epoch: [1][ 50/100]\tLoss 5 (6)\n",
           "epoch|Loss|Acc@1|Test Loss|Test Acc@1\n0.1|7.5|0.12|-|-\n1|-|-|0.9|-\n"
           "1|-|-|-|71.5\n1.5|6|-|-|-\n");
    expect("| epoch   1 |   50/ 200 batches | lr 5.00 | ms/batch 31.8 | loss  8.15 | ppl  3448\n"
           "| end of epoch   1 | time: 50.1s | valid loss  5.5 | valid ppl 250.5\n",
           "epoch|lr|loss|ppl|valid loss|valid ppl\n0.25|5|8.15|3448|-|-\n1|-|-|-|5.5|250.5\n");
    expect("Epoch(train)  [2][100/200]  lr: 1e-3  eta: 0:01:00  time: 0.1  loss: 1.5\n"
           "Epoch(val) [2][100/100]  loss: 2.5\n",
           "epoch|lr|train loss|val loss\n1.5|0.001|1.5|-\n2|-|-|2.5\n");
    expect("[1,  2000] loss: 2.5\n[2,  2000] loss: 1.5\n",
           "epoch|batch|loss\n1|2000|2.5\n2|2000|1.5\n");
}

static void test_bars(void **state)
{
    /* only the last state of an epoch counts */
    expect("Epoch 1/2\n\r 1/30 [>....] - ETA: 0s - loss: 0.9\r30/30 [====] - ETA: 0s - loss: 0.5\r"
           "30/30 [=====] - 1s 5ms/step - loss: 0.5 - val_loss: 0.6\nEpoch 2/2\n"
           "\r 1/30 [>....] - ETA: 0s - loss: 0.8",
           "epoch|loss|val_loss\n1|0.5|0.6\n");
    expect("Epoch 1/2\n\x1b[1m12/30\x1b[0m \x1b[32m" BAR "\x1b[0m\x1b[37m\x1b[0m \x1b[1m0s\x1b[0m "
           "2ms/step - loss: 0.9\b\b\b\b\x1b[1m30/30\x1b[0m \x1b[32m" BAR "\x1b[0m \x1b[1m1s\x1b[0m "
           "5ms/step - loss: 0.5 - val_loss: 0.25\n",
           "epoch|loss|val_loss\n1|0.5|0.25\n");
    expect("Epoch 0: 100%|\xe2\x96\x88| 8/8 [00:00<00:00, 300.12it/s, v_num=0, train_loss=0.5]\r"
           "Epoch 1:  50%|\xe2\x96\x88| 4/8 [00:00<00:00, 300.12it/s, v_num=0, train_loss=0.4]\r"
           "Epoch 1: 100%|\xe2\x96\x88| 8/8 [00:00<00:00, 300.12it/s, train_loss=0.25, val_loss=1]",
           "epoch|train_loss|val_loss\n0|0.5|-\n1|0.25|1\n");
    /* a bar that is drawn again behind that of the validation */
    expect("Epoch 0: 100%|\xe2\x96\x88| 8/8 [00:00<00:00, 30.1it/s, v_num=0, loss=0.5]\n"
           "Validation DataLoader 0: 100%|\xe2\x96\x88| 4/4 [00:00<00:00, 58.06it/s]\x1b[A\n\r"
           "Epoch 0: 100%|\xe2\x96\x88| 8/8 [00:00<00:00, 30.1it/s, loss=0.25, val_loss=1]\n",
           "epoch|loss|val_loss\n0|0.25|1\n");
    expect(" 50%|#####     | 1/2 [00:00<00:00, 3.5it/s, loss=0.5]\r"
           "100%|##########| 2/2 [00:00<00:00, 3.5it/s, loss=0.25]\n",
           "step|loss\n1|0.5\n2|0.25\n");
}

static void test_boosting(void **state)
{
    expect("[0]\ttrain-rmse:0.4\tvalidation-rmse:0.5\n[1]\ttrain-rmse:0.3\tvalidation-rmse:0.45\n",
           "step|train-rmse|validation-rmse\n0|0.4|0.5\n1|0.3|0.45\n");
    expect("[1]\ttraining's l2: 0.4\tvalid_0's l2: 0.5\n", "step|training's l2|valid_0's l2\n1|0.4|0.5\n");
}

static void test_mlflow_metric(void **state)
{
    expect_text("mlflow_metric", "1700000000000 0.5 0\n1700000000100 nan 1\n17000000002",
                "step|x\n0|0.5\n1|nan\n");
    static const char bad[] = "1700000000000 0.5 0\n1700000000100 0.4\n1700000000100 0.3 2\n";
    expect_refusal(bad, sizeof(bad) - 1, ERR_PARSE, "line 2");
}

/* A loss by what "best" says of it; a score; and nothing said. */
static void test_catboost(void **state)
{
    expect_text("catboost_lines",
                "Learning rate set to 0.05\n0:\tlearn: 0.6927\ttest: 0.89\tbest: 0.89 (0)\t"
                "total: 55ms\n1:\tlearn: 0.5927\ttest: 0.79\tbest: 0.79 (1)\ttotal: 55ms\t"
                "remaining: 0us\nbestTest = 0.79\n",
                "step|learn loss|test loss\n0|0.6927|0.89\n1|0.5927|0.79\n");
    expect_text("catboost_lines",
                "0:\ttest: 0.5\tbest: 0.5 (0)\n1:\ttest: 0.75\tbest: 0.75 (1)\n",
                "step|test score\n0|0.5\n1|0.75\n");
    expect_text("catboost_lines", "0:\tlearn: 0.5\ttotal: 1s\n", "step|learn loss\n0|0.5\n");
    expect_text("catboost_training",
                "{\"meta\": {\"learn_metrics\": [{\"name\": \"RMSE\"}], \"test_metrics\": "
                "[{\"name\": \"RMSE\"}, {\"name\": \"AUC\"}]}, \"iterations\": [{\"learn\": [0.5], "
                "\"iteration\": 0, \"test\": [0.7, 0.9]}]}",
                "iteration|learn-RMSE|test-RMSE|test-AUC\n0|0.5|0.7|0.9\n");
}

static void test_objects_in_lines(void **state)
{
    expect("  0%|          | 0/10 [00:00<?, ?it/s]\r"
           "{'loss': 0.5, 'learning_rate': 4e-05, 'epoch': 1.0}\n"
           "{'eval_loss': np.float64(0.25), 'epoch': 1.0}\n{'loss': nan, 'epoch': 2.0}\n",
           "loss|learning_rate|epoch|eval_loss\n0.5|4e-05|1|-\n-|-|1|0.25\nnan|-|2|-\n");
    expect("hello\n[tune-metric]: {\"epoch\": 1, \"q\": 0.5}\n{\"lr\": 0.1}\n"
           "::sweepd {\"step\": 3, \"q\": 0.4}\n",
           "epoch|q|step\n1|0.5|-\n-|0.4|3\n");
    expect("2024-01-01 INFO epoch 3: {'val_loss': 0.5}\nloss=0.25\naccuracy=0.9\n",
           "epoch|val_loss|loss|accuracy\n3|0.5|-|-\n3|-|0.25|-\n3|-|-|0.9\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_numbers), cmocka_unit_test(test_sets_are_kept_apart),
        cmocka_unit_test(test_counters), cmocka_unit_test(test_what_is_no_measurement),
        cmocka_unit_test(test_prefixes_of_logs),
        cmocka_unit_test(test_epochs_in_parts), cmocka_unit_test(test_bars),
        cmocka_unit_test(test_boosting), cmocka_unit_test(test_catboost), cmocka_unit_test(test_mlflow_metric),
        cmocka_unit_test(test_objects_in_lines),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
