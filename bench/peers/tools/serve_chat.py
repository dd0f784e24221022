"""An OpenAI-compatible endpoint on this machine: made-up answers after a fixed time, and faults on request.

    python -m bench.peers.tools.serve_chat FILE [--latency SECONDS] [--faults SHARE]

Writes its base URL into FILE when it listens, and serves until it is ended. An answer is made from a hash of the
request, begins with the number of the item asked about, and comes in a body of about 700 bytes. Of the requests the
share FAULTS is answered by an error, half of them 500 and half 429 without Retry-After; which ones follows from a hash
of the body and of how often that body came before, so that everybody meets the same faults. `GET /stats` tells how many
requests came and when the first came and the last was answered.
"""

import argparse
import asyncio
import json
import re
import socket
import time
from collections import Counter
from hashlib import blake2b
from itertools import cycle, islice
from pathlib import Path
from typing import cast

HEADER_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
# How prompts name what they ask about; answers begin with it, so that a mixed-up row is seen.
ITEM = re.compile(rb"item (\d+)")
WORDS = (
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbour", "island", "juniper", "kiln", "lagoon",
    "meadow", "north", "orchard", "pebble", "quarry", "river", "stone", "timber", "upland", "valley", "willow",
    "yarrow", "anchor", "bridge", "candle", "dome", "engine", "ferry", "gate", "hill",
)  # fmt: skip
WORDS_PER_ANSWER = 64
BACKLOG = 4096


class Endpoint:
    """What all connections share: how answers are made, when they are sent, and what was counted."""

    def __init__(self, latency: float, faults: float) -> None:
        self.latency, self.faults = latency, faults
        self.seen: Counter[bytes] = Counter()
        self.codes: Counter[int] = Counter()
        self.flying = self.most = 0
        self.first = self.last = 0.0

    def take(self, body: bytes) -> bytes:
        """Count one request and return its whole response, to be sent after the latency."""
        self.first = self.first or time.monotonic()
        self.flying += 1
        self.most = max(self.most, self.flying)
        asked = blake2b(body, digest_size=32).digest()
        self.seen[asked] += 1
        code = self.code(asked, self.seen[asked])
        self.codes[code] += 1
        return response(code, answer(body, asked) if code == 200 else fault(code))

    def code(self, asked: bytes, attempt: int) -> int:
        """Return the status for the so-manieth attempt at a request."""
        drawn = blake2b(asked + attempt.to_bytes(4, "little"), digest_size=4).digest()
        chance = int.from_bytes(drawn, "little") / 2**32
        return 200 if chance >= self.faults else 500 if chance < self.faults / 2 else 429

    def sent(self) -> None:
        """Count one response as sent."""
        self.flying -= 1
        self.last = time.monotonic()

    def stats(self) -> bytes:
        """Return what was counted as JSON."""
        told = {
            "requests": self.codes.total(),
            "codes": self.codes,
            "bodies": len(self.seen),
            "most_in_flight": self.most,
            "seconds": self.last - self.first,
        }
        return json.dumps(told).encode()


class Connection(asyncio.Protocol):
    """One connection that is kept alive: requests in, responses out, each after its time."""

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        self.endpoint, self.loop, self.buffer = endpoint, loop, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self.buffer += data
        while (end := self.buffer.find(HEADER_END)) >= 0:
            found = LENGTH.search(self.buffer, 0, end)
            whole = end + len(HEADER_END) + (int(found[1]) if found else 0)
            if len(self.buffer) < whole:
                break
            head, body = self.buffer[:end], self.buffer[end + len(HEADER_END) : whole]
            self.buffer = self.buffer[whole:]
            if head.startswith(b"POST "):
                self.loop.call_later(self.endpoint.latency, self.send, self.endpoint.take(body))
            else:
                known = self.endpoint.stats() if head.startswith(b"GET /stats") else b'{"object":"list","data":[]}'
                self.transport.write(response(200, known))

    def send(self, whole: bytes) -> None:
        """Send a response, where the other side still listens."""
        self.endpoint.sent()
        if not self.transport.is_closing():
            self.transport.write(whole)


def answer(body: bytes, asked: bytes) -> bytes:
    """Return a chat completion for a request: the number of its item and words that follow from its hash."""
    found = ITEM.search(body)
    words = " ".join(WORDS[byte % len(WORDS)] for byte in islice(cycle(asked), WORDS_PER_ANSWER))
    message = {
        "role": "assistant",
        "content": f"Item {found[1].decode() if found else '?'}: {asked.hex()[:16]} {words}.",
    }
    completion = {
        "id": f"chatcmpl-{asked.hex()[:16]}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "made-up",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 30, "completion_tokens": 90, "total_tokens": 120},
    }
    return json.dumps(completion).encode()


def fault(code: int) -> bytes:
    """Return the body of an error."""
    kind = "rate_limit_exceeded" if code == 429 else "server_error"
    return json.dumps({"error": {"message": "made-up fault", "type": kind, "code": kind}}).encode()


def response(code: int, body: bytes) -> bytes:
    """Return a whole HTTP response."""
    head = f"HTTP/1.1 {code} Made\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def serve(endpoint: Endpoint, told: Path) -> None:
    """Listen on a free port, tell it, and serve for ever."""
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    server = await loop.create_server(lambda: Connection(endpoint, loop), sock=listener, backlog=BACKLOG)
    part = told.with_suffix(".part")
    part.write_text(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", "utf-8")
    part.rename(told)
    await server.serve_forever()


def main() -> None:
    """Serve on uvloop, because the default loop would be the bottleneck of the fastest clients."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--faults", type=float, default=0.0)
    given = parser.parse_args()
    import uvloop  # noqa: PLC0415 - only this environment has it, and the functions above are of use without it

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Endpoint(given.latency, given.faults), given.file))


if __name__ == "__main__":
    main()
