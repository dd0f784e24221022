"""The review page: one question at a time, answered by key, saved before the next one is shown.

Blind: no id, generator, family or verdict is in any page; the browser names a question by its place in the rater's own
queue. Text of records goes through Jinja's escaping and nothing else: no markup of theirs is ever made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import quote, unquote

from holdfast.core.errors import HoldfastError, UsageError
from holdfast.core.labels import Label
from holdfast.report.shown import one_line, visible
from holdfast.web.pages import page, part
from holdfast.web.security import ENTER, Asked, Gate, Refused, Reply
from holdfast.workflows.review import Answer, Desk, Standing
from holdfast.workflows.review_queue import Item

STATIC = {"/review.css": "text/css; charset=utf-8", "/review.js": "text/javascript; charset=utf-8"}
ROUTES = frozenset(
    {
        ENTER,
        *(("GET", path) for path in ("/review", "/rater", *STATIC)),
        *(("POST", path) for path in ("/rater", "/answer", "/undo")),
    }
)
LONGEST_NAME = 60
LONGEST_NOTE = 10_000


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer as a button: its key and what it says."""

    key: str
    words: str
    chosen: bool = False


@dataclass(slots=True)
class Pages:
    """The handler of all routes, for one desk. `rater` is who labels, or empty to ask on the page."""

    desk: Desk
    gate: Gate
    rater: str = ""
    clock: Callable[[], float] = monotonic
    shown: dict[str, tuple[int, float]] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Reply:
        """Answer a request that the gate let in. Our own errors become a page that says what to do."""
        try:
            return self._answered(asked)
        except HoldfastError as error:
            return page("message.html", 400, title="This did not work", text=str(error))
        except OSError as error:
            text = f"The answer was not saved: {error}. Mend that, go back, and answer again."
            return page("message.html", 500, title="Not saved", text=text)

    def _answered(self, asked: Asked) -> Reply:
        if asked.path in STATIC:
            return Reply(part(asked.path[1:]), kind=STATIC[asked.path])
        if (asked.method, asked.path) == ENTER:
            return page("enter.html", cookies={self.gate.cookie: self.gate.session})
        if asked.path == "/rater":
            return self._named(asked)
        rater = self._rater(asked)
        if not rater:
            return _to("/rater")
        match asked.path:
            case "/answer":
                return self._saved(asked, rater)
            case "/undo":
                if "seen" in asked.form and _number(asked.form["seen"]) != len(self.desk.own(rater)):
                    return _to("/review?late=1")  # an old page would take back what it does not show
                at = self.desk.undo(rater)
                return _to("/review" if at is None else f"/review?at={at + 1}")
            case _:
                return self._sheet(asked, rater)

    def _rater(self, asked: Asked) -> str:
        return self.rater or unquote(asked.cookies.get(f"{self.gate.cookie}-rater", ""))

    def _named(self, asked: Asked) -> Reply:
        if asked.method == "GET" or self.rater:
            return _to("/review") if self.rater else page("name.html", wrong="")
        try:
            name = rater_name(asked.form.get("name", ""))
        except UsageError as error:
            return page("name.html", 400, wrong=error.remedy)
        return _to("/review", {f"{self.gate.cookie}-rater": quote(name, safe="")})

    def _saved(self, asked: Asked, rater: str) -> Reply:
        at, seen = _number(asked.form.get("at")) - 1, _number(asked.form.get("seen"))
        own, queue = self.desk.own(rater), self.desk.queue(rater)
        if seen != len(own) and any(label.about == queue[at].about for label in own if 0 <= at < len(queue)):
            # Sent twice, or from an old tab: what is on the disk stands, and the page shows where that is. A first
            # answer to another question, from a second tab, is no repetition.
            return _to("/review?late=1")
        place, since = self.shown.get(rater, (-1, 0.0))
        seconds = self.clock() - since if place == at else None
        note = asked.form.get("note", "").strip().replace("\r\n", "\n")[:LONGEST_NOTE]
        self.desk.save(rater, at, Answer(asked.form.get("answer", ""), note, seconds))
        following = self.desk.following(rater, at)
        return _to("/review" if following is None else f"/review?at={following + 1}")

    def _sheet(self, asked: Asked, rater: str) -> Reply:
        queue = self.desk.queue(rater)
        following = self.desk.following(rater)
        at = _number(asked.query.get("at")) - 1
        if not 0 <= at < len(queue):
            if following is None:
                return self._finished(rater)
            at = following
        if self.shown.get(rater, (-1, 0.0))[0] != at:
            self.shown[rater] = (at, self.clock())
        return page("review.html", late=bool(asked.query.get("late")), **self._view(rater, at))

    def _view(self, rater: str, at: int) -> dict[str, Any]:
        item = self.desk.queue(rater)[at]
        answers = self.desk.answers(rater)
        last = list(answers.values())[-1] if answers else None
        turned = self.desk.turned(item, rater)
        said = answers.get(item.about)
        return {
            **self._frame(rater),
            "at": at + 1,
            "seen": len(self.desk.own(rater)),
            "turns": item.turns,
            "texts": _texts(item, turned),
            "choices": _choices(self.desk, said, turned),
            "said": said,
            "note": said.note if said else "",
            "chosen_words": _words(said, turned) if said else "",
            "last": _words(last, last.side_order == "ba") if last else "",
            "others": [(label.rater, _words(label, turned), label.note) for label in self.desk.others(item)],
        }

    def _frame(self, rater: str) -> dict[str, Any]:
        progress = self.desk.progress(rater)
        return {
            "rater": rater,
            "fixed": bool(self.rater),
            "progress": progress,
            "left": time_left(progress),
            "rubric": self.desk.rubric,
            "pairs": self.desk.options.pairs,
            "adjudicate": self.desk.options.adjudicate,
        }

    def _finished(self, rater: str) -> Reply:
        answers = self.desk.answers(rater)
        places = {item.about: at for at, item in enumerate(self.desk.queue(rater), 1)}
        skipped = [places[about] for about, label in answers.items() if label.kind == "skip"]
        minutes = round(sum(label.seconds or 0 for label in answers.values()) / 60)
        more: dict[str, Any] = {"skipped": sorted(skipped), "minutes": minutes, "path": str(self.desk.path)}
        return page("done.html", answered=len(answers) - len(skipped), **self._frame(rater), **more)


def rater_name(given: str) -> str:
    """Return a rater's name with single spaces, so that a blank makes no second person.

    Raises UsageError for one that is empty, too long, or holds what nobody sees.
    """
    name = " ".join(given.split())
    if not name or len(name) > LONGEST_NAME or visible(name) != name:
        what = f"{one_line(given, LONGEST_NAME)!r} is no name of a rater."
        raise UsageError(what, f"A name has 1 to {LONGEST_NAME} letters, all of them visible.")
    return name


def refused(why: Refused) -> Reply:
    """Return the page of a request that the gate refused; it tells a stranger nothing about the rest."""
    return page("message.html", why.status, title="Not here", text=why.why)


def time_left(progress: Standing) -> str:
    """Return the time left in words, '' where it is not known yet or nothing is left."""
    if progress.seconds_left is None or progress.done >= progress.total:
        return ""
    minutes = progress.seconds_left / 60
    if minutes < 1:
        return "less than a minute left"
    return f"about {minutes:.0f} min left" if minutes < 90 else f"about {minutes / 60:.1f} h left"


def _texts(item: Item, turned: bool) -> list[tuple[str, str]]:
    if item.other is None:
        return [("Answer", item.response)]
    left, right = (item.rival, item.response) if turned else (item.response, item.rival)
    return [("Left", left), ("Right", right)]


def _choices(desk: Desk, said: Label | None, turned: bool) -> list[Choice]:
    chosen = "" if said is None else _words(said, turned)
    return [Choice(key, words, words == chosen) for key, words in _named_keys(desk)]


def _named_keys(desk: Desk) -> list[tuple[str, str]]:
    if desk.options.pairs:
        return [("1", "Left"), ("0", "Tie"), ("2", "Right"), ("s", "Skip")]
    if desk.options.scale > 2:
        return [*((key, key) for key in desk.keys()[:-2]), ("0", "Cannot tell"), ("s", "Skip")]
    return [("1", "Good"), ("2", "Bad"), ("0", "Cannot tell"), ("s", "Skip")]


def _words(label: Label, turned: bool) -> str:
    """Return what a label says in the words of its button."""
    match label.kind, label.value:
        case "choice", 0:
            return "Tie"
        case "choice", value:
            return "Left" if (value == 1) != turned else "Right"
        case "score", bool(value):
            return "Good" if value else "Bad"
        case "score", value:
            return str(value)
    return "Cannot tell" if label.note == "cannot tell" else "Skip"


def _to(place: str, cookies: Mapping[str, str] | None = None) -> Reply:
    return Reply(status=303, location=place, cookies=cookies or {})


def _number(text: str | None) -> int:
    """Return a whole number of a form, -1 for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else -1
