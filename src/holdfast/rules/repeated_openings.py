"""Repeated openings: synthetic records that begin with the same words.

**What it is.** The share of the synthetic records in the largest group that begins with the same words.

**Why it matters.** Generators fall into one way to begin. A student picks the habit up before anything else, and
everything it writes sounds the same.

**When it fires.** Warning above 10 % of the synthetic records.

**What to do.** Ask for varied openings in the prompt, raise the temperature, or keep a few of each.
"""

from collections.abc import Iterator

from holdfast.core.verdict import Outcome
from holdfast.rules.sameness import Subject, judge
from holdfast.rules.view import View

SLUG = "repeated-openings"
SEVERITY = "warning above 10 %"
SOURCE = "repetition and templates in generated text: Shaib et al. 2024 (arXiv 2403.00553)"
ADVICE = "Ask for varied openings in the prompt, raise the temperature, or keep a few of each."


def check(view: View) -> Iterator[Outcome]:
    """Judge the largest group of synthetic records that begin with the same words."""
    yield from judge(Subject(SLUG, "begin with the same words", ADVICE), view)
