"""One warm process and the socket to it: started in a clean environment, inside namespaces where they work."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import holdfast
from holdfast.core.errors import MachineError
from holdfast.verifiers.sandbox import floor, plain

# Loading the common modules takes half a second; a hundred times that is a machine that cannot do it.
_START_LIMIT = 60.0
_HOME = Path(holdfast.__file__).parents[1]


class NoSandboxError(MachineError):
    """The floor is missing, so that no program may run; `missing` says what of it."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(
            f"No program was run: this machine has no sandbox for it; missing: {'; '.join(missing)}.",
            "Run where there is one (holdfast doctor shows it), or accept the danger with --unsafe-no-sandbox.",
        )


@dataclass(slots=True, eq=False)
class Worker:
    """A warm process. `layers` says what of the sandbox holds in it."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    layers: Mapping[str, Any]
    buffer: bytes = b""

    def order(self, message: Mapping[str, Any], fds: Sequence[int] = ()) -> None:
        """Send one order with its descriptors. Raises `OSError` when the process is gone."""
        block = plain.dumps(message).ljust(plain.ORDER)
        if fds:
            socket.send_fds(self.control, [block], fds)
        else:
            self.control.sendall(block)

    def receive(self) -> list[dict[str, Any]] | None:
        """Return the complete messages that arrived; None when the process is gone."""
        try:
            data = self.control.recv(1 << 16)
        except OSError:
            return None
        if not data:
            return None
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        return [plain.loads(line) for line in lines]

    def end(self) -> None:
        """Kill the process with everything that it forked."""
        self.control.close()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start(*, unsafe: bool = False, hash_seed: int = 0) -> Worker:
    """Start a warm process and wait until it has laid its floor.

    Raises `NoSandboxError` when the floor is missing and `unsafe` is false, `MachineError` when no process starts.
    """
    around = None if unsafe else namespaces()
    worker = _started(around, hash_seed, unsafe=unsafe) if around else None
    worker = worker or _started((), hash_seed, unsafe=unsafe)
    if worker is None:
        raise MachineError("The sandbox's warm process does not start.", "Run holdfast doctor for details.")
    if worker.layers["missing"]:
        worker.end()
        raise NoSandboxError(worker.layers["missing"])
    return worker


def _started(around: Sequence[str], hash_seed: int, *, unsafe: bool) -> Worker | None:
    ours, theirs = socket.socketpair()
    module = ["-s", "-P", "-m", "holdfast.verifiers.sandbox.zygote", str(theirs.fileno())]
    nowhere = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            [*around, sys.executable, *module, *(["unsafe"] if unsafe else [])],
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            env=_environment(hash_seed),
            pass_fds=[theirs.fileno()],
            cwd="/",
            start_new_session=True,
        )
    except OSError:
        ours.close()
        return None
    finally:
        theirs.close()
    ours.settimeout(_START_LIMIT)
    worker = Worker(process, ours, {})
    messages = worker.receive()
    ours.settimeout(None)
    if not messages:
        worker.end()
        return None
    worker.layers = {**messages[0]["ready"], "namespaces": bool(around)}
    return worker


def _environment(hash_seed: int) -> dict[str, str]:
    """Nothing of the user's: keys and tokens live in the environment, and a process can always read its own."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(_HOME),
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONDONTWRITEBYTECODE": "1",
        # One thread of its own is what a program gets from the libraries of linear algebra.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


@cache
def namespaces() -> tuple[str, ...] | None:
    """Return the command that puts a process into namespaces of its own, or None where that does not work."""
    command = shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")
    if command is None:
        return None
    seen = [path for path in (*floor.readable(), sys.prefix, sys.base_prefix, str(_HOME)) if os.path.exists(path)]  # noqa: PTH110
    binds = [word for path in sorted({*seen} - {"/dev/urandom", "/dev/zero"}) for word in ("--ro-bind", path, path)]
    around = (command, "--unshare-all", "--cap-drop", "ALL", *binds, "--dev", "/dev", "--remount-ro", "/")
    trial = [*around, sys.executable, "-I", "-S", "-c", ""]
    done = subprocess.run(trial, env={}, capture_output=True, check=False)  # noqa: S603  # our own words, no shell
    return around if done.returncode == 0 else None
