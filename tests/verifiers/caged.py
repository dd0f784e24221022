"""Inside a throw-away cage: set out canaries, verify every hostile program, and report what it did to them.

Run as `python -m tests.verifiers.caged FOLDER MODE`; prints one JSON object. Never run outside a cage.
"""

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from holdfast.core.record import Record
from holdfast.verifiers.code import CodeCheck
from holdfast.verifiers.sandbox.limits import Limits
from holdfast.verifiers.sandbox.pool import Job, Pool, Ran

HOME = Path("/tmp/home")
PLACES = [Path(name) for name in ("/tmp", "/dev/shm", "/var/tmp")]
SECRETS = [HOME / ".ssh/id_canary", HOME / ".cache/huggingface/token"]
DATASET = HOME / "dataset.jsonl"
# The same three sums: compared outside, and in a script that keeps state and is therefore judged inside.
TESTS = {
    "values": ["assert add(2, 3) == 5", "assert add(-1, 1) == 0", "assert add(10, -4) == 6"],
    "judged": [
        "seen = {}",
        "for a, b, c in [(2, 3, 5), (-1, 1, 0), (10, -4, 6)]:\n    seen[a] = add(a, b)\n    assert seen[a] == c",
    ],
}
LIMITS = Limits(cpu_seconds=1, wall_seconds=20.0)


class Tap(Pool):
    """A pool that keeps what the last programs printed, where they say which goals they reached."""

    output = b""

    def run(self, jobs: Sequence[Job]) -> list[list[Ran]]:
        """Run, and remember the output."""
        found = super().run(jobs)
        self.output = b"".join(ran.output for each in found for ran in each)
        return found


def canaries(heard: list[str]) -> list[socket.socket]:
    """Put fake keys, a data set and three listeners where attacks look for them."""
    for path in (*SECRETS, HOME / "data/part"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("CANARY", "utf-8")
    DATASET.write_text("real\n", "utf-8")
    listeners = []
    for name, family, address in (
        ("tcp", socket.AF_INET, ("127.0.0.1", 47123)),
        ("abstract", socket.AF_UNIX, "\0holdfast-canary"),
        ("path", socket.AF_UNIX, str(HOME / "agent.sock")),
    ):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.bind(address)
        listener.listen()
        listeners.append(listener)
        threading.Thread(target=hear, args=(listener, name, heard), daemon=True).start()
    return listeners


def hear(listener: socket.socket, name: str, heard: list[str]) -> None:
    """Note every connection."""
    while True:
        listener.accept()
        heard.append(name)


def processes() -> set[int]:
    """All processes of the cage."""
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


def peak_memory() -> int:
    """The most memory that this process ever had, in KiB."""
    return int(Path("/proc/self/status").read_text("utf-8").partition("VmHWM:")[2].split()[0])


def files() -> dict[str, int]:
    """Every file that could be written to, with its size."""
    return {str(path): path.lstat().st_size for place in PLACES for path in place.rglob("*") if not path.is_dir()}


def main() -> None:
    """Verify each program and report."""
    folder, mode = Path(sys.argv[1]), sys.argv[2]
    heard: list[str] = []
    listeners = canaries(heard)
    tap = Tap()
    check = CodeCheck(LIMITS, pools={False: tap})
    good = Record("good", "", "def add(a, b): return a + b", fields={"tests": TESTS[mode]})
    first = check(good)
    before, alive = files(), processes()
    found = {}
    for path in sorted(folder.glob("[cv]*.py")):
        peak, began = peak_memory(), time.monotonic()
        verdict = check(Record(path.stem, "", path.read_text("utf-8"), fields={"tests": TESTS[mode]}))
        found[path.stem] = {
            "ok": verdict.ok,
            "reason": verdict.reason,
            "reached": b"ATTACK-OK" in tap.output,
            "seconds": time.monotonic() - began,
            "grown_mb": (peak_memory() - peak) / 1024,
            "survivors": len(processes() - alive),
            "files": {name: size for name, size in files().items() if before.get(name) != size},
            "heard": list(heard),
        }
    last = check(good)
    report = {
        "first": first.ok, "last": last.ok, "sandbox": first.evidence.get("sandbox"), "uid": os.getuid(),
        "dataset": DATASET.read_text("utf-8"), "kept": (HOME / "data/part").exists(), "listeners": len(listeners),
        "programs": found,
    }  # fmt: skip
    check.close()
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
