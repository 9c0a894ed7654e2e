"""Pilots by the hundred in one process: all that `sweep-worker --pilot` does with the room of a
sweep in the spool (docs/slurm.md), for a program whose work is nothing. Their jobs are those of
fake_slurm.py, which starts none itself where its file `played` is there.

usage: many_pilots.py CLUSTER [--seconds S] [--die-every N]
S: a run takes up to so long. N: with every Nth run its pilot is lost, and its job begins again."""
import argparse
import heapq
import itertools
import json
import os
import subprocess
import sys
import time

from fake_slurm import Memory

EPOCHS = 3
# What the pilots report, as a program of this machine reports it: a text that begins with how many
# epochs are left, so that the loss falls; no arithmetic, so that the bits are the same.
PROGRAM = """#!/bin/sh
for left in 3 2 1; do
    printf '{"epoch":%d,"val/loss":%s}\\n' $((4 - left)) "$left${1#--a=?}"
done >"/dev/fd/$SWEEPD_METRICS_FD"
"""


def spec(home, runs, slots, **more):
    """A sweep over that program, on a cluster."""
    program = os.path.join(home, "nothing.sh")
    if not os.path.exists(program):
        with open(program, "w", encoding="utf-8") as f:
            f.write(PROGRAM)
        os.chmod(program, 0o700)
    return {"name": "many", "method": "random", "run_cap": runs, "seed": 1, "epochs": EPOCHS,
            "task": {"command": [program, "${args}"]}, "repeat_share": 0,
            "metric": {"name": "val/loss", "goal": "minimize"},
            "parameters": {"a": {"min": 0.25, "max": 0.75}},
            "on": {"launcher": "slurm", "slots": slots}, **more}


def stored(d, runs):
    """Whether the database has exactly so many runs, each once, and of each what its pilot
    reported; and what it has."""
    facts = {"runs": d.sql("SELECT count(*), count(DISTINCT number), sum(status = 'completed') "
                           "FROM runs")[0],
             "points": d.sql("SELECT count(*), count(DISTINCT run_id) FROM curves")[0],
             "wrong_points": d.sql(
                 "SELECT count(*) FROM runs r JOIN curves c ON c.run_id = r.id WHERE "
                 "abs(c.val_loss - (? - c.epoch) - json_extract(r.params, '$.a')) > 1e-9",
                 EPOCHS + 1)[0][0],
             **dict(d.sql("SELECT kind, count(*) FROM events WHERE kind IN "
                          "('nondeterminism', 'run_retried') GROUP BY 1"))}
    good = (facts["runs"] == (runs,) * 3 and facts["points"] == (runs * EPOCHS, runs) and
            facts["wrong_points"] == 0 and "nondeterminism" not in facts)
    return good, facts


def append(path, *records):
    with open(path, "ab", buffering=0) as f:
        f.write(b"".join(json.dumps(r).encode() + b"\n" for r in records))


class Lines:
    """The lines that came, of a file that others append to."""

    def __init__(self, path):
        self.path, self.offset = path, 0

    def read(self):
        try:
            with open(self.path, "rb") as f:
                f.seek(self.offset)
                data = f.read()
        except OSError:
            return []
        end = data.rfind(b"\n") + 1
        self.offset += end
        return data[:end].splitlines()


class Pilot:
    def __init__(self, room, job, restarts):
        self.job, self.run = job, None
        self.name = f"{job}.{restarts}"
        self.folder = os.path.join(room.path, "pilots", self.name)
        self.log = os.path.join(self.folder, "log")
        self.beats = room.beats
        self.beat_at = time.monotonic() + self.beats
        os.mkdir(self.folder)
        with open(os.path.join(self.folder, "card"), "w", encoding="utf-8") as f:
            f.write(self.name + "\n")
        append(self.log, {"note": "hello", "job": job, "host": f"node{job.rpartition('_')[2]}",
                          "orders": room.orders.offset})

    def beat(self, now):
        if now >= self.beat_at:
            self.beat_at = now + self.beats
            append(self.log, {"note": "beat"})


class Room:
    """Of a sweep: what is offered there, and who is free for it."""

    def __init__(self, path, players):
        self.path, self.players = path, players
        self.orders = Lines(os.path.join(path, "orders"))
        self.offers = {}
        self.had = set()
        self.pilots, self.free = {}, {}
        self.ended = False
        with open(os.path.join(path, "room.json"), encoding="utf-8") as f:
            self.beats = json.load(f)["beat_seconds"]

    def come(self, job, restarts):
        self.pilots[job] = self.free[job] = Pilot(self, job, restarts)

    def leave(self, pilot, why):
        self.free.pop(pilot.job, None)
        del self.pilots[pilot.job]
        if why:
            append(pilot.log, {"note": "bye", "text": why})
        self.players.memory.write(0 if why else 137, "jobs", pilot.job, "exit")

    def take_order(self, order):
        kind, at = order["order"], (order.get("run"), order.get("attempt"))
        if kind == "offer" and at not in self.had:
            self.offers[at] = True
        elif kind == "gone":
            self.offers.pop(at, None)
        elif kind in ("end", "open"):
            self.ended = kind == "end"
        if kind in ("gone", "term", "kill"):
            for pilot in [p for p in self.pilots.values() if p.run == at]:
                self.end_run(pilot, signal=9)

    def claim(self, pilot, at):
        try:
            os.link(os.path.join(pilot.folder, "card"),
                    os.path.join(self.path, "claims", "%d.%d" % at))
        except FileExistsError:  # the daemon has taken it back
            return
        self.had.add(at)
        del self.free[pilot.job]
        pilot.run = at
        append(pilot.log, {"note": "took", "run": at[0], "attempt": at[1]})
        folder = os.path.join(self.path, "runs", "%d.%d" % at)
        try:
            with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
                a = json.load(f, parse_float=str)["params"]["a"]
        except FileNotFoundError:  # it is over already, and its order not read yet
            self.end_run(pilot, status=74)
            return
        lines = [f'{{"type":"point","point":{n},"epoch":{n},"val_loss":{EPOCHS + 1 - n}{a[1:]},'
                 f'"metrics":{{"val/loss":{EPOCHS + 1 - n}{a[1:]}}}}}\n'
                 for n in range(1, EPOCHS + 1)]
        self.players.begin(self, pilot, os.path.join(folder, "run.jsonl"), lines)

    def end_run(self, pilot, status=0, signal=0):
        append(pilot.log, {"note": "ended", "run": pilot.run[0], "attempt": pilot.run[1],
                           "status": status, "signal": signal})
        pilot.run = None
        self.free[pilot.job] = pilot

    def turn(self, now):
        for line in self.orders.read():
            self.take_order(json.loads(line))
        while self.offers and self.free and not self.ended:
            at = next(iter(self.offers))
            del self.offers[at]
            self.claim(next(iter(self.free.values())), at)
        for pilot in list(self.free.values()) if self.ended else ():
            self.leave(pilot, "there are no more runs")
        for pilot in self.pilots.values():
            pilot.beat(now)


class Players:
    def __init__(self, root, seconds, die_every):
        self.memory = Memory(root)
        self.seconds, self.die_every = seconds, die_every
        self.events = Lines(self.memory.path("events"))
        self.rooms = {}
        self.due, self.count = [], itertools.count(1)

    def begin(self, room, pilot, path, lines):
        """The first point at once; the others when it ends."""
        n = next(self.count)
        start = (b'{"type":"start","version":1,"pid":1,"core":"","blas":"","parameters":0,'
                 b'"flop":0,"resumed_point":0,"anew":true}\n')
        with open(path, "ab", buffering=0) as f:
            f.write(start + lines[0].encode())
        dies = self.die_every and n % self.die_every == 0
        share = n * 0.6180339887 % 1
        heapq.heappush(self.due, (time.monotonic() + self.seconds * share, n, dies, room, pilot,
                                  pilot.run, path, lines))

    def end_due(self, now):
        while self.due and self.due[0][0] <= now:
            _, _, dies, room, pilot, run, path, lines = heapq.heappop(self.due)
            if pilot.run != run:
                continue  # it was ended before
            if dies:
                with self.memory.lock():
                    self.memory.put_job(pilot.job, after="REQUEUE")
                room.leave(pilot, None)
                continue
            with open(path, "ab", buffering=0) as f:
                f.write("".join(lines[1:]).encode() +
                        b'{"type":"result","status":"completed","error":"","text":"",'
                        b'"seconds":0.01}\n')
            room.end_run(pilot)

    def take_event(self, kind, job, *more):
        path = os.path.dirname(self.memory.job(job)["script"])
        if not os.path.exists(path):  # its sweep is over
            self.memory.write(0, "jobs", job, "exit")
            return
        room = self.rooms.get(path) or Room(path, self)
        self.rooms[path] = room
        if kind == "begin":
            room.come(job, *more)
        elif job in room.pilots:
            pilot = room.pilots[job]
            if pilot.run:
                room.end_run(pilot, status=75)
            room.leave(pilot, "it was told to end")

    def turn(self):
        now = time.monotonic()
        for line in self.events.read():
            self.take_event(*line.decode().split())
        self.end_due(now)
        for path, room in list(self.rooms.items()):
            room.turn(now)
            if room.ended and not room.pilots:
                del self.rooms[path]
        time.sleep(0.01)  # seconds between two looks, as pilots take too


def start(cluster, seconds=0.0, die_every=0):
    """As a process of its own; before the first job is submitted."""
    cluster.set("played", "yes")
    return subprocess.Popen([sys.executable, os.path.abspath(__file__), cluster.root, "--seconds",
                             str(seconds), "--die-every", str(die_every)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cluster")
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--die-every", type=int, default=0)
    given = parser.parse_args()
    players = Players(given.cluster, given.seconds, given.die_every)
    while True:
        players.turn()


if __name__ == "__main__":
    main()
