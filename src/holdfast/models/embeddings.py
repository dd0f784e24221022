"""Vectors of texts from an endpoint with the /embeddings API: one per text, in the order of the texts."""

import asyncio
import time
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from holdfast.core.errors import StoppedError
from holdfast.models.endpoint import Endpoint
from holdfast.models.gate import Gate, backoff
from holdfast.models.reply import Again, Ended, Halt, Reply, unanswered

# Texts of one request: local servers take 32 to 256, hosted ones up to 2048.
BATCH = 64
# Four characters are about a token of English; it matters only where the settings limit tokens a minute.
CHARACTERS_OF_A_TOKEN = 4

Vectors = NDArray[np.float32]


async def embed(endpoint: Endpoint, texts: Sequence[str]) -> Vectors:
    """Return one row per text as the endpoint's model gives it, not scaled to length one.

    Raises `StoppedError` where the endpoint does not give one vector for each text, all equally long and finite, within
    the attempts of its limits.
    """
    gate = Gate(endpoint.model.limits)
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_batch(endpoint, gate, batch)) for batch in batches]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    parts = [task.result() for task in tasks]
    if len(widths := {part.shape[1] for part in parts}) > 1:
        raise _stopped(endpoint, f"its vectors have {sorted(widths)} dimensions")
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


async def _batch(endpoint: Endpoint, gate: Gate, texts: Sequence[str]) -> Vectors:
    model, random = endpoint.model, Random(texts[0])
    body = orjson.dumps({**model.extra_body, "model": model.model, "input": texts, "encoding_format": "float"})
    due, why = 0.0, ""
    for attempt in range(1, model.limits.attempts + 1):
        await gate.enter(sum(map(len, texts)) // CHARACTERS_OF_A_TOKEN, due)
        found = _read(await endpoint.post("embeddings", body), len(texts), model.model)
        if not isinstance(found, Again):
            gate.leave("ok")
            if isinstance(found, np.ndarray):
                return found
            raise _stopped(endpoint, f"{found.reason} {found.detail}".strip())
        gate.leave("throttled" if found.throttled else "fault", found.after)
        why, due = f"{found.reason} {found.detail}".strip(), time.monotonic() + backoff(attempt, random)
    raise _stopped(endpoint, why)


def _read(reply: Reply, count: int, asked: str) -> Vectors | Again | Ended | Halt:
    if reply.status != 200:
        return unanswered(reply, asked)
    try:
        vectors = _vectors(orjson.loads(reply.body), count)
    except (ValueError, TypeError, KeyError) as error:
        return Again("malformed", charged=True, detail=str(error)[:100])
    return vectors


def _vectors(body: Any, count: int) -> Vectors:
    """Return the vectors in the order of their index. Raises what a body of another shape raises."""
    rows = {item["index"]: item["embedding"] for item in body["data"]}
    if sorted(rows) != list(range(count)):
        raise ValueError(f"{len(rows)} vectors for {count} texts")
    with np.errstate(over="ignore"):  # too large for the type becomes infinite, which is refused below
        vectors = np.array([rows[index] for index in range(count)], np.float32)
    if vectors.ndim != 2 or vectors.shape[1] == 0 or not np.isfinite(vectors).all():
        raise ValueError("vectors that are empty or not finite")
    return vectors


def _stopped(endpoint: Endpoint, why: str) -> StoppedError:
    return StoppedError(
        f"The endpoint {endpoint.name} gives no embeddings with {endpoint.model.model}: {why}.",
        "See whether it has the /embeddings API and this model, then run the same command again.",
    )
