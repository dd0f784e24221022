"""The same command on this machine and on a Ray cluster: the same bytes, whatever is killed; and what the seam costs.

    python -m bench.ray --records 100000 --kills 10 --overhead 1000000

Starts a head and two worker nodes with one core each as separate processes of this machine: it shows correctness and
recovery, and no speed-up. Needs the extra [ray]; prints what it does and writes bench/results/ray.json.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from bench.corpus import write
from bench.ray_cluster import Cluster, cluster
from holdfast.core.engine import LocalRunner, Stage, map_shards
from holdfast.core.reader import read
from holdfast.dedup import near
from holdfast.rules import census

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ROOT.parent / "shared" / "data" / "text"
MAIN = [sys.executable, "-c", "from holdfast.cli.app import main; raise SystemExit(main())"]
HELD_OUT = 1_000
PATIENCE = 1_800
SETTINGS = """version: 1
generators: [{{use: procedural, family: arithmetic, tasks: [shopping, rates, sharing, schedules]}}]
cells: {{grid: {{difficulty: [easy, medium, hard]}}, quota: {quota}}}
"""
# Buckets that are compared by tasks, so that there is a reduce to be killed in.
EXACT = """
import sys
from pathlib import Path
import numpy as np
from holdfast.core.reader import read
from holdfast.core.runners import runner_of
from holdfast.dedup.exact import exact_in_buckets
data, out, runner = sys.argv[1:]
Path(out).mkdir(exist_ok=True)
found = exact_in_buckets(read([data], spool=Path(out) / "data"), Path(out), runner_of(runner), None, 8)
np.save(Path(out) / "found.npy", found.representative)
"""


def main() -> None:
    """Run everything that is asked for and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--overhead", type=int, default=1_000_000, help="records to measure the seam with; 0: not")
    parser.add_argument("--go-on", action="store_true", help="take what a stopped run made here of exact and filter")
    parser.add_argument("--work", type=Path, default=ROOT / ".bench" / "ray")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "ray.json")
    given = parser.parse_args()
    result: dict[str, Any] = json.loads(given.out.read_text()) if given.out.exists() else {}
    result["machine"] = {"cores": os.cpu_count(), "python": platform.python_version()}
    if given.overhead:
        keep(given.out, result, overhead=overhead(given.work, given.overhead))
    if given.records:
        if not given.go_on:
            shutil.rmtree(given.work / "runs", ignore_errors=True)
        runs = given.work / "runs"
        shutil.rmtree(runs / "cluster", ignore_errors=True)
        with cluster(runs / "cluster") as running:
            commands = verbs(given.work, given.records)
            verbs_equal: dict[str, Any] = result.get("equal", {}) if given.go_on else {}
            keep(given.out, result, records=given.records, equal=verbs_equal, nodes_killed=[])
            for name in ("exact", "filter") if not given.go_on else ():
                keep(given.out, result, equal=verbs_equal | {name: equal(name, commands[name], running, runs)})
                verbs_equal = result["equal"]
            for row in nodes_killed(commands, running, runs, given.kills):
                keep(given.out, result, nodes_killed=[*result["nodes_killed"], row])
            for name in ("audit", "verify", "mix", "generate"):
                keep(given.out, result, equal=result["equal"] | {name: equal(name, commands[name], running, runs)})
            keep(given.out, result, driver_killed=driver_killed(commands["filter"], running, runs))


def keep(path: Path, result: dict[str, Any], **new: Any) -> None:
    """Print what is new and write the result so far."""
    print(json.dumps(new), flush=True)
    result.update(new)
    path.write_text(json.dumps(result, indent=2) + "\n")


def verbs(work: Path, records: int) -> dict[str, list[str]]:
    """Write the inputs; return each heavy verb as a user would type it, without --out and --runner."""
    corpus = work / f"corpus-{records}.jsonl"
    write(corpus, records, TEXTS)
    parts: dict[str, list[str]] = {"real": [], "synthetic": []}
    for line in corpus.read_text("utf-8").splitlines(keepends=True):
        parts[json.loads(line)["origin"]].append(line)
    paths = {name: work / f"{name}-{records}.jsonl" for name in ("real", "synthetic", "held", "sums", "settings")}
    paths["real"].write_text("".join(parts["real"][HELD_OUT:]))
    paths["held"].write_text("".join(parts["real"][:HELD_OUT]))
    paths["synthetic"].write_text("".join(parts["synthetic"]))
    paths["sums"].write_text("".join(sums(records)))
    paths["settings"] = work / f"settings-{records}.yaml"
    paths["settings"].write_text(SETTINGS.format(quota=records // 3))
    name = {key: str(path) for key, path in paths.items()}
    return {
        "audit": ["audit", str(corpus), "--json", "--fail-on", "never"],
        "filter": ["filter", str(corpus), "--eval", name["held"], "--privacy", "redact"],
        "verify": ["verify", name["sums"], "--checks", "math"],
        "generate": ["generate", "-c", name["settings"]],
        "mix": ["mix", "--real", name["real"], "--synthetic", name["synthetic"], "--eval", name["held"],
                "--max-synthetic", "0.3"],
        "exact": [str(corpus)],
    }  # fmt: skip


def sums(count: int) -> Iterator[str]:
    """Yield sums with their answers, a fifth of them wrong."""
    random = Random(7)
    for number in range(count):
        one, other = random.randrange(100, 999), random.randrange(100, 999)
        said = one * other + (random.random() < 0.2)
        row = {"id": f"s{number}", "question": f"What is {one} * {other}?", "response": f"#### {said}"}
        yield json.dumps({**row, "gold": str(one * other)}) + "\n"


def started(arguments: list[str], runner: str, out: Path, running: Cluster) -> subprocess.Popen[str]:
    """Start a verb, or the comparison of exact duplicates in buckets, which has no verb of its own."""
    command = [sys.executable, "-c", EXACT, *arguments, str(out), runner]
    if len(arguments) > 1:
        place = [] if arguments[0] == "audit" else ["--out", str(out)]
        command = [*MAIN, *arguments, *place, "--runner", runner]
    out.parent.mkdir(parents=True, exist_ok=True)
    log = out.with_suffix(".log").open("w")
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, env=running.environment, start_new_session=True
    )


def told(out: Path, printed: str) -> dict[str, Any]:
    """What a run wrote and printed, without where (runner) and how fast (ms) it was done."""
    found: dict[str, Any] = {"printed": printed if printed.startswith("{") else ""}
    for path in sorted(out.rglob("*")) if out.is_dir() else ():
        # What a killed task left half-written is hidden, and no result.
        hidden = path.name.startswith(".")
        if (
            not path.is_file()
            or hidden
            or path.suffix == ".arrow"
            or path.name in ("exact-priority.npy", "detected.json")
        ):
            continue
        content = path.read_bytes()
        name = str(path.relative_to(out))
        if path.name == "manifest.json":
            values = json.loads(content)
            values["digests"].pop("verdicts.jsonl", None)
            found[name] = {key: each for key, each in values.items() if key not in ("runner", "digest")}
        elif path.name == "verdicts.jsonl":
            found[name] = [{**json.loads(line), "ms": None} for line in content.splitlines()]
        else:
            found[name] = content
    return found


def done(arguments: list[str], runner: str, out: Path, running: Cluster) -> tuple[dict[str, Any], float]:
    """Run to the end; return what came of it, and the seconds."""
    begin = time.monotonic()
    process = started(arguments, runner, out, running)
    printed = process.communicate(timeout=PATIENCE)[0]
    if process.returncode not in (0, 1):  # 1: a verdict, as that a set is short
        raise RuntimeError(f"{arguments[0]} ended with {process.returncode}: {out.with_suffix('.log').read_text()}")
    return told(out, printed), round(time.monotonic() - begin, 1)


def equal(name: str, arguments: list[str], running: Cluster, runs: Path) -> dict[str, Any]:
    """Run a verb here and on the cluster; the result of here stays for what follows."""
    out = runs / name  # a card names the folder it was made for: both are made in one
    here, seconds = done(arguments, "local,workers=2", out, running)
    shutil.rmtree(runs / f"{name}-here", ignore_errors=True)
    if out.exists():
        out.rename(runs / f"{name}-here")
    there, seconds_there = done(arguments, running.runner, out, running)
    shutil.rmtree(out, ignore_errors=True)
    return {"equal": here == there, "seconds_here": seconds, "seconds_there": seconds_there}


def driver_killed(arguments: list[str], running: Cluster, runs: Path) -> dict[str, Any]:
    """SIGKILL the command when two shards are shingled, and type it again."""
    out = runs / "filter"
    process = started(arguments, running.runner, out, running)
    parts = waited(process, out, ".stages/*/shingling/part-*", 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    again, seconds = done(arguments, running.runner, out, running)
    shutil.rmtree(out)
    same = again == told(runs / "filter-here", "")
    return {"parts_committed": parts, "equal": same, "seconds_again": seconds}


def nodes_killed(commands: dict[str, list[str]], running: Cluster, runs: Path, count: int) -> Iterator[dict[str, Any]]:
    """SIGKILL a node when so many parts of a stage are committed, in map and in reduce; add another afterwards."""
    places = [("exact", "equal/map-*", 1), ("exact", "equal/reduce-*", 1), ("filter", ".stages/*/shingling/part-*", 1),
              ("exact", "equal/map-*", 2), ("exact", "equal/reduce-*", 4)]  # fmt: skip
    for number in range(count):
        verb, pattern, least = places[number % len(places)]
        out = runs / verb
        shutil.rmtree(out, ignore_errors=True)
        process = started(commands[verb], running.runner, out, running)
        parts = waited(process, out, pattern, least)
        running.kill_node()
        printed = process.communicate(timeout=PATIENCE)[0]
        same = process.returncode == 0 and told(out, printed) == told(runs / f"{verb}-here", "")
        shutil.rmtree(out, ignore_errors=True)
        running.add_node()
        row = {"verb": verb, "stage": pattern, "parts_committed": parts, "exit": process.returncode, "equal": same}
        print(row, flush=True)
        yield row


def waited(process: subprocess.Popen[str], out: Path, pattern: str, least: int) -> int:
    """Wait until so many parts are there, or the process has ended; return how many there are."""
    while process.poll() is None and len(list(out.glob(pattern))) < least:
        time.sleep(0.01)
    return len(list(out.glob(pattern)))


def overhead(work: Path, records: int) -> dict[str, Any]:
    """CPU seconds of two kernels called directly and through `map_shards`, three times in turn, the least of each."""
    corpus = work / f"corpus-{records}.jsonl"
    write(corpus, records, TEXTS)
    spool = work / "overhead"
    shutil.rmtree(spool, ignore_errors=True)
    data = read([corpus], spool=spool / "data")
    columns = ("prompt", "response")

    def direct() -> None:
        for shard in data.shards:
            near.sketch(shard.table(columns))
            census.census(shard.table(census.COLUMNS))

    def through() -> None:
        shutil.rmtree(spool / "stages", ignore_errors=True)
        (spool / "stages").mkdir()
        stages = (Stage("sketch", spool / "stages", near.sketch, columns=columns),
                  Stage("census", spool / "stages", census.census, columns=census.COLUMNS))  # fmt: skip
        for stage in stages:
            for _ in map_shards(stage, data.shards, LocalRunner(1)):
                pass

    near.sketch(data.shards[0].table(columns))  # what is compiled is compiled before
    turns = [(spent(direct), spent(through)) for _ in range(2)]
    alone, seam = (min(each[place] for each in turns) for place in range(2))
    shutil.rmtree(spool, ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    shares = {"cpu_seconds_direct": round(alone, 2), "cpu_seconds_seam": round(seam, 2)}
    return {"records": records, **shares, "overhead": round(seam / alone - 1, 4), "peak_mebibytes": peak}


def spent(work: Callable[[], None]) -> float:
    """Return the CPU seconds of a call, with what the system does for it."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
