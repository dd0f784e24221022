"""Every rule is a small module with a page, and docs/rules.md is made of these pages."""

import pytest

from docs.generate_rules import PAGE, rules
from holdfast.rules import catalogue
from tests.contracts.source import PACKAGE

HEADINGS = ("**What it is.**", "**Why it matters.**", "**When it fires.**", "**What to do.**")


def test_rules_page_is_in_step() -> None:
    """docs/rules.md equals what the rules say now; if not, run python docs/generate_rules.py."""
    assert rules() == PAGE.read_text("utf-8")


@pytest.mark.parametrize("slug", catalogue.SLUGS)
def test_a_rule_says_what_why_when_and_what_to_do(slug: str) -> None:
    """A rule's page answers the four questions and names severity and source; its module carries its slug."""
    rule = catalogue.module(slug)
    assert slug == rule.SLUG
    assert [] == [heading for heading in HEADINGS if heading not in catalogue.page(slug)]
    assert rule.SEVERITY
    assert rule.SOURCE


def test_no_rule_is_forgotten() -> None:
    """Every module with a SLUG stands in the catalogue, once."""
    written = [path for path in (PACKAGE / "rules").glob("*.py") if "\nSLUG = " in path.read_text("utf-8")]
    assert sorted(catalogue.SLUGS) == sorted(path.stem.replace("_", "-") for path in written)
