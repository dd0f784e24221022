"""Judge of the family: records judged by a model of their generator's own kin.

**What it is.** Synthetic records with a verdict of an LLM judge that is the same model as their generator, of the same
family, or a teacher or student of it. Families come from the settings, else from the table of known model names.

**Why it matters.** Such a judge prefers what its kin wrote (preference leakage of 24 % for the same model, 19 to 22 %
after distillation, 9 % within a series), so that its verdicts pass the generator's habits on instead of checking them.

**When it fires.** Error on the first such record. A build refuses the pair before anything is paid; with the risk
accepted it goes on, each record keeps the mark, and the finding is listed as accepted.

**What to do.** Judge with a model of another family, or let people decide.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.verdict import Finding, NotJudged, Outcome, Passed
from holdfast.models.kinship import Kin, relation
from holdfast.rules.view import View

SLUG = "judge-family"
SEVERITY = "error above 0"
SOURCE = "Li et al. 2025 (arXiv 2502.01534); Panickssery et al. 2024 (arXiv 2404.13076)"
# Any verdict of a judge, whatever it says and whether it had power.
JUDGED = r'"judge(?:-uncalibrated|-family)?":'


def check(view: View) -> Iterator[Outcome]:
    """Find records judged by their generator's kin."""
    judged, marked = carrying(view, JUDGED), carrying(view, '"judge-family":')
    if len(judged) == 0:
        return
    wanted = view.settings.filters.judge
    if wanted is None and len(marked) == 0:
        supply = "filters: {judge: {model: ...}} and models: in the settings"
        yield NotJudged(SLUG, f"{len(judged):,} records carry verdicts of a judge that is not known", supply)
        return
    models = [view.settings.models[name] for name in wanted.models] if wanted else []
    judges = [Kin(model.model, model.family) for model in models]
    makers = [Kin(name, family) for name, family in view.makers if name]
    related = {maker.name for maker in makers if any(relation(judge, maker) for judge in judges)}
    kin = np.intersect1d(view.made_by("generator", *sorted(related)), judged) if related else np.zeros(0, np.int64)
    rows = np.union1d(marked, kin)
    measured = view.counted(len(rows), view.n)
    if len(rows) == 0:
        yield Passed(SLUG, measured)
        return
    names = ", ".join(judge.name for judge in judges) or "a judge"
    yield Finding(
        SLUG,
        "error",
        f"{len(rows):,} records were judged by a model of their generator's own kin ({names}).",
        "Judge them with a model of another family, or let people decide: holdfast review.",
        measured,
        view.evidence(rows),
        len(rows),
    )


def carrying(view: View, pattern: str) -> np.ndarray:
    """Return the global indices of the records whose verdicts match a pattern."""
    checks = pc.fill_null(view.data.column("checks"), "")
    found = pc.match_substring_regex(checks, pattern)
    chunks = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return np.flatnonzero(chunks.to_numpy(zero_copy_only=False).astype(bool))
