"""What watching costs in a training loop, and what the alarm does on recorded series.

    python -m bench.watch [--steps 3000] [--record examples/watch]

A tiny model (bench.tiny_lm) is trained by the Trainer of transformers at the default cadence, with the callback and
without. The recorded series are those of ../shared/data/collapse, each dealt into blocks in 12 ways. Prints what it
finds and writes bench/results/watch.json; --record writes the logs of a healthy run and of a collapsing one.
"""

import argparse
import copy
import json
import os
import platform
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch

from bench import tiny_lm
from holdfast.integrations.loop import LoopOptions, Watcher
from holdfast.integrations.transformers import watch_callback
from holdfast.workflows.monitor import Monitor, Reading
from holdfast.workflows.watch_log import Columns, chosen, record_readings, record_rows

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "bench" / "results" / "watch.json"
GENERATIONS = ROOT.parent / "shared" / "data" / "collapse" / "ngram_generations.jsonl.gz"
SERIES = (
    "replace_p100",
    "replace_p90",
    "mix70_p90",
    "mix50_p90",
    "mix30_p90",
    "control0_fresh_real",
    "control1_fresh_real",
)
DEALS = 12
WORDS = tiny_lm.tokenizer()


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        taught = pretrained(Path(folder))
        if given.record:
            record(taught, given.record, Path(folder))
        result = {
            "command": f"python -m bench.watch --steps {given.steps}",
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "torch": torch.__version__},
            "overhead": overhead(taught, given.steps, Path(folder)),
            "first_alarm": first_alarms(),
        }
    OUT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def pretrained(folder: Path) -> Any:
    """The tiny model after 200 steps on the endless text."""
    model, random = tiny_lm.model(), Random(1)
    tiny_lm.train(model, tiny_lm.Stream(WORDS, lambda count: tiny_lm.documents(random, count)), 200, folder)
    return model


def options(**given: Any) -> LoopOptions:
    """Reserved text of both kinds, a hundred documents each."""
    rare, common = (
        tiny_lm.documents(Random(seed), 100, kind) for seed, kind in ((3, tiny_lm.RARE), (2, tiny_lm.COMMON))
    )
    return LoopOptions(ood=rare, id=common, **given)


def run(taught: Any, steps: int, folder: Path, given: LoopOptions | None, *, own: bool = False) -> Watcher | None:
    """Train a copy of the model, on fresh text or half on its own samples; return what watched it."""
    model, random = copy.deepcopy(taught), Random(4)
    make = tiny_lm.own_samples(model, WORDS, random, real=0.5) if own else (lambda n: tiny_lm.documents(random, n))
    callbacks = (watch_callback(options=given, decoding=tiny_lm.DECODING),) if given else ()
    tiny_lm.train(model, tiny_lm.Stream(WORDS, make), steps, folder, callbacks)
    return callbacks[0].watcher if callbacks else None


def overhead(taught: Any, steps: int, folder: Path) -> dict[str, Any]:
    """Time the same steps bare and watched at the default cadence and share."""
    begun = perf_counter()
    run(taught, steps, folder, None)
    bare = perf_counter() - begun
    watcher = run(taught, steps, folder, options())
    assert watcher is not None  # noqa: S101  # a callback was given
    return {
        "steps": steps,
        "bare_step_ms": round(1000 * bare / steps, 2),
        "checks": len(watcher.result.checks),
        "share_of_time": round(watcher.overhead, 4),
        "every": watcher.options.every,
        "aim": watcher.options.overhead,
        "states": [check.state for check in watcher.result.checks],
    }


def record(taught: Any, folder: Path, scratch: Path) -> None:
    """Write the logs of a healthy and of a collapsing run, a check every 25 steps."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, own in (("healthy", False), ("collapsing", True)):
        log = folder / f"{name}.jsonl"
        log.unlink(missing_ok=True)
        run(taught, 150, scratch, options(every=25, overhead=0.0, log=log), own=own)


def first_alarms() -> dict[str, list[int | None]]:
    """The generation of the first alarm, for each series and way of dealing it; None for no alarm by generation 7."""
    if not GENERATIONS.exists():
        return {}
    rows = list(record_rows(GENERATIONS, "text"))
    found: dict[str, list[int | None]] = {}
    for name in SERIES:
        steps = list(record_readings(chosen(rows, {"series": name}), Columns("generation"), 0))[1:]
        found[name] = [first_alarm(steps, seed) for seed in range(DEALS)]
    return found


def first_alarm(steps: list[Reading], seed: int) -> int | None:
    """The step of the first alarm; documents are dealt into blocks by the seed."""
    monitor = Monitor(seed=seed)
    checks = [monitor.observe(step) for step in steps]
    return next((int(check.step) for check in checks if check.alarms), None)


if __name__ == "__main__":
    main()
