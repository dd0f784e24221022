"""The catalogue: every built-in rule by slug, in the order in which a report speaks."""

from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType

from holdfast.core.errors import UsageError, nearest
from holdfast.core.verdict import Outcome
from holdfast.rules.view import View

Rule = Callable[[View], Iterator[Outcome]]

SLUGS = (
    "empty-input",
    "bad-input",
    "synthetic-ratio",
    "synthetic-ratio-tokens",
    "unknown-origin",
    "doubtful-real",
    "generator-concentration",
    "family-concentration",
    "teacher-is-student",
    "same-family",
    "synthetic-depth",
    "no-held-out",
    "held-out-not-real",
    "held-out-small",
    "held-out-tampered",
    "eval-contamination",
    "eval-paraphrases",
    "exact-duplicates",
    "near-duplicates",
    "semantic-duplicates",
    "repeated-openings",
    "template-clusters",
    "theme-concentration",
    "no-diversity-filter",
    "anchor-diversity",
    "copied-from-real",
    "unverified",
    "subjective-synthetic",
    "judge-family",
    "judge-uncalibrated",
    "synthetic-tells",
    "personal-data",
    "secrets",
    "hidden-text",
    "poison-trigger",
    "accepted-risk-expired",
)


def module(slug: str) -> ModuleType:
    """Return the module of a rule: SLUG, SEVERITY, SOURCE, `check`, and its page as the docstring."""
    if slug not in SLUGS:
        raise UsageError(f"There is no rule {slug!r}.", nearest(slug, SLUGS))
    return import_module(f"holdfast.rules.{slug.replace('-', '_')}")


def page(slug: str) -> str:
    """Return the page of a rule as Markdown: what it is, why it matters, when it fires, what to do, source."""
    rule = module(slug)
    title, _, body = (rule.__doc__ or "").partition("\n")
    return f"# {slug}\n\n{title}\n{body.rstrip()}\n\n**Severity.** {rule.SEVERITY}.\n\n**Source.** {rule.SOURCE}.\n"
