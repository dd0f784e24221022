"""Kills a generation again and again, and shows what is lost, paid twice or changed by it: python -m bench.soak.

Two real local models (examples/chat) behind a proxy that refuses, breaks and cuts one request in ten, and that records
what it answers: a server that decodes in batches does not repeat itself, the recording does. The run is killed at
random moments, with its whole process group, and begun again until it ends. Then it is run once more, unkilled,
against the recording. Equal bytes, no row lost or doubled, and the proxy's own log of requests are the proof.
"""

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from bench.chat_proxy import proxy, request_digest
from bench.page import filled, markdown
from holdfast.models.ledger import FILE as LEDGER
from holdfast.models.ledger import Ledger

ROOT = Path(__file__).resolve().parent.parent
CONCURRENCY = 4
# One request in ten: half of them refused or broken, and asked again; the rest are answers that are no records.
FAULTS = ("500=0.02", "429=0.02", "reset=0.01", "cut=0.01", "length=0.02:ever", "content_filter=0.02:ever")
SCHEMA = {
    "type": "object",
    "properties": {"prompt": {"type": "string", "maxLength": 60}, "response": {"type": "string", "maxLength": 60}},
    "required": ["prompt", "response"],
    "additionalProperties": False,
}
# A check that refuses some: what it says does not matter here, that it says the same again does.
CHECKS = """
from holdfast import Verdict
def whole(record):
    return Verdict(len(record.response.split()) >= 4, "short")
"""
# One life of the run: it says go when its work begins, and tells the answers that it counts.
LIFE = """
import sys
from pathlib import Path
from holdfast.core.settings import load
from holdfast.workflows.generate import GenerateOptions, generate
def look(snapshot):
    if snapshot.tally is not None:
        print(snapshot.tally.answered.total(), flush=True)
settings = load(sys.argv[1])
print("go", flush=True)
generate(settings, Path(sys.argv[2]), GenerateOptions(look=look))
print("done", flush=True)
"""


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of it. `repaid` are answers that the endpoint gave twice; `bound` is kills x requests in flight.

    `unlisted` are requests that the endpoint received and the ledger does not know.
    """

    kills: int
    records: int
    requests: int
    unique: int
    repaid: int
    bound: int
    lost: int
    doubled: int
    identical: bool
    unlisted: int
    unsettled: int
    acknowledged_lost: int


def soak(folder: Path, addresses: Mapping[str, str], kills: int, quota: int, seed: int = 0) -> Soaked:
    """Run to the end under `kills` kills, then unkilled, and hold the two against each other and the proxy's log."""
    random, lives = Random(seed), Lives()
    with ExitStack() as stack:
        proxies = {}
        for name, address in addresses.items():
            place = folder / name
            place.mkdir(parents=True)
            proxies[name] = stack.enter_context(proxy(address, *FAULTS, folder=place, seed=seed))
        write_settings(folder, {name: each.base_url for name, each in proxies.items()}, quota)
        while not lives.live(folder, folder / "killed", random.uniform(0.0, 0.5) if lives.kills < kills else None):
            pass
        logs = {name: each.log() for name, each in proxies.items()}
        lives.live(folder, folder / "whole", None)
    return held_against(folder, lives, logs)


class Lives:
    """The lives of one run so far, and the answers that each of them had counted when it was killed."""

    def __init__(self) -> None:
        self.kills = 0
        self.acknowledged_lost = 0

    def live(self, folder: Path, out: Path, seconds: float | None) -> bool:
        """Start the run and kill it after so many seconds of work; True where it came to its end."""
        before = _answers(out)
        command = [sys.executable, "-c", LIFE, str(folder / "holdfast.yaml"), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, text=True, cwd=folder) as life:
            if life.stdout is None or life.stdout.readline() != "go\n":
                raise RuntimeError(f"the run did not begin: {life.wait()}")
            if seconds is None:
                told = life.stdout.read().split()
                if life.wait() != 0:
                    raise RuntimeError("the run did not end well; see above")
                return told[-1] == "done"
            time.sleep(seconds)
            ended = life.poll() is not None
            os.killpg(life.pid, signal.SIGKILL) if not ended else None
            told = life.stdout.read().split()
        self.kills += not ended
        counted = [int(text) for text in told if text.isdecimal()]
        self.acknowledged_lost += max(0, before + max(counted, default=0) - _answers(out))
        return ended and bool(told) and told[-1] == "done"


def _answers(out: Path) -> int:
    if not (out / LEDGER).exists():
        return 0
    ledger = Ledger(out / LEDGER)
    try:
        return int(ledger.query("SELECT count(*) FROM sends WHERE charged = 'yes'")[0][0])
    finally:
        ledger.close()


def held_against(folder: Path, lives: Lives, logs: Mapping[str, list[dict[str, Any]]]) -> Soaked:
    """Hold the run in `killed` against the one in `whole` and against what the proxies received for it."""
    killed, whole = ({name: _bytes(folder / run, name) for name in RESULTS} for run in ("killed", "whole"))
    rows = [json.loads(line) for name in RESULTS[:4] for line in killed[name].splitlines()]
    wanted = [json.loads(line) for name in RESULTS[:4] for line in whole[name].splitlines()]
    ids = Counter(row["id"] for row in rows)
    # A request that got its answer, and was sent again all the same, was paid for twice.
    answered = (line for log in logs.values() for line in log if line["status"] == 200 and line["fault"] in ANSWERED)
    paid = Counter(line["digest"] for line in answered)
    ledger = Ledger(folder / "killed" / LEDGER)
    unlisted = _unlisted(ledger, logs)
    unsettled = len(ledger.unsettled())
    ledger.close()
    requests = sum(map(len, logs.values()))
    return Soaked(
        lives.kills,
        len(killed["kept.jsonl"].splitlines()),
        requests,
        len(paid),
        sum(paid.values()) - len(paid),
        lives.kills * CONCURRENCY * len(logs),
        len({row["id"] for row in wanted} - set(ids)),
        sum(count - 1 for count in ids.values()),
        killed == whole,
        unlisted,
        unsettled,
        lives.acknowledged_lost,
    )


def _unlisted(ledger: Ledger, logs: Mapping[str, list[dict[str, Any]]]) -> int:
    """Return how many requests were received beyond those intended, body by body: one never sent hides no other."""
    rows = ledger.query("SELECT body, count(*) FROM sends JOIN calls ON calls.id = sends.call GROUP BY calls.id")
    intended = Counter({request_digest(CHAT, body): count for body, count in rows})
    return (Counter(line["digest"] for log in logs.values() for line in log) - intended).total()


CHAT = "/v1/chat/completions"
RESULTS = ("kept.jsonl", "rejected.jsonl", "undecided.jsonl", "failed.jsonl", "verdicts.jsonl")
ANSWERED = (None, "length", "content_filter")


def _bytes(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes() if (folder / name).exists() else b""


def write_settings(folder: Path, addresses: Mapping[str, str], quota: int) -> Path:
    """Write holdfast.yaml, template and schema of the run into `folder`; return the settings file."""
    (folder / "ask.j2").write_text("Write a short problem about {{ cell.topic }}, and its answer. Number {{ number }}.")
    (folder / "soak_checks.py").write_text(CHECKS)
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    limits = f"limits: {{concurrency: {CONCURRENCY}, attempts: 6}}"
    models = "".join(f"  {name}: {{base_url: {url}, model: {name}, {limits}}}\n" for name, url in addresses.items())
    entry = "use: prompt, template: ask.j2, answer_schema: schema.json, decoding: {temperature: 1.0, max_tokens: 120}"
    generators = "".join(f"  - {{{entry}, model: {name}}}\n" for name in addresses)
    path = folder / "holdfast.yaml"
    path.write_text(
        f"version: 1\nmodels:\n{models}generators:\n{generators}"
        f"cells: {{grid: {{topic: [apples, trains, money]}}, quota: {quota}}}\n"
        'checks: ["soak_checks:whole"]\n'
    )
    return path


def chat_example(name: str) -> ModuleType:
    """Return a script of the chat example as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / "chat" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise RuntimeError(f"examples/chat/{name}.py is not there")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Soak and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--quota", type=int, default=900, help="accepted records for each of three cells")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="keep the figures, and show them in docs/ledger.md")
    given = parser.parse_args()
    cache = Path.home() / ".cache" / "holdfast" / "chat"
    with tempfile.TemporaryDirectory() as folder, chat_example("serve").serving(cache) as addresses:
        came = soak(Path(folder), addresses, given.kills, given.quota, given.seed)
    print(json.dumps(asdict(came), indent=2))
    if given.write:
        write(came)


def write(came: Soaked) -> None:
    """Keep the figures and show them in docs/ledger.md."""
    (ROOT / "bench" / "results" / "soak.json").write_text(json.dumps(asdict(came), indent=2) + "\n")
    page = ROOT / "docs" / "ledger.md"
    rows = [["", ""], *([name.replace("_", " "), _said(value)] for name, value in asdict(came).items())]
    page.write_text(filled(page.read_text("utf-8"), {"soak": markdown(rows)}), "utf-8")


def _said(value: int | bool) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:,}"


if __name__ == "__main__":
    main()
