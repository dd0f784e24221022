"""The import rule of docs/architecture.md: imports point down, and no module is part of a circle."""

import os
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.contracts.source import PACKAGE, ROOT

PLANTED = {
    "core/planted.py": "from holdfast.workflows import planted_top",
    "metrics/planted.py": "from holdfast.dedup import planted_sibling",
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the tree under `root` with this project's contract."""
    command = [Path(sys.executable).with_name("lint-imports"), "--config", ROOT / "pyproject.toml", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_imports_point_down() -> None:
    """Every import of the package obeys the layers."""
    done = lint(ROOT)
    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize("planted", PLANTED)
def test_the_contract_bites(planted: str, tmp_path: Path) -> None:
    """An upward import and an import between neighbours each break the contract."""
    copy = tmp_path / "src" / "holdfast"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / planted).write_text(PLANTED[planted])
    (copy / "workflows" / "planted_top.py").touch()
    (copy / "dedup" / "planted_sibling.py").touch()
    done = lint(tmp_path)
    assert 1 == done.returncode, done.stdout
    assert "BROKEN" in done.stdout


def test_no_circles() -> None:
    """No module imports itself through others, not even inside one folder."""
    graph = grimp.build_graph("holdfast", exclude_type_checking_imports=True, cache_dir=None)
    sorter = TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules})
    sorter.prepare()
