"""Serves pages on this machine: binds loopback, asks the gate, hands over to a handler, adds the headers.

The handler is a plain function `Asked -> Reply`, so that pages are tested without a server.
"""

import socket
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.util import find_spec
from typing import Any

from holdfast.core.errors import MachineError, MissingExtraError
from holdfast.web.security import BODY_LIMIT, HEADERS, LOOPBACK, Asked, Gate, Refused, Reply, cookies_of, pairs_of

Handler = Callable[[Asked], Reply]
Explain = Callable[[Refused], Reply]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def require() -> None:
    """Raise `MissingExtraError` where the extra is not installed, before anything else is done."""
    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "web")


def listen(port: int = 0) -> socket.socket:
    """Return a socket that listens on loopback; port 0 takes a free one. Raises `MachineError` for a taken port."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((LOOPBACK, port))
    except OSError as error:
        taken.close()
        raise MachineError(f"Port {port} cannot be listened on: {error.strerror}.", "Give another --port.") from error
    taken.listen(128)
    return taken


def application(gate: Gate, handler: Handler, explain: Explain) -> App:
    """Return the ASGI application: the gate before everything, the handler behind it, the headers on every answer."""
    try:
        from starlette.requests import Request  # noqa: PLC0415  # optional extra [web]
        from starlette.responses import Response  # noqa: PLC0415  # optional extra [web]
    except ImportError as error:
        raise MissingExtraError("starlette", "web") from error

    async def answered(request: Request) -> Reply:
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = request.scope["path"]
        query = pairs_of(request.scope["query_string"].decode("latin-1"))
        refused = gate.refuses(request.method, path, query, headers)
        if refused is not None:
            return explain(refused)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > BODY_LIMIT:
                return explain(Refused(413, "The form is too large."))
        form = pairs_of(body.decode("utf-8", "replace"))
        return handler(Asked(request.method, path, query, form, cookies_of(headers)))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # no web sockets; uvicorn answers 500 to what nobody accepts
        reply = await answered(Request(scope, receive))
        response = Response(reply.body, reply.status, dict(HEADERS), media_type=reply.kind)
        if reply.location:
            response.headers["Location"] = reply.location
        for name, value in reply.cookies.items():
            response.set_cookie(name, value, httponly=True, samesite="strict", path="/")
        await response(scope, receive, send)

    return app


def serve(app: App, listening: socket.socket) -> None:
    """Serve until interrupted; requests under way are finished. Raises `MissingExtraError` without uvicorn."""
    try:
        from uvicorn import Config, Server  # noqa: PLC0415  # optional extra [web]
    except ImportError as error:
        raise MissingExtraError("uvicorn", "web") from error
    # No access log: it would have the token. No proxy headers: nobody stands before us. No warnings: a stray request
    # would tell people to install packages for it.
    config = Config(
        app,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    Server(config).run(sockets=[listening])
