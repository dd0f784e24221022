"""A real Ray cluster on this machine: a head without cores and worker nodes with one each, as separate processes."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The smallest that Ray accepts: nothing but paths and exceptions goes through it.
STORE = 80_000_000
PATIENCE = 60.0


@dataclass(slots=True)
class Cluster:
    """Address, token, and the `ray start` process of each node, each the leader of a process group of its own."""

    folder: Path
    port: int
    client_port: int
    token: str
    head: subprocess.Popen[bytes] | None = None
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it is, as `--runner` takes it."""
        return f"127.0.0.1:{self.port}"

    @property
    def runner(self) -> str:
        """The value of `--runner`."""
        return f"ray:{self.address}"

    @property
    def from_elsewhere(self) -> str:
        """The value of `--runner` for a machine that is no node of it."""
        return f"ray://127.0.0.1:{self.client_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes and its drivers are started with."""
        auth = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token} if self.token else {}
        plain = {key: value for key, value in os.environ.items() if not key.startswith("RAY_AUTH")}
        paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
        return {
            **plain,
            **auth,
            "PYTHONPATH": paths,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        }

    def add_node(self) -> subprocess.Popen[bytes]:
        """Start a worker node with one core and wait until it has joined."""
        node = self.start("--address", self.address, "--num-cpus", "1")
        self.nodes.append(node)
        return node

    def kill_node(self) -> None:
        """SIGKILL the oldest worker node, all its processes: the raylet, its agents and its workers."""
        _kill(self.nodes.pop(0))

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a node, and return when it says that it runs."""
        log = self.folder / f"node-{time.monotonic_ns()}.log"
        command = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", *options, "--block"]
        command += ["--object-store-memory", str(STORE), "--disable-usage-stats", "--include-log-monitor", "false"]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=file, env=self.environment, cwd=self.folder, start_new_session=True
            )
        # Nodes that start at once on one machine take each other's sockets.
        deadline = time.monotonic() + PATIENCE
        while b"Ray runtime started" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                _kill(process)
                raise RuntimeError(f"a Ray node did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        return process


@contextmanager
def cluster(folder: Path, *, nodes: int = 2, token: bool = True) -> Iterator[Cluster]:
    """Start a cluster, and end each of its processes afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    # The paths of Ray's sockets may have 107 characters, and it adds 70 of its own.
    room = tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
    made = Cluster(folder, _free_port(), _free_port(), secrets.token_hex(16) if token else "")
    try:
        options = ("--head", "--port", str(made.port), "--num-cpus", "0", "--include-dashboard", "false")
        ports = ("--ray-client-server-port", str(made.client_port), "--temp-dir", room.name)
        made.head = made.start(*options, *ports)
        for _ in range(nodes):
            made.add_node()
        yield made
    finally:
        for process in (*made.nodes, made.head):
            if process is not None:
                _kill(process)
        room.cleanup()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, however deep: Ray puts its workers into sessions of their own."""
    for pid in reversed(_descendants(process.pid)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found
