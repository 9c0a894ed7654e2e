"""schema/spec.schema.json as an editor uses it: every reference leads somewhere, what the examples say is
right to it, and what the daemon refuses is wrong. Its words are compared with the tables by
tests/unit/spec/test_spec_doc.c and test_schema_names.c."""
import copy
import glob
import json
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from tap import Skip, check, equal, run  # noqa: E402


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as f:
        return json.load(f)


def references(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def dangling(schema):
    for reference in set(references(schema)):
        at = schema
        for part in reference.removeprefix("#/").split("/"):
            at = at.get(part) if isinstance(at, dict) else None
        if at is None:
            yield reference


def validator():
    try:
        import jsonschema
    except ImportError as reason:
        raise Skip("python3-jsonschema is not installed") from reason
    jsonschema.Draft202012Validator.check_schema(read("schema", "spec.schema.json"))
    return jsonschema.Draft202012Validator(read("schema", "spec.schema.json"))


def test_references_lead_somewhere():
    schema = read("schema", "spec.schema.json")
    check(len(set(references(schema))) > 40, "references were found")
    equal(list(dangling(schema)), [])
    equal(list(dangling({"$ref": "#/$defs/none", "$defs": {}})), ["#/$defs/none"], "it can fail")


def test_examples_are_right():
    v = validator()
    for path in sorted(glob.glob(os.path.join(ROOT, "docs", "examples", "*.json"))):
        equal([e.message for e in v.iter_errors(read(path))], [], path)


def with_parameter(name, value):
    spec = copy.deepcopy(read("docs", "examples", "fashion.json"))
    spec["parameters"] = {name: value}
    return spec


def test_names_of_parameters():
    v = validator()
    rate, depth = {"min": 0.001, "max": 0.1}, {"min": 1, "max": 4}
    for name, value in (("learning_rate", rate), ("train.learning_rate", rate), ("lr", rate),
                        ("learningRate", rate), ("optimizer.lr", rate), ("model.depth", depth),
                        ("num_layers", depth), ("weight_decay", rate)):
        equal([e.message for e in v.iter_errors(with_parameter(name, value))], [], name)
    for name, value in (("depht", depth), ("lr", {"min": -1, "max": 5}), ("model.depth", {"values": ["a"]}),
                        ("learning_rate", {"mean": 3}), ("hidden", depth)):
        check(list(v.iter_errors(with_parameter(name, value))), f"{name} {value}: refused")


def test_programs_and_clients():
    v = validator()
    spec = {"task": {"command": ["./train.sh", "${args}"]}, "method": "random", "run_cap": 4,
            "metric": {"name": "val/loss", "goal": "minimize"},
            "parameters": {"any name": {"values": [1, "a", True]}}}
    equal([e.message for e in v.iter_errors(spec)], [], "a program")
    check(list(v.iter_errors({**spec, "data": {"name": "x"}})), "a program has no data of ours")
    check(list(v.iter_errors({**spec, "metod": "grid"})), "a key that is none")
    spec["task"] = {"client": {}}
    equal([e.message for e in v.iter_errors(spec)], [], "a client")


if __name__ == "__main__":
    run(test_references_lead_somewhere, test_examples_are_right, test_names_of_parameters,
        test_programs_and_clients)
