"""A provider of batches on loopback: files, batches and their states, with answers in any order and lines that lack."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from aiohttp import web

from holdfast.core.settings import Limits, Model
from holdfast.models.endpoint import Endpoint
from holdfast.models.key import Key

KEY = "sk-canary-0123456789-WXYZ"


def answered(custom_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """The line of a call that went well: it echoes what was asked."""
    message = {"role": "assistant", "content": f"echo {body['messages'][-1]['content']}"}
    usage = {"prompt_tokens": 20, "completion_tokens": 10}
    completion = {"choices": [{"message": message, "finish_reason": "stop"}], "model": body["model"], "usage": usage}
    return {"id": f"r-{custom_id}", "custom_id": custom_id, "response": {"status_code": 200, "body": completion}}


def expired(custom_id: str) -> dict[str, Any]:
    """The line of a call that was not begun in time."""
    error = {"code": "batch_expired", "message": "This request could not be executed before the window closed."}
    return {"id": f"e-{custom_id}", "custom_id": custom_id, "response": None, "error": error}


def failed(custom_id: str, status: int, code: str) -> dict[str, Any]:
    """The line of a call that was answered with an error."""
    body = {"error": {"code": code, "message": f"it was {code}"}}
    return {"id": f"f-{custom_id}", "custom_id": custom_id, "response": {"status_code": status, "body": body}}


@dataclass
class Provider:
    """What the provider has: files, batches newest first, and the requests that it has seen.

    `lose` names paths whose work is done and whose reply never leaves; `page` is the length of a page of the listing.
    `turn` is called with each batch that is asked for and not over, and may end it; `alone` are the prompts that were
    asked outside batches.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    lose: set[str] = field(default_factory=set)
    page: int = 100
    batchless: bool = False
    turn: Callable[["Provider", dict[str, Any]], None] | None = None
    alone: list[str] = field(default_factory=list)

    def calls(self, batch: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """The calls of a batch, as its file says."""
        rows = [orjson.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        return {row["custom_id"]: row["body"] for row in rows}

    def prompts(self, since: int = 0) -> list[str]:
        """The prompts that were answered in batches, from the batch of this number on."""
        found = []
        for batch in self.batches[::-1][since:]:
            asked = self.calls(batch)
            rows = self.files.get(batch.get("output_file_id", ""), b"").splitlines()
            found += [asked[orjson.loads(row)["custom_id"]]["messages"][-1]["content"] for row in rows]
        return found

    def finish(self, number: int = -1, status: str = "completed", lines: Callable[..., Any] = answered) -> None:
        """End a batch: each call has the line that `lines` makes of it (None: no line), shuffled, errors apart."""
        batch = self.batches[::-1][number]
        made = [line for name, body in self.calls(batch).items() if (line := lines(name, body)) is not None]
        Random(7).shuffle(made)
        right = [line for line in made if line["response"] and line["response"]["status_code"] == 200]
        for member, rows in (("output_file_id", right), ("error_file_id", [row for row in made if row not in right])):
            if rows:
                batch[member] = self.store(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        counts = {"completed": len(right), "failed": len(made) - len(right), "total": len(self.calls(batch))}
        batch |= {"status": status, "request_counts": counts}

    def store(self, data: bytes) -> str:
        """Keep a file and return its id."""
        name = f"file-{len(self.files)}"
        self.files[name] = data
        return name

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """POST /files."""
        form = await request.post()
        upload = form["file"]
        assert "batch" == form["purpose"]
        assert isinstance(upload, web.FileField)
        return self.reply(request, {"id": self.store(upload.file.read()), "object": "file", "purpose": "batch"})

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /batches."""
        asked = await request.json()
        if self.batchless:
            return web.json_response({"error": {"message": "Not Found"}}, status=404)
        batch = {"id": f"batch-{len(self.batches)}", "object": "batch", "status": "validating", **asked}
        self.batches.insert(0, batch)
        return self.reply(request, batch)

    async def listing(self, request: web.Request) -> web.StreamResponse:
        """GET /batches."""
        if self.batchless:
            return web.json_response({"error": {"message": "Not Found"}}, status=404)
        ids = [batch["id"] for batch in self.batches]
        start = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        data = self.batches[start : start + self.page]
        return self.reply(request, {"object": "list", "data": data, "has_more": start + self.page < len(ids)})

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /batches/ID."""
        found = [batch for batch in self.batches if batch["id"] == request.match_info["id"]]
        if found and self.turn is not None and found[0]["status"] in ("validating", "in_progress"):
            self.turn(self, found[0])
        return self.reply(request, found[0]) if found else web.json_response({"error": "no such batch"}, status=404)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """POST /chat/completions."""
        asked = await request.json()
        self.alone.append(asked["messages"][-1]["content"])
        return self.reply(request, answered("", asked)["response"]["body"])

    async def content(self, request: web.Request) -> web.StreamResponse:
        """GET /files/ID/content."""
        self.seen.append(request.path)
        return web.Response(body=self.files[request.match_info["id"]])

    def reply(self, request: web.Request, value: dict[str, Any]) -> web.StreamResponse:
        """Answer with JSON, or cut the connection after the work is done."""
        self.seen.append(f"{request.method} {request.path}")
        assert f"Bearer {KEY}" == request.headers["Authorization"]
        if request.path in self.lose and request.method == "POST" and request.transport is not None:
            request.transport.abort()
        return web.json_response(value)


@asynccontextmanager
async def providing(**more: Any) -> AsyncIterator[tuple[Provider, Endpoint]]:
    """Give a provider and an endpoint that speaks to it, until the block ends."""
    provider = Provider(**more)
    async with _serving(provider) as base_url:
        model = Model(base_url=base_url, model="m", limits=Limits(timeout=10))
        async with Endpoint("it", model, Key(KEY)) as endpoint:
            yield provider, endpoint


@asynccontextmanager
async def _serving(provider: Provider) -> AsyncIterator[str]:
    app = web.Application(client_max_size=2**30)
    app.router.add_post("/v1/chat/completions", provider.chat)
    app.router.add_post("/v1/files", provider.upload)
    app.router.add_post("/v1/batches", provider.create)
    app.router.add_get("/v1/batches", provider.listing)
    app.router.add_get("/v1/batches/{id}", provider.show)
    app.router.add_get("/v1/files/{id}/content", provider.content)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


@contextmanager
def beside(provider: Provider) -> Iterator[str]:
    """Let a provider serve from a thread of its own, and give its base URL, until the block ends."""
    ready, told, loop = threading.Event(), list[str](), asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with _serving(provider) as base_url:
            told.append(base_url)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield told[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
