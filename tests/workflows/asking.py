"""A small run that asks a model: settings over proxies of the tests, and what it left behind."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.chat_proxy import Proxy, proxy
from holdfast.core.settings import Settings, load
from holdfast.models.ledger import FILE as LEDGER

WAIVER = [{"rule": "generator-concentration", "reason": "one is tested", "owner": "tests", "until": "2999-01-01"}]
# A module that is always importable, so that no test depends on the working folder.
CHECKED = "tests.workflows.asking_checks"


def documents(folder: Path, count: int) -> Path:
    """A file of documents, one a record: a generator over them has exactly `count` prompts a cell."""
    path = folder / "documents.jsonl"
    path.write_text("".join(json.dumps({"id": f"d{n}", "text": f"Document number {n}."}) + "\n" for n in range(count)))
    return path


def settings(folder: Path, base_url: str, count: int = 40, **changes: Any) -> Settings:
    """One model asked once about each of `count` documents; limits, generator and the rest can be changed."""
    documents(folder, count)
    (folder / "ask.j2").write_text("Summarise: {{ item.text }}")
    limits = {"concurrency": 8, "timeout": 5, **changes.pop("limits", {})}
    model = {"base_url": base_url, "model": "echo-1", "limits": limits, **changes.pop("model", {})}
    entry = {"use": "prompt", "model": "m", "template": "ask.j2", "documents": "documents.jsonl"}
    entry |= changes.pop("generator", {})
    values = {
        "models": {"m": model}, "generators": [entry], "cells": {"quota": count}, "accepted_risks": WAIVER,
        "checks": [f"{CHECKED}:any_text"], **changes,
    }  # fmt: skip
    (folder / "holdfast.yaml").write_text(json.dumps({"version": 1, **values}))
    return load(folder / "holdfast.yaml")


def rows(out: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a result file; none where it is not there."""
    path = out / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def results(out: Path) -> dict[str, bytes]:
    """The bytes of every result file."""
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.jsonl"))}


def ledger(out: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query on the ledger of a run."""
    base = sqlite3.connect(f"file:{out / LEDGER}?mode=ro", uri=True)
    try:
        return base.execute(query).fetchall()
    finally:
        base.close()


@contextmanager
def echo(folder: Path, *faults: str, **more: Any) -> Iterator[Proxy]:
    """A proxy that answers by itself, with faults."""
    place = folder / "proxy"
    place.mkdir(exist_ok=True, parents=True)
    with proxy(None, *faults, folder=place, **more) as between:
        yield between
