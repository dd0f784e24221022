"""A real `holdfast view` in a process of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.web.reviewing import MAIN, PATIENCE, Server


@contextmanager
def viewed(folder: Path, *arguments: str) -> Iterator[Server]:
    """Run `holdfast view ARGUMENTS` in a folder and give it when it has printed its address."""
    command = [sys.executable, "-c", MAIN, "view", *arguments, "--no-browser"]
    with (folder / "stderr.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, (folder / "stderr.txt").read_text()
            yield Server(process, address)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
            process.stdout.close()
