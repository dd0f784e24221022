"""Endpoints over real sockets: one deadline, bounded bodies, no redirects, no cookies, the key in one header only."""

import asyncio
import gzip
import logging
import socket
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from holdfast.core.errors import UsageError
from holdfast.core.settings import Limits, Model
from holdfast.models.endpoint import BODY_CAP, Endpoint
from holdfast.models.key import Key
from holdfast.models.reply import Reply
from tests.models.wire_servers import Act, Server, answer, bomb, flood, raw, serving, trickle

CANARY = "sk-canary-0123456789-WXYZ"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


def asked(acts: dict[str, Act], work: Callable[[Endpoint, Server], Awaitable[Any]], **model: Any) -> Any:
    """What `work` returns for an endpoint that is a server with these acts."""

    async def scene() -> Any:
        async with serving(acts) as server:
            limits = model.pop("limits", Limits(timeout=5))
            async with Endpoint("it", Model(base_url=server.url, model="m", limits=limits, **model), Key(CANARY)) as it:
                return await work(it, server)

    return asyncio.run(scene())


def reply_to(act: Act, **model: Any) -> Reply:
    """The reply to one post that the server answers with `act`."""
    return asked({"x": act}, lambda endpoint, _: endpoint.post("x", b"{}"), **model)


def test_a_request_is_what_was_asked_for() -> None:
    """Path, body, key and headers arrive as meant; nothing of the library's own is added."""

    async def work(endpoint: Endpoint, server: Server) -> Reply:
        reply = await endpoint.post("chat/completions", b'{"a":1}')
        [request] = server.requests
        assert "POST /v1/chat/completions HTTP/1.1" == request.line
        assert b'{"a":1}' == request.body
        assert {
            "host": f"127.0.0.1:{server.port}", "accept": "application/json", "accept-encoding": "gzip",
            "content-type": "application/json", "user-agent": "holdfast", "x-team": "red", "content-length": "7",
            "authorization": f"Bearer {CANARY}",
        } == request.headers  # fmt: skip
        return reply

    reply = asked({"chat/completions": answer(b'{"b":2}', X_Odd="yes")}, work, headers={"X-Team": "red"})
    assert (200, b'{"b":2}', "yes", "") == (reply.status, reply.body, reply.headers["x-odd"], reply.fault)


def test_connections_are_used_again() -> None:
    """Twenty requests of two workers need two connections; a get is one of them."""

    async def work(endpoint: Endpoint, server: Server) -> int:
        async def worker() -> None:
            for _ in range(10):
                assert 200 == (await endpoint.get("models")).status

        await asyncio.gather(worker(), worker())
        return server.connections

    assert 2 == asked({"models": answer()}, work)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nX-Slow: ", HEAD, HEAD.replace(b"Length: 1000", b"Type: a/b")]
)
def test_a_trickle_ends_at_the_deadline(head: bytes) -> None:
    """Bytes that keep coming, in the head or in the body, do not move the deadline."""
    assert "timeout" == reply_to(trickle(head, 0.05), limits=Limits(timeout=0.3)).fault


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (raw(b"", reset=True), "reset"),
        (raw(b"", close=True), "reset"),
        (raw(HEAD + b"abc", reset=True), "cut"),
        (raw(HEAD + b"abc", close=True), "cut"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", close=True), "cut"),
        (answer(gzip.compress(b"x" * 1000)[:-9], Content_Encoding="gzip"), "cut"),
        (answer(b"no gzip", Content_Encoding="gzip"), "cut"),
        (answer(b"x", Content_Encoding="br"), "encoding"),
        (raw(b"SSH-2.0-OpenSSH_9\r\n\r\n", close=True), "protocol"),
        (answer(X_Huge="x" * 100_000), "protocol"),
        (answer(**{f"X_{n}": "x" for n in range(5000)}), "protocol"),
        (flood, "too-large"),
        (answer(b"x" * (BODY_CAP + 1)), "too-large"),
        (answer(bomb(20), Content_Encoding="gzip"), "too-large"),
        (answer(b"", "302 Found", Location="http://other.invalid/v1/x"), "redirect"),
        (answer(b"", "307 Temporary Redirect", Location="/v1/y"), "redirect"),
        (answer(b"", "308 Permanent Redirect", Location="http://[bad"), "redirect"),
    ],
)
def test_faults_of_the_wire_are_replies(act: Act, fault: str) -> None:
    """Every fault of the wire comes back as its name with status 0, and never as an exception."""
    reply = reply_to(act)
    assert (0, fault) == (reply.status, reply.fault)


def test_a_bomb_takes_little_memory() -> None:
    """A gzip body of 100 MB is given up at the cap: less than four times the cap is ever held."""
    body = bomb(100)
    tracemalloc.start()
    try:
        assert "too-large" == reply_to(answer(body, Content_Encoding="gzip")).fault
        assert tracemalloc.get_traced_memory()[1] < 4 * BODY_CAP
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 70_000, b"x" * BODY_CAP])
def test_bodies_up_to_the_cap_arrive(body: bytes) -> None:
    """Plain or compressed, a body of at most 10 MB is handed on as it is."""
    assert body == reply_to(answer(body)).body
    assert body == reply_to(answer(gzip.compress(body, 1), Content_Encoding="GZIP")).body


def test_a_redirect_is_not_followed() -> None:
    """Nothing, and no key, goes where a redirect leads; the reply says where that is."""

    async def scene() -> tuple[Reply, int]:
        async with serving({"x": answer()}) as other:
            act = answer(b"", "307 Temporary Redirect", Location=other.url + "/x")
            async with serving({"x": act}) as server, Endpoint("it", Model(base_url=server.url, model="m")) as endpoint:
                return await endpoint.post("x", b"{}"), other.connections

    reply, connections = asyncio.run(scene())
    assert (b"to http://127.0.0.1", 0) == (reply.body, connections)


def test_cookies_are_not_kept() -> None:
    """What a server sets is not sent back."""

    async def scene() -> list[str]:
        async with serving({"x": answer(Set_Cookie="a=b")}) as server:
            # By name: for bare addresses the library would keep no cookies anyway.
            model = Model(base_url=server.url.replace("127.0.0.1", "localhost"), model="m")
            async with Endpoint("it", model) as endpoint:
                for _ in range(2):
                    assert 200 == (await endpoint.post("x", b"{}")).status
            return [name for request in server.requests for name in request.headers if name == "cookie"]

    assert [] == asyncio.run(scene())


def test_proxies_of_the_environment_are_not_used(monkeypatch) -> None:
    """HTTP_PROXY sends neither requests nor key elsewhere."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert 200 == reply_to(answer()).status


def test_nobody_listens() -> None:
    """A closed port is refused: certainly nothing was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def scene() -> Reply:
        async with Endpoint("it", Model(base_url=f"http://127.0.0.1:{port}", model="m")) as endpoint:
            return await endpoint.post("x", b"{}")

    assert "refused" == asyncio.run(scene()).fault


def test_plain_text_where_tls_is_meant() -> None:
    """https to a server without TLS is a fault of its own, since no attempt mends it."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    async def scene() -> Reply:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, Endpoint("it", Model(base_url=f"https://127.0.0.1:{port}", model="m")) as endpoint:
            return await endpoint.post("x", b"{}")

    assert "tls" == asyncio.run(scene()).fault


def test_faults_leave_the_endpoint_usable() -> None:
    """After each kind of fault the next request is answered."""
    acts = {"cut": raw(HEAD + b"a", close=True), "flood": flood, "slow": trickle(HEAD, 0.05), "good": answer(b"fine")}

    async def work(endpoint: Endpoint, _: Server) -> list[str]:
        return [(await endpoint.post(path, b"{}")).fault for path in ("cut", "good", "flood", "good", "slow", "good")]

    limits = Limits(timeout=0.5, concurrency=1)
    assert ["cut", "", "too-large", "", "timeout", ""] == asked(acts, work, limits=limits)


def test_the_key_shows_nowhere(caplog) -> None:
    """Neither a reply that repeats the key, nor logs in debug mode, nor the endpoint itself show it."""
    caplog.set_level(logging.DEBUG)

    async def work(endpoint: Endpoint, _: Server) -> list[str]:
        asyncio.get_running_loop().set_debug(True)
        replies = [await endpoint.post(path, b"{}") for path in ("echo", "cut", "moved")]
        return [repr(replies), repr(endpoint), repr(vars(endpoint)["_key"])]

    acts = {
        "echo": answer(f"wrong key {CANARY}".encode(), "401 Unauthorized"),
        "cut": raw(HEAD + CANARY.encode(), close=True),
        "moved": answer(b"", "302 Found", Location=f"http://h.invalid/{CANARY}"),
    }
    shown = [*asked(acts, work), caplog.text]
    assert [] == [text for text in shown if "canary" in text]


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ({"base_url": "localhost:8000"}, "base_url"),
        ({"base_url": "ftp://h/v1"}, "base_url"),
        ({"base_url": "http://[bad"}, "base_url"),
        ({"base_url": "http://me:secret@h/v1"}, "key_env"),
        ({"base_url": "http://h/v1?key=secret"}, "key_env"),
        ({"base_url": "http://h", "headers": {"authorization": "Bearer secret"}}, "key_env"),
        ({"base_url": "http://h", "key_env": "NO_SUCH_KEY"}, "NO_SUCH_KEY"),
    ],
)
def test_settings_that_cannot_be_meant(model: dict[str, Any], named: str) -> None:
    """Wrong addresses, and keys in places where they would be shown, are refused with the way out."""
    with pytest.raises(UsageError, match=named):
        Endpoint("it", Model(model="m", **model))


def test_an_endpoint_is_used_while_it_is_open() -> None:
    """Outside `async with` a request is the mistake of a program, said in words."""
    with pytest.raises(UsageError, match="not open"):
        asyncio.run(Endpoint("it", Model(base_url="http://h", model="m")).post("x", orjson.dumps({})))
