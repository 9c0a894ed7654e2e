import argparse
import math

import trackio as wandb

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, default=0.01)
parser.add_argument("--warmup", type=int, default=0)
args = parser.parse_args()

wandb.init(project="tiny", config=vars(args))
for step in range(6):
    distance = abs(math.log10(args.learning_rate) + 2)
    wandb.log({"train/loss": math.exp(-step / (1 + distance)) + 0.1 * distance,
               "eval/loss": math.exp(-step / (1 + distance)) + 0.2 * distance + 0.01 * args.warmup},
              step=step)
wandb.finish()
