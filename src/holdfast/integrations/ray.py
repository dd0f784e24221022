"""Runs the engine's tasks on a Ray cluster that is there (extra [ray]): Ray Core tasks, and nothing else of Ray.

Ray places tasks, notices lost nodes and runs lost tasks again; what a task gives is a part committed by rename, so that
one that runs twice is harmless. No cluster is started here, no dashboard, and no usage is reported. Whoever reaches the
ports of a cluster can run programs on it: one that asks for no token is refused unless the caller takes it as it is.
Tasks are handed over by name with their shards' paths; all nodes must see $TMPDIR and the output folder of here.
"""

import logging
import os
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

from holdfast import __version__
from holdfast.core.engine import TASK_MEMORY
from holdfast.core.errors import HoldfastError, MachineError, MissingExtraError, StoppedError, UsageError

# How often a task is run again because its worker or node was lost (`max_retries` of Ray). One node in a hundred lost
# in the time of a task makes six losses in a row a matter of 1e-12.
RETRIES = 5
# Tasks handed over and not yet read: enough to keep a thousand workers busy, few enough to hold.
WINDOW = 4_000
# Seconds between two looks at a cluster from which nothing comes, and how long it may have no worker at all.
LOOK, PATIENCE = 10.0, 120.0
TOKEN, TOKEN_PATH, TOKEN_FILE = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", Path(".ray/auth_token")


@dataclass(frozen=True, slots=True)
class RayRunner:
    """Runs tasks on the cluster at `address`: auto, HOST:PORT, or ray://HOST:PORT through its client server.

    The token is in the variable `token_env`, else where Ray looks for it (RAY_AUTH_TOKEN_PATH, ~/.ray/auth_token).
    """

    address: str = "auto"
    token_env: str = TOKEN
    without_token: bool = False

    @property
    def name(self) -> str:
        """How a manifest names it."""
        return "ray"

    def run(self, task: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield `task(*a)` for each `a` in order. What a task raises is raised here.

        Raises `UsageError` for a cluster that is not as it must be, `MachineError` for a task that is lost again and
        again, `StoppedError` when no node is left: the same command goes on from the parts that are committed.
        """
        ray = self._connected()
        remote = ray.remote(_called).options(
            num_cpus=1, memory=TASK_MEMORY, max_retries=RETRIES, retry_exceptions=False
        )
        left = iter(arguments)
        waiting = deque(remote.remote(task, *each) for each in islice(left, WINDOW))
        try:
            while waiting:
                result = _result(ray, waiting[0])
                waiting.popleft()
                waiting.extend(remote.remote(task, *each) for each in islice(left, 1))
                yield result
        finally:
            for each in waiting:
                ray.cancel(each, force=False)

    def _connected(self) -> Any:
        """Return the module of Ray, connected to the cluster, which was looked at when it was first connected."""
        self._set_environment()
        try:
            import ray  # noqa: PLC0415  # optional extra [ray]
        except ImportError as error:
            raise MissingExtraError("ray", "ray") from error
        if ray.is_initialized():
            return ray
        try:
            ray.init(self.address, log_to_driver=False, logging_level=logging.ERROR, namespace="holdfast")
        except (ImportError, OSError, ValueError, RuntimeError, AssertionError) as error:
            what = f"No connection to the Ray cluster {self.address}: {str(error).splitlines()[0]}"
            raise MachineError(what, "Check the address and the token; start one with ray start --head.") from error
        # Ray tells of lost workers on stdout, where the result of a command goes, and has no public switch for it.
        setattr(sys.modules["ray._private.worker"], "_worker_logs_enabled", False)  # noqa: B010  # another's module
        try:
            self._refuse_unfit(ray)
        except HoldfastError:
            ray.shutdown()
            raise
        return ray

    def _set_environment(self) -> None:
        """Set what Ray reads when it is imported. Raises `UsageError` where there is no token and none is waived."""
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        os.environ["RAY_IGNORE_UNHANDLED_ERRORS"] = "1"  # the first error is raised, the others would be printed
        token = os.environ.get(self.token_env)
        if token:
            os.environ[TOKEN] = token
        elif not os.environ.get(TOKEN_PATH) and not (Path.home() / TOKEN_FILE).is_file():
            if self.without_token:
                return
            raise UsageError(
                f"There is no token for the Ray cluster {self.address}: {self.token_env} is not set.",
                "export RAY_AUTH_TOKEN=..., or say without_token where nobody else can reach the cluster.",
            )
        os.environ["RAY_AUTH_MODE"] = "token"

    def _refuse_unfit(self, ray: Any) -> None:
        """Raise where the cluster asks for no token, has no worker, another version, or does not see the files."""
        nodes = _workers(ray)
        if not nodes:
            what = f"No node of the Ray cluster {self.address} has a core and {TASK_MEMORY >> 20} MiB for a task."
            raise MachineError(what, "Add one: ray start --address HOST:PORT.")
        pinned = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        look = ray.remote(_looked)
        with tempfile.NamedTemporaryFile(prefix="holdfast-seen-") as file:
            places = [pinned(node, soft=False) for node in nodes]
            asked = [look.options(num_cpus=0, scheduling_strategy=place).remote(file.name) for place in places]
            seen = [_result(ray, each) for each in asked]
        if not self.without_token and any(mode != "token" for mode, _, _ in seen):
            what = f"The Ray cluster {self.address} asks nobody for a token: all who reach it can run programs on it."
            raise UsageError(what, "Start it with RAY_AUTH_MODE=token, or say without_token where nobody else can.")
        if others := {version for _, version, _ in seen} - {__version__}:
            what = f"This is Holdfast {__version__}, and nodes of the cluster have {', '.join(sorted(others))}."
            raise UsageError(what, "Install the same version everywhere.")
        if blind := sum(not there for _, _, there in seen):
            what = f"{blind} of {len(seen)} nodes of the cluster do not see {tempfile.gettempdir()} of this machine."
            raise UsageError(what, "Set TMPDIR to a folder that all nodes share, and write --out to one.")


def _called(task: Callable[..., Any], *arguments: Any) -> Any:
    return task(*arguments)


def _looked(path: str) -> tuple[str, str, bool]:
    """Return of a node whether it asks for a token, its version of Holdfast, and whether it sees a file."""
    return os.environ.get("RAY_AUTH_MODE", "disabled"), __version__, Path(path).exists()


def _workers(ray: Any) -> list[str]:
    """Return the nodes that can take a task."""
    able = ((node["NodeID"], node["Resources"]) for node in ray.nodes() if node["Alive"])
    return [name for name, has in able if has.get("CPU", 0) >= 1 and has.get("memory", 0) >= TASK_MEMORY]


def _result(ray: Any, reference: Any) -> Any:
    """Wait for a result, as long as there is a node that could give it."""
    last = monotonic()
    while not ray.wait([reference], timeout=LOOK)[0]:
        if _workers(ray):
            last = monotonic()
        elif monotonic() - last > PATIENCE:
            raise StoppedError("The Ray cluster has no worker left.", "Add nodes and run the same command again.")
    errors = sys.modules["ray.exceptions"]
    try:
        return ray.get(reference)
    except errors.RayTaskError as error:
        if isinstance(error.cause, FileNotFoundError):
            what = f"A node of the cluster does not see a file of this machine: {error.cause}."
            raise UsageError(what, "Put input, TMPDIR and --out where all nodes see them.") from None
        raise error.cause from None
    except errors.RayError as error:
        what = f"A task was lost {RETRIES + 1} times: {type(error).__name__}: {str(error).splitlines()[0]}"
        raise MachineError(what, "It is most often killed for memory: give the nodes fewer cores, or more.") from error
