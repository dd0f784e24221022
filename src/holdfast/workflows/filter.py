"""filter: remove what repeats, what leaks, personal data, and what people or a judge refuse. Nothing is deleted.

Every rejected record keeps its reason: what it repeats, how alike they are, and what they share. Kept records carry
the verdicts, so that a later audit sees that somebody looked.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from holdfast import __version__
from holdfast.core.dataset import Dataset, amended, with_checks
from holdfast.core.engine import LocalRunner, Progress, Runner, name_of
from holdfast.core.errors import UsageError
from holdfast.core.reader import read
from holdfast.core.reading.jsonmembers import with_member
from holdfast.core.rundir import Counts, Manifest, begin, only_writer, spare
from holdfast.core.scratch import scratch
from holdfast.core.settings import Filters, Novelty, Settings
from holdfast.core.writer import REASON, own_format, set_aside, write_dataset, write_lines, write_rows
from holdfast.dedup import near
from holdfast.dedup.seal import HeldOut, open_unbroken
from holdfast.metrics import novelty
from holdfast.privacy.redact import redacted, redacted_rows
from holdfast.rules.view import View, texts_at
from holdfast.workflows.funnel import bills, funnel
from holdfast.workflows.ruling import HUMAN_NO, JUDGE, Bench, Ruling, marked_with, ruled

Rows = npt.NDArray[np.int64]

NEAR, EXACT, EVAL, PRIVACY = "near-duplicate", "exact-duplicate", "eval-contamination", "personal-data"
SECRETS, SEMANTIC, NOTHING_NEW = "secrets", "semantic-duplicate", "nothing-new"
# Parts that tasks committed, in the folder of the run: what a killed run goes on from.
STAGES = ".stages"
# The order in which records are judged; the first reason of a record is its reason.
STEPS = (EVAL, PRIVACY, SECRETS, EXACT, NEAR, SEMANTIC, NOTHING_NEW, HUMAN_NO, JUDGE)


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """What is removed. Without a held-out set nothing is held against one.

    `real` is the anchor that the diversity bill is measured against; without it, the records before the filter. The
    judge is that of `settings`, whose budget has `spent` less; `labels` are files of what people said.
    """

    filters: Filters = field(default_factory=Filters)
    held_out: Sequence[str | Path] = ()
    real: Sequence[str | Path] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    seed: int = 7
    settings: Settings | None = None
    labels: Sequence[Path] = ()
    spent: float = 0.0
    runner: Runner = field(default_factory=LocalRunner)
    progress: Progress | None = None


@dataclass(slots=True)
class Decisions:
    """Why each rejected record was rejected: the first reason counts, in the order of the filters.

    `redacted` are the records from which something was taken out, `scored` those whose novelty was measured. What
    nobody could decide is in `ruling`, with what people and judges said.
    """

    reasons: dict[int, str] = field(default_factory=dict)
    details: dict[int, dict[str, Any]] = field(default_factory=dict)
    redacted: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    scored: tuple[Rows, novelty.Novelty] | None = None
    ruling: Ruling = field(default_factory=Ruling)

    def reject(self, row: int, reason: str, **detail: Any) -> None:
        """Reject a record unless an earlier filter did."""
        if row not in self.reasons:
            self.reasons[row] = reason
            self.details[row] = detail


def filter_files(files: Sequence[str | Path], out: Path, options: FilterOptions = FilterOptions()) -> Manifest:
    """Write kept.*, rejected.jsonl, quarantine.jsonl and manifest.json into `out`; return the manifest."""
    with scratch() as folder, only_writer(out):
        data = read(files, mapping=options.mapping, spool=folder / "data", progress=options.progress)
        spare(out, [*(one.path for one in data.inputs), *options.held_out, *options.real])
        kept, decisions = filtered(data, folder, options, out)
        anchor = read(options.real, spool=folder / "real", origin="real") if options.real else None
        effects = _effects(data, decisions, options.seed, anchor)
        begin(out, data.inputs)
        manifest = _write((data, kept), decisions, out, effects, name_of(options.runner))
        rmtree(out / STAGES, ignore_errors=True)
        return manifest


def filtered(data: Dataset, folder: Path, options: FilterOptions, out: Path) -> tuple[Dataset, Decisions]:
    """Return the data set with its verdicts (and redactions), and who is rejected for what.

    A ledger lies in `out`, and what tasks committed.
    """
    if not data.rows:
        return data, Decisions()
    held_out = open_unbroken([Path(path) for path in options.held_out], folder / "eval") if options.held_out else None
    view = _view(data, out / STAGES / _key(data, options), options, held_out)
    if not view.words.any():
        raise UsageError(f"None of {data.rows:,} records holds text.", "Name the column: --map text=COLUMN.")
    decisions = Decisions()
    done: list[str] = []
    if held_out is not None:
        _contaminated(view, decisions)
        done.append(EVAL)
    if options.filters.privacy == "reject":
        _personal(view, decisions)
        done.append(PRIVACY)
    if options.filters.dedup.exact:
        _repeated(view, view.exact.representative, EXACT, decisions)
        done.append(EXACT)
    if options.filters.dedup.near is not None:
        gone = np.isin(np.arange(view.n), list(decisions.reasons))
        _repeated(view, view.near.keepers(gone).keeper, NEAR, decisions)
        done.append(NEAR)
    if options.filters.dedup.semantic is not None:
        _reworded(view, decisions)
        done.append(SEMANTIC)
    if options.filters.novelty is not None:
        _covered(view, folder, options, decisions)
        done.append(NOTHING_NEW)
    _ruled(view, folder, options, out, decisions)
    if options.filters.privacy == "redact":
        decisions.redacted = np.unique(view.leaks.column("record").to_numpy())
    return amended(data, folder / "marked", lambda table, first: _marked(table, first, done, decisions)), decisions


def _key(data: Dataset, options: FilterOptions) -> str:
    """Name what the tasks work on: another input, column, filter, version or layout of shards is another folder."""
    parts = [__version__, options.filters.model_dump(mode="json"), sorted(options.mapping.items()), options.seed]
    layout = [*(item.digest for item in data.inputs), *((shard.first, shard.rows) for shard in data.shards)]
    return blake2b(orjson.dumps([parts, layout]), digest_size=8).hexdigest()


def _view(data: Dataset, stages: Path, options: FilterOptions, held_out: HeldOut | None) -> View:
    stages.mkdir(parents=True, exist_ok=True)
    # The judge has settings of its own, with its models.
    alone = options.filters.model_copy(update={"judge": None})
    settings = Settings(filters=alone, seed=options.seed)
    return View(data, settings, options.runner, stages, held_out=held_out, progress=options.progress)


def _contaminated(view: View, decisions: Decisions) -> None:
    for hit in view.contaminated:
        detail = {"item": hit.item, "n": hit.n, "coverage": hit.coverage, "shares": hit.excerpt}
        decisions.reject(hit.record, EVAL, **detail)


def _personal(view: View, decisions: Decisions) -> None:
    for hit in view.leaks.select(["record", "rule", "kind"]).to_pylist():
        if hit["rule"] in ("personal-data", "secrets"):
            decisions.reject(hit["record"], hit["rule"], kind=hit["kind"])


def _repeated(view: View, keepers: np.ndarray, reason: str, decisions: Decisions) -> None:
    """Reject all but the representative of each group, and say what each rejected record shares with it."""
    keepers = _standing(keepers, decisions)
    rows = np.flatnonzero(keepers != np.arange(view.n))
    names = view.data.take(keepers[rows], ("id",)).column("id").to_pylist()
    pairs = zip(texts_at(view.data, rows).to_pylist(), texts_at(view.data, keepers[rows]).to_pylist(), strict=True)
    ngram = view.near_spec.ngram
    for row, name, (mine, theirs) in zip(rows.tolist(), names, pairs, strict=True):
        if row not in decisions.reasons:
            shared = near.explain(mine, theirs, ngram)
            decisions.reject(row, reason, keeper=name, similarity=round(shared.similarity, 4), shares=shared.excerpt)


def _covered(view: View, folder: Path, options: FilterOptions, decisions: Decisions) -> None:
    """Reject records that add less to those kept, and to what is covered already, than the settings ask."""
    wanted = options.filters.novelty or Novelty()
    known = read(wanted.against, spool=folder / "against") if wanted.against else None
    rows = np.setdiff1d(np.arange(view.n), np.fromiter(decisions.reasons, np.int64, len(decisions.reasons)))
    found = novelty.find(view.data, rows, wanted.least, known)
    decisions.scored = rows, found
    for at in np.flatnonzero(found.score < wanted.least).tolist():
        parts = {name: round(float(part[at]), 4) for name, part in found.parts.items()}
        decisions.reject(int(rows[at]), NOTHING_NEW, novelty=parts)


def _reworded(view: View, decisions: Decisions) -> None:
    """Reject the records that another one left is kept for, as their vectors are alike."""
    if view.semantic_spec is None:
        remedy = "Name another: --encoder minilm. What repeats in words is found by --dedup near."
        raise UsageError("The lexical encoder compares words and claims nothing about meaning.", remedy)
    chosen = view.semantic.keepers(np.isin(np.arange(view.n), list(decisions.reasons)))
    rows = chosen.rejected
    keepers = chosen.keeper[rows]
    names = view.data.take(keepers, ("id",)).column("id").to_pylist()
    pairs = zip(texts_at(view.data, rows).to_pylist(), texts_at(view.data, keepers).to_pylist(), strict=True)
    alike = chosen.similarity[rows].tolist()
    for row, name, cosine, (mine, theirs) in zip(rows.tolist(), names, alike, pairs, strict=True):
        shares = near.explain(mine, theirs, view.near_spec.ngram).excerpt
        found = {"similarity": round(cosine, 4), "encoder": view.encoder.name, "shares": shares}
        decisions.reject(row, SEMANTIC, keeper=name, **found)


def _ruled(view: View, folder: Path, options: FilterOptions, out: Path, decisions: Decisions) -> None:
    """Let people, and judges as far as they may, decide the records that are left."""
    bench = Bench(out, folder, options.settings, options.labels, options.spent, options.progress)
    if not options.labels and bench.judged is None:
        return
    rows = np.setdiff1d(np.arange(view.n), np.fromiter(decisions.reasons, np.int64, len(decisions.reasons)))
    decisions.ruling = ruled(view, rows, bench)
    for row, (reason, detail) in sorted(decisions.ruling.rejected.items()):
        decisions.reject(row, reason, **detail)


def _standing(keepers: np.ndarray, decisions: Decisions) -> np.ndarray:
    """Where the representative of a group was rejected, let the first member that was not stand for it."""
    lost = [row for row in decisions.reasons if keepers[row] == row]
    standing = keepers.copy()
    members: dict[int, list[int]] = {head: [] for head in lost}
    for row in np.flatnonzero(np.isin(keepers, lost)).tolist():
        members[int(keepers[row])].append(row)
    for rows in members.values():
        left = [row for row in rows if row not in decisions.reasons]
        standing[rows] = left[0] if left else rows
    return standing


def _marked(table: pa.Table, first: int, done: list[str], decisions: Decisions) -> pa.Table:
    """Return a shard's records with their verdicts, and without what is redacted."""
    rows = range(first, first + table.num_rows)
    marked = with_checks(table, {name: [decisions.reasons.get(row) != name for row in rows] for name in done})
    marked = marked_with(marked, first, decisions.ruling.marks)
    low, high = np.searchsorted(decisions.redacted, (rows.start, rows.stop))
    hidden = (decisions.redacted[low:high] - first).tolist()
    return redacted(marked, hidden) if hidden else marked


def _effects(data: Dataset, decisions: Decisions, seed: int, anchor: Dataset | None) -> dict[str, Any]:
    """Return what filtering did, for the manifest: the funnel, and the diversity bill where anything was rejected."""
    reasons = np.full(data.rows, None, dtype=object)
    for row, reason in decisions.reasons.items():
        reasons[row] = reason
    for row, (reason, _) in decisions.ruling.undecided.items():
        reasons[row] = reason
    steps = (*STEPS, *sorted({reason for reason, _ in decisions.ruling.undecided.values()}))
    paid = bills(data, reasons, steps, seed, anchor) if decisions.reasons else []
    return {"funnel": funnel(data, reasons), "bill": paid}


def _write(
    whole: tuple[Dataset, Dataset], decisions: Decisions, out: Path, effects: dict[str, Any], runner: str
) -> Manifest:
    """Write the files; `whole` is the data as they came and as they are marked."""
    data, marked = whole
    rejected = np.asarray(sorted(decisions.reasons), dtype=np.int64)
    files = {"kept": f"kept.{own_format(data)}", "rejected": "rejected.jsonl"}
    undecided = _in_review_order(decisions.ruling)
    kept = np.setdiff1d(np.arange(data.rows), np.concatenate([rejected, undecided]))
    hidden = np.flatnonzero(np.isin(kept, decisions.redacted))

    def cleaned(rows: pa.Table, first: int) -> pa.Table:
        low, high = np.searchsorted(hidden, (first, first + rows.num_rows))
        return redacted_rows(rows, (hidden[low:high] - first).tolist())

    write_dataset(out / files["kept"], marked, kept, change=cleaned)
    write_lines(out / files["rejected"], _set_aside(data, rejected, decisions))
    if len(undecided):
        files["undecided"] = "undecided.jsonl"
        write_lines(out / files["undecided"], _set_aside(data, undecided, decisions))
    if decisions.ruling.verdicts:
        files["verdicts"] = write_rows(out / "verdicts.jsonl", decisions.ruling.verdicts).name
    if decisions.scored is not None:
        files["novelty"] = "novelty.jsonl"
        write_lines(out / files["novelty"], _novelties(data, *decisions.scored))
    files |= set_aside(out, data)
    bad = len(data.quarantine)
    manifest = Manifest(
        "filter",
        Counts(data.rows + bad, len(kept), len(rejected), len(undecided), failed=bad),
        ok=len(kept) > 0,
        reasons=_counted(decisions) + Counter(line.reason for line in data.quarantine),
        files=files,
        inputs=data.inputs,
        runner=runner,
        more={"redacted": len(hidden), **effects, **({"judging": told} if (told := decisions.ruling.told) else {})},
    )
    manifest.write(out)
    return manifest


def _novelties(data: Dataset, rows: Rows, found: novelty.Novelty) -> Iterator[bytes]:
    """Yield the novelty of each record that came so far, with its parts."""
    names = data.take(rows, ("id",)).column("id").to_pylist()
    parts = {name: part.tolist() for name, part in found.parts.items()}
    for at, (name, score) in enumerate(zip(names, found.score.tolist(), strict=True)):
        each = {part: round(values[at], 4) for part, values in parts.items()}
        yield orjson.dumps({"id": name, "score": round(score, 4), "parts": each})


def _counted(decisions: Decisions) -> Counter[str]:
    """Return how many records went, or wait for people, for each reason."""
    return Counter(decisions.reasons.values()) + Counter(reason for reason, _ in decisions.ruling.undecided.values())


def _in_review_order(ruling: Ruling) -> Rows:
    """Return the undecided rows as people should look at them: those that a judge scored highest first."""
    scores = {row: detail.get("score") or 0.0 for row, (_, detail) in ruling.undecided.items()}
    return np.asarray(sorted(scores, key=lambda row: (-scores[row], row)), dtype=np.int64)


def _set_aside(data: Dataset, rows: np.ndarray, decisions: Decisions) -> Iterator[bytes]:
    """Yield rejected or undecided rows as they were written, each with its reason, its id and the details."""
    why = {row: (reason, decisions.details[row]) for row, reason in decisions.reasons.items()}
    why |= decisions.ruling.undecided
    table = data.take(rows, ("id", "fields"))
    for row, name, fields in zip(rows.tolist(), *(column.to_pylist() for column in table.columns), strict=True):
        reason, found = why[row]
        detail = orjson.dumps({"id": name, **found})
        with_reason = with_member(fields.encode(), REASON, orjson.dumps(reason))
        yield with_member(with_reason, "holdfast_detail", detail)
