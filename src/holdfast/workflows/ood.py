"""ood: which real records are of another register, date or source, and the proof of how they differ from the rest.

They are named by a file, or by a rule on a column of the real data: `source=forum` (equal), `date>=2021-06-01` (written
then or later) or `date<2015` (written before). Whoever watches a training run scores on them what it was not fed with.
"""

import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from holdfast.core.dataset import Dataset, text_of
from holdfast.core.errors import UsageError
from holdfast.core.settings import Settings
from holdfast.metrics.divergence import apart
from holdfast.models.language import available, language_of
from holdfast.workflows.evidence import DATE, DATE_COLUMNS
from holdfast.workflows.strata import values

Rows = npt.NDArray[np.int64]

# What is looked at on each side: words of so many records, the language of so many of those.
COMPARED, READ = 2_000, 200
# The most frequent sources and languages are told by name.
NAMED = 5
_RULE = re.compile(r"^\s*([^=<>]+?)\s*(>=|<|=)\s*(.+?)\s*$")


@dataclass(frozen=True, slots=True)
class Rule:
    """A column and what its value must be: equal to a text (`=`), or a date from (`>=`) or before (`<`) another."""

    column: str
    sign: str
    value: str

    def holds(self, value: str | None) -> bool:
        """Return whether a value obeys; nothing, and what is not surely on that side of the date, does not."""
        if value is None or self.sign == "=":
            return value == self.value
        found = DATE.match(value)
        if found is None:
            return False
        if self.sign == ">=":
            return _first_day(found[0]) >= _first_day(self.value)
        return _last_day(found[0]) < _first_day(self.value)


def rule_of(given: str) -> Rule | None:
    """Return the rule that a text is, or None where it names a file. Raises `UsageError` for a date that is none."""
    found = _RULE.match(given)
    if found is None or Path(given).exists():
        return None
    rule = Rule(*found.groups())
    if rule.sign != "=" and DATE.fullmatch(rule.value) is None:
        raise UsageError(f"ood: {given!r}: {rule.value!r} is no date.", "For example date>=2021-06-01, or year<2015.")
    return rule


def asked_for(settings: Settings) -> str | None:
    """Return `reserve.ood` of the settings: the rule as it stands, or the path of the file seen from here."""
    given = settings.reserve.ood
    if given is None or (not settings.path(Path(given)).exists() and rule_of(given)):
        return given
    return str(settings.path(Path(given)))


def named(ood: str) -> str:
    """Return what a seal calls it: the rule, or the name of the file wherever it lies."""
    return ood if rule_of(ood) else Path(ood).name


def matching(data: Dataset, rule: Rule) -> npt.NDArray[np.bool_]:
    """Return for each record whether it obeys the rule. Raises `UsageError` where no record does, or all do."""
    found = np.asarray([rule.holds(value) for value in values(data, rule.column)], np.bool_)
    if found.any() and not found.all():
        return found
    which = "Every record obeys" if found.any() else "No record obeys"
    raise UsageError(f"{which} ood: {rule.column}{rule.sign}{rule.value}.", "Name another value, date or file.")


def difference(data: Dataset, near: Rows, far: Rows, seed: int) -> dict[str, Any]:
    """Return how the records `far` differ from `near`: dates, sources and languages of each, and their words apart.

    Languages need the extra [lang] and are None without it; `words` is None where either side is too small.
    """
    sides = [_side(data, _drawn(rows, seed)) for rows in (near, far)]
    texts = [text_of(data.take(_drawn(rows, seed), ("prompt", "response"))) for rows in (near, far)]
    words = apart(texts[0], texts[1], seed)
    told = None if words is None else {name: asdict(each) for name, each in words._asdict().items()}
    return {
        "in_distribution": sides[0],
        "out_of_distribution": sides[1],
        "words": told,
        "differs": None if words is None else words.differs,
    }


def _side(data: Dataset, rows: Rows) -> dict[str, Any]:
    table = data.take(rows, ("prompt", "response", "source", "fields"))
    dates = sorted(filter(None, (_date_of(orjson.loads(text)) for text in table.column("fields").to_pylist())))
    texts = text_of(table).to_pylist()[:READ] if available() else None
    return {
        "looked_at": len(rows),
        "dates": {"dated": len(dates), "from": dates[0], "to": dates[-1]} if dates else None,
        "sources": _shares([name for name in table.column("source").to_pylist() if name]),
        "languages": None if texts is None else _shares([language_of(text) for text in texts]),
    }


def _shares(names: list[str]) -> dict[str, float]:
    ranked = sorted(Counter(names).items(), key=lambda each: (-each[1], each[0]))
    return {name: round(count / len(names), 4) for name, count in ranked[:NAMED]}


def _drawn(rows: Rows, seed: int) -> Rows:
    return rows if len(rows) <= COMPARED else np.sort(np.random.default_rng(seed).choice(rows, COMPARED, replace=False))


def _date_of(row: dict[str, Any]) -> str | None:
    found = (DATE.match(str(row.get(name, ""))) for name in DATE_COLUMNS)
    return next((each[0] for each in found if each), None)


def _first_day(date: str) -> str:
    return date + "-01-01"[len(date) - 4 :]


def _last_day(date: str) -> str:
    return date + "-12-31"[len(date) - 4 :]
