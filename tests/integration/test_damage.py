"""Files that are read back and are not what was written: found, said, and made again from what is
whole, to the same bits."""
import glob
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import WORKER, Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

RUNS = {"method": "random", "run_cap": 2}


def flip(path, at):
    """One bit of the byte at that place, with the file's times as they were."""
    before = os.stat(path)
    with open(path, "r+b") as f:
        f.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cache_file(d):
    found = glob.glob(os.path.join(d.environment["XDG_CACHE_HOME"], "sweepd", "*.data"))
    equal(len(found), 1, "files in the cache")
    return found[0]


def stderr(d, run_id):
    with open(f"{d.db}.runs/{run_id}/stderr", encoding="utf-8") as f:
        return f.read()


def curves(d, sweep):
    return d.sql("SELECT r.number, c.point, c.train_loss, c.val_loss FROM curves c JOIN runs r "
                 "ON r.id=c.run_id WHERE r.sweep_id=? ORDER BY 1, 2", sweep)


def test_a_damaged_cache_is_made_again():
    """A label at the beginning, a pixel in the middle, one at the end, and a sum."""
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home:
        spec = small_spec(make_data(home), **RUNS)
        with Daemon(workers=1) as d:
            first = d.submit(spec)
            equal(d.wait(first)["status"], "completed")
            for at in (4096, 8192 + 64 * 200, 8192 + 64 * 449, -2):
                flip(cache_file(d), at)
                sweep = d.submit(spec)
                equal(d.wait(sweep)["status"], "completed")
                equal(curves(d, sweep), curves(d, first), f"after byte {at} was flipped")


def test_a_run_finds_the_damage_itself():
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home:
        data = make_data(home)
        with Daemon(workers=1) as d:
            sweep = d.submit(small_spec(data, **RUNS))
            equal(d.wait(sweep)["status"], "completed")
            config = f"{d.db}.runs/1/config.json"
            flip(cache_file(d), 9000)

            def by_hand():
                return subprocess.run([WORKER, config], env=d.environment, capture_output=True,
                                      text=True, check=False)
            first = by_hand()
            equal(first.returncode, 0, first.stderr)
            check("is damaged in the 1048576 bytes from byte 0 on: it is made again" in
                  first.stderr, first.stderr)
            again = by_hand()
            check("damaged" not in again.stderr, again.stderr)
            equal(losses(first.stdout), losses(again.stdout), "the same curve")
            equal(losses(first.stdout), [x for x, in d.sql(
                "SELECT val_loss FROM curves WHERE run_id=1 ORDER BY point")], "as it was stored")

            flip(cache_file(d), 9000)
            os.rename(data, data + ".gone")
            lost = by_hand()
            equal(lost.returncode, 1)
            result = json.loads(lost.stdout.splitlines()[-1])
            equal(result["error"], "data_missing")
            check(data in result["text"], result["text"])


def losses(lines):
    return [x["val_loss"] for x in map(json.loads, lines.splitlines()) if x["type"] == "point"]


def test_weights():
    """Damaged or gone: said, with the command that makes them again."""
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home:
        spec = small_spec(make_data(home), **RUNS)
        with Daemon(workers=1) as d:
            equal(d.wait(d.submit(spec))["status"], "completed")
            best = d.sql("SELECT run_id FROM best_runs ORDER BY rank")[0][0]
            kept = f"{d.db}.runs/{best}/best.safetensors"
            with open(kept, "rb") as f:
                whole = f.read()
            out = os.path.join(d.home, "out.safetensors")
            for at in (len(whole) - 5, len(whole) // 2, 8 + 100, 8 + 30):
                flip(kept, at)
                said = d.ctl("export", best, "-o", out, check=1).stderr
                check("damaged" in said and f"replay {best} -o" in said, said)
                check(not os.path.exists(out), "nothing is exported")
                flip(kept, at)

            flip(kept, len(whole) - 5)
            try:
                d.submit(dict(spec, name="next", start_from=best))
                check(False, "a sweep that starts from damaged weights is accepted")
            except RpcError as refused:
                equal((refused.data["error"], refused.data["key"]), ("data_error", "$.start_from"))
                check("damaged" in refused.message and "replay" in refused.message, refused.message)
            with open(f"{d.db}.runs/{best}/config.json", encoding="utf-8") as f:
                config = json.load(f)
            for name in ("weights", "checkpoint", "weights_floor"):
                config.pop(name, None)
            config["start_weights"] = kept
            path = os.path.join(d.home, "start.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(config, f)
            done = subprocess.run([WORKER, path], env=d.environment, capture_output=True,
                                  text=True, check=False)
            result = json.loads(done.stdout.splitlines()[-1])
            equal(result["error"], "data_error")
            check(kept in result["text"] and "replay" in result["text"], result["text"])

            os.remove(kept)
            said = d.ctl("export", best, "-o", out, check=1).stderr
            check(f"replay {best} -o" in said, said)
            d.ctl("replay", best, "-o", kept, check=0)
            with open(kept, "rb") as f:
                check(f.read() == whole, "the same weights, to the bit")
            check("exists" in d.ctl("replay", best, "-o", kept, check=2).stderr, "not overwritten")
            d.ctl("export", best, "-o", out, check=0)


if __name__ == "__main__":
    run(test_a_damaged_cache_is_made_again, test_a_run_finds_the_damage_itself, test_weights)
