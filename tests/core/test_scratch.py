"""Scratch: gone at the end, swept after a kill, left alone while in use."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from holdfast.core.errors import StoppedError
from holdfast.core.files import whole_file
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


@pytest.mark.parametrize("place", ["scratch", "output"])
def test_a_full_disk_stops_in_good_order(place, tmp_path, monkeypatch):
    """It is told as a full disk with exit code 3, never as a bug, and nothing half-written stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(StoppedError) as caught, scratch() if place == "scratch" else whole_file(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (3, []) == (caught.value.exit_code, list(tmp_path.iterdir()))


def test_other_faults_of_the_system_pass_through(tmp_path, monkeypatch):
    """Only a full disk is taken for one."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OSError, match="odd"), scratch():
        raise OSError(errno.EIO, "odd")
