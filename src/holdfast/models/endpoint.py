"""One OpenAI-compatible endpoint over HTTP: bytes out, a `Reply` back, whatever happens on the way.

Every request ends at one deadline that no trickle of bytes moves. Bodies are bounded after decompression, redirects are
never followed, cookies never kept. Proxies and .netrc files of the environment are not used: a key goes to the host
that the settings name and to no other. Retries and rates are decided elsewhere.
"""

import asyncio
import zlib
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import hdrs
from yarl import URL

from holdfast.core.errors import UsageError
from holdfast.core.settings import Model
from holdfast.models.key import Key
from holdfast.models.reply import Reply
from holdfast.models.request import body_of

__all__ = ["BODY_CAP", "Endpoint", "body_of"]

BODY_CAP = 10 * 2**20
"""Bytes of a body, decompressed. The longest answers of models are below 1 MB; logprobs make ten of it."""

# Seconds that an idle connection is kept: below the 60 s of common load balancers and the 5 s of uvicorn, which would
# close it in the moment of the next request.
KEEP_ALIVE = 4.0
# zlib: gzip or zlib format, told by the header.
_GZIP_OR_ZLIB = 47


class _FaultError(Exception):
    """A reply that is not read to its end; the name of the fault."""


class Endpoint:
    """An endpoint, used inside `async with`. Raises `UsageError` for a base_url or headers that cannot be meant."""

    def __init__(self, name: str, model: Model, key: Key | None = None) -> None:
        """Take the key from the environment where none is given."""
        self.name = name
        self.model = model
        self._key = key or Key.from_env(model.key_env)
        self._base = _base(name, model)
        self._headers = _headers(name, model, self._key)
        self._urls: dict[str, URL] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self.model.limits.concurrency, keepalive_timeout=KEEP_ALIVE, ttl_dns_cache=60
            ),
            headers=self._headers,
            skip_auto_headers=("User-Agent", "Content-Type"),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, path: str, body: bytes, content_type: str = "application/json") -> Reply:
        """Send JSON, or what `content_type` says, to a path below base_url; return what came back by the deadline.

        Faults are replies.
        """
        return await self._send(path, body, content_type)

    async def get(self, path: str, most: int = BODY_CAP) -> Reply:
        """Ask for a path below base_url and return what came back by the deadline, faults as replies.

        `most` is the largest body in bytes that is taken.
        """
        return await self._send(path, most=most)

    async def _send(self, path: str, body: bytes | None = None, content_type: str = "", most: int = BODY_CAP) -> Reply:
        try:
            async with asyncio.timeout(self.model.limits.timeout):
                return await self._exchange(path, body, content_type, most)
        except TimeoutError:
            return _fault("timeout")
        except (aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorCertificateError) as error:
            return _fault("tls", str(error))
        except aiohttp.ClientConnectorError:
            return _fault("refused")
        except (aiohttp.ClientPayloadError, zlib.error):
            return _fault("cut")
        except aiohttp.ClientConnectionError:
            return _fault("reset")
        except aiohttp.ClientError:
            return _fault("protocol")
        except _FaultError as fault:
            return _fault(*map(str, fault.args))

    async def _exchange(self, path: str, body: bytes | None, content_type: str, most: int) -> Reply:
        if self._session is None:
            raise UsageError(f"The endpoint {self.name} is not open.", "Use it inside `async with`.")
        method = hdrs.METH_GET if body is None else hdrs.METH_POST
        headers = {hdrs.CONTENT_TYPE: content_type} if content_type else None
        response = await self._session.request(
            method, self._url(path), data=body, headers=headers, allow_redirects=False
        )
        try:
            if 300 <= response.status < 400:
                raise _FaultError("redirect", _target(response))
            data = await _body(response.content, most)
        finally:
            response.close()
        if encoding := response.headers.get(hdrs.CONTENT_ENCODING):
            data = _decoded(data, encoding.strip().lower(), most)
        if self._key is not None:
            data = self._key.scrub(data)
        return Reply(response.status, response.headers, data)

    def _url(self, path: str) -> URL:
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = URL(f"{self._base}/{path.lstrip('/')}", encoded=True)
        return url


async def _body(stream: aiohttp.StreamReader, most: int) -> bytes:
    """Return a body as it came. Raises `_FaultError` as soon as it is larger than an answer can be."""
    data = await stream.readany()
    if stream.at_eof():
        return data
    parts, size = [data], len(data)
    while size <= most:
        part = await stream.readany()
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
    raise _FaultError("too-large")


def _decoded(data: bytes, encoding: str, most: int) -> bytes:
    """Return a body decompressed, never more than the cap: a bomb stops there."""
    if encoding == "identity":
        return data
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise _FaultError("encoding", encoding[:40])
    decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
    text = decompressor.decompress(data, most + 1)
    if len(text) > most:
        raise _FaultError("too-large")
    if not decompressor.eof:
        raise _FaultError("cut")
    return text


def _fault(name: str, detail: str = "") -> Reply:
    return Reply(0, {}, detail.encode(), name)


def _target(response: aiohttp.ClientResponse) -> str:
    """Return what a redirect would lead to: scheme and host, since the rest may hold anything."""
    try:
        url = URL(response.headers.get(hdrs.LOCATION, ""))
    except ValueError:
        return "to somewhere unreadable"
    return f"to {url.scheme}://{url.host}" if url.host else "to the same host"


def _base(name: str, model: Model) -> str:
    try:
        url = URL(model.base_url)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"models.{name}.base_url is no URL: {model.base_url!r}.", "Write https://host/v1.")
    if url.user or url.password or url.query_string or url.fragment:
        raise UsageError(f"models.{name}.base_url holds more than host and path.", "Give a key by key_env.")
    return str(url).rstrip("/")


def _headers(name: str, model: Model, key: Key | None) -> dict[str, str]:
    if any(header.lower() == "authorization" for header in model.headers):
        raise UsageError(
            f"models.{name}.headers holds Authorization.", "Name the variable with the key in key_env: it stays hidden."
        )
    ours = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Content-Type": "application/json",
        "User-Agent": "holdfast",
        **model.headers,
    }
    return {**ours, "Authorization": key.header()} if key else ours
