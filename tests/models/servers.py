"""Real servers for tests: two tiny models that differ in everything, each served by llama.cpp in its own process.

The fixture `local_models` of tests/conftest.py starts them. The models are made once and kept in pytest's cache; each
worker of a parallel run has two servers of its own, which are up in a second and take some 50 MB each.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.contracts.source import ROOT

CHAT = ROOT / "examples" / "chat"


def script(name: str) -> ModuleType:
    """Return a script of the chat example as a module."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, CHAT / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def models_folder(config: pytest.Config, fallback: pytest.TempPathFactory) -> Path:
    """Return the folder in which made models are kept from one run to the next."""
    cache = getattr(config, "cache", None)
    return cache.mkdir("tiny_models") if cache else fallback.getbasetemp().parent / "tiny_models"
