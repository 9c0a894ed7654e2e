import argparse
import math

import mlflow


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--l1_ratio", type=float, default=0.5)
    args = parser.parse_args()

    mlflow.set_experiment("elastic net")
    with mlflow.start_run():
        mlflow.log_params(vars(args))
        for step in range(5):
            rmse = 0.5 + (args.alpha - 0.3) ** 2 + 0.2 * args.l1_ratio + math.exp(-step)
            mlflow.log_metric("rmse", rmse, step=step)
            mlflow.log_metric("r2", 1 - rmse / 4, step=step)


if __name__ == "__main__":
    main()
