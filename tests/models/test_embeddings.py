"""Embeddings from a real server: a row for each text in order, whatever order and faults the server answers with."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest

from holdfast.core.errors import StoppedError
from holdfast.core.settings import Limits, Model
from holdfast.models.embeddings import BATCH, embed
from holdfast.models.endpoint import Endpoint
from tests.models.wire_servers import Act, Server, answer, raw, serving

Rows = Callable[[list[str]], list[dict[str, Any]]]


def embedded(texts: list[str], rows: Rows, first: list[Act] = []) -> tuple[np.ndarray, int]:  # noqa: B006
    """Vectors of texts from a server that answers by `rows`, after acts of its own, and its number of requests."""

    async def scene() -> tuple[np.ndarray, int]:
        acts = list(first)

        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = orjson.loads(server.requests[-1].body)
            assert ("e-1", "float") == (asked["model"], asked["encoding_format"])
            do = acts.pop(0) if acts else answer(orjson.dumps({"data": rows(asked["input"])}))
            await do(reader, writer)

        server: Server
        async with serving({"embeddings": act}) as server:
            model = Model(base_url=server.url, model="e-1", limits=Limits(concurrency=2, timeout=5, attempts=3))
            async with Endpoint("it", model) as endpoint:
                return await embed(endpoint, texts), len(server.requests)

    return asyncio.run(scene())


def lengths(texts: list[str]) -> list[dict[str, Any]]:
    """A vector for each text, in the wrong order."""
    return [{"index": i, "embedding": [float(text), 1.0]} for i, text in enumerate(texts)][::-1]


def test_rows_are_in_the_order_of_the_texts() -> None:
    """Several batches, each answered in another order, give a row for each text in its place."""
    texts = [str(n) for n in range(2 * BATCH + 5)]
    vectors, requests = embedded(texts, lengths)
    assert (3, np.float32, (2 * BATCH + 5, 2)) == (requests, vectors.dtype, vectors.shape)
    assert list(range(2 * BATCH + 5)) == vectors[:, 0].tolist()


def test_faults_are_tried_again() -> None:
    """A reset, a 500 and a cut body cost an attempt each, and no text."""
    faults = [raw(b"", reset=True), answer(b"", "500 Internal Server Error")]
    vectors, requests = embedded(["4"], lengths, faults)
    assert ([[4.0, 1.0]], 3) == (vectors.tolist(), requests)


def test_no_text_no_request() -> None:
    """Nothing asked is nothing sent."""
    assert ((0, 0), 0) == ((found := embedded([], lengths))[0].shape, found[1])


@pytest.mark.parametrize(
    "rows",
    [
        lambda texts: lengths(texts)[1:],
        lambda texts: [*lengths(texts), {"index": 7, "embedding": [1.0, 1.0]}],
        lambda texts: [{"index": i, "embedding": [1.0] * (i + 1)} for i in range(len(texts))],
        lambda texts: [{"index": i, "embedding": []} for i in range(len(texts))],
        lambda texts: [{"index": i, "embedding": [1e39, 1.0]} for i in range(len(texts))],
        lambda texts: [{"index": i} for i in range(len(texts))],
        lambda texts: "abc",
    ],
)
def test_other_vectors_than_asked_for_stop(rows: Rows) -> None:
    """Missing, additional, uneven, empty and infinite vectors stop in words, after the attempts of the limits."""
    with pytest.raises(StoppedError, match="no embeddings with e-1: malformed"):
        embedded(["1", "2"], rows)


def test_batches_of_other_dimensions_stop() -> None:
    """A model whose vectors change their length between batches is no encoder."""
    texts = ["1"] * BATCH + ["2"]
    with pytest.raises(StoppedError, match=r"\[1, 2\] dimensions"):
        embedded(texts, lambda batch: [{"index": i, "embedding": [1.0] * int(t)} for i, t in enumerate(batch)])


def test_what_no_attempt_mends_stops_at_once() -> None:
    """A wrong key is not tried three times."""
    with pytest.raises(StoppedError, match="unauthorised"):
        embedded(["1"], lengths, [answer(b"no", "401 Unauthorized")])
