"""What scripts print, in forms that their authors chose: loggers' prefixes, tables that are drawn,
bars, headings. Held against it are the points that it must become, which stand here beside
the text."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon  # noqa: E402
from tap import equal, run  # noqa: E402
from test_sweep_files import Home  # noqa: E402

# (name, the text, the metric, its goal, its values by epoch)
PRINTED = [
    ("a logger's prefix and bars", """2026-11-30 10:00:01.123 | INFO     | __main__:train:42 - Epoch 1 | train_loss=0.9 | val_loss=0.8
2026-11-30 10:00:02.456 | INFO     | __main__:train:42 - Epoch 2 | train_loss=0.7 | val_loss=0.6
""", "val_loss", "minimize", [(1, 0.8), (2, 0.6)]),
    ("Markdown", """
| epoch | train loss | val loss |
|------:|-----------:|---------:|
|     1 |     0.9000 |   0.8000 |
|     2 |     0.7000 |   0.6000 |
""", "val_loss", "minimize", [(1, 0.8), (2, 0.6)]),
    ("prettytable with the metric by its name", """+-------+---------+-------+
| Epoch |  AUC    | F1    |
+-------+---------+-------+
|   1   | 0.71    | 40.0% |
+-------+---------+-------+
|   2   | 0.75    | 45.0% |
+-------+---------+-------+
""", "F1", "maximize", [(1, 0.4), (2, 0.45)]),
    ("rich", """┏━━━━━━━┳━━━━━━━━━━┓
┃ epoch ┃ val_loss ┃
┡━━━━━━━╇━━━━━━━━━━┩
│ 1     │ 0.8      │
│ 2     │ 0.6      │
└───────┴──────────┘
""", "val_loss", "minimize", [(1, 0.8), (2, 0.6)]),
    ("fastai", """epoch     train_loss  valid_loss  accuracy  time    
0         0.900000    0.800000    0.500000  00:01     
1         0.700000    0.600000    0.600000  00:01     
""", "valid_loss", "minimize", [(1, 0.8), (2, 0.6)]),
    ("skorch", """  epoch    train_loss    valid_acc    valid_loss     dur
-------  ------------  -----------  ------------  ------
      1        \x1b[36m0.9000\x1b[0m       \x1b[32m0.5000\x1b[0m        \x1b[35m0.8000\x1b[0m  0.0351
      2        0.7000       0.6000        0.6000  0.0201
""", "val_acc", "maximize", [(1, 0.5), (2, 0.6)]),
    ("a detector's two tables", """
      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size
        1/2         0G      1.500      2.500      1.200          8        640:  50%|█████     | 1/2 [00:01<00:01]\r        1/2         0G      1.400      2.400      1.100          8        640: 100%|██████████| 2/2 [00:02<00:00]
                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 1/1 [00:00<00:00]
                   all        128        929      0.500      0.510      0.550      0.400

      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size
        2/2         0G      1.300      2.300      1.000          8        640: 100%|██████████| 2/2 [00:02<00:00]
                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 1/1 [00:00<00:00]
                   all        128        929      0.600      0.610      0.650      0.450
""", "mAP50", "maximize", [(1, 0.55), (2, 0.65)]),
    ("boxes of reinforcement learning", """---------------------------------
| rollout/           |          |
|    ep_len_mean     | 21.3     |
|    ep_rew_mean     | 20.5     |
| time/              |          |
|    fps             | 900      |
|    iterations      | 1        |
|    total_timesteps | 2048     |
---------------------------------
some words between
-----------------------------------------
| rollout/                |             |
|    ep_len_mean          | 30.1        |
|    ep_rew_mean          | 31.5        |
| time/                   |             |
|    total_timesteps      | 4096        |
| train/                  |             |
|    loss                 | 5.4         |
-----------------------------------------
""", "rollout/ep_rew_mean", "maximize", [(2048, 20.5), (4096, 31.5)]),
    ("CSV on stdout", "epoch,train_loss,val_loss\n1,0.9,0.8\n2,0.7,0.6\n", "val_loss", "minimize",
     [(1, 0.8), (2, 0.6)]),
    ("titles and numbers", "epoch train_loss val_loss\n1 0.9 0.8\n2 0.7 0.6\ndone\n", "val_loss", "minimize",
     [(1, 0.8), (2, 0.6)]),
    ("a data frame", "   epoch  train_loss  val_loss\n0      1         0.9       0.8\n1      2         0.7       0.6\n",
     "val_loss", "minimize", [(1, 0.8), (2, 0.6)]),
    ("tabs", "Step\tLoss\tAccuracy\n100\t0.9\t0.5\n200\t0.7\t0.6\n", "Accuracy", "maximize",
     [(100, 0.5), (200, 0.6)]),
    ("a bar of Lightning's", "Epoch 0: 100%|██████████| 10/10 [00:00<00:00, 99.9it/s, v_num=0, val_loss=0.800]\r"
     "Epoch 1: 100%|██████████| 10/10 [00:00<00:00, 99.9it/s, v_num=0, val_loss=0.600]\n", "val_loss", "minimize",
     [(1, 0.8), (2, 0.6)]),
    ("XGBoost", "[0]\ttrain-logloss:0.61000\teval-logloss:0.65000\n[1]\ttrain-logloss:0.55000\teval-logloss:0.60000\n",
     "eval-logloss", "minimize", [(1, 0.65), (2, 0.6)]),
    ("CatBoost", "0:\tlearn: 0.6100000\ttest: 0.6500000\tbest: 0.6500000 (0)\ttotal: 1ms\tremaining: 9ms\n"
     "1:\tlearn: 0.5500000\ttest: 0.6000000\tbest: 0.6000000 (1)\ttotal: 2ms\tremaining: 8ms\n", "test", "minimize",
     [(1, 0.65), (2, 0.6)]),
    ("a network of scikit-learn", "Iteration 1, loss = 2.30000000\nIteration 2, loss = 1.90000000\n"
     "Training loss did not improve more than tol=0.000100 for 10 consecutive epochs. Stopping.\n", "loss", "minimize",
     [(1, 2.3), (2, 1.9)]),
    ("PyTorch's example", """Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.300000
Train Epoch: 1 [59520/60000 (99%)]\tLoss: 0.300000

Test set: Average loss: 0.0571, Accuracy: 9818/10000 (98%)

Train Epoch: 2 [0/60000 (0%)]\tLoss: 0.200000

Test set: Average loss: 0.0471, Accuracy: 9900/10000 (99%)

""", "val_acc", "maximize", [(1, 0.9818), (2, 0.99)]),
    ("Keras with its callbacks", """Epoch 1/2

Epoch 1: val_loss improved from inf to 0.80000, saving model to best.keras
10/10 - 0s - 4ms/step - accuracy: 0.5000 - loss: 0.9000 - val_accuracy: 0.5500 - val_loss: 0.8000
Epoch 2/2

Epoch 2: val_loss did not improve from 0.80000
10/10 - 0s - 4ms/step - accuracy: 0.6000 - loss: 0.7000 - val_accuracy: 0.6500 - val_loss: 0.8500
""", "val_loss", "minimize", [(1, 0.8), (2, 0.85)]),
    ("a structured log", '{"level":"info","ts":1,"msg":"start","lr":0.1}\n'
     '{"level":"info","ts":2,"msg":"eval","epoch":1,"metrics":{"val_loss":0.8,"val_acc":0.5}}\n'
     '{"level":"info","ts":3,"msg":"eval","epoch":2,"metrics":{"val_loss":0.6,"val_acc":0.6}}\n', "val_loss",
     "minimize", [(1, 0.8), (2, 0.6)]),
    ("logfmt", "time=2026-11-30T10:00:00Z level=info msg=\"epoch done\" epoch=1 val_loss=0.8 dur=1.2s\n"
     "time=2026-11-30T10:00:01Z level=info msg=\"epoch done\" epoch=2 val_loss=0.6 dur=1.2s\n", "val_loss",
     "minimize", [(1, 0.8), (2, 0.6)]),
    ("nanoGPT", "step 0: train loss 4.2000, val loss 4.3000\niter 0: loss 4.2500, time 10.00ms, mfu -100.00%\n"
     "step 250: train loss 2.2000, val loss 2.3000\niter 250: loss 2.2100, time 10.00ms, mfu 1.00%\n", "val_loss",
     "minimize", [(1, 4.3), (251, 2.3)]),
    ("fairseq", "2026-11-30 10:00:00 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 5.4 | ppl 42.2 | wps 100\n"
     "2026-11-30 10:01:00 | INFO | valid | epoch 002 | valid on 'valid' subset | loss 4.4 | ppl 21.1 | wps 100\n",
     "val_loss", "minimize", [(1, 5.4), (2, 4.4)]),
    ("colours", "\x1b[1mEpoch 1\x1b[0m \x1b[32mval_loss\x1b[0m: \x1b[1m0.8\x1b[0m\n"
     "\x1b[1mEpoch 2\x1b[0m \x1b[32mval_loss\x1b[0m: \x1b[1m0.6\x1b[0m\n", "val_loss", "minimize", [(1, 0.8), (2, 0.6)]),
    ("Julia", "[ Info: epoch = 1, val_loss = 0.8\n[ Info: epoch = 2, val_loss = 0.6\n", "val_loss", "minimize",
     [(1, 0.8), (2, 0.6)]),
    ("a heading", "Epoch 1\n-------------------------------\nloss: 2.300000  [   64/60000]\nTest Error: \n"
     " Accuracy: 44.0%, Avg loss: 2.15\n\nEpoch 2\n-------------------------------\nloss: 2.100000  [   64/60000]\n"
     "Test Error: \n Accuracy: 55.0%, Avg loss: 1.89\n\nDone!\n", "val_acc", "maximize", [(1, 0.44), (2, 0.55)]),
    ("a dict of texts", "{'eval_loss': '0.8', 'eval_runtime': '1.2', 'epoch': '1'}\n"
     "{'eval_loss': '0.6', 'eval_runtime': '1.2', 'epoch': '2'}\n", "eval_loss", "minimize", [(1, 0.8), (2, 0.6)]),
    ("TensorFlow's estimators", "INFO:tensorflow:Saving dict for global step 100: accuracy = 0.5, global_step = 100, "
     "loss = 0.8\nINFO:tensorflow:Saving dict for global step 200: accuracy = 0.6, global_step = 200, loss = 0.6\n",
     "val_loss", "minimize", [(100, 0.8), (200, 0.6)]),
    ("one line at the end", "reading data\nmodel has 1,234,567 parameters\nFinal val accuracy: 87.5%\n", "val_acc",
     "maximize", [(1, 0.875)]),
    ("SMAC's line", "cost=0.41; runtime=0.01; status=SUCCESS; additional_info=none\n", "cost", "minimize", [(1, 0.41)]),
    ("Katib's lines", "epoch=1\nValidation-accuracy=0.5\nepoch=2\nValidation-accuracy=0.6\n", "Validation-accuracy",
     "maximize", [(1, 0.5), (2, 0.6)]),
]


def test_what_scripts_print_in_their_own_ways():
    with Home() as home, Daemon() as d:
        sweeps = []
        for i, (name, text, metric, goal, _) in enumerate(PRINTED):
            path = home.put(f"{i}.txt", text)
            sweeps.append(d.submit({
                "name": name, "method": "grid", "epochs": 1, "metric": {"name": metric, "goal": goal},
                "task": {"command": ["cat", path]}, "parameters": {"n": {"values": [1]}}}))
        wrong = []
        for sweep, (name, _, metric, _, wanted) in zip(sweeps, PRINTED):
            d.wait(sweep)
            run_id, = d.sql("SELECT id FROM runs WHERE sweep_id = ?", sweep)[0]
            seen = values(d, run_id, metric)
            if seen != wanted:
                wrong.append((name, seen, wanted, d.sql("SELECT error_text FROM runs WHERE id = ?", run_id)))
        equal(wrong, [], json.dumps(wrong, indent=1, ensure_ascii=False))


def values(d, run_id, metric):
    """Of the metric by epoch, whether it is a column of the curve or a name of its own."""
    if metric in ("val_loss", "val_acc"):
        rows = d.sql(f"SELECT epoch, {metric} FROM curves WHERE run_id = ? AND {metric} IS NOT NULL ORDER BY point", run_id)
    else:
        rows = d.sql("SELECT c.epoch, m.value FROM metrics m JOIN curves c ON c.run_id = m.run_id AND c.point = m.point "
                     "WHERE m.run_id = ? AND m.name = ? ORDER BY c.point", run_id, metric)
    return [(int(e), round(v, 6)) for e, v in rows]


if __name__ == "__main__":
    run(test_what_scripts_print_in_their_own_ways)
