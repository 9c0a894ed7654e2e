"""Searches as the tools themselves leave them, in the folder that is given: run by their Python."""
import os
import sys
import warnings

warnings.filterwarnings("ignore")
folder = sys.argv[1]


def optuna_makes():
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name="n <b>1</b>", storage=f"sqlite:///{folder}/optuna.db", direction="maximize",
                                sampler=optuna.samplers.RandomSampler(seed=1))

    def objective(trial):
        lr = trial.suggest_float("lr", 1e-4, 1, log=True)
        width = trial.suggest_int("width", 8, 512, log=True)
        kind = trial.suggest_categorical("kind", ["a", "b\n" if trial.number < 0 else "b", None, 3])
        if kind == "a":
            trial.suggest_float("only of a", 0, 1)
        for step in range(10):
            trial.report(1 - lr / (step + 1) - width / 1e4, step)
            if trial.number % 5 == 4 and step == 3:
                raise optuna.TrialPruned
        if trial.number % 7 == 6:
            raise ValueError("as asked")
        return 1 - lr / 10 - width / 1e4

    study.optimize(objective, n_trials=30, catch=ValueError)
    study.ask()
    print("optuna", study.best_trial.number, repr(study.best_value))


def mlflow_makes():
    import mlflow
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("e <i>2</i>")
    for i in range(6):
        with mlflow.start_run():
            mlflow.log_params({"lr": 0.1 / (i + 1), "layers": i % 3 + 1, "optimizer": ("adam", "sgd")[i % 2]})
            for step in range(8):
                mlflow.log_metrics({"train_loss": 1 / (step + 1 + i), "val_loss": 1.5 / (step + 1 + i),
                                    "odd": float("nan") if step == 2 else float("inf") if step == 3 else step}, step=step)
    print("mlflow", mlflow.__version__, repr(1.5 / 13))


optuna_makes()
try:
    mlflow_makes()
except Exception as e:  # without its database modules
    print("mlflow: none:", repr(e)[:200])
    if os.path.exists(f"{folder}/mlflow.db"):
        os.remove(f"{folder}/mlflow.db")
