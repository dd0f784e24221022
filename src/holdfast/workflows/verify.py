"""verify: check records mechanically and write every verdict beside them.

A record is kept when all its checks pass, rejected when one fails, undecided otherwise; nothing is deleted. Verdicts
are committed part by part, so that a killed run goes on where it stopped; processes share the parts.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from holdfast import __version__
from holdfast.core.dataset import Dataset, Shard, amended, records_of, with_checks
from holdfast.core.engine import LocalRunner, Progress, Runner, name_of
from holdfast.core.reader import read
from holdfast.core.rundir import Counts, Manifest, begin, only_writer
from holdfast.core.runners import runner_of
from holdfast.core.scratch import scratch
from holdfast.core.settings import Settings
from holdfast.core.writer import own_format, set_aside, write_dataset, write_lines, write_reasons
from holdfast.verifiers import code, code_strength
from holdfast.workflows.checking import NO_CHECK, SEVERITY, Fate, NamedCheck, decide, find_checks, judge

PARTS = ".verdicts"
# Records judged at a time: enough to keep the worker processes of a check busy, little to lose.
BLOCK = 1_000
# Records of a part: what a kill costs, what a process is given at a time, and how often progress is told.
PART = 5_000
WORDS = {True: "passed", False: "failed", None: "undecided"}


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """Which checks judge every record; with none each record is routed by its data. `workers` are processes.

    `unsafe` runs programs also where there is no sandbox; each verdict of such a run says `sandbox: none`.
    """

    checks: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    settings: Settings | None = None
    workers: int = 1
    unsafe: bool = False
    progress: Progress | None = None
    runner: Runner | None = None

    @property
    def where(self) -> Runner:
        """The runner: the one given, that of the settings, or `workers` processes."""
        if self.runner is None and self.settings is not None and self.settings.runner != "local":
            return runner_of(self.settings.runner)
        return self.runner or LocalRunner(self.workers)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows `start` to `start + rows` of a shard, and the file their verdicts are committed to."""

    shard: Shard
    start: int
    rows: int
    path: Path

    @property
    def first(self) -> int:
        """The global index of the part's first record."""
        return self.shard.first + self.start


class Outcome:
    """What became of each record, by global index, and why: five bytes per record, however many verdicts."""

    def __init__(self, rows: int) -> None:
        self.fates = np.zeros(rows, dtype=np.uint8)
        self.codes = np.zeros(rows, dtype=np.int32)
        self.reasons: dict[str, int] = {"": 0}
        self.funnel: dict[str, Counter[str]] = {}
        self.why: dict[str, Counter[str]] = {}
        self.unverifiable: Counter[str] = Counter()
        self.parts: list[Part] = []

    def rows(self, fate: Fate) -> np.ndarray:
        """Return the global indices of the records with this fate."""
        return np.flatnonzero(self.fates == SEVERITY.index(fate))

    def reasons_of(self, rows: np.ndarray) -> list[str]:
        """Return the reason of each of these records; '' for those kept."""
        names = list(self.reasons)
        return [names[code] for code in self.codes[rows].tolist()]

    def counted(self) -> Counter[str]:
        """Return how many records were not kept for each reason."""
        counts = np.bincount(self.codes, minlength=len(self.reasons)).tolist()
        return Counter({name: counts[code] for name, code in self.reasons.items() if name and counts[code]})

    def add(self, part: Part) -> None:
        """Take a committed part into account; each record's fate follows from its worst verdict."""
        self.parts.append(part)
        for row, said in _read(part.path):
            check, ok, reason = said["check"], said["ok"], said["reason"]
            self.funnel.setdefault(check, Counter())[WORDS[ok]] += 1
            self.why.setdefault(check, Counter())[reason] += 1
            if check == NO_CHECK:
                self.unverifiable[said["evidence"]["domain"]] += 1
            fate, why = decide(check, ok, reason)
            if SEVERITY.index(fate) > self.fates[row]:
                self.fates[row] = SEVERITY.index(fate)
                self.codes[row] = self.reasons.setdefault(why, len(self.reasons))


def verify_files(files: Sequence[str | Path], out: Path, options: VerifyOptions = VerifyOptions()) -> Manifest:
    """Write kept.*, rejected.jsonl, undecided.jsonl, verdicts.jsonl and manifest.json into `out`.

    Raises `UsageError` for an unknown check and `InputError` for an unreadable file, before anything is written.
    """
    checks = find_checks(options.checks, options.settings)
    with scratch() as folder:
        data = read(files, mapping=options.mapping, spool=folder / "data", progress=options.progress)
        with only_writer(out):
            begin(out, data.inputs)
            outcome = judged(data, out / PARTS / _key(data, checks, options), checks, options)
            marked = with_verdicts(data, outcome, folder / "marked")
            manifest = _write(data, marked, outcome, out, name_of(options.where))
            rmtree(out / PARTS)
            return manifest


def judged(data: Dataset, folder: Path, checks: Sequence[NamedCheck], options: VerifyOptions) -> Outcome:
    """Judge every record, keeping committed parts in `folder`, which is named by the inputs, columns and checks."""
    folder.mkdir(parents=True, exist_ok=True)
    outcome = Outcome(data.rows)
    parts = [
        Part(shard, start, min(PART, shard.rows - start), folder / f"part-{shard.first + start:010d}.jsonl")
        for shard in data.shards
        for start in range(0, shard.rows, PART)
    ]
    runner = options.where
    arguments: list[tuple[Any, ...]]
    if runner == LocalRunner(1):
        arguments = [(part, checks, options.settings, options.unsafe) for part in parts]
        done = runner.run(_judge_part, arguments)
    else:
        settings = options.settings and without_secrets(options.settings)
        arguments = [(part, options.checks, settings, options.unsafe) for part in parts]
        done = runner.run(_judge_named, arguments)
    for part, _ in zip(parts, done, strict=True):
        outcome.add(part)
        if options.progress is not None:
            options.progress("verify", part.first + part.rows, data.rows)
    return outcome


def without_secrets(settings: Settings) -> Settings:
    """Return the settings without what ${NAME} may have filled in: what is handed to workers is seen on the way."""
    models = {name: each.model_copy(update={"base_url": "", "headers": {}}) for name, each in settings.models.items()}
    return settings.model_copy(update={"models": models})


def _judge_named(part: Part, names: Sequence[str], settings: Settings | None, unsafe: bool) -> None:
    """Judge a part in a process of its own, which finds its checks by name."""
    _judge_part(part, find_checks(names, settings), settings, unsafe)


def _judge_part(part: Part, checks: Sequence[NamedCheck], settings: Settings | None, unsafe: bool) -> None:
    code.check.unsafe = code_strength.check.unsafe = unsafe
    if not part.path.exists():
        write_lines(part.path, _lines(part, checks, settings))


def with_verdicts(data: Dataset, outcome: Outcome, folder: Path) -> Dataset:
    """Return the data set with each check's verdict in `checks`; a check that did not judge a record leaves no mark."""

    def change(table: pa.Table, first: int) -> pa.Table:
        verdicts: dict[str, dict[int, bool | None]] = {}
        for part in outcome.parts:
            if first <= part.first < first + table.num_rows:
                for row, said in _read(part.path):
                    if said["check"] != NO_CHECK:
                        verdicts.setdefault(said["check"], {})[row - first] = said["ok"]
        for name, known in verdicts.items():
            table = _mark(table, name, known)
        return table

    return amended(data, folder, change)


def _mark(table: pa.Table, name: str, known: Mapping[int, bool | None]) -> pa.Table:
    rows = sorted(known)
    marked = with_checks(table.take(rows), {name: [known[row] for row in rows]}).column("checks").to_pylist()
    column = table.column("checks").to_pylist()
    for row, text in zip(rows, marked, strict=True):
        column[row] = text
    return table.set_column(table.schema.get_field_index("checks"), "checks", pa.array(column, pa.string()))


def _key(data: Dataset, checks: Sequence[NamedCheck], options: VerifyOptions) -> str:
    parts = [
        sorted(options.mapping.items()),
        __version__,
        options.settings.digest if options.settings else "",
        options.unsafe,
        *(item.digest for item in data.inputs),
        *(f"{check.name}@{check.version}" for check in checks),
    ]
    layout = [PART, *((shard.first, shard.rows) for shard in data.shards)]
    return blake2b(orjson.dumps([parts, layout]), digest_size=8).hexdigest()


def _lines(part: Part, checks: Sequence[NamedCheck], settings: Settings | None) -> Iterator[bytes]:
    """Yield [global index, verdict] for each verdict of a part, in record order."""
    table = part.shard.table().slice(part.start, part.rows)
    for start in range(0, part.rows, BLOCK):
        records = list(records_of(table.slice(start, BLOCK)))
        for place, (record, verdicts) in enumerate(zip(records, judge(checks, records, settings), strict=True)):
            for each in verdicts:
                yield orjson.dumps([part.first + start + place, each.to_dict(record.id)], default=str)


def _read(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open("rb") as lines:
        for line in lines:
            row, said = orjson.loads(line)
            yield row, said


def _verdict_lines(parts: Sequence[Part]) -> Iterator[bytes]:
    """Yield the verdicts as they were committed, without the index before them."""
    for part in parts:
        with part.path.open("rb") as lines:
            yield from (line.partition(b",")[2].rstrip(b"\n").removesuffix(b"]") for line in lines)


def _write(data: Dataset, marked: Dataset, outcome: Outcome, out: Path, runner: str) -> Manifest:
    files = {"kept": f"kept.{own_format(data)}", "rejected": "rejected.jsonl", "undecided": "undecided.jsonl"}
    rows: dict[Fate, np.ndarray] = {fate: outcome.rows(fate) for fate in ("kept", "rejected", "undecided")}
    write_dataset(out / files["kept"], marked, rows["kept"])
    for fate in ("rejected", "undecided"):
        write_reasons(out / files[fate], marked, rows[fate], outcome.reasons_of(rows[fate]))
    files["verdicts"] = "verdicts.jsonl"
    write_lines(out / files["verdicts"], _verdict_lines(outcome.parts))
    files |= set_aside(out, data)
    bad = len(data.quarantine)
    manifest = Manifest(
        "verify",
        Counts(data.rows + bad, len(rows["kept"]), len(rows["rejected"]), len(rows["undecided"]), failed=bad),
        ok=len(rows["kept"]) > 0,
        reasons=outcome.counted() + Counter(line.reason for line in data.quarantine),
        files=files,
        inputs=data.inputs,
        runner=runner,
        more=_funnel(outcome),
    )
    manifest.write(out)
    return manifest


def _funnel(outcome: Outcome) -> dict[str, Any]:
    """Return what each check said how often and why, and the domains of what nothing could verify."""
    return {
        "checks": {name: dict(sorted(counts.items())) for name, counts in sorted(outcome.funnel.items())},
        "reasons_of_checks": {name: dict(counts.most_common()) for name, counts in sorted(outcome.why.items())},
        "unverifiable": dict(outcome.unverifiable.most_common()),
    }
