"""Labels: what people said of records. One JSON object per line, appended as it is given, never rewritten.

`kind` says what `value` is. score: true or false (would you train on this?), or a whole number on the rubric's scale,
1 the worst. choice: 1 where `id` is the better of the two, 2 where `other` is, 0 for a tie; whichever stood on which
side is undone already, and `side_order` keeps what the rater saw. skip: null. A rater who labels the same thing again
means the last one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import orjson

from holdfast.core.durable import sync
from holdfast.core.errors import InputError

Kind = Literal["score", "choice", "skip"]
KINDS = ("score", "choice", "skip")


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
    def about(self) -> tuple[str, str | None]:
        """What was labelled: the record, or the pair as it lies in the file."""
        return self.id, self.other


def read_labels(path: Path) -> list[Label]:
    """Return all labels of a file in its order, skips among them. Raises InputError that names file, line and fault."""
    if not path.is_file():
        raise InputError(f"There is no file of labels {path}.", "Make one with `holdfast review FILE --labels FILE`.")
    lines = enumerate(path.read_bytes().splitlines(), 1)
    return [_label(line, f"{path}:{number}") for number, line in lines if line.strip()]


def last_said(labels: Iterable[Label]) -> dict[tuple[str, str | None, str], Label]:
    """Return the last label of each rater about each thing: {(id, other, rater): label}, skips taken out."""
    said = {(*label.about, label.rater): label for label in labels}
    return {key: label for key, label in said.items() if label.kind != "skip"}


def append(path: Path, labels: Iterable[Label]) -> None:
    """Return when the labels are on the disk, behind those that are there. A torn last line is ended first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if file.tell() and not _ended(path):
            file.write(b"\n")
        file.writelines(line(label) for label in labels)
        sync(file, path)


def line(label: Label) -> bytes:
    """Return a label as its line; what was not said is left out."""
    values = {key: value for key, value in asdict(label).items() if key == "value" or value not in (None, "")}
    return orjson.dumps(values) + b"\n"


def _ended(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _label(text: bytes, place: str) -> Label:
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{place} is no JSON: {error}.", "Take the line out, or mend it.") from None
    wrong = "; ".join(_faults(values))
    if wrong:
        raise InputError(f"{place} is no label: {wrong}.", "See docs/verbs/review.md for the form of a line.")
    return Label(**{key: values[key] for key in Label.__slots__ if key in values})


def _faults(values: Any) -> Iterator[str]:
    if not isinstance(values, dict):
        yield "it is not an object"
        return
    values = cast("dict[str, Any]", values)
    for key in ("id", "rater"):
        if not isinstance(values.get(key), str) or not values[key]:
            yield f"{key} is {values.get(key)!r}, not a text"
    kind, value = values.get("kind"), values.get("value")
    if kind not in KINDS:
        yield f"kind is {kind!r}, not one of {', '.join(KINDS)}"
    elif kind == "score" and not isinstance(value, int):
        yield f"value of a score is {value!r}, not true, false or a whole number"
    elif kind == "choice" and (isinstance(value, bool) or value not in (0, 1, 2)):
        yield f"value of a choice is {value!r}, not 0, 1 or 2"
