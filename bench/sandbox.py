"""The code verifier: programs per second against bubblewrap per program, time for one, agreement with measured labels.

    python -m bench.sandbox [--programs 400] [--rounds 5] [--write]

The ways to run are taken in turn, round after round, so that a busy machine burdens all alike; of each the median and
the best round are kept. `--write` puts everything into bench/results/sandbox.json.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from holdfast.core.record import Record
from holdfast.verifiers import code_strength
from holdfast.verifiers.code import CodeCheck
from holdfast.verifiers.sandbox import worker

ROOT = Path(__file__).resolve().parents[1]
VERIFY = ROOT.parent / "shared" / "data" / "verify"
RESULT = ROOT / "bench" / "results" / "sandbox.json"
PROGRAM = "def add(a, b):\n    return a + b\n"
TESTS = ["assert add(2, 3) == 5", "assert add(-1, 1) == 0", "assert add(10, -4) == 6"]
FLOOR = "from holdfast.verifiers.sandbox import floor\nfloor.lay()\nfloor.enter(5, 1 << 30)\n"
WORKERS = 2


def main() -> None:
    """Measure and print; keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=400, help="programs per round of our own way")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the figures into bench/results/")
    arguments = parser.parse_args()
    check = CodeCheck()
    found = {
        "machine": {"cores": os.cpu_count(), "load": [round(each, 1) for each in os.getloadavg()]},
        "layers": dict(check.pool().layers()),
        "speed": speed(check, arguments.programs, arguments.rounds),
        "latency_ms": latency(check, 300),
        "labels": {name: labels(check, name) for name in ("humanevalpack_python", "mbpp_ref_and_mutants")},
        "strength": strength(),
    }
    check.close()
    print(json.dumps(found, indent=2))
    if arguments.write:
        RESULT.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def record(name: str = "r") -> Record:
    """The smallest program with three cases."""
    return Record(name, "", PROGRAM, fields={"tests": TESTS})


def speed(check: CodeCheck, programs: int, rounds: int) -> dict[str, Any]:
    """Programs per second of each way on two workers, and how many times faster ours is."""
    ways: dict[str, tuple[int, Callable[[int], None]]] = {
        "holdfast, warm process": (programs, lambda count: ours(check, count)),
        "bubblewrap and a new interpreter per program, same floor": (
            programs // 8,
            lambda count: each_new(count, FLOOR),
        ),
        "bubblewrap and a new interpreter per program, no floor": (programs // 8, lambda count: each_new(count, "")),
    }
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: list[float] = []
    for _ in range(rounds + 1):
        for name, (count, run) in ways.items():
            start, spent = time.perf_counter(), processor_seconds()
            run(count)
            wall[name].append((time.perf_counter() - start) / count)
            # What runs inside a bubblewrap of its own is gone, with its account, before it can be asked.
            cpu += [(processor_seconds() - spent) / count] if count == programs else []
    # The first round warms caches up.
    taken = {name: each[1:] for name, each in wall.items()}
    warm, same, bare = (median(each) for each in taken.values())
    return {
        "programs_per_second": {name: round(1 / median(each)) for name, each in taken.items()},
        "programs_per_second_best_round": {name: round(1 / min(each)) for name, each in taken.items()},
        "times_faster_same_floor": round(same / warm, 1),
        "times_faster_no_floor": round(bare / warm, 1),
        "cpu_ms_per_program": round(1000 * median(cpu[1:]), 2),
        "programs_per_second_if_idle": round(WORKERS / median(cpu[1:])),
    }


def processor_seconds() -> float:
    """Processor time of this process, of all its living descendants, and of what each of them has reaped."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
        # utime, stime, cutime, cstime (proc(5)).
        spent[int(path.parent.name)] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    mine, found = {os.getpid()}, 0
    while len(mine) > found:
        found = len(mine)
        mine |= {pid for pid, parent in parents.items() if parent in mine}
    return sum(spent[pid] for pid in mine if pid in spent)


def ours(check: CodeCheck, count: int) -> None:
    """Judge `count` records at once."""
    wrong = [verdict for verdict in check.batch([record(str(number)) for number in range(count)]) if not verdict.ok]
    if wrong:
        raise SystemExit(f"not accepted: {wrong[0]}")


def each_new(count: int, floor: str) -> None:
    """Run `count` programs, each in a bubblewrap and an interpreter of its own, judged by exit code."""
    around = worker.namespaces()
    if around is None:
        raise SystemExit("bubblewrap does not work here: nothing to compare with")
    command = [*around, sys.executable, "-S", "-P", "-c", f"{floor}{PROGRAM}" + "\n".join(TESTS)]
    environment = {"PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(_: int) -> int:
        return subprocess.run(command, env=environment, check=True, capture_output=True).returncode

    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(run, range(count)))


def latency(check: CodeCheck, programs: int) -> dict[str, float]:
    """Milliseconds for one record alone, from record to verdict."""
    taken = []
    for _ in range(programs):
        start = time.perf_counter()
        check(record())
        taken.append(1000 * (time.perf_counter() - start))
    taken.sort()
    return {
        "p50": round(median(taken), 2),
        "p10": round(taken[programs // 10], 2),
        "p99": round(taken[-programs // 100], 2),
    }


def rows(name: str) -> list[dict[str, Any]]:
    """All rows of a labelled file."""
    with gzip.open(VERIFY / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def labels(check: CodeCheck, name: str) -> dict[str, Any]:
    """Agreement with labels that were measured by running the tests, and every difference."""
    labelled = rows(name)
    start = time.perf_counter()
    verdicts = check.batch([_record(row) for row in labelled])
    pairs = list(zip(labelled, verdicts, strict=True))
    return {
        "n": len(labelled),
        "agree": sum(verdict.ok is row["measured_pass"] for row, verdict in pairs),
        "false_accepts": [row["id"] for row, verdict in pairs if verdict.ok is True and not row["measured_pass"]],
        "false_rejects": [row["id"] for row, verdict in pairs if verdict.ok is False and row["measured_pass"]],
        "undecided": [row["id"] for row, verdict in pairs if verdict.ok is None],
        "reasons": dict(Counter(verdict.reason for verdict in verdicts)),
        "modes": dict(Counter(verdict.evidence.get("mode", "none") for verdict in verdicts)),
        "seconds": round(time.perf_counter() - start, 1),
    }


def _record(row: dict[str, Any]) -> Record:
    names: Sequence[str] = [name for name in ("test", "entry_point", "tests", "setup") if name in row]
    prompt = row["prompt"] if "test" in row else row["text"]
    return Record(row["id"], prompt, row["solution"], fields={name: row[name] for name in names})


def strength() -> dict[str, Any]:
    """How strong the tests of the right solutions are: the mutation score per file."""
    found = {}
    for name in ("humanevalpack_python", "mbpp_ref_and_mutants"):
        right = [_record(row) for row in rows(name) if row["measured_pass"]][:160]
        verdicts = code_strength.batch(right)
        made = sum(verdict.evidence.get("mutants", 0) for verdict in verdicts)
        found[name] = {
            "programs": len(right),
            "mutants": made,
            "killed": round(sum(verdict.evidence.get("killed", 0) for verdict in verdicts) / made, 3),
            "weak": sum("weak" in verdict.evidence for verdict in verdicts),
            "flaky": [record.id for record, verdict in zip(right, verdicts, strict=True) if verdict.reason == "flaky"],
        }
    code_strength.close()
    return found


if __name__ == "__main__":
    main()
