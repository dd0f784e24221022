"""The pages of `holdfast view`: runs, records a page at a time, one record whole, two runs side by side, progress.

No script at all: forms and links, so that everything works by keyboard and nothing of a record can run. Text of records
goes through Jinja's escaping and nothing else. Runs and records are named by their numbers; no request becomes a path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from holdfast.core.errors import HoldfastError
from holdfast.report import diff, numbers
from holdfast.report.shown import encodable
from holdfast.web.pages import flat, page, part
from holdfast.web.security import ENTER, Asked, Gate, Refused, Reply
from holdfast.workflows.view import Shelf
from holdfast.workflows.view_index import FACETS, PAGE
from holdfast.workflows.view_index import Asked as Wanted
from holdfast.workflows.view_progress import progress

STATIC = {"/view.css": "text/css; charset=utf-8"}
PATHS = ("/runs", "/records", "/record", "/compare", "/progress")
ROUTES = frozenset({ENTER, *(("GET", path) for path in (*PATHS, *STATIC))})
# Facets with more values than this are searched for in the text instead: a longer list cannot be read.
MOST_VALUES = 200
PROVENANCE = (
    *("origin", "synthetic_fields", "source", "licence", "generator", "family", "revision", "parents", "depth"),
    *("seed", "decoding", "cell"),
)


@dataclass(slots=True)
class Pages:
    """The handler of all routes, for one shelf."""

    shelf: Shelf
    gate: Gate

    def __call__(self, asked: Asked) -> Reply:
        """Answer a request that the gate let in. Our own errors become a page that says what to do."""
        try:
            return self._answered(asked)
        except HoldfastError as error:
            return page("view_message.html", 400, title="This did not work", text=str(error))

    def _answered(self, asked: Asked) -> Reply:
        if asked.path in STATIC:
            return Reply(part(asked.path[1:]), kind=STATIC[asked.path])
        if (asked.method, asked.path) == ENTER:
            return page("view_enter.html", cookies={self.gate.cookie: self.gate.session})
        shown = {
            "/records": self._records,
            "/record": self._record,
            "/compare": self._compared,
            "/progress": self._progress,
        }
        return shown.get(asked.path, self._runs)(asked.query)

    def _runs(self, _: Mapping[str, str]) -> Reply:
        rows = [self._row(number) for number in range(len(self.shelf.entries))]
        return page("view_runs.html", runs=rows, many=len(rows) > 1)

    def _row(self, number: int) -> dict[str, Any]:
        entry, report = self.shelf.entry(number), self.shelf.report(number)
        counts = entry.manifest.get("counts", {})
        return {
            "number": number,
            "name": entry.name,
            "verb": entry.manifest.get("verb", "files" if entry.folder is None else "not finished"),
            "kept": counts.get("kept"),
            "rejected": counts.get("rejected"),
            "verdict": "" if report is None else "passes" if report.ok else "does not pass",
            "share": numbers.value(report.to_dict()["measurements"]["synthetic-ratio"])
            if report and "synthetic-ratio" in report
            else "",
            "live": entry.folder is not None and not entry.manifest,
        }

    def _records(self, query: Mapping[str, str]) -> Reply:
        number = _number(query.get("run"))
        index = self.shelf.index(number)
        wanted = _wanted(query)
        total, rows = index.find(wanted)
        pages = max(1, -(-total // PAGE))
        facets = {name: index.facet(name, MOST_VALUES) for name in FACETS}
        return page(
            "view_records.html",
            run=number,
            name=self.shelf.entry(number).name,
            rows=rows,
            total=total,
            size=index.size,
            wanted=wanted,
            pages=pages,
            # A facet whose records are all alike narrows nothing.
            facets={name: values for name, values in facets.items() if len(values) > 1},
            rules=index.rules(),
            outcomes=index.outcomes(),
            link=_turner(query, number),
            live=not self.shelf.entry(number).manifest and self.shelf.entry(number).folder is not None,
        )

    def _record(self, query: Mapping[str, str]) -> Reply:
        number, n = _number(query.get("run")), _number(query.get("n"))
        index = self.shelf.index(number)
        row = index.record(n)
        if row is None:
            return page("view_message.html", 404, title="No such record", text="Go back to the list and choose one.")
        whole, near = row["whole"], index.neighbours(n)
        detail = orjson.loads(row["detail"]) if row["detail"] else {}
        keeper = index.named(str(detail.get("keeper", ""))) if isinstance(detail, dict) else None
        return page(
            "view_record.html",
            run=number,
            row=row,
            whole=whole,
            why=_why(row, detail),
            keeper=keeper,
            turns=orjson.loads(whole["messages"]) if whole["messages"] else [],
            fields=orjson.loads(whole["fields"] or "{}"),
            checks=orjson.loads(whole["checks"] or "{}"),
            provenance=[
                (name.replace("_", " "), flat(known)) for name in PROVENANCE if (known := row.get(name) or whole[name])
            ],
            near=[{**other, "pieces": diff.words(row["text"][:2000], other["text"][:2000])[1]} for other in near],
            before=n - 1 if n > 0 else None,
            after=n + 1 if n + 1 < index.size else None,
        )

    def _compared(self, query: Mapping[str, str]) -> Reply:
        new, old = _number(query.get("new")), _number(query.get("old"))
        told = self.shelf.compared(new, old)
        sides = [self._row(number) for number in (new, old)]
        return page("view_compare.html", told=told, new=sides[0], old=sides[1], run=new)

    def _progress(self, query: Mapping[str, str]) -> Reply:
        number = _number(query.get("run"))
        entry = self.shelf.entry(number)
        if entry.folder is None:
            return page("view_message.html", 404, title="No run", text="Files do not run; choose a run from the list.")
        return page("view_progress.html", run=number, name=entry.name, at=progress(entry.folder))


def refused(why: Refused) -> Reply:
    """Return the page of a request that the gate refused; it tells a stranger nothing about the rest."""
    return page("view_message.html", why.status, title="Not here", text=why.why)


def _wanted(query: Mapping[str, str]) -> Wanted:
    query = {name: encodable(value) for name, value in query.items()}
    return Wanted(
        query.get("q", "").strip(),
        query.get("rule", ""),
        query.get("verdict", ""),
        {name: query[name] for name in FACETS if query.get(name)},
        max(1, _number(query.get("page"), 1)),
    )


def _turner(query: Mapping[str, str], number: int) -> Any:
    """Return the function that makes the address of another page of the same list."""
    known = {name: query[name] for name in ("q", "rule", "verdict", *FACETS) if query.get(name)}
    return lambda at: "/records?" + urlencode({"run": number, **known, "page": at})


def _why(row: Mapping[str, Any], detail: Any) -> list[tuple[str, str]]:
    """Say in words why a record is where it is, and what the step wrote beside it."""
    if row["state"] in ("kept", "given"):
        word = "It is in the set: no step took it out." if row["state"] == "kept" else "It is a record of a data file."
        return [(word, "")]
    step = f" by {row['step']}" if row["step"] else ""
    told = [(f"{row['state'].capitalize()}{step}: {row['reason'] or 'no reason was written'}.", "")]
    if isinstance(detail, dict):
        told += [(str(name), flat(value)) for name, value in detail.items() if name != "id"]
    return told


def _number(text: str | None, otherwise: int = 0) -> int:
    """Return a whole number of a request, `otherwise` for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else otherwise
