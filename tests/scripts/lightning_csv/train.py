import argparse

import lightning as L
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(L.LightningModule):
    def __init__(self, lr, width, weight_decay):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1))

    def step(self, batch):
        x, y = batch
        return nn.functional.mse_loss(self.net(x).squeeze(1), y)

    def training_step(self, batch, index):
        loss = self.step(batch)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", self.step(batch), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hparams.lr,
                                 weight_decay=self.hparams.weight_decay)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--weight_decay", type=float, default=0.0)
    parser.add_argument("--max_epochs", type=int, default=4)
    args = parser.parse_args()

    L.seed_everything(0)
    x = torch.randn(512, 4)
    y = (x[:, 0] * x[:, 1] + x[:, 2]).float()
    data = TensorDataset(x, y)
    train, valid = torch.utils.data.random_split(data, [384, 128])
    trainer = L.Trainer(max_epochs=args.max_epochs, accelerator="cpu", enable_progress_bar=False,
                        log_every_n_steps=4, logger=CSVLogger("logs"))
    trainer.fit(Net(args.lr, args.width, args.weight_decay), DataLoader(train, 32, shuffle=True),
                DataLoader(valid, 128))


if __name__ == "__main__":
    main()
