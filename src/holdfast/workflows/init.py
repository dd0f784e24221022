"""init: a starter project that runs without key or network."""

from pathlib import Path

from holdfast.core.errors import UsageError
from holdfast.core.examples import example
from holdfast.core.rundir import write_bytes


def init(into: Path, *, template: str = "quickstart") -> list[Path]:
    """Copy an example into a folder and return the files written. An existing file is never overwritten."""
    source = example(template)
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    files = [path for path in files if "__pycache__" not in path.parts]
    for path in files:
        if (into / path).exists():
            raise UsageError(f"{into / path} is already there.", "Choose an empty folder: holdfast init FOLDER")
    for path in files:
        write_bytes(into / path, (source / path).read_bytes())
    return [into / path for path in files]
