"""Scratch: gone at the end, swept after a kill, left alone while in use."""

import os
import signal
import subprocess
import sys

from holdfast.core.scratch import PREFIX, scratch


def started(tmp_path):
    """A process that holds a scratch folder."""
    code = (
        "import time\nfrom holdfast.core.scratch import scratch\n"
        "with scratch() as folder: print(folder, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)


def test_it_is_gone_at_the_end():
    """Nothing stays behind."""
    with scratch() as folder:
        (folder / "x").write_text("x")
    assert not folder.exists()


def test_what_a_killed_command_left_is_swept_and_what_is_in_use_stays(tmp_path, monkeypatch):
    """The next command removes the folder of a killed one, and only that."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, alive = started(tmp_path), started(tmp_path)
    left, used = dead.stdout.readline().strip(), alive.stdout.readline().strip()
    os.kill(dead.pid, signal.SIGKILL)
    dead.communicate()
    with scratch() as folder:
        seen = sorted(str(path) for path in tmp_path.glob(f"{PREFIX}*"))
    alive.kill()
    alive.communicate()
    assert (sorted([used, str(folder)]), True) == (seen, left not in seen)
