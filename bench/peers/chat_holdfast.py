"""Ours against the chat endpoint: the whole verb, and calls and ledger alone.

The prompts are numbered, so that one template makes them. The verb does all that it does for anybody: records with
provenance, screening, a check, rounds, ledger, manifest. `accept` is that check, because a test of throughput has
nothing to verify.
"""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from bench.peers.corpora import PROMPT
from bench.peers.tools.chat import ATTEMPTS, MODEL, answered
from bench.peers.tools.meter import Meter
from holdfast.core.record import Message, Record
from holdfast.core.settings import Settings
from holdfast.core.verdict import Verdict
from holdfast.models.chat import Answer, Call, Conversation
from holdfast.models.desk import open_desk
from holdfast.models.dispatch import Job

RUN = (sys.executable, "-c", "from holdfast.cli.app import main; main()")


def accept(record: Record) -> Verdict:
    """Accept whatever has text."""
    return Verdict(bool(record.response), "written")


def models(url: str, flying: int) -> dict[str, Any]:
    """Return the models of the settings: one, at the endpoint."""
    limits = {"concurrency": flying, "attempts": ATTEMPTS}
    return {"asked": {"base_url": url, "model": MODEL, "limits": limits}}


def verb(_: Path, folder: Path, options: list[str]) -> None:
    """Run `holdfast generate` for as many prompts as are asked for; its rows are those of kept.jsonl."""
    flying, count, url = options
    out = folder / "out"
    (folder / "prompt.txt").write_text(PROMPT.format("{{ number }}"), "utf-8")
    settings = {
        "version": 1,
        "models": models(url, int(flying)),
        "generators": [{"use": "prompt", "model": "asked", "template": "prompt.txt"}],
        "cells": {"quota": int(count)},
        "checks": [f"{__name__}:{accept.__name__}"],
        "accepted_risks": [
            {"rule": "generator-concentration", "reason": "a test", "owner": "nobody", "until": "2999-12-31"}
        ],
    }
    # JSON is YAML.
    (folder / "holdfast.yaml").write_bytes(orjson.dumps(settings))
    meter = Meter()
    with meter.running():
        command = [*RUN, "generate", "--settings", str(folder / "holdfast.yaml"), "--out", str(out), "--quiet"]
        subprocess.run(
            command, check=True, stdout=sys.stderr, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        )
    rows = [orjson.loads(line) for line in (out / "kept.jsonl").read_bytes().splitlines()]
    answered(folder, [(int(row["id"].rpartition("-")[2]), row["response"]) for row in rows])
    meter.tell()


def dispatcher(path: Path, folder: Path, options: list[str]) -> None:
    """Send the prompts through dispatcher, endpoint and ledger, without records, checks and rounds."""
    flying, count, url = options
    with path.open("rb") as lines:
        prompts = [orjson.loads(line) for _, line in zip(range(int(count)), lines, strict=False)]
    settings = Settings.model_validate({"models": models(url, int(flying))})

    def ask(prompt: str) -> Conversation[str]:
        answer: Answer = yield Call((Message("user", prompt),), "asked")
        return answer.text

    meter = Meter()
    with meter.running(), open_desk(settings, folder, ["asked"]) as desk:
        held = desk.hold([Job("asked", partial(ask, row["prompt"])) for row in prompts])
    texts = [one.made if one is not None and isinstance(one.made, str) else None for one in held]
    answered(folder, [(row["id"], text) for row, text in zip(prompts, texts, strict=True)])
    meter.tell()
