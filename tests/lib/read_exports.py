"""Reads what was exported with the tools themselves: run by their Python, told on stdin what there must be."""
import glob
import json
import math
import os
import subprocess
import sys
import warnings

warnings.filterwarnings("ignore")
TOLD = json.load(sys.stdin)
RUNS, SWEEP, PATHS = TOLD["runs"], TOLD["sweep"], TOLD["paths"]
DONE = [r for r in RUNS if r["status"] == "completed"]

# Of Optuna, of the HParams plugin, of MLflow.
STATES = {"completed": ("COMPLETE", 1, "FINISHED"), "failed": ("FAIL", 2, "FAILED"), "queued": ("WAITING", 0, "SCHEDULED")}


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def optuna_reads():
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name=None, storage="sqlite:///" + PATHS["optuna"])
    check(len(study.trials) == len(RUNS), "trials")
    for trial, run in zip(study.trials, RUNS):
        check(trial.params == run["params"], f"{trial.params} {run['params']}")
        check((trial.datetime_start is not None) == (run["started_at"] is not None), "start")
        check((trial.datetime_complete is not None) == (run["ended_at"] is not None), "end")
        check(trial.state.name == STATES[run["status"]][0], trial.state)
    if DONE:
        check(study.best_trial.user_attrs["run_id"] == SWEEP["best_run"], "the best is ours")
        check(study.best_value == SWEEP["best"], "to the bit")
        check(len(study.best_trial.intermediate_values) == 6, "points")
        study.enqueue_trial(study.best_trial.params)  # the study goes on there
        study.optimize(lambda t: t.suggest_float("lr", 0.001, 1.0, log=True), n_trials=1)
        check(len(study.trials) == len(RUNS) + 1, "it goes on")
    print("optuna", optuna.__version__, len(RUNS), "trials")


def tensorboard_reads():
    import tensorboard
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins.hparams import metadata
    board = EventMultiplexer().AddRunsFromDirectory(PATHS["tensorboard"])
    board.Reload()
    runs = board.Runs()
    check(set(runs) == {"."} | {f"run-{r['run_id']:04}" for r in RUNS}, runs)
    told = board.SummaryMetadata(".", metadata.EXPERIMENT_TAG)
    experiment = metadata.parse_experiment_plugin_data(told.plugin_data.content)
    check(experiment.name == SWEEP["name"] and len(experiment.hparam_infos) == 5, experiment)
    for run in RUNS:
        name = f"run-{run['run_id']:04}"
        start = metadata.parse_session_start_info_plugin_data(
            board.SummaryMetadata(name, metadata.SESSION_START_INFO_TAG).plugin_data.content)
        end = metadata.parse_session_end_info_plugin_data(
            board.SummaryMetadata(name, metadata.SESSION_END_INFO_TAG).plugin_data.content)
        values = {k: getattr(v, v.WhichOneof("kind")) for k, v in start.hparams.items()}
        check(values == run["params"], f"{values} {run['params']}")
        check(end.status == STATES[run["status"]][1], end)
        if run in DONE:
            best = board.Tensors(name, "best/val_loss")
            check(abs(best[0].tensor_proto.float_val[0] - run["metric_value"]) < 1e-6, best)
            check([e.step for e in board.Tensors(name, "train_loss")] == [1, 2, 3, 4, 5, 6], "steps")
    print("tensorboard", tensorboard.__version__, "hparams table:", hparams_rows(board))


def hparams_rows(board):
    """As the plugin's own backend lists the sessions, by the metric."""
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.context import RequestContext
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
    provider = MultiplexerDataProvider(board, PATHS["tensorboard"])
    context = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=1000, col_params=[
        api_pb2.ColParams(metric=api_pb2.MetricName(tag="best/val_loss"), order=api_pb2.ORDER_ASC)])
    request.allowed_statuses.extend([0, 1, 2, 3])
    handler = list_session_groups.Handler(RequestContext(), context, "", request)
    reply = handler.run()
    check(len(reply.session_groups) == len(RUNS), reply)
    if DONE:
        check(reply.session_groups[0].name == f"run {SWEEP['best_run']}", reply.session_groups[0])
    return len(reply.session_groups)


def mlflow_reads():
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow
    client = mlflow.MlflowClient("file://" + PATHS["mlflow"])
    experiments = client.search_experiments()
    check([e.name for e in experiments] == [SWEEP["name"]], experiments)
    runs = client.search_runs([experiments[0].experiment_id], max_results=1000)
    check(len(runs) == len(RUNS), f"{len(runs)} runs")
    by_name = {r.info.run_name: r for r in runs}
    for run in RUNS:
        read = by_name[f"run {run['run_id']}"]
        check(read.data.params["kind"] == run["params"]["kind"], read.data.params)
        check(float(read.data.params["lr"]) == run["params"]["lr"], "lr")
        check(read.info.status == STATES[run["status"]][2], read.info)
        if run in DONE:
            check(read.data.metrics["best/val_loss"] == run["metric_value"], "to the bit")
            history = client.get_metric_history(read.info.run_id, "odd")
            check([m.step for m in history] == [1, 2, 3, 4, 5, 6] and math.isnan(history[1].value), history)
    if DONE:
        best = client.search_runs([experiments[0].experiment_id], order_by=["metrics.`best/val_loss` ASC"])[0]
        check(best.info.run_name == f"run {SWEEP['best_run']}", best.info)
    print("mlflow", mlflow.__version__, len(runs), "runs")


def wandb_reads():
    import wandb
    from wandb.proto import wandb_internal_pb2 as proto
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import foreign
    files = glob.glob(os.path.join(PATHS["wandb"], "wandb", "*", "*.wandb"))
    check(len(files) == len(RUNS), files)
    for path in files:
        records = []
        for data in foreign.wandb_records(path):
            record = proto.Record()
            record.ParseFromString(data)
            check(record.WhichOneof("record_type"), "a type")
            records.append(record)
        check([r.WhichOneof("record_type") for r in records][:2] == ["header", "run"], "order")
    if files:  # of a run that has not begun too
        done = subprocess.run([sys.executable, "-m", "wandb", "sync", "--dry-run"], cwd=PATHS["wandb"], text=True,
                              capture_output=True, timeout=120, env={**os.environ, "WANDB_MODE": "offline"})
        check(done.returncode == 0, done.stdout + done.stderr)
        print("wandb sync --dry-run:", " ".join((done.stdout + done.stderr).split())[-160:])
    print("wandb", wandb.__version__, len(files), "runs")


def csv_reads():
    try:
        import pandas
    except ImportError:
        return
    runs = pandas.read_csv(PATHS["csv"])
    check(len(runs) == len(RUNS), "runs")
    print("pandas", pandas.__version__, runs.shape)


for read in (optuna_reads, tensorboard_reads, mlflow_reads, wandb_reads, csv_reads):
    read()
