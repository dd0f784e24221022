"""Every shipped verifier accepts its gold answers and refuses its named corruptions, with reasons of its list."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import pytest

from holdfast.core.record import Record
from holdfast.testing import check_verifier
from holdfast.workflows.checking import BUILTIN


def examples_of(module: ModuleType) -> ModuleType:
    """The module that holds a verifier's examples: itself, or the one beside it with their name."""
    beside = f"{module.__name__}_examples"
    return import_module(beside) if find_spec(beside) else module


@pytest.mark.parametrize("name", BUILTIN)
def test_accepts_gold_answers_and_refuses_named_corruptions(name: str) -> None:
    """Each gold answer passes, each corruption fails, and each reason stands in the verifier's closed list."""
    module_name, _, attribute = BUILTIN[name].partition(":")
    module = import_module(module_name)
    check, examples = getattr(module, attribute), examples_of(module)
    accepts: tuple[Record, ...] = examples.ACCEPTS
    refuses: Mapping[str, Record] = examples.REFUSES
    check_verifier(check, accepts=accepts, refuses=refuses)
    reasons = {check(each).reason for each in [*accepts, *refuses.values()]}
    assert set() == reasons - set(module.REASONS)


@pytest.mark.parametrize("name", BUILTIN)
def test_a_verdict_does_not_depend_on_the_batch(name: str) -> None:
    """All examples at once get the verdicts that they get one by one."""
    module = import_module(BUILTIN[name].partition(":")[0])
    check, examples = module.check, examples_of(module)
    records = [*examples.ACCEPTS, *examples.REFUSES.values()]
    batch = getattr(check, "batch", lambda each: [check(record) for record in each])
    assert [check(record) for record in records] == batch(records)
