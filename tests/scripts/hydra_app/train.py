import logging
import math

import hydra
from omegaconf import DictConfig

log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float:
    best = math.inf
    for epoch in range(1, cfg.trainer.max_epochs + 1):
        distance = abs(math.log10(cfg.optimizer.lr) + 2) + (cfg.optimizer.name == "sgd") * 0.3
        loss = math.exp(-epoch / (1 + distance)) + 0.01 * cfg.model.layers
        val_loss = loss + 0.1 * distance
        best = min(best, val_loss)
        log.info("epoch %d: train_loss=%.5f val_loss=%.5f", epoch, loss, val_loss)
    return best


if __name__ == "__main__":
    main()
