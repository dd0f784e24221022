"""One round of a generation: records made or asked for, judged, decided in order, and written as lines.

Everything here follows from the tasks, the state and the answers; nothing from the clock or from who finished first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from holdfast.core.engine import LocalRunner, Runner
from holdfast.core.errors import ConservationError
from holdfast.core.reading.provenance import HOLDFAST
from holdfast.core.record import Message, Record
from holdfast.core.settings import Settings
from holdfast.core.shapes import nested_of_record
from holdfast.core.text import word_hashes
from holdfast.core.writer import REASON
from holdfast.dedup.eval_index import EvalIndex
from holdfast.metrics.ngram import grams
from holdfast.models.chat import NoRecord
from holdfast.models.desk import Desk
from holdfast.models.dispatch import Held, Job
from holdfast.privacy.outgoing import leaks_of
from holdfast.privacy.redact import clean, cleaned
from holdfast.workflows.cells import Quota
from holdfast.workflows.checking import NO_CHECK, Fate, Judged, NamedCheck, decide_all, judge
from holdfast.workflows.gaps import AXIS
from holdfast.workflows.materials import held_out_rows
from holdfast.workflows.rounds import REPEATED, Line, State
from holdfast.workflows.sources import Source, Streamed
from holdfast.workflows.writers import Written

HELD_OUT, PERSONAL = "held-out", "personal-data"
# New n-grams are counted on a sample: the runs of three words whose hash falls into one part of so many.
GRAM, SAMPLED = 3, 64
# What a model or an endpoint said of it, beside the reason.
DETAIL = "holdfast_detail"
LEAKS = ("personal-data", "secrets")


@dataclass(frozen=True, slots=True)
class Task:
    """What one round asks of one generator for one cell: accepted records wanted, and the most it may make."""

    source: int
    cell: int
    want: int
    most: int


@dataclass(frozen=True, slots=True)
class Made:
    """One position worked off: the record, and what is known of it. `next` is the position after it.

    `end` says why a conversation gave none; the record then shows what was asked and answered last.
    """

    next: int
    record: Record
    written: bool = False
    end: NoRecord | None = None
    cost: float = 0.0
    served: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    judged: tuple[Judged, ...] = ()
    grams: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to: the lines of each task, and how many conversations were not ended when it stopped."""

    lines: list[list[Line]]
    pending: int


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes rounds for these sources, cells and checks. `desk` opens the desk when it is first asked for.

    Without `batch` nothing waits for a provider's batch, whatever the generators say. On a cluster `runner` makes the
    records of procedural generators; here they are made in this process.
    """

    settings: Settings
    sources: Sequence[Source]
    quotas: Sequence[Quota]
    checks: Sequence[NamedCheck]
    desk: Callable[[], Desk]
    index: EvalIndex | None = None
    gaps: Mapping[str, Sequence[str]] = field(default_factory=dict)
    aimed: dict[tuple[str, str], Written] = field(default_factory=dict)
    batch: bool = True
    runner: Runner = field(default_factory=LocalRunner)

    def round(self, state: State, tasks: Sequence[Task]) -> Round:
        """Make, judge and decide what the tasks ask for; `state` stays as it is."""
        made, pending = self.made(state, tasks)
        flat = iter(self.looked_at([each for several in made for each in several]))
        seen, known = set[int](), set[int]()
        lines = []
        for task, several in zip(tasks, made, strict=True):
            judged = [next(flat) for _ in several]
            lines.append(self._decided(task, judged, _Met(state, seen, known)))
        return Round(lines, pending)

    def made(self, state: State, tasks: Sequence[Task]) -> tuple[list[list[Made]], int]:
        """Return what each task made, in the order of its positions, and how many conversations are still open."""
        made: list[list[Made]] = [[] for _ in tasks]
        jobs: list[Job[Any]] = []
        places: list[tuple[int, int]] = []
        streams: list[tuple[int, tuple[Any, ...]]] = []
        for place, task in enumerate(tasks):
            source, cell = self.sources[task.source], self.quotas[task.cell].cell
            start = state.positions.get((task.source, task.cell), 0)
            if isinstance(source, Streamed):
                streams.append((place, (source, self.settings.seed, cell, start, task.most)))
                continue
            source = self._aimed(source, cell)
            for number in source.left(start, task.most):
                job = source.job(cell, number)
                jobs.append(replace(job, batch=job.batch and self.batch))
                places.append((place, number))
        for place, records in self._streamed(streams):
            made[place] = [Made(after, record) for after, record in records]
        held = self.desk().hold(jobs) if jobs else []
        for (place, number), job, end in zip(places, jobs, held, strict=True):
            if end is not None:
                made[place].append(replace(self._written(tasks[place], number, end), leaks=tuple(job.screened)))
        return made, sum(end is None for end in held)

    def _streamed(self, streams: Sequence[tuple[int, tuple[Any, ...]]]) -> Iterator[tuple[int, list[Any]]]:
        """Yield the place of each stream and its records; a user's own generators stay in this process."""
        away = [] if isinstance(self.runner, LocalRunner) else [each for each in streams if each[1][0].shipped]
        for runner, some in ((self.runner, away), (LocalRunner(1), [each for each in streams if each not in away])):
            results = runner.run(drawn_of, [arguments for _, arguments in some])
            yield from zip((place for place, _ in some), results, strict=True)

    def _written(self, task: Task, number: int, held: Held[Any]) -> Made:
        source = self.sources[task.source]
        if isinstance(source, Streamed):
            raise ConservationError(f"{source.name} holds no conversations.", "This is a bug of Holdfast.")
        cell = self.quotas[task.cell].cell
        record = self._aimed(source, cell).record(cell, number, held)
        end = held.made if isinstance(held.made, NoRecord) else None
        served = tuple(dict.fromkeys(f"{name}: {answer.served}" for name, answer in held.answers if answer.served))
        # One entry for each answer, where `served` has one for each record.
        ignored = tuple(f"{name}: {parameter}" for name, answer in held.answers for parameter in answer.ignored)
        return Made(number + 1, record, True, end, self.desk().price(held), served, ignored)

    def _aimed(self, source: Written, cell: Mapping[str, str]) -> Written:
        """Return a writer with the seeds of the gap that a cell is, or as it is for any other cell."""
        if AXIS not in cell:
            return source
        key = (source.name, cell[AXIS])
        if key not in self.aimed:
            self.aimed[key] = source.within(self.gaps, cell[AXIS])
        return self.aimed[key]

    def looked_at(self, made: Sequence[Made]) -> list[Made]:
        """Return everything with its leaks taken out or named, its verdicts, and its sampled n-grams."""
        made = self._screened(made)
        rows = [row for row, each in enumerate(made) if each.end is None]
        verdicts = judge(self.checks, [made[row].record for row in rows], self.settings) if rows else []
        sampled = _sampled_grams([made[row].record.text if made[row].written else "" for row in rows])
        found = list(made)
        for row, judged, runs in zip(rows, verdicts, sampled, strict=True):
            found[row] = replace(made[row], judged=tuple(judged), grams=runs)
        return found

    def _screened(self, made: Sequence[Made]) -> list[Made]:
        """Look for held-out text in all records, and for personal data in those that a model wrote."""
        found, policy = list(made), self.settings.filters.privacy
        for row in held_out_rows([each.record for each in made], self.index):
            found[row] = replace(found[row], end=found[row].end or NoRecord("rejected", HELD_OUT))
        for row, each in enumerate(found) if policy != "off" else ():
            leaks = _leaks(each.record) if each.written and each.end is None else ()
            if leaks and policy == "reject":
                end = NoRecord("rejected", PERSONAL, ", ".join(leaks))
                found[row] = replace(each, leaks=(*each.leaks, *leaks), end=end)
            elif leaks:
                found[row] = replace(each, leaks=(*each.leaks, *leaks), record=_redacted(each.record))
        return found

    def _decided(self, task: Task, made: Sequence[Made], met: "_Met") -> list[Line]:
        """Return the lines of a task, up to the record that meets what was wanted of it.

        What was made beyond that one is dropped as if never made: its positions are not used up, and answers that
        were paid for are found in the ledger when its turn comes.
        """
        lines: list[Line] = []
        kept = 0
        for each in made:
            if kept == task.want:
                break
            fate, reason = fate_of(each)
            content = None if each.end is not None else int(each.record.digest[:16], 16)
            repeated = content is not None and met.before(content)
            if fate == "kept" and repeated:
                fate, reason = "rejected", REPEATED
            kept += fate == "kept"
            lines.append(self._line(task, each, (fate, reason, content), met.new(each.grams)))
        return lines

    def _line(self, task: Task, made: Made, said: tuple[str, str, int | None], new: tuple[int, ...]) -> Line:
        fate, reason, content = said
        record = self.placed(task, made)
        row = self.row(record) | ({} if fate == "kept" else {REASON: reason})
        if made.end is not None and made.end.detail:
            row[DETAIL] = made.end.detail
        return Line(
            task.source,
            task.cell,
            made.next,
            fate,
            reason,
            orjson.dumps(row, default=str),
            content,
            # No durations: equal runs write equal bytes.
            tuple(orjson.dumps({**each.to_dict(record.id), "ms": None}, default=str) for each in made.judged),
            new,
            made.cost,
            made.leaks,
            made.served,
            made.ignored,
            len(made.grams),
        )

    def placed(self, task: Task, made: Made) -> Record:
        """Return the record with its verdicts, and with origin, generator and cell even where its maker gave none."""
        record, origin = made.record, made.record.provenance
        provenance = replace(
            origin,
            origin="synthetic" if origin.origin == "unknown" else origin.origin,
            generator=origin.generator or self.sources[task.source].name,
            cell=origin.cell or self.quotas[task.cell].cell or None,
        )
        known = {each.check: each.verdict.ok for each in made.judged if each.check != NO_CHECK}
        return replace(record, provenance=provenance, checks={**record.checks, **known})

    def row(self, record: Record) -> dict[str, Any]:
        """Return a record in the columns of the real data, with the nested `holdfast` column behind."""
        columns = self.settings.real[0].map if self.settings.real else {}
        prompt, response = columns.get("prompt", "prompt"), columns.get("response", "response")
        texts: dict[str, Any] = {"id": record.id, prompt: record.prompt, response: record.response}
        if record.messages is not None:
            texts["messages"] = [turn._asdict() for turn in record.messages]
        others = {name: value for name, value in record.fields.items() if name not in texts}
        return {**texts, **others, HOLDFAST: nested_of_record(record)}


def drawn_of(source: Streamed, seed: int, cell: Mapping[str, Any], start: int, most: int) -> list[tuple[int, Record]]:
    """Return (position after it, record) of at most `most` records of a stream, from a position on."""
    return list(islice(source.records(seed, cell, start), most))


@dataclass(slots=True)
class _Met:
    """Contents and n-grams met before: in the state, or earlier in this round."""

    state: State
    contents: set[int]
    grams: set[int]

    def before(self, content: int) -> bool:
        """True when a content was met before; from now on it was."""
        if content in self.contents or content in self.state.seen:
            return True
        self.contents.add(content)
        return False

    def new(self, runs: Sequence[int]) -> tuple[int, ...]:
        """Return the runs that were not met before; from now on they were."""
        found = tuple(dict.fromkeys(run for run in runs if run not in self.grams and run not in self.state.grams))
        self.grams.update(found)
        return found


def fate_of(made: Made) -> tuple[Fate | str, str]:
    """Return what becomes of a position, and why, before it is held against what was accepted already."""
    return (made.end.fate, made.end.reason) if made.end is not None else decide_all(made.judged)


def _leaks(record: Record) -> tuple[str, ...]:
    """Return the kinds of personal data and secrets that a record holds, its turns and its other columns included."""
    turns = [turn.content for turn in record.messages or ()]
    texts = [record.prompt, record.response, *turns, *_texts(dict(record.fields))]
    found = (leak for text in dict.fromkeys(texts) for leak in leaks_of(text) if leak.rule in LEAKS)
    return tuple(dict.fromkeys(leak.kind for leak in found))


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of plain JSON data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _redacted(record: Record) -> Record:
    turns = record.messages
    return replace(
        record,
        prompt=clean(record.prompt) or "",
        response=clean(record.response) or "",
        messages=turns and tuple(Message(turn.role, clean(turn.content) or "") for turn in turns),
        fields=cleaned(dict(record.fields)),
    )


def _sampled_grams(texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Return of each text the sampled runs of words, each once."""
    if not any(texts):
        return [()] * len(texts)
    ids, offsets = word_hashes(pa.chunked_array([pa.array(texts, pa.string())]))
    runs, bounds = grams(ids, offsets, GRAM)
    chosen = runs % np.uint64(SAMPLED) == 0
    parts = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    return [tuple(dict.fromkeys(runs[low:high][chosen[low:high]].tolist())) for low, high in parts]
