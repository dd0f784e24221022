"""verify: check records mechanically and write every verdict beside them.

A record is kept when all its checks pass, rejected when one fails, undecided otherwise; nothing is deleted. Verdicts
are committed shard by shard, so that a killed run goes on where it stopped.
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
from holdfast.core.engine import Progress
from holdfast.core.reader import read
from holdfast.core.rundir import Counts, Manifest, begin, only_writer
from holdfast.core.scratch import scratch
from holdfast.core.writer import own_format, set_aside, write_dataset, write_lines, write_reasons
from holdfast.workflows.checking import NO_CHECK, SEVERITY, Fate, NamedCheck, decide, find_checks, judge

PARTS = ".verdicts"
# Records judged at a time: enough to keep the worker processes of a check busy, little to lose.
BLOCK = 1_000
WORDS = {True: "passed", False: "failed", None: "undecided"}


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """Which checks judge every record; with none each record is routed by its data."""

    checks: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    progress: Progress | None = None


@dataclass(slots=True)
class Outcome:
    """What became of each record, by global index; the reasons of those not kept; verdicts per check."""

    fates: list[Fate] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    funnel: dict[str, Counter[str]] = field(default_factory=dict)
    parts: list[Path] = field(default_factory=list)

    def rows(self, fate: Fate) -> np.ndarray:
        """Return the global indices of the records with this fate."""
        return np.asarray([row for row, each in enumerate(self.fates) if each == fate], dtype=np.int64)


def verify_files(files: Sequence[str | Path], out: Path, options: VerifyOptions = VerifyOptions()) -> Manifest:
    """Write kept.*, rejected.jsonl, undecided.jsonl, verdicts.jsonl and manifest.json into `out`.

    Raises `UsageError` for an unknown check and `InputError` for an unreadable file, before anything is written.
    """
    checks = find_checks(options.checks)
    with scratch() as folder:
        data = read(files, mapping=options.mapping, spool=folder / "data", progress=options.progress)
        with only_writer(out):
            begin(out, data.inputs)
            parts = out / PARTS / _key(data, checks, options.mapping)
            outcome = judged(data, parts, checks, options.progress)
            marked = with_verdicts(data, outcome, folder / "marked")
            manifest = _write(data, marked, outcome, out)
            rmtree(out / PARTS)
            return manifest


def judged(data: Dataset, parts: Path, checks: Sequence[NamedCheck], progress: Progress | None = None) -> Outcome:
    """Judge every record, keeping committed parts in `parts`, a folder named by the inputs, columns and checks."""
    parts.mkdir(parents=True, exist_ok=True)
    outcome = Outcome()
    for number, shard in enumerate(data.shards):
        part = parts / f"part-{number:06d}.jsonl"
        if not part.exists():
            write_lines(part, _lines(shard, checks))
        _add(outcome, part, shard)
        if progress is not None:
            progress("verify", shard.first + shard.rows, data.rows)
    return outcome


def with_verdicts(data: Dataset, outcome: Outcome, folder: Path) -> Dataset:
    """Return the data set with each check's verdict in `checks`; a check that did not judge a record leaves no mark."""

    def change(table: pa.Table, first: int) -> pa.Table:
        number = next(at for at, shard in enumerate(data.shards) if shard.first == first and shard.rows)
        verdicts: dict[str, dict[int, bool | None]] = {}
        for row, said in _read(outcome.parts[number]):
            if said["check"] != NO_CHECK:
                verdicts.setdefault(said["check"], {})[row] = said["ok"]
        for name, known in verdicts.items():
            table = _mark(table, name, {row - first: ok for row, ok in known.items()})
        return table

    return amended(data, folder, change)


def _mark(table: pa.Table, name: str, known: Mapping[int, bool | None]) -> pa.Table:
    rows = sorted(known)
    marked = with_checks(table.take(rows), {name: [known[row] for row in rows]}).column("checks").to_pylist()
    column = table.column("checks").to_pylist()
    for row, text in zip(rows, marked, strict=True):
        column[row] = text
    return table.set_column(table.schema.get_field_index("checks"), "checks", pa.array(column, pa.string()))


def _key(data: Dataset, checks: Sequence[NamedCheck], mapping: Mapping[str, str]) -> str:
    parts = [
        sorted(mapping.items()),
        __version__,
        *(item.digest for item in data.inputs),
        *(f"{check.name}@{check.version}" for check in checks),
    ]
    layout = [(shard.first, shard.rows) for shard in data.shards]
    return blake2b(orjson.dumps([parts, layout]), digest_size=8).hexdigest()


def _lines(shard: Shard, checks: Sequence[NamedCheck]) -> Iterator[bytes]:
    """Yield [global index, verdict] for each verdict of a shard, in record order."""
    table = shard.table()
    for start in range(0, table.num_rows, BLOCK):
        records = list(records_of(table.slice(start, BLOCK)))
        for place, (record, verdicts) in enumerate(zip(records, judge(checks, records), strict=True)):
            for each in verdicts:
                yield orjson.dumps([shard.first + start + place, each.to_dict(record.id)], default=str)


def _read(part: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with part.open("rb") as lines:
        for line in lines:
            row, said = orjson.loads(line)
            yield row, said


def _add(outcome: Outcome, part: Path, shard: Shard) -> None:
    """Read a part into the outcome; each record's fate follows from its verdicts."""
    outcome.parts.append(part)
    outcome.fates += ["kept"] * shard.rows
    for row, said in _read(part):
        check, ok = said["check"], said["ok"]
        outcome.funnel.setdefault(check, Counter())[WORDS[ok]] += 1
        fate, reason = decide(check, ok, said["reason"])
        if SEVERITY.index(fate) > SEVERITY.index(outcome.fates[row]):
            outcome.fates[row], outcome.reasons[row] = fate, reason


def _write(data: Dataset, marked: Dataset, outcome: Outcome, out: Path) -> Manifest:
    files = {"kept": f"kept.{own_format(data)}", "rejected": "rejected.jsonl", "undecided": "undecided.jsonl"}
    rows: dict[Fate, np.ndarray] = {fate: outcome.rows(fate) for fate in ("kept", "rejected", "undecided")}
    write_dataset(out / files["kept"], marked, rows["kept"])
    for fate in ("rejected", "undecided"):
        write_reasons(out / files[fate], marked, rows[fate], [outcome.reasons[row] for row in rows[fate].tolist()])
    files["verdicts"] = "verdicts.jsonl"
    write_lines(out / files["verdicts"], (orjson.dumps(said) for part in outcome.parts for _, said in _read(part)))
    files |= set_aside(out, data)
    bad = len(data.quarantine)
    reasons = Counter(outcome.reasons.values()) + Counter(line.reason for line in data.quarantine)
    manifest = Manifest(
        "verify",
        Counts(data.rows + bad, len(rows["kept"]), len(rows["rejected"]), len(rows["undecided"]), failed=bad),
        ok=len(rows["kept"]) > 0,
        reasons=reasons,
        files=files,
        inputs=data.inputs,
        more={"checks": {name: dict(sorted(counts.items())) for name, counts in sorted(outcome.funnel.items())}},
    )
    manifest.write(out)
    return manifest
