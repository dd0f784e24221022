"""Small data sets for rules: records in, view out."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from holdfast.core.dataset import Dataset, Quarantined, ShardWriter, table_of
from holdfast.core.engine import LocalRunner
from holdfast.core.record import Origin, Provenance, Record
from holdfast.core.settings import Settings
from holdfast.core.verdict import Finding, NotJudged, Outcome, Passed
from holdfast.dedup.seal import Seal
from holdfast.rules import catalogue
from holdfast.rules.view import HeldOut, View

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def sentence(number: int) -> str:
    """A text of its own: no two numbers share a word 3-gram worth speaking of."""
    words = [f"w{number}x{place}" for place in range(12)]
    return " ".join(words)


def record(number: int, origin: Origin = "real", text: str | None = None, **provenance: Any) -> Record:
    """One record with a text of its own."""
    return Record(f"r{number}", "", sentence(number) if text is None else text, Provenance(origin, **provenance))


def records(count: int, origin: Origin = "real", first: int = 0, **provenance: Any) -> list[Record]:
    """Some records with texts of their own."""
    return [record(number, origin, **provenance) for number in range(first, first + count)]


def dataset(rows: Sequence[Record], bad: Sequence[Quarantined] = ()) -> Dataset:
    """Records as a data set of two shards, so that a global index is more than a row number."""
    writer = ShardWriter(Path(mkdtemp()))
    middle = len(rows) // 2
    for part in (rows[:middle], rows[middle:]):
        if part:
            writer.write(table_of(list(part)))
    return Dataset(writer.finish(), quarantine=tuple(bad))


def view(rows: Sequence[Record], **more: Any) -> View:
    """A view of records; `real` and `held_out` are lists of records, `settings` a mapping."""
    real, held_out = more.pop("real", None), more.pop("held_out", None)
    bad = more.pop("bad", ())
    sealed: HeldOut | None = None
    if held_out is not None:
        given = dataset(held_out)
        seal = Seal.of(dataset(more.pop("sealed")), {}) if "sealed" in more else None
        sealed = HeldOut(given, seal, seal.broken(given) if seal else ())
    return View(
        data=dataset(rows, bad),
        settings=Settings.model_validate(more.pop("settings", {})),
        runner=LocalRunner(1),
        spool=Path(mkdtemp()),
        real=dataset(real) if real is not None else None,
        held_out=sealed,
        **more,
    )


def outcome(slug: str, seen: View) -> Outcome | None:
    """What one rule says of its own slug."""
    found = [each for each in catalogue.module(slug).check(seen) if each.rule == slug]
    return found[0] if found else None


def verdict(slug: str, seen: View) -> str | None:
    """The severity of a finding, 'passed', 'not judged', or None where the rule has nothing to look at."""
    match outcome(slug, seen):
        case Finding(severity=severity):
            return severity
        case Passed():
            return "passed"
        case NotJudged():
            return "not judged"
    return None
