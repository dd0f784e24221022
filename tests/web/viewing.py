"""A real `holdfast view` in a process of its own."""

from contextlib import AbstractContextManager
from pathlib import Path

from tests.web.reviewing import Server, serving


def viewed(folder: Path, *arguments: str) -> AbstractContextManager[Server]:
    """Run `holdfast view`."""
    return serving("view", folder, *arguments)
