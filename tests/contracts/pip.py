"""Pip for tests: one run that fails loudly, and says so where no package index can be reached."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import missing

QUIET = ("--quiet", "--disable-pip-version-check", "--retries", "1")


def pip(*arguments: str | Path, python: str | Path = sys.executable) -> None:
    """Run pip of the given interpreter. Without a reachable index the test is skipped in clear words."""
    done = subprocess.run([python, "-m", "pip", *arguments, *QUIET], capture_output=True, text=True, check=False)
    if "from versions: none" in done.stderr:
        missing("a package index")
    assert 0 == done.returncode, done.stderr
