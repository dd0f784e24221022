"""Theme concentration: many synthetic prompts are about the same thing.

**What it is.** The share of the distinct synthetic prompts in the largest theme. A theme is two content words that
prompts have in common; the pair that most prompts share is the largest. Of more than 4,000 prompts so many are drawn by
the seed, and the share is an estimate with its interval. Sentences that prompts share word for word do not count. The
effective number of themes and the largest ones are told beside it. English prompts only.

**Why it matters.** A generator that is asked for ideas returns to the same few. Answers to them may all differ, so that
no measure of the answers shows it, and the student still learns one corner of the task.

**When it fires.** Warning above 25 % of the prompts. Of nine sets of prompts that people wrote, from everyday questions
to programming tasks, the largest theme has 1 to 13 %; of a century of speeches to one parliament 16 %.

**What to do.** Give the generator its topics (`cells` in the settings), or cap the records of a theme.
"""

from collections.abc import Iterator
from dataclasses import replace

from holdfast.core.verdict import Finding, Measurement, NotJudged, Outcome, Passed
from holdfast.dedup.themes import ENGLISH, SAMPLE, Themes
from holdfast.rules.view import View
from holdfast.stats.proportion import share

SLUG = "theme-concentration"
SEVERITY = "warning above 25 %"
SOURCE = (
    "effective number: Simpson 1949 (Nature 163); narrow topics of generated instructions: Wang et al. 2023 "
    "(arXiv 2212.10560); threshold measured on the prompts of real sets by bench/themes.py"
)
HIGH = 0.25
# Below this many prompts the largest theme is large by chance.
FEWEST = 100
SHOWN = 5


def check(view: View) -> Iterator[Outcome]:
    """Judge the share of the largest theme of the synthetic prompts."""
    rows, themes = view.themes
    if themes.prompts < FEWEST:
        why = f"fewer than {FEWEST} different prompts belong to records labelled synthetic"
        yield NotJudged(SLUG, why, "more synthetic records with a prompt, or their labels (--map prompt=COLUMN)")
        return
    if themes.english < ENGLISH:
        yield NotJudged(
            SLUG, "the synthetic prompts are not in English", "nothing: other languages cannot be judged yet"
        )
        return
    measured = _measured(themes, whole=themes.prompts < SAMPLE and not view.sampled)
    if themes.largest <= HIGH * themes.prompts:
        yield Passed(SLUG, measured)
        return
    members = rows[themes.themes[0].members]
    about = " and ".join(repr(word) for word in themes.themes[0].words)
    message = f"{themes.largest:,} of {themes.prompts:,} synthetic prompts ({measured.value:.1%}) are about {about}."
    advice = "Give the generator its topics (cells in the settings), or cap the records of a theme."
    yield Finding(SLUG, "warning", message, advice, measured, view.evidence(members), len(members))


def _measured(themes: Themes, *, whole: bool) -> Measurement:
    """Return the share of the largest theme: a census where all prompts were looked at, else with its interval."""
    named = [
        {"words": list(theme.words), "share": round(theme.members.size / themes.prompts, 4)}
        for theme in themes.themes[:SHOWN]
    ]
    detail = {"themes": named, "effective_themes": round(themes.effective, 1) if named else None}
    if whole:
        return Measurement.census(themes.largest / themes.prompts, themes.prompts, "share", **detail)
    return replace(share(themes.largest, themes.prompts), detail=detail)
