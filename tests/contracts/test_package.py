"""What is shipped: the dependencies, the licence, the changelog, the pins."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import holdfast
from tests.contracts.pip import pip
from tests.contracts.source import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TWELVE = {
    "aiohttp", "duckdb", "jinja2", "jsonschema", "numba", "numpy", "orjson", "pyarrow", "pydantic", "pyyaml", "rich",
    "typer",
}  # fmt: skip


def names(requirements: list[str]) -> set[str]:
    """Return the normalised distribution names of requirement lines."""
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {re.sub(r"[-_.]+", "-", match[0]).lower() for match in found if match}


def pinned() -> dict[str, str]:
    """Return name -> version of the constraints file."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {next(iter(names([name]))): version for name, version in pairs}


def test_core_is_the_twelve() -> None:
    """The core installs the twelve dependencies of the architecture and no other."""
    assert names(PROJECT["dependencies"]) == TWELVE


def test_pins_cover_what_make_installs() -> None:
    """Every direct dependency of core, gym, verify, embed, lab, tensorboard and dev is pinned."""
    extras = PROJECT["optional-dependencies"]
    installed = (one for extra in ("gym", "verify", "embed", "lab", "tensorboard", "dev") for one in extras[extra])
    wanted = names([*PROJECT["dependencies"], *installed])
    assert set() == wanted - set(pinned())


def test_pins_name_no_place() -> None:
    """A pin is name==version: no address, no path."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert [] == [line for line in lines if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line)]


def test_licence_and_changelog() -> None:
    """The licence text is there, and the changelog opens with the version that is built."""
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")[:200]
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert holdfast.__version__ == versions[0]


@pytest.mark.parametrize("python", ["3.12", "3.13"])
def test_newer_pythons_find_wheels(python: str, tmp_path: Path) -> None:
    """For newer Pythons the core resolves completely to wheels: nothing would be compiled."""
    report = tmp_path / "report.json"
    newer = ("--only-binary=:all:", "--python-version", python, "--target", tmp_path / "x")
    pip("install", "--dry-run", *newer, "--report", report, *PROJECT["dependencies"])
    resolved = json.loads(report.read_text("utf-8"))["install"]
    assert {entry["metadata"]["name"].lower() for entry in resolved} >= TWELVE
    assert all(entry["download_info"]["url"].endswith(".whl") for entry in resolved)
