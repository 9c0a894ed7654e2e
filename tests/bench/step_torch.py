"""Training steps of six nets, ours and PyTorch's, side by side: samples per second on one thread,
each the median of five, taken in turn. Appends one JSON line a case to tests/bench/results.jsonl.

usage: step_torch.py BUILD_DIR PYTHON... [--case NAME] [--seconds S] [--tries N] [--malloc WHICH]

BUILD_DIR: a release build (meson setup DIR --buildtype release) with tests/bench/step_bench.
PYTHON: one or more interpreters that can import torch, such as a virtual environment's with the
newest one and /usr/bin/python3 with the distribution's. Bounded to about half an hour; a case
that results.jsonl already has of this commit is passed over.
WHICH: "kept" (unless told otherwise): PyTorch's processes keep the memory they free. "fresh": as a
process is by itself, where glibc gives large tensors back to the system each step until it has
seen larger ones; recorded under a name of its own.

A step is the same everywhere: the batch gathered from a data set in memory by a shuffled order,
zero_grad, forward, loss, backward, Adam. PyTorch runs in the ways named in WAYS, each what a user
may write; the fastest one counts. Rates are per second of processor time, so that a busy machine
does not decide; the wall's are in the line too, and the ratio of the best try to the best try of
any peer, which a machine whose speed changes while it measures favours least. The nets are in
step_cases.json.
"""
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "step_cases.json")
RESULTS = os.path.join(HERE, "results.jsonl")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# glibc's malloc never gives memory back: the LSTM of PyTorch 2.15 is 1.7 times as fast so.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "2000000000"}
# name: (torch.compile of the net and of the optimizer's step, arguments of Adam)
WAYS = {"eager": (False, {}), "eager fused": (False, {"fused": True}),
        "compile": (True, {}), "compile fused": (True, {"fused": True})}


# ------------------------------------------------------------------ in a process with PyTorch

def plain_recurrent(torch, net):
    """nn.LSTM as it is in place of the reference's subclass of it, which torch.compile refuses."""

    class Last(torch.nn.Module):
        def __init__(self, module):
            super().__init__()
            self.rnn = torch.nn.LSTM(module.input_size, module.hidden_size, batch_first=True)

        def forward(self, x):
            return self.rnn(x)[0][:, -1]

    return torch.nn.Sequential(*[Last(m) if isinstance(m, torch.nn.LSTM) else m for m in net])


class Peer:
    """One case in one way; step() is what is timed."""

    def __init__(self, torch, case, way):
        sys.path.insert(0, os.path.join(HERE, "..", "numeric"))
        import torch_reference
        compiled, options = WAYS[way]
        layers = case["layers"] + [{"type": "dense", "units": case["classes"]}]
        self.torch, self.batch, self.at = torch, case["batch"], 0
        net = plain_recurrent(torch, torch_reference.make_net(layers, case["shape"]))
        net = net.float().train()
        self.x = torch.rand([case["samples"]] + case["shape"])
        self.y = torch.randint(0, case["classes"], [case["samples"]])
        self.order = torch.randperm(case["samples"])
        self.optimizer = torch.optim.Adam(net.parameters(), 1e-3, eps=1e-8, **options)
        loss = torch.nn.CrossEntropyLoss()

        def forward(x, y):
            return loss(net(x), y)
        self.forward = torch.compile(forward) if compiled else forward
        # A fused step is one call already.
        self.update = (torch.compile(self.optimizer.step) if compiled and not options
                       else self.optimizer.step)

    def step(self):
        if self.at + self.batch > len(self.order):
            self.at = 0
        index = self.order[self.at:self.at + self.batch]
        self.at += self.batch
        x = self.torch.index_select(self.x, 0, index)
        y = self.torch.index_select(self.y, 0, index)
        self.optimizer.zero_grad(set_to_none=True)
        self.forward(x, y).backward()
        self.update()

    def measure(self, seconds):
        steps, wall, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - wall < seconds:
            for _ in range(4):
                self.step()
            steps += 4
        samples = steps * self.batch
        return {"samples_per_s": samples / (time.process_time() - cpu),
                "samples_per_s_wall": samples / (time.perf_counter() - wall)}


def serve():
    """One request a line: {"case":…, "way":…, "seconds":…}; one answer a line."""
    import torch
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    peers = {}
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a compiler prints is no answer
    config = torch.__config__.show()
    about = {"torch": torch.__version__,
             "blas": "mkl" if torch.backends.mkl.is_available() else "generic",
             "onednn": [x.split("DNN ")[1].split()[0] for x in config.splitlines()
                        if "MKL-DNN" in x],
             "capability": [x.split(":")[1].strip() for x in config.splitlines()
                            if "CPU capability" in x]}
    if hasattr(torch, "compile"):
        from torch._inductor import cpu_vec_isa
        about["compiled_for"] = str(cpu_vec_isa.pick_vec_isa())
    print(json.dumps(about), file=answers, flush=True)
    for line in sys.stdin:
        want = json.loads(line)
        key = (want["case"]["name"], want["way"])
        try:
            if key not in peers:
                peers.clear()
                peers[key] = Peer(torch, want["case"], want["way"])
                for _ in range(20):
                    peers[key].step()
            answer = peers[key].measure(want["seconds"])
        except Exception as e:  # a way that this version does not know
            answer = {"error": str(e).splitlines()[0][:200] if str(e) else repr(e)}
        print(json.dumps(answer), file=answers, flush=True)


# ------------------------------------------------------------------ the comparison

class Server:
    """A process with PyTorch for one way of running it, so that ways take turns without being
    compiled again."""

    def __init__(self, python, way, malloc):
        self.way, self.python = way, python
        self.process = subprocess.Popen(
            [python, os.path.abspath(__file__), "--serve"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **ONE_THREAD, **(KEEP_MEMORY if malloc == "kept" else {})})
        self.about = json.loads(self.process.stdout.readline())
        self.name = f"{self.about['torch']} {way}"

    def measure(self, case, seconds):
        print(json.dumps({"case": case, "way": self.way, "seconds": seconds}),
              file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def measure_ours(build, case, seconds):
    program = os.path.join(build, "tests", "bench", "step_bench")
    # The library's own choice of kernels, as a daemon that was given none.
    env = {k: v for k, v in os.environ.items()
           if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    done = subprocess.run([program, CASES, case["name"], str(seconds)], capture_output=True,
                          text=True, check=True, env={**env, **ONE_THREAD})
    return json.loads(done.stdout)


def middle(values, key):
    return statistics.median(v[key] for v in values)


def bench_name(case, malloc):
    return "step " + case["name"] + ("" if malloc == "kept" else " (fresh malloc)")


def compare(build, servers, case, seconds, tries):
    ours, theirs = [], {s.name: [] for s in servers}
    dead = {}
    for _ in range(tries):
        ours.append(measure_ours(build, case, 2 * seconds))  # half of it for the limit
        for s in servers:
            if s.name in dead:
                continue
            answer = s.measure(case, seconds)
            if "error" in answer:
                dead[s.name] = answer["error"]
            else:
                theirs[s.name].append(answer)
    rates = {name: round(middle(v, "samples_per_s"), 1) for name, v in theirs.items() if v}
    best = max(rates, key=rates.get)
    rate = middle(ours, "samples_per_s")
    most = max(v["samples_per_s"] for answers in theirs.values() for v in answers)
    return {"median": round(rate, 1),
            "min": round(min(v["samples_per_s"] for v in ours), 1),
            "max": round(max(v["samples_per_s"] for v in ours), 1), "tries": tries,
            "unit": "samples/s", "wall": round(middle(ours, "samples_per_s_wall"), 1),
            "ratio": round(rate / rates[best], 3), "fastest_peer": best,
            "ratio_of_best": round(max(v["samples_per_s"] for v in ours) / most, 3),
            "aim": f">= {case['aim']} x PyTorch", "peers": rates,
            "peers_wall": {n: round(middle(v, "samples_per_s_wall"), 1)
                           for n, v in theirs.items() if v}, "refused": dead,
            "share_of_limit": round(middle(ours, "share_of_limit"), 3),
            "limit_aim": case["limit"], "step_us": round(middle(ours, "step_us"), 2),
            "products_us": round(middle(ours, "products_us"), 2),
            "update_us": round(middle(ours, "update_us"), 2),
            "gflops": round(middle(ours, "gflops"), 1), "batch": case["batch"],
            "allocations": max(v["allocations"] for v in ours), "core": ours[0]["core"],
            "blas": ours[0]["blas"], "kernels": {s.about["torch"]: s.about for s in servers}}


def commit():
    done = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"], text=True,
                          capture_output=True)
    return done.stdout.strip() or "unknown"


def done_before(version):
    try:
        with open(RESULTS, encoding="utf-8") as f:
            lines = [json.loads(x) for x in f]
    except FileNotFoundError:
        return set()
    return {x["bench"] for x in lines if x.get("commit") == version}


def option(arguments, name, fallback):
    if name not in arguments:
        return fallback
    i = arguments.index(name)
    value = arguments[i + 1]
    del arguments[i:i + 2]
    return type(fallback)(value) if fallback is not None else value


def main():
    arguments = sys.argv[1:]
    only = option(arguments, "--case", None)
    seconds, tries = option(arguments, "--seconds", 2.0), option(arguments, "--tries", 5)
    malloc = option(arguments, "--malloc", "kept")
    if len(arguments) < 2 or malloc not in ("kept", "fresh"):
        sys.exit(__doc__)
    build, pythons = os.path.abspath(arguments[0]), arguments[1:]
    version = commit()
    with open(CASES, encoding="utf-8") as f:
        cases = [c for c in json.load(f) if only in (None, c["name"])]
    passed = done_before(version)
    servers = [Server(p, way, malloc) for p in pythons for way in WAYS]
    for case in cases:
        name = bench_name(case, malloc)
        if name in passed:
            continue
        line = {"bench": name, **compare(build, servers, case, seconds, tries), "commit": version}
        print(json.dumps(line), flush=True)
        with open(RESULTS, "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")
    for s in servers:
        s.stop()


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        main()
