import math
import random

import wandb

config_defaults = {"learning_rate": 0.05, "hidden": 4, "epochs": 9, "dropout": 0.0}


def train():
    with wandb.init(project="spirals", config=config_defaults) as run:
        cfg = wandb.config
        rng = random.Random(cfg.hidden)
        scale = [rng.uniform(-1, 1) for _ in range(cfg.hidden)]
        wandb.define_metric("val_loss", summary="min")
        for epoch in range(cfg.epochs):
            distance = abs(math.log10(cfg.learning_rate) + 1.5) + cfg.dropout
            train_loss = 0.1 + (1 + 0.1 * sum(scale) / len(scale)) * math.exp(-epoch / (1 + distance))
            val_loss = train_loss + 0.05 + 0.1 * distance
            wandb.log({"epoch": epoch, "train_loss": train_loss, "val_loss": val_loss})
        run.summary["final"] = val_loss


if __name__ == "__main__":
    train()
