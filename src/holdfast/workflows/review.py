"""review: people label records or pairs; each answer is on the disk before the next question is asked.

A `Desk` holds the queue and the file of labels. It knows nothing of the web: the page asks it what to show and tells
it what was answered. All state of a rater is in the file, so that whatever is killed, the same name goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from statistics import median

from holdfast.core.dataset import Dataset
from holdfast.core.engine import Progress
from holdfast.core.errors import InputError, UsageError
from holdfast.core.labels import ADJUDICATION, Kind, Label, Thing, adjudicated, append, line, read_labels, votes
from holdfast.core.reader import read
from holdfast.core.scratch import scratch
from holdfast.workflows.review_queue import (
    Doubt,
    Item,
    Place,
    doubts,
    drawn,
    items,
    judged,
    order,
    places,
    read_verdicts,
    swapped,
)

# What a label of kind skip says when it takes the rater's last answer back: the question is open again.
UNDONE = "undone"
CANNOT_TELL = "cannot tell"
# Records or pairs that a session asks for unless --sample says otherwise: an agreement of 80 % over 400 items has an
# interval of 8 points (binomial, 95 %), and 400 short records are an afternoon's work.
SAMPLE = 400
# Answers whose median tells the time left: enough to be steady, few enough to follow a rater who gets faster.
RECENT = 20

RUBRICS = {
    "score": "Would you train on this?\nGood: correct, does what was asked, well written.\n"
    "Bad: wrong, off the point, cut off, or padded.",
    "scale": "How good is this answer as an example to learn from?\n1: harmful or useless.\nHighest: nothing to mend.",
    "choice": "Which answer would you rather have a model learn from?\n"
    "Correctness first, then what was asked, then style. Longer is not better.",
}

Meant = tuple[Kind, bool | int | None]


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """What is asked of people. `scale` 2 asks good or bad, a higher one for 1 to `scale`; `sample` 0 takes all."""

    pairs: bool = False
    scale: int = 2
    sample: int = SAMPLE
    rubric: Path | None = None
    verdicts: Path | None = None
    adjudicate: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rater chose: a key of the page (1, 2, 0, s ...), a note, and the seconds from sight to answer."""

    key: str
    note: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a rater is: answered, skipped among them, of how many; the seconds left at their pace, when known."""

    done: int
    total: int
    seconds_left: float | None


def review(files: Sequence[str | Path], labels: Path, options: ReviewOptions = ReviewOptions()) -> "Desk":
    """Return a `Desk` over the records, or the pairs, of `files`, with what the file of labels already says.

    Raises `InputError` for unreadable files and `UsageError` where there is nothing to label.
    """
    if not 2 <= options.scale <= 9:
        raise UsageError(f"--scale {options.scale}: a scale has 2 to 9 steps.", "Each step is one key.")
    rubric = _rubric(options)
    known = doubts(read_verdicts(options.verdicts)) if options.verdicts else {}
    said = read_labels(labels) if labels.exists() else []
    with scratch() as folder:
        data = read(files, mapping=dict(options.mapping), spool=folder / "data", progress=options.progress)
        found = places(data, pairs=options.pairs)
        if known and not any(judged(each.about) in known for each in found):
            what = f"{options.verdicts} has no verdict about a record of {', '.join(map(str, files))}."
            raise InputError(what, "Give the verdicts on these records, or leave --verdicts out.")
        queue = items(data, _wanted(found, said, known, options))
    if not queue:
        raise UsageError(_nothing(options, data), _remedy(options))
    return Desk(labels, queue, rubric, options, known, len(found), len(data.quarantine))


def labelled(files: Sequence[str | Path], labels: Sequence[Label], mapping: Mapping[str, str]) -> dict[Thing, Item]:
    """Return the records and pairs of `files` that have labels, by what a label names."""
    wanted = {label.about for label in labels}
    with scratch() as folder:
        data = read(files, mapping=dict(mapping), spool=folder / "data")
        found = [each for pairs in (False, True) for each in places(data, pairs=pairs) if each.about in wanted]
        return {item.about: item for item in items(data, found)}


def _wanted(
    found: Sequence[Place], said: Sequence[Label], known: Mapping[Thing, Doubt], options: ReviewOptions
) -> list[Place]:
    if not options.adjudicate:
        return drawn(found, options.sample, known)
    split = disputed(said)
    return [each for each in found if each.about in split]


def disputed(labels: Sequence[Label]) -> set[Thing]:
    """Return what raters differ on: two unequal answers, on a scale two that are more than one step apart."""
    return {about for about, said in votes(labels).items() if _differ(list(said.values()))}


def _differ(said: Sequence[Label]) -> bool:
    steps = [label.value for label in said if label.kind == "score" and type(label.value) is int]
    if len(steps) == len(said):
        return max(steps) - min(steps) > 1
    return len({repr(label.value) for label in said}) > 1


def _nothing(options: ReviewOptions, data: Dataset) -> str:
    if options.adjudicate:
        return "There is nothing to settle: no two raters differ on a record of these files."
    what = "no pair of answers to one prompt" if options.pairs else "no record"
    return f"There is nothing to label: the input has {data.rows} records, and {what}."


def _remedy(options: ReviewOptions) -> str:
    if options.adjudicate:
        return "Have two raters label the same file first, each with --rater."
    return "A pair is a row with two answers (chosen, rejected), or two rows of one prompt by different generators."


def _rubric(options: ReviewOptions) -> str:
    if options.rubric is None:
        return RUBRICS["choice" if options.pairs else "scale" if options.scale > 2 else "score"]
    try:
        rubric = options.rubric.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The rubric {options.rubric} cannot be read: {error}.", "Give a text file.") from error
    if not rubric.strip():
        raise InputError(f"The rubric {options.rubric} is empty.", "Say in it what raters are asked, or leave it out.")
    return rubric


@dataclass(slots=True)
class Desk:
    """The queue, the file of labels, and what each rater said. One answer is one appended and synced line.

    `found` is how many records or pairs the files hold, `items` those that are asked about, `unread` the rows that
    could not be read.
    """

    path: Path
    items: Sequence[Item]
    rubric: str
    options: ReviewOptions = ReviewOptions()
    known: Mapping[Thing, Doubt] = field(default_factory=dict)
    found: int = 0
    unread: int = 0
    _labels: list[Label] = field(default_factory=list)
    _read: tuple[int, int] | None = None
    _orders: dict[str, list[Item]] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The digest of the rubric, which every label carries."""
        return blake2b(self.rubric.encode(), digest_size=6).hexdigest()

    @property
    def labels(self) -> list[Label]:
        """All labels of the file, also those that another server has added."""
        state = self._state()
        if state != self._read:
            self._labels, self._read = (read_labels(self.path) if state else []), state
        return self._labels

    def queue(self, rater: str) -> list[Item]:
        """The items in this rater's order."""
        if rater not in self._orders:
            self._orders[rater] = order(self.items, rater, self.known)
        return self._orders[rater]

    def own(self, rater: str) -> list[Label]:
        """All lines of the rater that belong to this queue, undone ones among them; their number is the state."""
        here = {item.about for item in self.items}
        mine = (label for label in self.labels if label.rater == rater and label.about in here)
        return [label for label in mine if label.decides == self.options.adjudicate]

    def answers(self, rater: str) -> dict[Thing, Label]:
        """What the rater's answers are now, skips among them, the latest last; what was undone is out."""
        standing: dict[Thing, Label] = {}
        for label in self.own(rater):
            standing.pop(label.about, None)
            if not (label.kind == "skip" and label.note == UNDONE):
                standing[label.about] = label
        return standing

    def done(self, rater: str) -> set[Thing]:
        """What needs no answer of this rater any more."""
        mine = set(self.answers(rater))
        return mine | set(adjudicated(self.labels)) if self.options.adjudicate else mine

    def following(self, rater: str, after: int = -1) -> int | None:
        """The place in the rater's queue of the next open item behind `after`, else the first open one, else None."""
        done = self.done(rater)
        open_ = [at for at, item in enumerate(self.queue(rater)) if item.about not in done]
        return next((at for at in open_ if at > after), open_[0] if open_ else None)

    def progress(self, rater: str) -> Standing:
        """How far the rater is; time left by the median of the last answers."""
        queue, done = self.queue(rater), self.done(rater)
        answered = sum(item.about in done for item in queue)
        paces = [label.seconds for label in self.own(rater) if label.seconds][-RECENT:]
        left = (len(queue) - answered) * median(paces) if paces else None
        return Standing(answered, len(queue), left)

    def turned(self, item: Item, rater: str) -> bool:
        """Tell whether `other` stands on the left for this rater."""
        return item.other is not None and swapped(item, rater)

    def others(self, item: Item) -> list[Label]:
        """What raters said of the item, for an adjudicator alone."""
        return list(votes(self.labels).get(item.about, {}).values()) if self.options.adjudicate else []

    def save(self, rater: str, at: int, answer: Answer, now: datetime | None = None) -> Label:
        """Return when the answer about item `at` of the rater's queue is on the disk.

        Raises `UsageError` for an item or a key that there is not.
        """
        item = self._item(rater, at)
        meant = self._meant(answer.key, self.turned(item, rater))
        note = answer.note or (CANNOT_TELL if answer.key == "0" and meant[0] == "skip" else "")
        return self._write(item, rater, meant, replace(answer, note="" if note == UNDONE else note), now)

    def undo(self, rater: str, now: datetime | None = None) -> int | None:
        """Take the rater's last standing answer back; return its place in their queue, None when there is none."""
        standing = list(self.answers(rater))
        if not standing:
            return None
        at = next(at for at, item in enumerate(self.queue(rater)) if item.about == standing[-1])
        self._write(self._item(rater, at), rater, ("skip", None), Answer("u", UNDONE), now)
        return at

    def keys(self) -> tuple[str, ...]:
        """The keys that answer: 1, 2 and 0, or the steps of the scale; s skips."""
        steps = 2 if self.options.pairs else self.options.scale
        return (*map(str, range(1, steps + 1)), "0", "s")

    def _item(self, rater: str, at: int) -> Item:
        queue = self.queue(rater)
        if not 0 <= at < len(queue):
            raise UsageError(f"There is no item {at + 1} of {len(queue)}.")
        return queue[at]

    def _meant(self, key: str, turned: bool) -> Meant:
        if key not in self.keys():
            raise UsageError(f"{key!r} is no answer.", f"Answers are {', '.join(self.keys())}.")
        if key == "s" or (key == "0" and not self.options.pairs):
            return "skip", None
        if self.options.pairs:
            return "choice", {"0": 0, "1": 2 if turned else 1, "2": 1 if turned else 2}[key]
        return "score", int(key) if self.options.scale > 2 else key == "1"

    def _write(self, item: Item, rater: str, meant: Meant, answer: Answer, now: datetime | None) -> Label:
        kind, value = meant
        label = Label(
            item.id,
            rater,
            kind,
            value,
            other=item.other,
            side_order=None if item.other is None else "ba" if self.turned(item, rater) else "ab",
            seconds=None if answer.seconds is None else round(answer.seconds, 1),
            note=answer.note,
            version=f"{ADJUDICATION} {self.version}" if self.options.adjudicate else self.version,
            at=(now or datetime.now(UTC)).isoformat(timespec="seconds").replace("+00:00", "Z"),
        )
        before = self.labels
        append(self.path, [label])
        self._note(before, label)
        return label

    def _note(self, before: list[Label], label: Label) -> None:
        """Keep a label that was appended, so that the file need not be read again, unless somebody else wrote too."""
        size = self._read[0] if self._read else 0
        if self.path.stat().st_size == size + len(line(label)):
            self._labels, self._read = [*before, label], self._state()

    def _state(self) -> tuple[int, int] | None:
        """The size of the file and when it was changed, None where there is none."""
        return (self.path.stat().st_size, self.path.stat().st_mtime_ns) if self.path.exists() else None
