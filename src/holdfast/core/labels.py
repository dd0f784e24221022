"""Labels: what people said of records. One JSON object per line, appended as it is given, never rewritten.

`kind` says what `value` is. score: true or false (would you train on this?), or a whole number on the rubric's scale,
1 the worst. choice: 1 where `id` is the better of the two, 2 where `other` is, 0 for a tie; whichever stood on which
side is undone already, and `side_order` keeps what the rater saw. skip: null. A rater who labels the same thing again
means the last one. Who settles a disagreement has seen what others said: such a label has a version that begins with
`adjudication`, decides, and is no vote of its own.
"""

import fcntl
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import orjson

from holdfast.core.durable import sync
from holdfast.core.errors import InputError

Kind = Literal["score", "choice", "skip"]
KINDS = ("score", "choice", "skip")
Thing = tuple[str, str | None]
ADJUDICATION = "adjudication"
# How a line begins that was cut off: as an object, or with the zeros that a file system may leave where power failed.
CUT_OFF = (b"{", b"\0")


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of one rater; `seconds` from sight to answer, `version` of the rubric, `at` in ISO 8601, UTC."""

    id: str
    rater: str
    kind: Kind
    value: bool | int | None
    other: str | None = None
    side_order: str | None = None
    seconds: float | None = None
    note: str = ""
    version: str = ""
    at: str = ""

    @property
    def about(self) -> Thing:
        """What was labelled: the record, or the pair as it lies in the file."""
        return self.id, self.other

    @property
    def decides(self) -> bool:
        """True for the label of an adjudicator, who knew what the raters had said."""
        return self.version.startswith(ADJUDICATION)


def read_labels(path: Path) -> list[Label]:
    """Return all labels of a file in its order, skips among them. Raises InputError that names file, line and fault.

    What stands behind the last line break, begins as a label does and is no JSON was cut off while it was written.
    Nobody was told that it is saved: it is left out.
    """
    if not path.is_file():
        raise InputError(f"There is no file of labels {path}.", "Make one with `holdfast review FILE --labels FILE`.")
    whole, rest = _torn(path.read_bytes())
    lines = enumerate((whole + (b"" if rest is None else rest)).splitlines(), 1)
    return [_label(line, f"{path}:{number}") for number, line in lines if line.strip()]


def last_said(labels: Iterable[Label]) -> dict[tuple[str, str | None, str], Label]:
    """Return the last label of each rater about each thing: {(id, other, rater): label}.

    Skips are taken out, and so are the labels of adjudicators, which are not independent of the others.
    """
    said = {(*label.about, label.rater): label for label in labels if not label.decides}
    return {key: label for key, label in said.items() if label.kind != "skip"}


def votes(labels: Iterable[Label]) -> dict[Thing, dict[str, Label]]:
    """Return what the raters last said about each thing: {(id, other): {rater: label}}, in the order of the file."""
    found: dict[Thing, dict[str, Label]] = {}
    for label in last_said(labels).values():
        found.setdefault(label.about, {})[label.rater] = label
    return found


def adjudicated(labels: Iterable[Label]) -> dict[Thing, Label]:
    """Return the last label of an adjudicator about each thing; a skip of theirs decides nothing."""
    said = {label.about: label for label in labels if label.decides}
    return {about: label for about, label in said.items() if label.kind != "skip"}


def settled(labels: Iterable[Label]) -> dict[Thing, bool | int]:
    """Return what counts as the word of people about each thing: the adjudicator's, else that of more than half.

    What neither decides is left out.
    """
    labels = list(labels)
    found: dict[Thing, bool | int] = {}
    for about, said in votes(labels).items():
        # By its text: true and 1 are equal to Python, and are not the same answer.
        values = {repr(label.value): label.value for label in said.values()}
        name, most = Counter(repr(label.value) for label in said.values()).most_common(1)[0]
        value = values[name]
        if value is not None and 2 * most > len(said):
            found[about] = value
    return found | {about: label.value for about, label in adjudicated(labels).items() if label.value is not None}


def append(path: Path, labels: Iterable[Label]) -> None:
    """Return when the labels are on the disk, behind those that are there.

    A last line of ours that was cut off goes; one that only lacks its line break gets it. Two that write at once take
    turns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        whole, rest = _torn(file.read())
        file.truncate(len(whole) + len(rest or b""))
        file.write((b"\n" if rest else b"") + b"".join(line(label) for label in labels))
        sync(file, path)


def line(label: Label) -> bytes:
    """Return a label as its line; what was not said is left out."""
    values = {key: value for key, value in asdict(label).items() if key == "value" or value not in (None, "")}
    return orjson.dumps(values) + b"\n"


def _torn(text: bytes) -> tuple[bytes, bytes | None]:
    """Split what a file holds behind its last line break: (whole lines, the rest), None for a label that was cut off.

    A rest that never was a label is kept as it is: the file is somebody else's, and reading it says so.
    """
    end = text.rfind(b"\n") + 1
    whole, rest = text[:end], text[end:]
    try:
        orjson.loads(rest or b"0")
    except orjson.JSONDecodeError:
        return whole, None if rest.startswith(CUT_OFF) else rest
    return whole, rest


def _label(text: bytes, place: str) -> Label:
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{place} is no JSON: {error}.", "Take the line out, or mend it.") from None
    wrong = "; ".join(faults(values))
    if wrong:
        raise InputError(f"{place} is no label: {wrong}.", "See docs/verbs/review.md for the form of a line.")
    return Label(**{key: values[key] for key in Label.__slots__ if values.get(key) is not None or key == "value"})


def faults(values: Any) -> Iterator[str]:
    """Yield in words what keeps an object from being a label; nothing where it is one."""
    if not isinstance(values, dict):
        yield "it is not an object"
        return
    values = cast("dict[str, Any]", values)
    for key in ("id", "rater"):
        if not isinstance(values.get(key), str) or not values[key]:
            yield f"{key} is {values.get(key)!r}, not a text"
    for key in ("other", "side_order", "note", "version", "at"):
        if not isinstance(values.get(key, ""), str | None):
            yield f"{key} is {values[key]!r}, not a text"
    seconds = values.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, float | int | None):
        yield f"seconds is {seconds!r}, not a number"
    yield from _answer_faults(values)


def _answer_faults(values: dict[str, Any]) -> Iterator[str]:
    kind, value = values.get("kind"), values.get("value")
    if kind not in KINDS:
        yield f"kind is {kind!r}, not one of {', '.join(KINDS)}"
    elif kind == "score" and not isinstance(value, int):
        yield f"value of a score is {value!r}, not true, false or a whole number"
    elif kind == "choice" and (isinstance(value, bool) or value not in (0, 1, 2)):
        yield f"value of a choice is {value!r}, not 0, 1 or 2"
    elif kind == "choice" and values.get("other") is None:
        yield "it is a choice and does not say of which two: other is missing"
