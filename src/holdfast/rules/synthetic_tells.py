"""Synthetic tells: answers with marks of generation that nobody meant to be there.

**What it is.** Records whose answer is a refusal or speaks of being a model, repeats a prompt or role header, holds an
unfilled template field, is cut off within a sentence, leaves a code fence open, has a damaged encoding, or is in
another language than its prompt (of these a seeded sample is looked at, with the extra [lang]).

**Why it matters.** A model learns to refuse, to stop short and to speak as the model that was asked. Each of them is a
record that nobody looked at.

**When it fires.** Warning on the first such record.

**What to do.** Look at the kinds, leave these records out, and mend what made them: the template, the limit of tokens,
the parser. Among records labelled real they say that the label is wrong: `detail` counts these.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from holdfast.core.engine import Stage, map_located
from holdfast.core.verdict import Finding, Outcome, Passed
from holdfast.metrics.tells import other_language, tells
from holdfast.models import language
from holdfast.rules.census import REAL
from holdfast.rules.view import TEXT, View, drawn

SLUG = "synthetic-tells"
SEVERITY = "warning above 0"
SOURCE = "own recognisers, precision in docs/planted.md; kinds after Chen and Mueller 2024 (arXiv 2403.12776)"
# Telling a language takes a millisecond a record.
LOOKED_AT = 2_000


def check(view: View) -> Iterator[Outcome]:
    """Count records with a tell."""
    found = map_located(Stage("tells", view.spool, tells, {}, TEXT), view.data.shards, view.runner, view.progress)
    said: dict[int, tuple[str, str]] = {}
    kinds: Counter[str] = Counter()
    for row in [*found.to_pylist(), *_languages(view)]:
        kinds[row["kind"]] += 1
        said.setdefault(row["record"], (row["kind"], row["excerpt"]))
    rows = np.asarray(sorted(said), np.int64)
    real = int(np.count_nonzero(view.origin[rows] == REAL))
    measured = view.counted(len(rows), view.n, kinds=dict(sorted(kinds.items())), labelled_real=real)
    if not said:
        yield Passed(SLUG, measured)
        return
    told = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    yield Finding(
        SLUG,
        "warning",
        f"{len(rows):,} of {view.n:,} records have a mark of generation: {told}.",
        "Leave them out, and mend what made them: template, token limit, parser.",
        measured,
        view.evidence(rows, note=[f"{said[row][0]}: {said[row][1]}" for row in rows.tolist()]),
        len(rows),
    )


def _languages(view: View) -> Iterator[dict[str, object]]:
    """Yield the answers in another language, of a sample of the prompted records that ask for none."""
    if not language.available():
        return
    chosen = np.flatnonzero(np.isin(view.domain, ("other", "instructions", "math", "subjective")))
    chosen = chosen[drawn(len(chosen), view.settings.seed, most=LOOKED_AT)]
    table = view.data.take(chosen, TEXT)
    pairs = zip(chosen.tolist(), *(table.column(name).to_pylist() for name in TEXT), strict=True)
    for record, prompt, answer in pairs:
        said = None if not prompt or _asks_for_language(prompt) else other_language(prompt, answer)
        if said is not None:
            yield {"record": record, "kind": "other-language", "excerpt": said}


def _asks_for_language(prompt: str) -> bool:
    lowered = prompt.lower()
    return any(sign in lowered for sign in SIGNS)


# A prompt that speaks of languages may well ask for another one.
SIGNS = (
    "translat",
    "language",
    "in english",
    "in french",
    "in german",
    "in spanish",
    "in chinese",
    "in hindi",
    "in arabic",
)
