"""Every shipped verifier accepts its gold answers and refuses its named corruptions, with reasons of its list."""

import re
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import pytest

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.testing import check_verifier
from holdfast.workflows.checking import BUILTIN
from tests.conftest import missing
from tests.contracts.source import ROOT

PAGE = ROOT / "docs" / "verifiers.md"


def examples_of(module: ModuleType) -> ModuleType:
    """The module that holds a verifier's examples: itself, or the one beside it with their name."""
    beside = f"{module.__name__}_examples"
    return import_module(beside) if find_spec(beside) else module


# What a machine or an environment may lack; the verdict is then undecided and says so.
ABSENT = ("missing-extra", "no-sandbox")
# A variant of a check (schema-formats) has tests of its own.
SHIPPED = [name for name in BUILTIN if "-" not in name]


@pytest.mark.parametrize("name", SHIPPED)
def test_accepts_gold_answers_and_refuses_named_corruptions(name: str) -> None:
    """Each gold answer passes, each corruption fails, for a reason of the closed list, alone as in a batch."""
    module_name, _, attribute = BUILTIN[name].partition(":")
    module = import_module(module_name)
    check, examples = getattr(module, attribute), examples_of(module)
    if check(examples.ACCEPTS[0]).reason in ABSENT:
        missing(f"a part that the verifier {name} needs")
    alone: list[Verdict] = []

    def recorded(record: Record) -> Verdict:
        alone.append(check(record))
        return alone[-1]

    check_verifier(recorded, accepts=examples.ACCEPTS, refuses=examples.REFUSES)
    assert set() == {verdict.reason for verdict in alone} - set(module.REASONS)
    if hasattr(check, "batch"):
        assert alone == check.batch([*examples.ACCEPTS, *examples.REFUSES.values()])


def test_the_page_says_what_a_verifier_answers() -> None:
    """docs/verifiers.md has a section for each verifier of this table with every reason it may give."""
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    modules = {name: import_module(use.partition(":")[0]) for name, use in BUILTIN.items() if name in sections}
    missing = {
        name: [reason for reason in module.REASONS if f"`{reason}`" not in sections[name]]
        for name, module in modules.items()
    }
    assert {} == {name: reasons for name, reasons in missing.items() if reasons}
    assert {"math", "schema", "xml", "yaml", "csv", "sql", "regex"} <= set(sections)
