"""Batches of calls for half the money and a day's patience: the batch API of OpenAI and of those who offer the same.

A set of calls is one file; its answers come in another, in any order, and some may be missing. They are put together
by custom id: what has no answer stays pending. Nothing is submitted twice: a batch carries the name of its run and of
its set, and is looked for among those that the provider lists before anything is sent. The ledger is the caller's.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Any, Protocol

import orjson

from holdfast.core.errors import StoppedError, UsageError
from holdfast.models.problem import problem_of
from holdfast.models.reply import Ended, Halt, Reply, unanswered

CHAT = "/v1/chat/completions"
# OpenAI takes 50,000 requests and 200 MB at most. A fifth of that keeps the answers, some kB each, below ANSWERS.
MOST_CALLS, MOST_BYTES = 10_000, 100_000_000
ANSWERS = 256 * 2**20
"""Bytes of a file of answers that are taken: 10,000 answers of 25 kB."""
# The listing is read page by page, newest first; so many pages hold the batches of a month of a busy account.
PAGE, MOST_PAGES = 100, 50
OPEN = ("validating", "in_progress", "finalizing", "cancelling")
FAILED = "failed"
RUN, SET = "holdfast_run", "holdfast_set"

Calls = Mapping[str, bytes]
"""Bodies of chat requests (JSON) by their custom ids."""


class PassingError(StoppedError):
    """The provider did not answer as it should, and may do so a little later."""


class GoneError(StoppedError):
    """The provider does not know the batch or its file any more."""


class Transport(Protocol):
    """What an `Endpoint` offers: paths below base_url, faults as replies."""

    async def post(self, path: str, body: bytes, content_type: str = ...) -> Reply:
        """Send a body and return what came back."""

    async def get(self, path: str, most: int = ...) -> Reply:
        """Ask for a path and return what came back, at most so many bytes."""


@dataclass(frozen=True, slots=True)
class State:
    """What the provider says of a batch. `files` are those of answers and of errors, as far as there are any."""

    id: str
    status: str
    files: tuple[str, ...] = ()
    done: int = 0
    total: int = 0
    problem: str = ""

    @property
    def finished(self) -> bool:
        """True when nothing more will come: completed, failed, expired or cancelled."""
        return self.status not in OPEN


def lines(calls: Calls) -> bytes:
    """Return the file of a batch: one JSON line per call, in the order of `calls`."""
    rows = [
        {"custom_id": name, "method": "POST", "url": CHAT, "body": orjson.Fragment(body)}
        for name, body in calls.items()
    ]
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def parts(calls: Calls) -> Iterator[Calls]:
    """Yield the calls in sets that a provider takes as one batch each, in their order."""
    part: dict[str, bytes] = {}
    size = 0
    for name, body in calls.items():
        if part and (len(part) == MOST_CALLS or size + len(body) > MOST_BYTES):
            yield part
            part, size = {}, 0
        part[name] = body
        size += len(body)
    if part:
        yield part


def name_of(calls: Calls) -> str:
    """Return the name of a set: a digest of its ids and bodies, whatever their order."""
    whole = blake2b(digest_size=16)
    for name in sorted(calls):
        whole.update(f"{len(name)}:{name}:{len(calls[name])}:".encode() + calls[name])
    return whole.hexdigest()


async def submit(endpoint: Transport, calls: Calls, run: str, known: Collection[str] = ()) -> str:
    """Return the id of the batch of these calls; write it down before waiting for it.

    A batch of the same run and set that is not among the `known` ids (a run was killed before it wrote the id down) is
    taken instead of a second one. Raises `StoppedError` where the provider does not answer as it should, and
    `UsageError` where it has no batches.
    """
    name = name_of(calls)
    if found := await find(endpoint, run, name, known):
        return found
    body, content_type = _multipart(lines(calls), name)
    file = _object(await endpoint.post("files", body, content_type), "take a file")
    asked = {
        "input_file_id": file["id"], "endpoint": CHAT, "completion_window": "24h", "metadata": {RUN: run, SET: name}
    }  # fmt: skip
    reply = await endpoint.post("batches", orjson.dumps(asked))
    # The answer may be lost when the batch is there: look before saying that it is not.
    if reply.status != 200 and (found := await find(endpoint, run, name, known)):
        return found
    return str(_object(reply, "take a batch")["id"])


async def find(endpoint: Transport, run: str, name: str, known: Collection[str]) -> str | None:
    """Return the id of the batch of this run and set, or None: a run that was killed may not have written it down.

    Batches among the `known` ids are other ones, of earlier attempts; one that failed validation does not count.
    """
    async for batch in _listed(endpoint):
        mine = _label(batch, RUN) == run and _label(batch, SET) == name
        if mine and batch["id"] not in known and batch.get("status") != FAILED:
            return str(batch["id"])
    return None


async def poll(endpoint: Transport, batch: str) -> State:
    """Return the state of a batch. Raises `StoppedError` where the provider does not say: ask again later."""
    return _state(_object(await endpoint.get(f"batches/{batch}"), f"show the batch {batch}"))


async def collect(endpoint: Transport, batch: str, wanted: Collection[str]) -> Iterator[tuple[str, Reply]]:
    """Return the replies of a finished batch to the calls `wanted`, each once, in the order of the files.

    Calls without a reply are pending still: those that are missing, that expired or were cancelled, and lines that
    cannot be read. A reply with an error status is a reply. Raises `StoppedError` for a batch that is not finished or
    that the provider refused as a whole, and where a file does not come.
    """
    state = await poll(endpoint, batch)
    if not state.finished:
        raise StoppedError(f"The batch {batch} is {state.status}: {state.done} of {state.total}.", "Wait for it.")
    if state.status == FAILED:
        raise StoppedError(f"The provider refused the batch {batch}: {state.problem}.", "Mend the settings.")
    texts = [await _file(endpoint, file) for file in state.files]
    return _replies(chain.from_iterable(map(_rows, texts)), set(wanted))


def _replies(rows: Iterator[dict[str, Any]], wanted: set[str]) -> Iterator[tuple[str, Reply]]:
    for row in rows:
        name, response = row.get("custom_id"), row.get("response")
        if name in wanted and isinstance(response, dict) and isinstance(response.get("status_code"), int):
            wanted.discard(name)
            yield name, Reply(response["status_code"], {}, orjson.dumps(response.get("body")))


def _rows(text: bytes) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON lines; what is no object, such as a torn last line, is left out."""
    for line in text.splitlines():
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(row, dict):
            yield row


async def _listed(endpoint: Transport) -> AsyncIterator[dict[str, Any]]:
    """Yield the batches of the account, newest first."""
    after = ""
    for _ in range(MOST_PAGES):
        page = _object(await endpoint.get(f"batches?limit={PAGE}{after}"), "list its batches")
        batches = [batch for batch in page.get("data") or () if isinstance(batch, dict) and "id" in batch]
        for batch in batches:
            yield batch
        if not page.get("has_more") or not batches:
            return
        after = f"&after={batches[-1]['id']}"
    raise StoppedError(
        f"The provider lists more than {PAGE * MOST_PAGES} batches.", "Remove old ones, or use another key."
    )


def _label(batch: Mapping[str, Any], name: str) -> str | None:
    labels = batch.get("metadata")
    return labels.get(name) if isinstance(labels, dict) else None


def _state(batch: Mapping[str, Any]) -> State:
    files = tuple(str(batch[name]) for name in ("output_file_id", "error_file_id") if batch.get(name))
    counts = batch.get("request_counts") or {}
    done = int(counts.get("completed") or 0) + int(counts.get("failed") or 0)
    errors = (batch.get("errors") or {}).get("data") or ()
    problem = "; ".join(str(error.get("message", error)) for error in errors if isinstance(error, dict))
    return State(str(batch["id"]), str(batch.get("status")), files, done, int(counts.get("total") or 0), problem)


async def _file(endpoint: Transport, file: str) -> bytes:
    reply = await endpoint.get(f"files/{file}/content", ANSWERS)
    if reply.status != 200:
        raise _refused(reply, f"give the file {file}")
    return reply.body


def _object(reply: Reply, what: str) -> dict[str, Any]:
    """Return the JSON object of a reply. Raises an error that says what the provider did not do."""
    if reply.status != 200:
        raise _refused(reply, what)
    try:
        value = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise StoppedError(f"The provider did not {what}: its answer is no JSON object.", "Run the same command again.")
    return value


def _refused(reply: Reply, what: str) -> StoppedError | UsageError:
    said = f"The provider did not {what}: {reply.fault or reply.status} {problem_of(reply.body).message}".rstrip()
    if reply.status in (404, 405, 501) and what.startswith(("list", "take")):
        return UsageError(f"{said}. It seems to have no batches.", "Remove batch: true from the generator.")
    gone, passing = reply.status in (404, 410), not isinstance(unanswered(reply, ""), Ended | Halt)
    kind = GoneError if gone else PassingError if passing else StoppedError
    return kind(f"{said}.", "Run the same command again: what is submitted is not submitted twice.")


def _multipart(data: bytes, name: str) -> tuple[bytes, str]:
    """Return a form with the purpose and the file, and its content type. The name of the set parts it."""
    mark = f"holdfast-{name}"
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}.jsonl"\r\n'
        f"Content-Type: application/jsonl\r\n\r\n"
    )
    return b"".join((head.encode(), data, f"\r\n--{mark}--\r\n".encode())), f"multipart/form-data; boundary={mark}"
