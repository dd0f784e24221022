"""The wheel alone: installed without extras in an empty environment outside the tree, everything public works."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast import PUBLIC
from holdfast.cli.app import VERBS
from tests.contracts.pip import pip
from tests.contracts.source import ROOT

# One environment serves all of these, also when tests run in parallel.
pytestmark = pytest.mark.xdist_group("bare install")

Run = Callable[..., subprocess.CompletedProcess[str]]

IMPORT_ALL = """
import importlib, pkgutil, holdfast
for name in holdfast.__all__:
    getattr(holdfast, name)
for module in pkgutil.walk_packages(holdfast.__path__, "holdfast."):
    if not module.name.startswith("holdfast.examples"):
        importlib.import_module(module.name)
print(len(holdfast.__all__), holdfast.__file__)
"""


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A runner of commands in an empty environment that holds the built wheel and the core dependencies only."""
    home = tmp_path_factory.mktemp("bare")
    python = home / "venv" / "bin" / "python"
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", home, ROOT)
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True)
    (wheel,) = home.glob("holdfast-*.whl")
    pip("install", "-c", ROOT / "constraints.txt", wheel, python=python)

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [python.with_name(program), *arguments]
        clean = {"PATH": os.defpath, "HOME": str(home), "NO_COLOR": "1", "COLUMNS": "120"}
        return subprocess.run(command, cwd=home, env=clean, capture_output=True, text=True, check=False)

    return run


def test_every_module_imports_without_extras(bare: Run) -> None:
    """All public names and all modules import from the installed wheel with the core dependencies alone."""
    done = bare("python", "-c", IMPORT_ALL)
    assert 0 == done.returncode, done.stderr
    assert str(len(PUBLIC)) == done.stdout.split()[0]
    assert str(ROOT) not in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(bare: Run, verb: str) -> None:
    """Each verb that `holdfast --help` lists answers --help."""
    assert f"  {verb} " in bare("holdfast", "--help").stdout
    done = bare("holdfast", verb, "--help")
    assert 0 == done.returncode, done.stderr


def test_an_audit_runs(bare: Run, tmp_path: Path) -> None:
    """The main verb judges a small file and reports as JSON on stdout."""
    rows = [{"text": f"Row {n} says something of its own.", "origin": "real"} for n in range(20)]
    data = tmp_path / "tiny.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = bare("holdfast", "audit", str(data), "--json")
    assert done.returncode in (0, 1), done.stderr
    assert 20 == json.loads(done.stdout)["counts"]["records"]


def test_a_page_without_its_extra_is_one_line(bare: Run, tmp_path: Path) -> None:
    """What serves pages is an extra: without it the command says how to install it, and listens to nothing."""
    data = tmp_path / "tiny.jsonl"
    data.write_text('{"text": "one"}\n')
    done = bare("holdfast", "review", str(data), "--no-browser")
    assert (2, "") == (done.returncode, done.stdout)
    assert "pip install 'holdfast[web]'" in done.stderr


def test_the_wheel_carries_what_it_reads(bare: Run) -> None:
    """Templates, schema, typing marker and examples are in the wheel."""
    code = "import holdfast, pathlib; print(*sorted(p.name for p in pathlib.Path(holdfast.__file__).parent.rglob('*')))"
    shipped = set(bare("python", "-c", code).stdout.split())
    assert {"py.typed", "schema.json", "report.html", "review.html", "review.js", "examples"} <= shipped
