"""Compiled kernels work, and are kept for the next process, wherever the package lies."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import holdfast

# One compiled kernel, used; prints what it returned.
USE = """
import pyarrow as pa
import holdfast.core.kernels
from holdfast.core import text
print(text.word_counts(pa.array(["one two", "three", "ein, zwei, drei"])).tolist())
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the package in which no cache can be written, for any user: its cache folders are files."""
    package = tmp_path / "site" / "holdfast"
    shutil.copytree(Path(holdfast.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (package, *package.rglob("*")):
        if folder.is_dir():
            (folder / "__pycache__").touch()
    return package.parent


def run(installed: Path, cache: Path) -> str:
    """Use a kernel of the copy in a process of its own whose user keeps caches in `cache`."""
    environment = {"PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(cache), "HOME": str(cache)}
    done = subprocess.run([sys.executable, "-c", USE], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_cache_beside_the_user_where_the_package_cannot_be_written(installed: Path, tmp_path: Path) -> None:
    """With a read-only package the compiled code lies in the cache folder of the user, and a second run uses it."""
    cache = tmp_path / "cache"
    cache.mkdir()
    assert "[2, 1, 3]\n" == run(installed, cache)
    kept = {path: path.stat().st_mtime_ns for path in cache.rglob("*scan_words*.nb?")}
    assert {".nbc", ".nbi"} == {path.suffix for path in kept}
    assert "[2, 1, 3]\n" == run(installed, cache)
    assert kept == {path: path.stat().st_mtime_ns for path in cache.rglob("*scan_words*.nb?")}


def test_no_cache_at_all_is_no_failure(installed: Path, tmp_path: Path) -> None:
    """Where nothing can be written, as in a container with a foreign user, the kernels are compiled and work."""
    nowhere = tmp_path / "file"
    nowhere.touch()
    assert "[2, 1, 3]\n" == run(installed, nowhere)
