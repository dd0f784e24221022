"""Real servers on loopback that misbehave on the wire: they send the bytes that belong to the path asked for."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    """One request as it came: its first line, its headers with lower-case names, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A server that has seen `requests` and answers each by the act of its path."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@asynccontextmanager
async def serving(acts: dict[str, Act]) -> AsyncIterator[Server]:
    """Serve on a free port of loopback until the block ends."""
    server = Server()
    writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        writers.add(writer)
        try:
            while request := await read(reader):
                server.requests.append(request)
                await acts[request.line.split()[1].removeprefix("/v1/")](reader, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writers.discard(writer)
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for writer in list(writers):
            writer.transport.abort()
        await asyncio.sleep(0.01)


async def read(reader: asyncio.StreamReader) -> Request | None:
    """Read one request, None at the end of the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    line, *rest = head.strip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
    return Request(line, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


def answer(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> Act:
    """A proper response with these bytes."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{''.join(lines)}\r\n".encode("latin-1")
    return raw(head + body)


def raw(data: bytes, *, close: bool = False, reset: bool = False) -> Act:
    """These bytes and no other, then the connection goes on, is closed or is reset."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        if reset:
            writer.transport.abort()
        if reset or close:
            raise ConnectionError

    return act


def trickle(head: bytes, pause: float) -> Act:
    """A head, then a byte every `pause` seconds, a hundred of them, and the connection is closed."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _ in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(pause)
        raise ConnectionError

    return act


def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Awaitable[None]:
    """A chunked body without end."""

    async def act() -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()

    return act()


def bomb(megabytes: int) -> bytes:
    """A gzip file of zeros that decompresses to so many megabytes."""
    return gzip.compress(bytes(megabytes * 2**20), 9)
