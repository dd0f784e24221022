"""A recording reverse proxy that injects faults, for tests and benchmarks of whatever talks to a model.

It stands between a client and a real server (or answers itself, `--echo`) and does three things:

- **Faults** strike by a hash of seed, kind, request body and, in mode `each`, the attempt at that body: a run replays.
- **Answers are recorded**: the first answer of the upstream to a body is given to that body ever after, because a
  server that decodes in batches does not repeat itself. A killed run and an unkilled one see the same answers.
- **The log is the truth**: one JSON line for each request received, flushed before its answer is sent.

A fault is written KIND=SHARE[:MODE[:AFTER]]. Modes: `each` draws for each attempt, `first` strikes only the first
attempt at a body, `ever` every attempt at a share of the bodies. AFTER: only requests after that many strike.
"""

import argparse
import asyncio
import contextlib
import gzip
import json
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import blake2b
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, TCPConnector, web

RETRY_AFTER = 1.0  # seconds that a 429 with a usable Retry-After asks for, unless --retry-after says other
ABSURD = 10**9  # seconds; nobody waits 31 years
BOMB_BYTES = 100 * 2**20  # of a body that takes some 100 kB on the wire
DRIP = 1.0  # seconds between two bytes of a slow-loris answer, unless --drip says other
ELSEWHERE = "http://localhost:9/v1/chat/completions"  # another host by name, and nobody listens there
MODES = ("each", "first", "ever")


def _choice(**members: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change of the first choice: `finish_reason`, or members of its message."""

    def change(answer: dict[str, Any]) -> None:
        choice = answer["choices"][0]
        if "finish_reason" in members:
            choice["finish_reason"] = members["finish_reason"]
        choice["message"].update({key: value for key, value in members.items() if key != "finish_reason"})

    return change


def _length(answer: dict[str, Any]) -> None:
    choice = answer["choices"][0]
    choice["finish_reason"] = "length"
    choice["message"]["content"] = choice["message"]["content"][: len(choice["message"]["content"]) // 2]


# Answers with status 200 that are not what they should be.
CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "length": _length,
    "content_filter": _choice(finish_reason="content_filter", content=None),
    "null": _choice(content=None),
    "empty": _choice(content=""),
    "refusal": _choice(content=None, refusal="I cannot help with that."),
    "prose": _choice(content="Certainly, here is what you asked for."),
    "no_choices": lambda answer: answer.update(choices=[]),
    "renamed": lambda answer: answer.update(model="another-model"),
    "no_usage": lambda answer: answer.pop("usage", None),
    "huge_usage": lambda answer: answer.update(usage={"prompt_tokens": 2**63, "completion_tokens": 1}),
}
# Refusals of the endpoint: (status, code of the error). Any other number is a status, too.
ERRORS = {"context_length": (400, "context_length_exceeded"), "402": (402, "insufficient_quota")}
RETRY_HEADERS: dict[str, Callable[[float], str]] = {
    "429_seconds": lambda seconds: f"{seconds:g}",
    "429_date": lambda seconds: formatdate(time.time() + seconds + 1, usegmt=True),  # whole seconds, rounded down
    "429_absurd": lambda _: str(ABSURD),
}
WIRE = ("reset", "cut", "torn", "slow_loris", "redirect", "gzip_bomb")


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, how often it strikes, on which attempts, and from which request on."""

    kind: str
    share: float
    mode: str = "each"
    after: int = 0

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Read KIND=SHARE[:MODE[:AFTER]]; an unknown kind or mode is a ValueError."""
        kind, _, rest = text.partition("=")
        share, mode, after = (rest.split(":") + ["each", "0"][rest.count(":") :])[:3]
        known = kind in CHANGES or kind in ERRORS or kind in RETRY_HEADERS or kind in WIRE
        if mode not in MODES or not (known or (kind.isdecimal() and 400 <= int(kind) < 600)):
            raise ValueError(f"unknown fault {text!r}")
        return cls(kind, float(share), mode, int(after))

    def strikes(self, seed: int, digest: str, attempt: int, number: int) -> bool:
        """Return whether this request is struck; the same arguments always say the same."""
        if number <= self.after or (self.mode == "first" and attempt > 1):
            return False
        drawn = f"{seed} {self.kind} {digest} {attempt if self.mode == 'each' else ''}".encode()
        return int.from_bytes(blake2b(drawn, digest_size=8).digest()) < self.share * 2**64


@dataclass(slots=True)
class Desk:
    """The state of one proxy: what it was told, what it has recorded, and how often it saw each body."""

    upstream: str | None
    faults: tuple[Fault, ...]
    seed: int
    latency: float
    log: Any
    store: Any
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asking: dict[str, asyncio.Lock] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    number: int = 0
    session: ClientSession | None = None
    retry_after: float = RETRY_AFTER
    drip: float = DRIP

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request: draw its fault, get or replay its answer, log it, send it."""
        body = await request.read()
        digest = request_digest(request.path, body)
        self.number += 1
        self.attempts[digest] += 1
        line = {"at": time.monotonic(), "number": self.number, "digest": digest, "attempt": self.attempts[digest]}
        kind = self._fault(digest, request.method) or ""
        early = kind and kind not in CHANGES and kind not in ("cut", "torn", "slow_loris")
        if self.latency:
            await asyncio.sleep(self.latency)
        status, payload = (0, b"") if early else await self._recorded(request, digest, body)
        if status == 200 and kind in CHANGES:
            payload = _changed(payload, CHANGES[kind])
        response = None if kind == "reset" else _response(kind, status, payload, self.retry_after)
        self._write(line, kind, request, response, payload)
        return await _send(request, kind, response, payload, self.drip)

    def _fault(self, digest: str, method: str) -> str | None:
        attempt = self.attempts[digest]
        struck = (fault.kind for fault in self.faults if fault.strikes(self.seed, digest, attempt, self.number))
        return next(struck, None) if method == "POST" else None

    async def _recorded(self, request: web.Request, digest: str, body: bytes) -> tuple[int, bytes]:
        if self.upstream is None:
            return 200, echo(digest, body)
        async with self.asking.setdefault(digest, asyncio.Lock()):
            if digest in self.answers and request.method == "POST":
                return self.answers[digest]
            if self.session is None:
                raise RuntimeError("the proxy does not serve yet")
            url = self.upstream.removesuffix("/v1") + request.path_qs
            headers = {"Content-Type": request.content_type}
            try:
                async with self.session.request(request.method, url, data=body, headers=headers) as given:
                    status, payload = given.status, await given.read()
            except ClientError as error:
                return 502, json.dumps({"error": {"message": f"No answer from upstream: {error}."}}).encode()
            if request.method == "POST":
                self.answers[digest] = status, payload
                if self.store:
                    kept = {"digest": digest, "status": status, "answer": payload.decode()}
                    self.store.write(json.dumps(kept) + "\n")
                    self.store.flush()
            return status, payload

    def _write(self, line: dict[str, Any], kind: str, request: web.Request, response: Any, payload: bytes) -> None:
        if not self.log:
            return
        usage: dict[str, int] = {}
        with contextlib.suppress(ValueError, AttributeError):
            usage = json.loads(payload).get("usage") or {}
        key = request.headers.get("Authorization")
        line |= {
            "path": request.path,
            "fault": kind or None,
            "status": response.status if response is not None else None,
            "input": usage.get("prompt_tokens", 0),
            "output": usage.get("completion_tokens", 0),
            "authorization": blake2b(key.encode(), digest_size=8).hexdigest() if key else None,
        }
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()


def request_digest(path: str, body: bytes) -> str:
    """Return by what the log and the recording know a request."""
    return blake2b(path.encode() + b"\0" + body, digest_size=12).hexdigest()


def echo(digest: str, body: bytes) -> bytes:
    """Return an answer of some 700 bytes made from the digest; under a schema, its required members as strings."""
    asked = json.loads(body or b"{}")
    words = [digest[place : place + 4] for place in range(0, len(digest), 4)]
    text = f"{' '.join(words)}. " + "The lazy fox of the quick brown dog jumps over its own tail again. " * 4
    schema = ((asked.get("response_format") or {}).get("json_schema") or {}).get("schema")
    if schema:
        text = json.dumps({name: f"{name} {' '.join(words)}." for name in schema.get("required", ())})
    message = {"role": "assistant", "content": text.strip()}
    usage = {"prompt_tokens": len(body) // 4, "completion_tokens": 64, "total_tokens": len(body) // 4 + 64}
    answer = {
        "id": f"chatcmpl-{digest}", "object": "chat.completion", "created": 1700000000, "model": asked.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": usage, "system_fingerprint": "echo",
    }  # fmt: skip
    return json.dumps(answer).encode()


def _changed(payload: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    answer = json.loads(payload)
    change(answer)
    return json.dumps(answer).encode()


def _response(kind: str, status: int, payload: bytes, retry_after: float) -> web.StreamResponse:
    if kind in RETRY_HEADERS:
        return _error(429, "rate_limit_exceeded", {"Retry-After": RETRY_HEADERS[kind](retry_after)})
    if kind in ERRORS:
        return _error(*ERRORS[kind])
    if kind.isdecimal():
        return _error(int(kind), f"injected_{kind}")
    if kind == "redirect":
        return web.Response(status=307, headers={"Location": ELSEWHERE})
    if kind == "gzip_bomb":
        return web.Response(body=bomb(), content_type="application/json", headers={"Content-Encoding": "gzip"})
    if kind in ("torn", "slow_loris"):
        declared = {"Content-Type": "application/json", "Content-Length": str(len(payload))}
        return web.StreamResponse(status=status, headers=declared)
    return web.Response(
        status=status, body=payload[: len(payload) // 2] if kind == "cut" else payload, content_type="application/json"
    )


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    error = {"error": {"message": f"Injected: {code}.", "type": code, "code": code}}
    return web.json_response(error, status=status, headers=headers)


def bomb(made: list[bytes] = []) -> bytes:  # noqa: B006  # kept on purpose: made once per process
    """Return gzip data of a JSON string of BOMB_BYTES spaces."""
    if not made:
        made.append(gzip.compress(b'{"choices": "' + b" " * BOMB_BYTES + b'"}', compresslevel=6))
    return made[0]


async def _send(
    request: web.Request, kind: str, response: web.StreamResponse | None, payload: bytes, drip: float
) -> web.StreamResponse:
    """Send what is sent in pieces or not at all; aiohttp sends the rest."""
    if response is None or kind == "torn":
        if response is not None:
            await response.prepare(request)
            await response.write(payload[: len(payload) // 2])
            await asyncio.sleep(0.05)  # the half is on its way before the connection goes
        _hang_up(request)
        return response or web.Response()
    if kind == "slow_loris":
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # who waits gives up first
            for place in range(len(payload)):
                await response.write(payload[place : place + 1])
                await asyncio.sleep(drip)
    return response


def _hang_up(request: web.Request) -> None:
    """Close the connection with a reset: an unread linger of zero seconds."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()


async def serve(desk: Desk, port: int) -> None:
    """Serve until standard input ends; prints the base URL once requests are answered."""
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", desk.answer)
    async with ClientSession(connector=TCPConnector(limit=0)) as desk.session:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=4096)
        await site.start()
        sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}/v1\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await runner.cleanup()


def main() -> None:
    """Read the command line, load what is recorded, serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--upstream", help="base URL of the real server, ending in /v1")
    source.add_argument("--echo", action="store_true", help="answer from a hash of the request")
    parser.add_argument("--fault", action="append", default=[], type=Fault.parse, metavar="KIND=SHARE[:MODE[:AFTER]]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0, help="milliseconds added to every answer")
    parser.add_argument("--retry-after", type=float, default=RETRY_AFTER, help="seconds in Retry-After")
    parser.add_argument("--drip", type=float, default=DRIP, help="seconds between two bytes of slow_loris")
    parser.add_argument("--log", type=Path, help="file of one line per request; appended to")
    parser.add_argument("--store", type=Path, help="file of recorded answers; read first, then appended to")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        log, store = (
            path and stack.enter_context(path.open("a", encoding="utf-8")) for path in (given.log, given.store)
        )
        desk = Desk(given.upstream, tuple(given.fault), given.seed, given.latency / 1000, log, store)
        desk.retry_after, desk.drip = given.retry_after, given.drip
        for line in given.store.read_text("utf-8").splitlines() if given.store else ():
            kept = json.loads(line)
            desk.answers[kept["digest"]] = kept["status"], kept["answer"].encode()
        with contextlib.suppress(KeyboardInterrupt):
            _run(serve(desk, given.port))


def _run(served: Any) -> None:
    try:
        import uvloop  # noqa: PLC0415  # optional extra [fast]
    except ImportError:
        asyncio.run(served)
    else:
        uvloop.run(served)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: where it listens, and its log."""

    base_url: str
    file: Path

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of all requests whose answer was sent or is about to be, in order of arrival."""
        lines = [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]
        return sorted(lines, key=lambda line: line["number"])


@contextmanager
def proxy(
    upstream: str | None, *faults: str, folder: Path, seed: int = 0, latency: float = 0, options: Sequence[str] = ()
) -> Iterator[Proxy]:
    """Yield a proxy in a process of its own, in front of `upstream` (None: echo); afterwards it has ended.

    Log and recorded answers are `log.jsonl` and `store.jsonl` of `folder`; a later proxy on the folder replays them.
    """
    source = ["--echo"] if upstream is None else ["--upstream", upstream]
    options = [*options, *(part for fault in faults for part in ("--fault", fault))]
    files = ["--log", str(folder / "log.jsonl"), "--store", str(folder / "store.jsonl")]
    command = [sys.executable, __file__, *source, *options, *files, "--seed", str(seed), "--latency", str(latency)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as child:
        try:
            address = child.stdout.readline().strip() if child.stdout else ""
            if not address:
                raise RuntimeError(f"the proxy ended with code {child.wait()}")
            yield Proxy(address, folder / "log.jsonl")
        finally:
            if child.stdin is not None:
                child.stdin.close()
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()


if __name__ == "__main__":
    main()
