"""Logs of a run as readings: a metric log with one JSON object per check, or records with a step, or in windows.

A number that says "not measured" (none, NaN, infinite, or a perplexity below 1 such as -1) makes its channel BLIND; it
is never a value. Lines are read one after another, so that a log may be far larger than memory.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

from holdfast.core.errors import InputError, UsageError, nearest
from holdfast.core.reader import read
from holdfast.core.reading.sources import open_source
from holdfast.core.scratch import scratch
from holdfast.core.verdict import Measurement
from holdfast.metrics.blocks import MOST_DOCUMENTS, hashed
from holdfast.metrics.sketch import Distinct
from holdfast.stats.alarm import DIVERSITY, ID, OOD, Level, Step
from holdfast.workflows.monitor import Reading

Row = Mapping[str, Any]
# Keys of a metric log; every other number in a line is a plain level.
KEYS = ("samples", "blocks", "ood_nll", "id_nll", "id_metrics", "own_nll", "reference_nll", "decoding", "tokens")
# Which plain numbers are watched, by the words in their names, and in which direction they get worse.
_DIVERSITY = re.compile(
    r"distinct|diversity|entropy|coverage|survival|recall|vendi|unique|hapax|missing.mass|(?<![a-z])(rke|ttr)(?![a-z])"
)
_PERPLEXITY = re.compile(r"perplexity|ppl|nll|cross.entropy|loss")
_INSIDE = re.compile(r"(^|[_.\-/ ])(id|in|train|eval|valid|val|dev)([_.\-/ ]|$)|in.?dist")
_OUTSIDE = re.compile(r"ood|out.?of")
# Seconds between two looks at a log that is followed.
PAUSE = 0.5
# Steps are whole numbers that JSON readers hold exactly, below 2^53; 18 digits fit into 64 bits with their sign.
_LARGEST_STEP = 2**53
_DIGITS = 18
CHUNK = 1 << 20


def metric_rows(path: Path) -> Iterator[Row]:
    """Yield the objects of a JSONL log, packed or not. Raises InputError that names file, line and fault."""
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            yield _object(line, f"{path}:{number}")


def followed(path: Path, idle: float) -> Iterator[Row]:
    """Yield the objects of a plain JSONL log as they are written; end after `idle` seconds without news, 0 for never.

    A line counts when it has ended; a file that is not there yet is waited for. A file that shrinks is a new one.
    """
    place, number, rest, last = 0, 0, b"", monotonic()
    while True:
        size = path.stat().st_size if path.exists() else 0
        if size < place:
            place, number, rest = 0, 0, b""
        if size > place:
            with path.open("rb") as file:
                file.seek(place)
                *lines, rest = (rest + file.read(size - place)).split(b"\n")
            place, last = size, monotonic()
            for line in lines:
                number += 1
                if line.strip():
                    yield _object(line, f"{path}:{number}")
        elif idle and monotonic() - last >= idle:
            return
        else:
            sleep(min(PAUSE, idle or PAUSE))


def record_rows(path: Path, text: str) -> Iterator[Row]:
    """Yield the records of a file of any format as rows, the text to watch under `TEXT`.

    Without a name for the text it is what a model answered, as the reader finds it.
    """
    with scratch() as folder:
        data = read([path], mapping={"response": text} if text else None, spool=folder)
        if not data.rows:
            raise InputError(f"{path} has no records.", "Give a file with one record per output.")
        for table in data.tables(["response", "fields"]):
            responses, fields = (table.column(name).to_pylist() for name in ("response", "fields"))
            for response, row in zip(responses, fields, strict=True):
                yield {**json.loads(row or "{}"), TEXT: response or ""}


TEXT = "\0text"


def chosen(rows: Iterable[Row], where: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows whose columns have these values, numbers compared as numbers. An unknown column is an error."""
    for row in rows:
        for column in where:
            if column not in row:
                known = [key for key in row if key != TEXT]
                raise UsageError(f"--where {column}: a row has no such column.", nearest(column, known))
        if all(_same(row[column], wanted) for column, wanted in where.items()):
            yield row


def metric_readings(rows: Iterable[Row], step: str) -> Iterator[Reading]:
    """Yield a reading per row of a metric log. Raises UsageError when a step comes again or goes back: two series."""
    done: set[Step] = set()
    before: Step | None = None
    for row in rows:
        name = _step(row, step)
        if name in done:
            raise UsageError(f"Step {name} comes twice in the log.", "Choose one series with --where COLUMN=VALUE.")
        _forward(before, name)
        done.add(name)
        before = name
        yield reading({key: value for key, value in row.items() if key != step}, name)


def reading(row: Row, step: Step) -> Reading:
    """Return one line of a metric log as a reading; numbers that were not measured leave their channel blind."""
    levels: dict[str, Level] = {}
    blind: dict[str, str] = {}
    reported: dict[str, Measurement] = {}
    for name, value in row.items():
        if name in KEYS or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        channel, worse = _kind(name.lower())
        if not channel:
            reported[name] = Measurement(value if isfinite(value) else None, None, None, 1, "as logged")
        elif not isfinite(value) or value < 0 or (worse == "higher" and value < 1 and "ppl" in _short(name)):
            blind[channel] = f"{name} = {value:g}: not measured"
        else:
            levels[name] = Level(value, channel, "lower" if worse == "lower" else "higher")
    for level in levels.values():
        blind.pop(level.channel, None)
    blocks = _mapping(row, "blocks", step)
    scores = {name: _score(name, score, step) for name, score in _mapping(row, "id_metrics", step).items()}
    return Reading(
        step,
        _list(row, "samples", step, str),
        blocks={name: [_number(value) for value in _list(blocks, name, step, object) or ()] for name in blocks},
        ood_nll=_list(row, "ood_nll", step, int | float),
        id_nll=_list(row, "id_nll", step, int | float),
        id_metrics=scores,
        levels=levels,
        decoding=row.get("decoding"),
        own_nll=_finite(_list(row, "own_nll", step, int | float)),
        reference_nll=_finite(_list(row, "reference_nll", step, int | float)),
        blind=blind,
        reported=reported,
    )


@dataclass(slots=True)
class _Step:
    """The texts of one step: all of them in a sketch, at most a thousand as they are, drawn evenly by seed."""

    name: Step
    random: Random
    decodings: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    count: int = 0
    seen: Distinct = field(default_factory=Distinct)

    def add(self, text: str, decoding: Any) -> None:
        self.decodings[repr(decoding)] = decoding
        self.count += 1
        self.waiting.append(text)
        if len(self.waiting) >= MOST_DOCUMENTS:
            self._sketch()
        if len(self.texts) < MOST_DOCUMENTS:
            self.texts.append(text)
        elif (place := self.random.randrange(self.count)) < MOST_DOCUMENTS:
            self.texts[place] = text

    def reading(self) -> Reading:
        """What the step said. Records of several settings are compared with steps of the same several."""
        self._sketch()
        settings = [self.decodings[each] for each in sorted(self.decodings)]
        decoding = settings[0] if len(settings) == 1 else settings
        return Reading(self.name, self.texts, decoding=decoding, seen=self.seen)

    def _sketch(self) -> None:
        self.seen.add(*hashed(self.waiting))
        self.waiting = []


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things are in a record: its step, its text, its sampling settings; or `window` records to a step."""

    step: str = "step"
    text: str = TEXT
    decoding: str = ""
    window: int = 0


def record_readings(rows: Iterable[Row], columns: Columns, seed: int) -> Iterator[Reading]:
    """Yield a reading per step of records that lie step after step, or per full window of them; steps from 1.

    Raises UsageError when a step comes again after another one, or goes back. What fills no window at the end is left
    out.
    """
    now: _Step | None = None
    done: set[Step] = set()
    for place, row in enumerate(rows):
        name: Step = place // columns.window + 1 if columns.window else _step(row, columns.step)
        if now is None or name != now.name:
            if now is not None:
                yield now.reading()
                done.add(now.name)
            if name in done:
                remedy = "Sort the file by step, or choose one series with --where COLUMN=VALUE."
                raise UsageError(f"Step {name} comes again after step {now.name if now else ''}.", remedy)
            _forward(now.name if now else None, name)
            now = _Step(name, Random(seed))  # seeded data, not secrets
        now.add(_text(row, columns.text), _value(row, columns.decoding, "sampling settings"))
    if now is not None and (not columns.window or now.count == columns.window):
        yield now.reading()


def _lines(path: Path) -> Iterator[bytes]:
    rest = b""
    with open_source(path) as source:
        while data := source.read(CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
        if source.fault:
            raise InputError(f"{path}: {source.fault}.", "Write the file anew.")
    yield rest


def _object(line: bytes, place: str) -> Row:
    try:
        # Python's reader, because training loops write NaN, which is no JSON and here means: not measured.
        value = json.loads(line, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        remedy = "A metric log has one JSON object per line: take out what is none. For records give --text COLUMN."
        raise InputError(f"{place} is no JSON: {error}.", remedy) from None
    if not isinstance(value, dict):
        raise InputError(f"{place} is {type(value).__name__}, not an object.", "A metric log has one object per line.")
    return value


def _step(row: Row, column: str) -> Step:
    value = _value(row, column, "step")
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST_STEP < value < _LARGEST_STEP:
        raise UsageError(f"The step {column} = {value!r:.80} is no number and no text.", "Number or name every check.")
    return int(value) if value == int(value) else value


def _forward(before: Step | None, step: Step) -> None:
    """Refuse a number that is less than the one before: the first step would be no start, and an onset no time."""
    if not (before is None or isinstance(before, str) or isinstance(step, str)) and step < before:
        remedy = "Sort the file by step, or choose one series with --where COLUMN=VALUE."
        raise UsageError(f"Step {step} comes after step {before}.", remedy)


def _value(row: Row, column: str, what: str) -> Any:
    """Return what a row has in a column, None where no column was named."""
    if column and column not in row:
        known = [key for key in row if key != TEXT]
        raise UsageError(f"A row has no column {column!r} for the {what}.", nearest(column, known))
    return row.get(column)


def _text(row: Row, column: str) -> str:
    return str(_value(row, column, "text") or "")


def _same(value: Any, wanted: str) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(wanted) == float(value)
        except ValueError:
            return False
    return str(value) == wanted


def _kind(name: str) -> tuple[str, str]:
    """Return the channel of a plain number and the direction in which it gets worse; ("", "") if it is not watched."""
    if _PERPLEXITY.search(name):
        outside = _OUTSIDE.search(name) or not (_INSIDE.search(name) or "loss" in name)
        return (OOD if outside else ID), "higher"
    return (DIVERSITY, "lower") if _DIVERSITY.search(name) else ("", "")


def _short(name: str) -> str:
    return name.lower().replace("perplexity", "ppl")


def _list(row: Row, key: str, step: Step, kind: Any) -> list[Any] | None:
    """Return a list whose items are of a kind; null is a number that was not measured, or a sample without words."""
    value = row.get(key)
    remedy = "See docs/verbs/watch.md for a line of a log."
    if value is None:
        return None
    if not isinstance(value, list):
        raise UsageError(f"{key} of step {step} is {value!r:.80}, not a list.", remedy)
    if wrong := [item for item in value if not (item is None or isinstance(item, kind))]:
        raise UsageError(f"{key} of step {step} holds {wrong[0]!r:.80}.", remedy)
    return ["" if item is None else item for item in value] if kind is str else value


def _finite(values: list[Any] | None) -> list[float]:
    return [value for value in values or () if value is not None and isfinite(value)]


def _mapping(row: Row, key: str, step: Step) -> dict[str, Any]:
    value = row.get(key)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise UsageError(f"{key} of step {step} is {value!r}, not an object.", "See docs/verbs/watch.md for a line.")


def _integer(digits: str) -> int | float:
    """Return a whole number; one that 64 bits do not hold is a float, infinite if need be, and then not measured."""
    return int(digits) if len(digits) <= _DIGITS else float(digits)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _score(name: str, score: Any, step: Step) -> tuple[float, int]:
    if isinstance(score, dict) and isinstance(score.get("n"), int):
        return _number(score.get("value")), score["n"]
    remedy = "A score is {value: share of items right, n: number of items}."
    raise UsageError(f"id_metrics.{name} of step {step} is {score!r}.", remedy)
