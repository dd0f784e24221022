"""What is shown to reviewers, and in which order: records or pairs, drawn for information, shuffled for each rater.

Nothing here depends on a clock or on chance: order and sides follow from the rater's name and the ids, so that a
session that was cut off goes on as it was.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from holdfast.core.dataset import Dataset, records_of
from holdfast.core.errors import InputError
from holdfast.core.hashing import hash64
from holdfast.core.labels import Thing
from holdfast.core.record import Message, Record

# What the other side of a row with two answers is called: the row has one id for both.
REJECTED = "#rejected"
# Names of strata where the file says nothing.
NOT_MADE, NO_CELL = "not generated", "no cell"
# Reasons of verdicts.jsonl that speak of a judge and not of the record: before anybody labelled, every record has one.
POWERLESS = ("judge-uncalibrated", "judge-suspended")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to label: a record, or two answers to one prompt. `generator` and `cell` are never shown."""

    id: str
    turns: tuple[Message, ...]
    response: str
    other: str | None = None
    rival: str = ""
    generator: str = NOT_MADE
    cell: str = NO_CELL

    @property
    def about(self) -> Thing:
        """What a label of it names."""
        return self.id, self.other


class Place(NamedTuple):
    """Where an item lies: its row, and for a pair the other row, or the same one when the row has two answers."""

    row: int
    about: Thing
    stratum: tuple[str, str]
    rival: int | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """How sure judges are of a thing: 0 they differ, 1 one is undecided, 2 sure, 3 not judged; then the margin."""

    kind: int = 3
    margin: float = 1.0


def places(data: Dataset, *, pairs: bool) -> list[Place]:
    """Return every record, or every pair: rows with two answers, and rows of different generators with one prompt."""
    return list(_pairs(data) if pairs else _records(data))


def _strata(data: Dataset) -> Iterator[tuple[str, tuple[str, str]]]:
    for table in data.tables(["id", "generator", "cell"]):
        for row in table.to_pylist():
            yield row["id"], (row["generator"] or NOT_MADE, row["cell"] or NO_CELL)


def _records(data: Dataset) -> Iterator[Place]:
    for row, (name, stratum) in enumerate(_strata(data)):
        yield Place(row, (name, None), stratum)


def _pairs(data: Dataset) -> Iterator[Place]:
    known = list(_strata(data))
    alike: dict[int, list[tuple[int, int]]] = {}
    row = 0
    for table in data.tables(["prompt", "response", "extra"]):
        for each in table.to_pylist():
            name, stratum = known[row]
            if each["extra"]:
                yield Place(row, (name, name + REJECTED), stratum, row)
            elif each["prompt"]:
                alike.setdefault(hash64(each["prompt"]), []).append((row, hash64(each["response"])))
            row += 1
    for rows in alike.values():
        for (one, said), (other, replied) in combinations(rows, 2):
            (id_, (maker, cell)), (rival, (rival_maker, _)) = known[one], known[other]
            if said != replied and (maker != rival_maker or maker == NOT_MADE):
                makers = " / ".join(sorted((maker, rival_maker)))
                yield Place(one, (id_, rival), (makers, cell), other)


def drawn(found: Sequence[Place], sample: int, doubts: Mapping[Thing, Doubt] | None = None) -> list[Place]:
    """Return `sample` of the places (0: all): those that judges doubt most, or else from every stratum in turn.

    Within a stratum and among equal doubts the choice is by the hash of the ids, the same for every rater.
    """
    if doubts:
        known = doubts
        ranked = sorted(found, key=lambda each: (*_rank(known, each.about), _lot("", each.about)))
        return ranked[:sample] if sample else ranked
    strata: dict[tuple[str, str], list[Place]] = {}
    for each in sorted(found, key=lambda each: _lot("", each.about)):
        strata.setdefault(each.stratum, []).append(each)
    turns = [(turn, name, each) for name, members in strata.items() for turn, each in enumerate(members)]
    taken = [each for *_, each in sorted(turns, key=lambda entry: entry[:2])]
    return taken[:sample] if sample else taken


def judged(about: Thing) -> Thing:
    """Return what verdicts call a thing: a row with two answers has one id there."""
    return (about[0], None) if about[1] == about[0] + REJECTED else about


def _rank(doubts: Mapping[Thing, Doubt], about: Thing) -> tuple[int, float]:
    doubt = doubts.get(judged(about), Doubt())
    return doubt.kind, doubt.margin


def order(items: Iterable[Item], rater: str, doubts: Mapping[Thing, Doubt] | None = None) -> list[Item]:
    """Return the items as a rater meets them: what judges differ on first, then by lot; each rater has a lot of theirs.

    The lot is drawn from the rater's name and the ids alone.
    """
    return sorted(items, key=lambda item: (_rank(doubts or {}, item.about)[0], _lot(rater, item.about)))


def swapped(item: Item, rater: str) -> bool:
    """Tell whether the rater sees `other` on the left: by lot, half of the time."""
    return _lot(f"side {rater}", item.about) % 2 == 1


def _lot(salt: str, about: Thing) -> int:
    return hash64("\0".join((salt, about[0], about[1] or "")))


def items(data: Dataset, wanted: Sequence[Place]) -> list[Item]:
    """Return the texts of the places, in their order."""
    rows = sorted({row for each in wanted for row in (each.row, each.rival) if row is not None})
    table = data.take(rows)
    records = dict(zip(rows, records_of(table), strict=True))
    extras = dict(zip(rows, table.column("extra").to_pylist(), strict=True))
    return [_item(each, records, extras) for each in wanted]


def _item(place: Place, records: Mapping[int, Record], extras: Mapping[int, str | None]) -> Item:
    record = records[place.row]
    rival = ""
    if place.rival is not None:
        rival = (extras[place.row] or "") if place.rival == place.row else records[place.rival].response
    (id_, other), (generator, cell) = place.about, place.stratum
    return Item(id_, _asked(record), record.response, other, rival, generator, cell)


def _asked(record: Record) -> tuple[Message, ...]:
    """What stands before the answer: the turns of a conversation, or the prompt as one turn."""
    turns = record.messages or ()
    last = max((at for at, turn in enumerate(turns) if turn.role == "assistant"), default=None)
    if last is not None and turns[last].content == record.response:
        return turns[:last]
    return (Message("user", record.prompt),) if record.prompt else ()


@dataclass(slots=True)
class _Said:
    """What all judges said of one thing."""

    answers: set[bool | None] = field(default_factory=set)
    margins: list[float] = field(default_factory=list)


def read_verdicts(path: Path) -> list[dict[str, Any]]:
    """Return the lines of verdicts.jsonl as objects. Raises InputError that names file and line."""
    if not path.is_file():
        raise InputError(f"There is no file of verdicts {path}.", "`holdfast verify` and a judge write verdicts.jsonl.")
    found = []
    for number, text in enumerate(path.read_bytes().splitlines(), 1):
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path}:{number} is no JSON: {error}.", "Take the line out, or mend it.") from None
        if wrong := _no_verdict(value):
            raise InputError(
                f"{path}:{number} is no verdict: {wrong}.", "A verdict is an object with id, check and ok."
            )
        found.append(value)
    return found


def _no_verdict(value: Any) -> str:
    """Return what keeps an object from being a verdict; '' where it is one. Keys that are not read may be anything."""
    if not isinstance(value, dict):
        return "it is not an object"
    if not isinstance(value.get("id"), str):
        return f"id is {value.get('id')!r}, not a text"
    if "ok" not in value or not isinstance(value["ok"], bool | None):
        return f"ok is {value.get('ok', 'missing')!r}, not true, false or null"
    score = value.get("score")
    if isinstance(score, bool) or not isinstance(score, float | int | None):
        return f"score is {score!r}, not a number"
    wrong = [key for key in ("check", "other") if not isinstance(value.get(key, ""), str | None)]
    return f"{wrong[0]} is {value[wrong[0]]!r}, not a text" if wrong else ""


def doubts(verdicts: Sequence[Mapping[str, Any]]) -> dict[Thing, Doubt]:
    """Return how sure the judges are of each thing they judged.

    What a judge may not decide, because it has no power or was suspended, is no doubt about the record, and rests out.
    The margin is how far a score lies from its check's border, which is halfway between the lowest score that passed
    and the highest that failed, as a share of all its scores' range; 1 where there are no scores.
    """
    verdicts = [each for each in verdicts if each.get("reason") not in POWERLESS]
    border = {check: _border(verdicts, check) for check in {each.get("check") for each in verdicts}}
    said: dict[Thing, _Said] = {}
    for each in verdicts:
        one = said.setdefault((each["id"], each.get("other")), _Said())
        one.answers.add(each["ok"])
        middle, width = border[each.get("check")]
        if _scored(each) and width:
            one.margins.append(abs(each["score"] - middle) / width)
    return {about: Doubt(_kind(one.answers), min(one.margins, default=1.0)) for about, one in said.items()}


def _border(verdicts: Sequence[Mapping[str, Any]], check: str | None) -> tuple[float, float]:
    scores = [(each["score"], each["ok"]) for each in verdicts if each.get("check") == check and _scored(each)]
    passed = [score for score, ok in scores if ok is True]
    failed = [score for score, ok in scores if ok is False]
    if not passed or not failed:
        return 0.0, 0.0
    every = passed + failed
    return (min(passed) + max(failed)) / 2, max(every) - min(every)


def _scored(verdict: Mapping[str, Any]) -> bool:
    return isinstance(verdict.get("score"), int | float)


def _kind(answers: set[bool | None]) -> int:
    if {True, False} <= answers:
        return 0
    return 1 if None in answers else 2
