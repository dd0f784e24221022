"""How `holdfast generate` grows: rate and memory of a large run without a model, and what a kill in its middle costs.

    python -m bench.generation [--sizes 20000 1000000] [--kill] [--ledger] [--write]

Each size is one whole run of the arithmetic family until so many records are accepted. With `--kill` it is run again in
another folder, ended by SIGKILL when half of its rounds are written, and started once more: measured are the seconds
until the next round is written, the whole of the rest, and whether the result files are the same bytes. With
`--ledger` the cost of writing down a call is measured alone: asked, sent and answered, many in one commit.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.measure import Cost, measure
from bench.peers.contest import machine
from holdfast.models.ledger import FILE, Ledger, Settled

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".bench" / "generation"
RESULT = ROOT / "bench" / "results" / "generation.json"
# The module, not the command beside the interpreter, so that the sources of this checkout are measured.
HOLDFAST = (sys.executable, "-c", "from holdfast.cli.app import main; main()")
CAP = 2 << 30
ROUNDS, KEPT, MANIFEST = ".rounds", "kept.jsonl", "manifest.json"
SETTINGS = """\
version: 1
generators:
  - {{use: procedural, family: arithmetic, tasks: [measures, percentages, rates, schedules, sharing, shopping]}}
cells:
  quota: {quota}
"""
# A body and an answer of usual length, and how many stand in one commit: what 64 in flight bring within a millisecond
# or two.
BODY, ANSWER, GROUPS = b"x" * 600, b"y" * 900, (1, 8, 64)
CALLS = 20_000
LOOK_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Killed:
    """A run that was ended in its middle: records it had by then, and what going on took."""

    bytes_of_rounds: int
    seconds_to_next_round: float
    seconds_to_end: float
    same_bytes: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One size: what the whole run cost."""

    accepted: int
    ended: str
    wall_seconds: float
    cpu_seconds: float
    records_per_second: int
    peak_mebibytes: int
    processes: int
    bytes_of_rounds: int
    killed: Killed | None = None


def main() -> None:
    """Measure what is asked for, print it, and keep it with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[20_000, 1_000_000])
    parser.add_argument("--kill", action="store_true", help="also end a run of each size in its middle and resume it")
    parser.add_argument("--ledger", action="store_true", help="also measure the ledger alone")
    parser.add_argument("--write", action="store_true", help="keep the result in bench/results")
    given = parser.parse_args()
    found: dict[str, Any] = {"machine": machine(), "load": round(os.getloadavg()[0], 1), "runs": []}
    for size in given.sizes:
        found["runs"].append(asdict(run(size, kill=given.kill)))
        print(json.dumps(found["runs"][-1]), flush=True)
    if given.ledger:
        found["ledger"] = [ledger_cost(durability, group) for durability in ("process", "power") for group in GROUPS]
        print(json.dumps(found["ledger"], indent=1))
    if given.write:
        RESULT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def run(size: int, *, kill: bool) -> Row:
    """Generate `size` records in one go, and again with a kill where that is asked for."""
    folder = WORK / str(size)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "holdfast.yaml").write_text(SETTINGS.format(quota=size), "utf-8")
    whole = folder / "whole"
    # The rounds are counted while they are there: a run may clear them away at its end.
    cost, written = measured(folder, whole)
    killed = ended_in_the_middle(folder, whole, written) if kill and cost.ended == "exit 0" else None
    row = Row(
        accepted=size,
        ended=cost.ended,
        wall_seconds=cost.wall_seconds,
        cpu_seconds=cost.cpu_seconds,
        records_per_second=round(size / cost.wall_seconds),
        peak_mebibytes=cost.peak_bytes >> 20,
        processes=cost.processes,
        bytes_of_rounds=written,
        killed=killed,
    )
    shutil.rmtree(folder)
    return row


def command(folder: Path, out: Path) -> list[str]:
    """Return the command that generates into `out`."""
    return [*HOLDFAST, "generate", "--settings", str(folder / "holdfast.yaml"), "--out", str(out), "--quiet"]


def measured(folder: Path, out: Path) -> tuple[Cost, int]:
    """Run to the end; return the cost and how many bytes its rounds have."""
    cost = measure(command(folder, out), CAP, folder)
    if cost.ended != "exit 0":
        print(cost.messages[-2000:], file=sys.stderr)
    return cost, size_of(out / ROUNDS)


def ended_in_the_middle(folder: Path, whole: Path, written: int) -> Killed:
    """Kill a second run when half of its rounds are written; go on, and compare the result files with the first."""
    out = folder / "killed"
    child = start(folder, out)
    while size_of(out / ROUNDS) < written / 2 and child.poll() is None:
        time.sleep(LOOK_EVERY)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = size_of(out / ROUNDS)
    begun = time.monotonic()
    child = start(folder, out)
    while size_of(out / ROUNDS) <= before and child.poll() is None:
        time.sleep(LOOK_EVERY)
    next_round = time.monotonic() - begun
    child.wait()
    end = time.monotonic() - begun
    return Killed(before, round(next_round, 2), round(end, 1), digest(whole / KEPT) == digest(out / KEPT))


def start(folder: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start generating into `out`."""
    return subprocess.Popen(command(folder, out), stdout=subprocess.DEVNULL)


def size_of(folder: Path) -> int:
    """Return the bytes of the whole files in a folder; those still being written do not count."""
    if not folder.is_dir():
        return 0
    found = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name[0].isdigit() or entry.name.startswith("round-"):
                found += entry.stat().st_size
    return found


def digest(path: Path) -> str:
    """Return the SHA-256 of a file; of nothing where it is missing."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ledger_cost(durability: Any, group: int) -> dict[str, Any]:
    """Return what the ledger takes for one call from asking to answer, with `group` of them in each commit."""
    folder = WORK / "ledger"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ledger = Ledger(folder / FILE, durability)
    # A sync of the disk takes so long that fewer calls say as much.
    calls = CALLS if durability == "process" else group * 200
    wall, cpu = time.perf_counter(), time.process_time()
    settled: list[Settled] = []
    for first in range(0, calls, group):
        # As in a run: requests about to go out share a commit with the answers received since the one before.
        for done in settled:
            ledger.settle(done)
        settled = [one(ledger, number) for number in range(first, min(first + group, calls))]
        ledger.commit()
    for done in settled:
        ledger.settle(done)
    ledger.commit()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    ledger.close()
    size = (folder / FILE).stat().st_size
    shutil.rmtree(folder)
    return {
        "durability": durability,
        "calls_per_commit": group,
        "ms_per_call": round(1000 * wall / calls, 4),
        "cpu_ms_per_call": round(1000 * cpu / calls, 4),
        "bytes_per_call": round(size / calls),
    }


def one(ledger: Ledger, number: int) -> Settled:
    """Look a call up, ask it and intend to send it; return its answer, to be written with the next commit."""
    key = hashlib.blake2b(number.to_bytes(8, "little"), digest_size=16).digest()
    ledger.find(key)
    call = ledger.ask(key, "made-up", str(number), BODY, None)
    send = ledger.intend(call, 1)
    return Settled(send, call, 200, "answered", "yes", "made-up", (30, 90, 0), 0.0001, ANSWER)


if __name__ == "__main__":
    main()
