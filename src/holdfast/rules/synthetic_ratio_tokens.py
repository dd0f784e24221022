"""Synthetic ratio by tokens: the share of the words that a machine made.

**What it is.** Words of synthetic text over all words of known origin. A token is a word of `core/text`. In a mixed
record, such as a real question with a synthetic answer, each field counts for the side it came from.

**Why it matters.** Models learn from tokens. A set with few but long synthetic answers is more synthetic than its
record count says.

**When it fires.** As `synthetic-ratio`: warning from 30 %, error above 70 %.

**What to do.** Cap the mixture by tokens (`mix: {by: tokens}`), or shorten what the generator writes.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Measurement, Outcome
from holdfast.rules.synthetic_ratio import judge, ratio
from holdfast.rules.view import View
from holdfast.stats.proportion import effective_n

SLUG = "synthetic-ratio-tokens"
SEVERITY = "warning from 30 %, error above 70 %"
SOURCE = "as synthetic-ratio"


def check(view: View) -> Iterator[Outcome]:
    """Judge the share of synthetic words."""
    made = int(view.synthetic_words.sum())
    unknown = int(view.words[view.unknown].sum())
    real = int(view.words.sum()) - made - unknown
    measured = ratio(view, made, real, unknown, effective_n(view.words), "tokens")
    detail = {**measured.detail, "words": {"real": real, "synthetic": made, "unknown": unknown}}
    measured = Measurement(measured.value, measured.low, measured.high, measured.n, "share", detail=detail)
    yield judge(SLUG, measured, view.settings.mix.max_synthetic)
