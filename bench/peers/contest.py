"""One operation done by several tools on the same input: how each is run, what it cost, and which targets that meets.

Two figures of time for each: the operation alone, counted inside the process after imports and reading, and the whole
process. Ratios are of CPU seconds per document, so that a slow tool may be given a smaller subset.
"""

import json
import os
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.measure import Cost, measure
from bench.peers.corpora import corpus
from bench.peers.environments import OURS, python_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench" / "runs"
CAP = 20 << 30
CPU = Path("/proc/cpuinfo")
# Nothing is fetched, whatever a peer would like to look up.
OFFLINE = ("HF_HUB_OFFLINE=1", "HF_DATASETS_OFFLINE=1", "TRANSFORMERS_OFFLINE=1", "HF_HUB_DISABLE_TELEMETRY=1")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
# On some processors these choose an old kernel of OpenBLAS; everybody here brings a current one.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

Judge = Callable[["Contestant", Path], Mapping[str, Any]]
# What runs beside a contestant and is not counted with it; it gives the options that lead to it.
Beside = Callable[["Contestant", Path], AbstractContextManager[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do an operation. `environment` names a peer; OURS, or none, is ours. `cold`: no compiled code kept.

    `threads` bounds those of BLAS and OpenMP; 0 leaves them to the tool.
    """

    key: str
    label: str
    corpus: str
    script: str
    environment: str = ""
    options: tuple[str, ...] = ()
    runs: int = 3
    cold: bool = False
    threads: int = 0

    def command(self, folder: Path, more: Sequence[str] = ()) -> list[str]:
        """Return the command that runs it once with `folder` for its files; `more` are options behind its own."""
        python = str(python_of(self.environment)) if self.environment else sys.executable
        program = [python, "-m", "bench.peers.ours", self.script]
        if self.environment not in ("", OURS):
            program = [python, "-m", f"bench.peers.tools.{self.script}"]
        settings = [
            *OFFLINE,
            f"HF_HOME={folder / 'hf'}",
            *([f"NUMBA_CACHE_DIR={folder / 'numba'}"] if self.cold else []),
            *([f"{name}={self.threads}" for name in THREADS] if self.threads else []),
        ]
        unset = [part for name in UNSET for part in ("-u", name)]
        given = [str(corpus(self.corpus).path), str(folder), *self.options, *more]
        return ["env", *unset, *settings, *program, *given]


@dataclass(frozen=True, slots=True)
class Row:
    """What one contestant cost, medians over its runs, and what it answered. `documents` is what it worked on."""

    key: str
    label: str
    corpus: str
    documents: int
    runs: int
    ended: str
    cpu_seconds: float
    wall_seconds: float
    whole_cpu_seconds: float
    whole_wall_seconds: float
    peak_mebibytes: int
    steps: dict[str, float]
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """What the project promised: `ours` is `factor` times as fast as `peer`, or its answer `field` keeps a bound."""

    ours: str
    peer: str = ""
    factor: float = 0.0
    time: str = "cpu"
    field: str = ""
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One table: who takes part at which scale, who judges the answers, what was promised.

    `every`: each run is judged, not the last alone. `shape` is the kind of table that the page makes of it.
    """

    name: str
    title: str
    contestants: Callable[[str], list[Contestant]]
    targets: tuple[Target, ...] = ()
    judge: Judge | None = None
    prepare: Callable[[str], None] | None = None
    compare: Callable[[dict[str, "Row"]], None] | None = None
    beside: Beside | None = None
    every: bool = False
    shape: str = "documents"
    notes: tuple[str, ...] = field(default=())


def hold(operation: Operation, scale: str, told: Callable[[Row], None]) -> dict[str, Any]:
    """Run an operation's contestants in turn, round by round, and return its part of the result.

    Rounds, because what else a machine does then falls on everybody alike.
    """
    if operation.prepare:
        operation.prepare(scale)
    series = [Series(contestant) for contestant in operation.contestants(scale)]
    for number in range(max(one.contestant.runs for one in series)):
        for one in series:
            if number < one.contestant.runs:
                one.run(operation)
                told(one.row())
    rows = [one.row() for one in series]
    by_key = {row.key: row for row in rows}
    if operation.compare:
        operation.compare(by_key)
    met = [verdict(target, by_key) for target in operation.targets]
    return {
        "title": operation.title,
        "shape": operation.shape,
        "scale": scale,
        "load": round(os.getloadavg()[1], 1),
        "rows": [asdict(row) for row in rows],
        "targets": [one for one in met if one],
        "notes": list(operation.notes),
    }


@dataclass(slots=True)
class Series:
    """The runs of one contestant: what each cost and told, and what the judge says of the answer of the last."""

    contestant: Contestant
    costs: list[Cost] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    judged: list[Mapping[str, Any]] = field(default_factory=list)

    def run(self, operation: Operation) -> None:
        """Run once for an operation, after reading the input so that it lies in the page cache."""
        corpus(self.contestant.corpus).path.read_bytes()
        folder = FOLDER / f"{self.contestant.key}-{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with operation.beside(self.contestant, folder) if operation.beside else nullcontext(()) as more:
            self.costs.append(measure(self.contestant.command(folder, more), CAP, folder))
            self.told.append(printed(self.costs[-1], self.contestant))
            due = operation.every or len(self.costs) == self.contestant.runs
            if operation.judge and due and self.costs[-1].ended == "exit 0":
                self.judged.append(operation.judge(self.contestant, folder))
        shutil.rmtree(folder, ignore_errors=True)

    def row(self) -> Row:
        """Return the medians of the runs so far; the answer is that of the last run, and what the judge said of all."""
        answer = {**self.told[-1]["answer"], **summed_up(self.judged)}
        operations = [one["operation"] for one in self.told]
        return Row(
            key=self.contestant.key,
            label=self.contestant.label,
            corpus=self.contestant.corpus,
            documents=int(answer.pop("documents", corpus(self.contestant.corpus).documents)),
            runs=len(self.costs),
            ended=self.costs[-1].ended,
            cpu_seconds=statistics.median(one["cpu_seconds"] for one in operations),
            wall_seconds=statistics.median(one["wall_seconds"] for one in operations),
            whole_cpu_seconds=statistics.median(cost.cpu_seconds for cost in self.costs),
            whole_wall_seconds=statistics.median(cost.wall_seconds for cost in self.costs),
            peak_mebibytes=max(cost.peak_bytes for cost in self.costs) >> 20,
            steps=operations[-1]["steps"],
            answer=answer,
        )


def summed_up(judged: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a judge said of several runs: the highest of a count, the median of any other number, else the last.

    Where one run lost a row, the row is lost.
    """
    last = dict(judged[-1]) if judged else {}
    for name, value in last.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            values = [one[name] for one in judged]
            last[name] = max(values) if isinstance(value, int) else statistics.median(values)
    return last


def printed(cost: Cost, contestant: Contestant) -> dict[str, Any]:
    """Return what a script told in its last line; an empty telling where it failed, and why on stderr."""
    if cost.ended == "exit 0":
        told: dict[str, Any] = json.loads(cost.output.strip().splitlines()[-1])
        return told
    print(f"{contestant.key} ended with {cost.ended}:\n{cost.messages[-2000:]}", file=sys.stderr)
    return {"operation": {"cpu_seconds": 0.0, "wall_seconds": 0.0, "steps": {}}, "answer": {}}


def verdict(target: Target, rows: Mapping[str, Row]) -> dict[str, Any] | None:
    """Return what was promised, what was measured, and whether that is enough; None where a side did not take part."""
    if target.ours not in rows or (target.peer and target.peer not in rows):
        return None
    ours = rows[target.ours]
    if not target.peer:
        return {"what": f"{target.field.replace('_', ' ')} of {ours.label}", **bounded(target, ours)}
    peer = rows[target.peer]
    ratio = faster(ours, peer, f"{target.time}_seconds")
    return {
        "what": f"{ours.label} against {peer.label}, {target.time} time",
        "wanted": f">= {target.factor:g} x",
        "measured": ratio,
        "measured_whole_process": faster(ours, peer, f"whole_{target.time}_seconds"),
        "reached": ratio is not None and ratio >= target.factor,
    }


def bounded(target: Target, ours: Row) -> dict[str, Any]:
    """Return whether a value of our answer keeps its bound; a missing value does not."""
    value = ours.answer.get(target.field)
    if target.least is not None:
        return {
            "wanted": f">= {target.least}",
            "measured": value,
            "reached": value is not None and value >= target.least,
        }
    return {"wanted": f"<= {target.most}", "measured": value, "reached": value is not None and value <= target.most}


def faster(ours: Row, peer: Row, column: str) -> float | None:
    """Return how many times as long the peer takes per document; None where one of them failed."""
    mine, theirs = getattr(ours, column) / ours.documents, getattr(peer, column) / peer.documents
    failed = any(row.ended != "exit 0" for row in (ours, peer))
    return None if failed or not mine else round(theirs / mine, 2)


def machine() -> dict[str, Any]:
    """Return what the figures were measured on; of the processor's abilities those that matter for products."""
    facts = dict(line.replace("\t", "").split(":", 1) for line in CPU.read_text().splitlines() if ":" in line)
    flags = set(facts.get("flags", "").split())
    return {
        "processor": facts.get("model name", "unknown").strip(),
        "abilities": [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags],
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
    }
