"""explain: every rule has a page, and a wrong slug is answered with the right one."""

import json

import pytest

from holdfast.core.errors import UsageError
from holdfast.rules.catalogue import SLUGS
from holdfast.workflows.explain import explain, summary


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_names_rule_severity_and_source(slug):
    """The page of a rule says when it fires and where it comes from."""
    value = json.loads(explain(slug, as_json=True))
    assert (slug, True, True) == (value["rule"], value["severity"] in value["page"], value["source"] in value["page"])


def test_the_list_has_one_entry_per_rule():
    """No rule is without a title."""
    rows = json.loads(summary(as_json=True))
    assert (list(SLUGS), []) == ([row["rule"] for row in rows], [row for row in rows if not row["title"]])


def test_a_wrong_slug_names_the_nearest():
    """A typo is answered with the rule that was meant."""
    with pytest.raises(UsageError, match="Did you mean 'near-duplicates'"):
        explain("near-duplicate")
