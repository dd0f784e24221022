"""Presidio: absent it is refused by name; that it finds anything is not tested here (docs/privacy.md says so)."""

import sys
from types import ModuleType

import pytest

from holdfast.core.errors import MachineError, MissingExtraError
from holdfast.privacy import presidio


def test_the_extra_is_asked_for_by_name(monkeypatch):
    """Without the package the message says what to install, and nothing else happens."""
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    presidio._analyzer.cache_clear()
    with pytest.raises(MissingExtraError, match=r"holdfast\[presidio\]"):
        presidio.personal_data("Jana Novak")


def test_a_missing_model_is_told_and_not_fetched(monkeypatch):
    """With the package and without the model of language it stops before presidio could download one."""
    package, engines = ModuleType("presidio_analyzer"), ModuleType("presidio_analyzer.nlp_engine")
    package.AnalyzerEngine = engines.NlpEngineProvider = None
    monkeypatch.setitem(sys.modules, "presidio_analyzer", package)
    monkeypatch.setitem(sys.modules, "presidio_analyzer.nlp_engine", engines)
    presidio._analyzer.cache_clear()
    with pytest.raises(MachineError, match="no_such_model"):
        presidio.personal_data("Jana Novak", model="no_such_model")
