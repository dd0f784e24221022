"""Hold our client against a second server that is wrong in other ways: python -m bench.second_server [--write].

transformers serve answers 200 and ignores what it does not support: schemas, log-probabilities. It knows one model and
has no /embeddings. A tiny model (bench.peers.tools.tiny_causal) is made and served on loopback by an environment of its
own, about 1.2 GB under .bench/. Each claim about what our client notices is printed with what was seen; the exit
code is 1 where one of them is not so.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from bench.chat_proxy import Proxy, proxy
from bench.measure import proportional_bytes, tree
from bench.peers.environments import ROOT, SECOND, python_of, versions
from bench.soak import LIFE, SCHEMA
from holdfast.core.errors import StoppedError
from holdfast.core.record import Message
from holdfast.core.rundir import read_manifest
from holdfast.core.settings import load
from holdfast.models.chat import Answer, Call, Conversation, NoRecord
from holdfast.models.desk import open_desk
from holdfast.models.dispatch import Job
from holdfast.models.embeddings import embed
from holdfast.models.endpoint import Endpoint
from holdfast.models.ledger import FILE as LEDGER
from holdfast.models.ledger import Ledger

HOLDFAST = str(Path(sys.executable).parent / "holdfast")
RESULT = ROOT / "bench" / "results" / "second_server.json"
CONCURRENCY, RECORDS, ASKED = 4, 60, 20
# Importing torch and transformers takes half a minute on crowded cores.
STARTS_WITHIN = 180.0
# The run is killed once so many answers were sent: somewhere in the middle.
KILLED_AFTER = 20
CHECKS = """
from holdfast import Verdict
def said(record):
    return Verdict(bool(record.response.strip()))
"""
# What free text under a schema may end as: an answer that is cut is told before its JSON is looked for.
JSON_LESS = {"invalid-json", "truncated"}
TOLD = ("kept.jsonl", "rejected.jsonl", "undecided.jsonl", "failed.jsonl")


class Claim(NamedTuple):
    """What should be so, and what was seen."""

    what: str
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers: where, what its model is called, its process, and the seconds until it did."""

    base_url: str
    model: str
    pid: int
    ready_seconds: float

    @property
    def answers_as(self) -> str:
        """The name that answers bear: the model with a revision that nobody asked for."""
        return f"{self.model}@main"

    @property
    def resident_mib(self) -> int:
        """Memory of the server now, in MiB."""
        return sum(proportional_bytes(each) for each in tree(self.pid)) >> 20


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Make the model and serve it on a free port; afterwards the server is gone."""
    python, model, home = python_of(SECOND), folder / "model", folder / "home"
    subprocess.run([str(python), "-m", "bench.peers.tools.tiny_causal", str(model)], cwd=ROOT, check=True)
    # Without this folder the server answers 500 when asked for its models.
    (home / "hub").mkdir(parents=True)
    port = _free_port()
    line = [str(python.parent / "transformers"), "serve", str(model), "--host", "127.0.0.1", "--port", str(port)]
    line += ["--device", "cpu", "--default-seed", "0"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(line, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            while not _answers(f"http://127.0.0.1:{port}/v1/models"):
                if server.poll() is not None or time.monotonic() - began > STARTS_WITHIN:
                    raise RuntimeError((folder / "server.log").read_text()[-2000:])
                time.sleep(0.1)
            yield Served(f"http://127.0.0.1:{port}/v1", str(model), server.pid, time.monotonic() - began)
        finally:
            server.kill()
            server.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as reply:  # noqa: S310  # our own server
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False


def write_settings(folder: Path, base_url: str, model: str, quota: int, **generator: Any) -> Path:
    """Write a run that asks one model until `quota` records are accepted; return the settings file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ask.j2").write_text("How many apples are left in basket {{ number }}?")
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    (folder / "second_checks.py").write_text(CHECKS)
    documents = "".join(json.dumps({"id": f"d{n}", "text": f"basket {n}"}) + "\n" for n in range(quota))
    (folder / "documents.jsonl").write_text(documents)
    limits = {"concurrency": CONCURRENCY, "timeout": 60, "attempts": 3}
    entry = {"use": "prompt", "model": "second", "template": "ask.j2", "decoding": {"max_tokens": 100}, **generator}
    waiver = {"rule": "generator-concentration", "reason": "one is held against", "owner": "bench"}
    settings = {
        "version": 1, "models": {"second": {"base_url": base_url, "model": model, "limits": limits}},
        "generators": [entry], "cells": {"quota": quota}, "checks": ["second_checks:said"],
        "accepted_risks": [{**waiver, "until": "2999-01-01"}],
    }  # fmt: skip
    path = folder / "holdfast.yaml"
    path.write_text(json.dumps(settings))
    return path


def ended(folder: Path, served: Served, calls: Sequence[Call]) -> list[Answer | NoRecord]:
    """Return how each call ended, asked through a desk."""

    def talk(call: Call) -> Conversation[Answer]:
        return (yield call)

    settings = load(write_settings(folder, served.base_url, served.model, 1))
    with open_desk(settings, folder, ["second"]) as desk:
        held = desk.hold([Job("second", partial(talk, call)) for call in calls])
    return [each.made for each in held if each is not None]


def call(sample: str, schema: dict[str, Any] | None = None, **decoding: Any) -> Call:
    """Return a call of the same prompt; `sample` tells it apart."""
    asked = (Message("user", "How many apples are left?"),)
    return Call(asked, "second", {"temperature": 1.0, "max_tokens": 100, **decoding}, schema, sample)


def command(folder: Path, *options: str) -> tuple[int, str]:
    """Run `holdfast generate` in `folder`; return its exit code and what it said."""
    line = [HOLDFAST, "generate", "-c", str(folder / "holdfast.yaml"), "--out", str(folder / "out"), *options]
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder, check=False)
    return done.returncode, done.stdout + done.stderr


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a result file of the run in `folder`."""
    path = folder / "out" / name
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def plain(served: Served, folder: Path) -> list[Claim]:
    """Answers, seeds, stop reasons and usage."""
    # One after the other: all requests draw from one generator of the server, which a seed sets for whoever comes next.
    asked = [call("a", seed=7), call("b", seed=7), call("c", seed=8), call("d", seed=7, max_tokens=3)]
    same, again, other, short = (ended(folder, served, [each])[0] for each in asked)
    if not (isinstance(same, Answer) and isinstance(again, Answer) and isinstance(other, Answer)):
        return [Claim("plain calls are answered", "answers", [same, again, other])]
    cut = (short.fate, short.reason) if isinstance(short, NoRecord) else short
    return [
        Claim("an answer has words, an end and its model", (True, "stop", served.answers_as),
              (bool(same.text.strip()), same.finish, same.served)),
        Claim("tokens are counted on both sides", (True, True), (same.usage.input > 0, 0 < same.usage.output < 100)),
        Claim("the same seed gives the same words", same.text, again.text),
        Claim("another seed gives others", True, other.text != same.text),
        Claim("an answer cut at three tokens is told from a whole one", ("rejected", "truncated"), cut),
        Claim("where nothing was asked that it ignores, nothing is named", (), same.ignored),
    ]  # fmt: skip


def logprobs(served: Served, folder: Path) -> list[Claim]:
    """Log-probabilities asked for and not given are named, on the answer and in the manifest of a run."""
    answers = ended(folder / "one", served, [call("a", seed=7, logprobs=True, top_logprobs=2)])
    told = [each.ignored if isinstance(each, Answer) else each for each in answers]
    asked = {"documents": "documents.jsonl", "decoding": {"max_tokens": 100, "logprobs": True}}
    write_settings(folder, served.base_url, served.model, ASKED, **asked)
    command(folder, "--quiet")
    manifest = read_manifest(folder / "out") or {}
    cut = manifest["reasons"].get("truncated", 0)
    kept = rows(folder, "kept.jsonl")
    named = {(row["holdfast"]["generator"], row["holdfast"]["revision"]) for row in kept}
    return [
        Claim("the answer names log-probabilities that it lacks", [("logprobs",)], told),
        Claim("the manifest counts every answer that lacks them", {"second": {"logprobs": ASKED - cut}},
              manifest["ignored"]),
        Claim("every document became a record or has a reason", (ASKED, True),
              (sum(len(rows(folder, name)) for name in TOLD), len(kept) > 0)),
        Claim("a record names the model as asked for, and the revision that answered",
              {(served.model, served.answers_as)}, named),
    ]  # fmt: skip


def schema(served: Served, folder: Path) -> list[Claim]:
    """An ignored schema is noticed in the answer: free text never becomes a row."""
    asked = {"documents": "documents.jsonl", "answer_schema": "schema.json"}
    with proxy(served.base_url, folder=_made(folder / "proxy")) as between:
        write_settings(folder, between.base_url, served.model, ASKED, **asked)
        code, _ = command(folder, "--quiet")
        statuses = {line["status"] for line in between.log()}
    reasons = {row["holdfast_reason"] for row in rows(folder, "rejected.jsonl")}
    found = {name: len(rows(folder, name)) for name in TOLD}
    return [
        Claim("the server answers 200 to a schema", {200}, statuses),
        Claim("free text under a schema is rejected, all of it", dict(zip(TOLD, (0, ASKED, 0, 0), strict=True)), found),
        Claim("and named as no JSON", (True, set()), ("invalid-json" in reasons, reasons - JSON_LESS)),
        Claim("the command says that the set is short", 1, code),
    ]


def unknown_model(served: Served, folder: Path) -> list[Claim]:
    """A model that is not there stops the run; with the right name it goes on."""
    asked = {"documents": "documents.jsonl"}
    write_settings(folder, served.base_url, "no-such-model", ASKED, **asked)
    code, said = command(folder, "--quiet")
    manifest = read_manifest(folder / "out") or {}
    counts, sent = manifest["counts"], manifest["usage"].get("second", {}).get("requests", 0)
    write_settings(folder, served.base_url, served.model, ASKED, **asked)
    command(folder, "--quiet", "--redo")
    return [
        Claim("an unknown model stops the run with exit 3 and its name", (3, True, True),
              (code, "unknown-model" in said, "no-such-model" in said)),
        Claim("it is noticed before more is sent than fits in flight", True, 0 < sent <= CONCURRENCY),
        Claim("everything is pending, nothing failed", (counts["in"], 0), (counts["pending"], counts["failed"])),
        Claim("with the right name every document is answered", ASKED,
              sum(len(rows(folder, name)) for name in TOLD)),
    ]  # fmt: skip


def embeddings(served: Served, folder: Path) -> list[Claim]:
    """A server without /embeddings is told from one that fails."""
    settings = load(write_settings(folder, served.base_url, served.model, 1))

    async def asked() -> str:
        async with Endpoint("second", settings.models["second"]) as endpoint:
            try:
                await embed(endpoint, ["apples"])
            except StoppedError as error:
                return str(error)
        return "vectors"

    said = asyncio.run(asked())
    parts = ("endpoint second gives no embeddings", "404", "/embeddings API")
    return [Claim("a missing /embeddings is told with status and remedy", parts, tuple(p for p in parts if p in said))]


def killed(served: Served, folder: Path) -> list[Claim]:
    """A run killed in the middle goes on without paying again for what it had."""
    with proxy(served.base_url, folder=_made(folder / "proxy")) as between:
        write_settings(folder, between.base_url, served.model, RECORDS)
        _killed_at(folder, between, KILLED_AFTER)
        before = len(between.log())
        code, _ = command(folder, "--quiet")
        log = between.log()
    paid = Counter(line["digest"] for line in log if line["status"] == 200)
    ids = [row["id"] for name in TOLD for row in rows(folder, name)]
    ledger = Ledger(folder / "out" / LEDGER)
    sends = ledger.query("SELECT count(*) FROM sends")[0][0]
    ledger.close()
    return [
        Claim("it was killed in the middle, and ends well", (True, 0), (KILLED_AFTER <= before < RECORDS, code)),
        Claim(
            "all records are there, each once",
            (RECORDS, 0),
            (len(rows(folder, "kept.jsonl")), len(ids) - len(set(ids))),
        ),
        Claim("what was paid twice was in flight", True, sum(paid.values()) - len(paid) <= CONCURRENCY),
        Claim("every request that the server saw is in the ledger", True, len(log) <= sends),
    ]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _killed_at(folder: Path, between: Proxy, answers: int) -> None:
    line = [sys.executable, "-c", LIFE, str(folder / "holdfast.yaml"), str(folder / "out")]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, start_new_session=True, cwd=folder) as life:
        while len(between.log()) < answers and life.poll() is None:
            time.sleep(0.01)
        os.killpg(life.pid, signal.SIGKILL)


def rate(served: Served, folder: Path) -> float:
    """Return answers per second of 32 calls for up to 32 tokens, CONCURRENCY in flight."""
    calls = [call(str(number), seed=number, max_tokens=32) for number in range(32)]
    began = time.monotonic()
    ended(folder, served, calls)
    return len(calls) / (time.monotonic() - began)


def words_of_one_seed(served: Served, folder: Path) -> int:
    """Return how many different answers eight calls with one seed get, CONCURRENCY in flight."""
    answers = ended(folder, served, [call(str(number), seed=7) for number in range(8)])
    return len({each.text for each in answers if isinstance(each, Answer)})


PARTS: tuple[Callable[[Served, Path], list[Claim]], ...] = (plain, schema, logprobs, unknown_model, embeddings, killed)


def main() -> int:
    """Hold every claim against the server; print and, with --write, keep what was seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULT.relative_to(ROOT)}")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as served:
        claims = [claim for part in PARTS for claim in part(served, Path(name) / part.__name__)]
        figures = {
            "ready_seconds": round(served.ready_seconds, 1),
            "requests_per_second": round(rate(served, Path(name) / "rate"), 1),
            "different_answers_of_8_with_one_seed_together": words_of_one_seed(served, Path(name) / "seeds"),
            "resident_mib": served.resident_mib,
        }
    for claim in claims:
        print(f"{'holds' if claim.expected == claim.actual else 'FAILS'}  {claim.what}")
        if claim.expected != claim.actual:
            print(f"       expected {claim.expected!r}, got {claim.actual!r}")
    print(json.dumps(figures))
    if given.write:
        installed = versions(SECOND)
        told = {
            "server": {name: installed[name] for name in ("transformers", "torch")},
            "figures": figures,
            "claims": {claim.what: claim.expected == claim.actual for claim in claims},
        }
        RESULT.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    return int(any(claim.expected != claim.actual for claim in claims))


if __name__ == "__main__":
    sys.exit(main())
