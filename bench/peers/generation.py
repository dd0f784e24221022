"""Clients of language models: who gets the most answers from one endpoint, at which cost, and who loses rows.

The endpoint runs beside each contestant in a process of its own (`tools.serve_chat`) and is not counted with it, but it
shares the cores. Everybody gets the same prompts, the same number in flight, no other limit, and five attempts where
that can be said.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from bench.peers.contest import ROOT, Contestant, Operation, Row, Target
from bench.peers.environments import ENDPOINT, python_of

URL, ROWS = "endpoint.url", "rows.jsonl"
STARTS_WITHIN = 30.0
SMALL = 10


@dataclass(frozen=True, slots=True)
class Setting:
    """What the endpoint does and how it is asked: seconds to an answer, requests in flight, share of faults."""

    title: str
    latency: float
    flying: int
    faults: float = 0.0

    @property
    def ideal(self) -> float:
        """Answers per second of a client that costs nothing: all places taken all the time, each fault asked again."""
        return self.flying / self.latency * (1 - self.faults)


SETTINGS = {
    "fast": Setting("answers after 50 ms, 64 in flight", 0.05, 64),
    "slow": Setting("answers after 500 ms, 256 in flight", 0.5, 256),
    "faults": Setting("answers after 50 ms, 64 in flight, 5 % of the calls 500 and 5 % 429", 0.05, 64, 0.1),
}


@dataclass(frozen=True, slots=True)
class Client:
    """One client: its script and environment, and for each setting how many prompts it gets and how often it runs."""

    key: str
    label: str
    script: str
    environment: str
    sizes: tuple[int, int, int]
    runs: tuple[int, int, int] = (3, 3, 3)


CLIENTS = (
    Client("ours", "Holdfast, `holdfast generate`", "generation", "", (3_000, 2_000, 3_000)),
    Client("dispatcher", "Holdfast, calls and ledger alone", "generation-dispatcher", "", (3_000, 2_000, 3_000)),
    Client("openai", "openai, AsyncOpenAI", "chat_openai", "openai", (3_000, 2_000, 3_000)),
    Client("litellm", "litellm, acompletion", "chat_litellm", "litellm", (1_500, 1_500, 1_500)),
    Client("curator", "bespokelabs-curator", "chat_curator", "curator", (1_500, 1_500, 1_500)),
    Client("data-designer", "data-designer", "chat_datadesigner", "data-designer", (1_000, 1_000, 500), (3, 3, 1)),
    Client("distilabel", "distilabel", "chat_distilabel", "distilabel", (1_000, 1_000, 1_000), (3, 3, 2)),
)


def contestants(scale: str) -> list[Contestant]:
    """Everybody at every setting."""
    found = []
    for place, (setting, asked) in enumerate(SETTINGS.items()):
        for client in CLIENTS:
            count = client.sizes[place] // (SMALL if scale == "small" else 1)
            found.append(
                Contestant(
                    f"{client.key}-{setting}",
                    f"{client.label}, {setting}",
                    "prompts",
                    client.script,
                    client.environment,
                    (str(asked.flying), str(count)),
                    runs=1 if scale == "small" else client.runs[place],
                )
            )
    return found


def setting_of(key: str) -> Setting:
    """Return the setting that a contestant's key ends with."""
    return SETTINGS[key.rpartition("-")[2]]


@contextmanager
def endpoint(contestant: Contestant, folder: Path) -> Iterator[Sequence[str]]:
    """Serve the contestant's setting while it runs; the option is the base URL."""
    asked, told = setting_of(contestant.key), folder / URL
    command = [str(python_of(ENDPOINT)), "-m", "bench.peers.tools.serve_chat", str(told)]
    command += ["--latency", str(asked.latency), "--faults", str(asked.faults)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr)
    try:
        end = time.monotonic() + STARTS_WITHIN
        while not told.exists():
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"The endpoint did not start within {STARTS_WITHIN:g} s: {command}.")
            time.sleep(0.02)
        yield (told.read_text("utf-8"),)
    finally:
        server.kill()
        server.wait()


def judge(contestant: Contestant, folder: Path) -> dict[str, Any]:
    """Count the rows that are missing, empty or not of their prompt, and ask the endpoint what it saw."""
    asked, count = setting_of(contestant.key), int(contestant.options[1])
    with urlopen((folder / URL).read_text("utf-8").replace("/v1", "/stats")) as reply:  # noqa: S310 - our own process
        seen = json.load(reply)
    return {
        "setting": asked.title,
        "ideal": asked.ideal,
        "documents": count,
        **counted((folder / ROWS).read_text("utf-8").splitlines(), count),
        "calls": seen["requests"] / count,
        "most_in_flight": seen["most_in_flight"],
        "flowing_seconds": seen["seconds"],
    }


def counted(lines: Iterable[str], count: int) -> dict[str, int]:
    """Return how many of `count` prompts have no answer, and how many have that of another prompt."""
    rows = [json.loads(line) for line in lines]
    answers = {row["id"]: row["answer"] for row in rows if row["answer"]}
    mixed = sum(not answer.startswith(f"Item {number}:") for number, answer in answers.items())
    return {"lost": len(set(range(count)) - set(answers)), "mixed": mixed}


def compare(rows: dict[str, Row]) -> None:
    """Note the rates: over the whole process, and from the first request to the last answer."""
    for row in rows.values():
        if row.ended != "exit 0":
            continue
        given = row.documents - row.answer["lost"]
        flowing = given / row.answer["flowing_seconds"]
        row.answer.update(
            per_second=round(flowing, 1),
            per_second_whole=round(given / row.whole_wall_seconds, 1),
            share=round(flowing / row.answer["ideal"], 4),
            us_cpu=round(1e6 * row.cpu_seconds / row.documents),
            us_cpu_whole=round(1e6 * row.whole_cpu_seconds / row.documents),
            mebibytes=row.peak_mebibytes,
        )


OPERATION = Operation(
    "generation",
    "Answers from an endpoint",
    contestants,
    (
        *(Target(f"ours-{each}", f"curator-{each}", 3.0, time="wall") for each in ("fast", "faults")),
        *(Target(f"ours-{each}", f"openai-{each}", 2.0, time="wall") for each in ("fast", "faults")),
        Target("dispatcher-fast", field="us_cpu", most=200),
        Target("ours-faults", field="share", least=0.9),
        Target("ours-fast", field="mebibytes", most=100),
        *(Target(f"ours-{each}", field=name, most=0) for each in SETTINGS for name in ("lost", "mixed")),
    ),
    judge=judge,
    compare=compare,
    beside=endpoint,
    every=True,
    shape="rates",
)
