"""How far people agree with each other, and a judge with them: overall and for every generator and cell.

Judges err differently on different data, so that a figure over everything hides what matters: each subset has its own.
Labels of adjudicators do not count as agreement, since they knew the others; they do count as the word of people that
a judge is held against. Pairs share prompts, and records chosen because judges were unsure are no random sample: of
such labels the figures say nothing about the whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from holdfast.core.errors import InputError
from holdfast.core.labels import Label, Thing, adjudicated, read_labels, settled, votes
from holdfast.core.verdict import Measurement
from holdfast.report.shown import one_line
from holdfast.stats.agreement import cohen_kappa, gwet_ac1, krippendorff_alpha, raw_agreement
from holdfast.verifiers.judge import TIE
from holdfast.workflows.review import disputed, labelled
from holdfast.workflows.review_queue import NO_CELL, NOT_MADE, judged, read_verdicts

Ratings = npt.NDArray[np.float64]
Strata = Mapping[Thing, Mapping[str, str]]
# Letters of a subset's name in a row of 80; a longer one has a line of its own.
NAME = 13
# Letters of any name on the screen; names of raters and checks come from files, and may be anything.
LONGEST = 76
# The questions a label answers, and how many answers each has: good or bad, a step of a scale (as many as were given),
# the better of two or a tie.
QUESTIONS = {"good": 2, "scale": None, "choice": 3}


@dataclass(frozen=True, slots=True)
class Figures:
    """Agreement over one set of things: raw, beyond chance by three measures, and on how many things it rests.

    kappa is Cohen's for two raters (None for more or fewer), quadratically weighted on a scale; alpha is
    Krippendorff's, ordinal on a scale; AC1 is Gwet's.
    """

    items: int
    raw: Measurement | None
    kappa: Measurement | None
    alpha: Measurement | None
    ac1: Measurement | None


def review_agreement(
    labels: Path, files: Sequence[str | Path] = (), judge: Path | None = None, mapping: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the agreement report in its JSON form: who labelled how much, agreement of raters, of each judge.

    With `files` also by generator and by cell. Raises `InputError` for unreadable files, a file without labels, and
    files or verdicts that are about nothing that was labelled.
    """
    said = read_labels(labels)
    if not said:
        raise InputError(f"{labels} holds no labels.", "Label something first: holdfast review FILE.")
    strata = _strata(files, said, mapping or {}) if files else {}
    if files and not strata:
        what = f"Nothing that {labels} names is in {', '.join(map(str, files))}."
        raise InputError(what, "Give the file that was labelled, with its --map.")
    verdicts = read_verdicts(judge) if judge else []
    if judge and not {judged(label.about) for label in said} & {(each["id"], each.get("other")) for each in verdicts}:
        raise InputError(f"{judge} has no verdict about what {labels} names.", "Give the verdicts on those records.")
    people = votes(said)
    return {
        "version": 1,
        "labels": str(labels),
        "raters": _raters(said),
        "things": len(people),
        "disputed": len(disputed(said)),
        "adjudicated": len(adjudicated(said)),
        "agreement": _by_question(people, strata),
        "judges": _judges(said, verdicts, strata),
    }


def question(label: Label) -> str:
    """Return what a label answers: good (true or false), scale (a whole number) or choice (of two)."""
    if label.kind == "choice":
        return "choice"
    return "good" if isinstance(label.value, bool) else "scale"


def _raters(said: Sequence[Label]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for rater in sorted({label.rater for label in said if not label.decides}):
        mine = {label.about: label for label in said if label.rater == rater and not label.decides}
        answers = [label for label in mine.values() if label.kind != "skip"]
        times = sorted(label.seconds for label in answers if label.seconds is not None)
        pace = times[len(times) // 2] if times else None
        found[rater] = {"answers": len(answers), "skipped": len(mine) - len(answers), "median_seconds": pace}
    return found


def _strata(files: Sequence[str | Path], said: Sequence[Label], mapping: Mapping[str, str]) -> Strata:
    found = labelled(files, said, mapping)
    return {about: {"generator": item.generator, "cell": item.cell} for about, item in found.items()}


def _by_question(people: Mapping[Thing, Mapping[str, Label]], strata: Strata) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in QUESTIONS:
        answers = {
            about: {rater: label for rater, label in said.items() if question(label) == name}
            for about, said in people.items()
        }
        answers = {about: said for about, said in answers.items() if said}
        if answers:
            raters = sorted({rater for said in answers.values() for rater in said})
            values = {about: {rater: _number(label) for rater, label in s.items()} for about, s in answers.items()}
            found[name] = _sets(values, raters, strata, name)
    return found


def _judges(said: Sequence[Label], verdicts: Sequence[Mapping[str, Any]], strata: Strata) -> dict[str, Any]:
    """Hold each check of the verdicts against the settled word of people, question by question."""
    kinds = {label.about: question(label) for label in said if label.kind != "skip"}
    people: dict[str, dict[Thing, float]] = {}
    for about, value in settled(said).items():
        people.setdefault(kinds[about], {})[about] = float(value)
    checks = {str(each.get("check", "judge")): each for each in verdicts}
    return {check: _judge(check, people, verdicts, strata) for check in sorted(checks)}


def _judge(
    check: str, people: Mapping[str, Mapping[Thing, float]], verdicts: Sequence[Mapping[str, Any]], strata: Strata
) -> dict[str, Any]:
    """Return the figures of one check; what it left undecided is counted apart."""
    ours = {(each["id"], each.get("other")): each for each in verdicts if each.get("check", "judge") == check}
    found: dict[str, Any] = {}
    for asked, answers in people.items():
        both = {about: _as_answer(ours[judged(about)], asked) for about in answers if judged(about) in ours}
        values = {about: {"people": answers[about], "judge": said} for about, said in both.items() if said is not None}
        if both:
            found[asked] = {"undecided": len(both) - len(values), **_sets(values, ["people", "judge"], strata, asked)}
    return found


def _as_answer(verdict: Mapping[str, Any], asked: str) -> float | None:
    """Return what a verdict says in the terms of the question, None for undecided.

    Of two answers a score above one half is for the first, below for the second, at it a tie; without a score true is
    for the first.
    """
    ok, score = verdict["ok"], verdict.get("score")
    if asked == "scale":
        return None if score is None else float(score)
    if ok is None:
        # Both orders said tie; a judge that changed its mind with the order has the same score and said nothing.
        return 0.0 if asked == "choice" and verdict.get("reason") == TIE else None
    if asked == "good":
        return float(ok)
    side = float(ok) if score is None else float(score)
    return 0.0 if side == 0.5 else 1.0 if side > 0.5 else 2.0


def _sets(
    values: Mapping[Thing, Mapping[str, float]], raters: Sequence[str], strata: Strata, asked: str
) -> dict[str, Any]:
    """Return the figures over everything and over each generator and cell that the files name."""
    subsets: dict[str, dict[str, Any]] = {}
    for part in ("generator", "cell"):
        names = sorted({strata[about][part] for about in values if about in strata})
        if names and not set(names) <= {NOT_MADE, NO_CELL}:
            members = {name: [about for about in values if strata.get(about, {}).get(part) == name] for name in names}
            subsets[part] = {
                name: asdict(figures([values[about] for about in some], raters, asked))
                for name, some in members.items()
            }
    return {"overall": asdict(figures(values.values(), raters, asked)), "subsets": subsets}


def figures(said: Iterable[Mapping[str, float]], raters: Sequence[str], asked: str) -> Figures:
    """Return how far raters agree over things, each a mapping from rater to value; what they did not rate is missing.

    `asked` is one of QUESTIONS. Things with fewer than two ratings rest out; with none left every figure is None.
    """
    rated = [each for each in said if len(each) >= 2]
    if not rated:
        return Figures(0, None, None, None, None)
    table = np.array([[each.get(rater, np.nan) for each in rated] for rater in raters], float)
    table = table[~np.isnan(table).all(axis=1)]
    kappa = cohen_kappa(table[0], table[1], "quadratic" if asked == "scale" else "none") if len(table) == 2 else None
    alpha = krippendorff_alpha(table, "ordinal" if asked == "scale" else "nominal")
    return Figures(len(rated), raw_agreement(table), kappa, alpha, gwet_ac1(table, QUESTIONS[asked]))


def _number(label: Label) -> float:
    return float(label.value or 0)


def lines(report: Mapping[str, Any]) -> list[str]:
    """Return the report as lines for a terminal."""
    who = [f"{one_line(name, LONGEST)} {counts['answers']}" for name, counts in report["raters"].items()]
    told = [f"{report['things']} things labelled: {', '.join(who)}"]
    if report["disputed"]:
        told.append(f"{report['disputed']} disputed, {report['adjudicated']} adjudicated")
    for name, sets in report["agreement"].items():
        told += _table(f"people, {name}", sets)
        if not sets["overall"]["items"]:
            told.append("  Nothing has two answers: let a second person label the same file.")
    for name, questions in report["judges"].items():
        for asked, sets in questions.items():
            told += _table(f"{one_line(name, LONGEST - 10)}, {asked}", sets)
            if sets["undecided"]:
                told.append(f"  {sets['undecided']} verdicts undecided")
    return told


def _table(title: str, sets: Mapping[str, Any]) -> list[str]:
    rows = [("all", sets["overall"])]
    rows += [(name, each) for part in sets["subsets"].values() for name, each in part.items()]
    told = ["", title] if len(title) > NAME + 2 else [""]
    title = "" if len(title) > NAME + 2 else title
    told += [f"{title:<{NAME + 2}}{'n':>5}  {'raw':<5}{'kappa':<18}{'alpha':<18}{'AC1'}"]
    for name, each in rows:
        label = one_line(name, LONGEST)
        if len(label) > NAME:
            told.append(f"  {label}")
            label = ""
        raw = "-" if each["raw"] is None else f"{each['raw']['value']:.2f}"
        cells = "".join(f"{_cell(each[figure]):<18}" for figure in ("kappa", "alpha", "ac1"))
        told.append(f"  {label:<{NAME}}{each['items']:>5}  {raw:<5}{cells}".rstrip())
    return told


def _cell(m: Mapping[str, Any] | None) -> str:
    if m is None or m["value"] is None:
        return "-"
    return f"{m['value']:.2f} {m['low']:.2f}..{m['high']:.2f}"
