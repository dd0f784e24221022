"""A counter for calls that go by provider batches: it gathers them, submits what it has when nothing moves, and waits.

Nothing moves when every conversation waits, for a batch or for another's answer. What goes out is in the ledger with
the name of its set before it is submitted, and with the provider's name of the batch right after. So a later run finds
both: a batch that was noted is waited for and collected, a set that was not is looked for at the provider, and what is
not there was never sent. Batches of an earlier run are settled before anything is asked of their model.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from holdfast.core.errors import StoppedError
from holdfast.models.batch import FAILED, GoneError, PassingError, State, collect, find, name_of, parts, poll, submit
from holdfast.models.chat import Answer, Call
from holdfast.models.ledger import Ledger, Open
from holdfast.models.line import Line, Sent, Tally, limit_of
from holdfast.models.purse import Purse
from holdfast.models.reply import Again, Ended, Halt, Reading, Reply, read

# Seconds between two looks at a batch, from the first on, each so many times as long as the one before, up to the
# last: small batches take minutes, large ones hours, and a minute more is nothing to them.
FIRST_PAUSE, LAST_PAUSE, LONGER = 1.0, 60.0, 2.0
# Times in a row that a provider may fail to answer: nearly two hours, in which a batch is not lost by an outage.
PATIENCE = 120
# Turns of the event loop without a move before a batch goes out: an answer that several wait for reaches the last of
# them after three.
TURNS = 5
# What an answer is read as whose call nobody asked for yet; it is read again, with its schema, when somebody does.
UNKNOWN = Call(())
NO_REPLY = Reply(0, {}, b"")
AGAIN = "Run the same command again: it collects it, and does not pay twice."
Waited = TypeVar("Waited")


class Host(Protocol):
    """What a counter needs of the dispatcher it stands in: where things are written down, and how a run stops."""

    lines: Mapping[str, Line]
    ledger: Ledger
    purse: Purse
    tally: Tally
    stopped: BaseException | None

    def stop(self, why: BaseException) -> None:
        """Stop the run."""

    def book(self, sent: Sent, reply: Reply, said: Reading) -> None:
        """Write down what became of a request."""

    def committed(self) -> asyncio.Future[None]:
        """Return what is done when everything written down so far is on disk."""

    async def rest(self, wait: Callable[[], Awaitable[Waited]]) -> Waited:
        """Wait; a run that stops ends the wait."""


@dataclass(slots=True)
class _Waiting:
    """A call that waits for its answer; `tries` are the batches it was in."""

    call: Call
    row: int
    body: bytes
    answer: asyncio.Future[Answer | Ended]
    most: float
    tries: int = 0


class Counter:
    """Answers the calls of the conversations it was told to expect."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._moving = 0
        self._gathered: dict[str, dict[str, _Waiting]] = {}
        self._recoveries: dict[str, asyncio.Future[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = False
        self._there: dict[str, int] = {}

    def expect(self, conversations: int) -> None:
        """Send nothing before so many conversations more wait or have ended."""
        self._moving += conversations

    def left(self) -> None:
        """Know that a conversation has ended."""
        self._moving -= 1
        self._look()

    async def aside(self, future: asyncio.Future[Waited]) -> Waited:
        """Wait for what others bring; meanwhile this conversation does not move."""
        self._moving -= 1
        self._look()
        try:
            return await self._host.rest(partial(_itself, future))
        finally:
            self._moving += 1

    async def recovered(self, model: str) -> None:
        """Return when the batches that an earlier run left of a model are collected."""
        if model not in self._recoveries:
            left = self._host.ledger.open_batches(model)
            self._recoveries[model] = asyncio.get_running_loop().create_future()
            if left:
                self._start(self._recover(model, left))
            else:
                self._recoveries[model].set_result(None)
        if not self._recoveries[model].done():
            await self.aside(asyncio.shield(self._recoveries[model]))

    async def ask(self, call: Call, key: bytes, row: int, body: bytes) -> Answer | Ended:
        """Return the answer to a call, once a batch brought it or its attempts are used up."""
        line, answer = self._host.lines[call.model], asyncio.get_running_loop().create_future()
        waiting = _Waiting(call, row, body, answer, line.most(len(body), limit_of(call)))
        self._gathered.setdefault(call.model, {})[key.hex()] = waiting
        return await self.aside(answer)

    async def close(self) -> None:
        """Return when nothing of a batch is in flight any more; what runs at the provider stays there."""
        if self._host.stopped is None:
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def told(self, why: BaseException | None) -> BaseException | None:
        """Return why the run was stopped, with the batches that go on without it."""
        if why is None or not self._there:
            return why
        there = ", ".join(f"{batch} ({count:,} requests)" for batch, count in self._there.items())
        what = f"Running at the provider: batch {there}."
        if isinstance(why, StoppedError):
            return StoppedError(f"{why.what} {what}", f"{why.remedy} {AGAIN}".strip())
        return KeyboardInterrupt(f"{what} {AGAIN}") if isinstance(why, KeyboardInterrupt) else why

    def _look(self) -> None:
        if self._moving == 0 and any(self._gathered.values()) and not self._looking:
            self._looking = True
            self._start(self._when_quiet())

    async def _when_quiet(self) -> None:
        """Submit what was gathered, if nothing moves for a moment."""
        try:
            for _ in range(TURNS):
                await asyncio.sleep(0)
                if self._moving or self._host.stopped is not None:
                    return
        finally:
            self._looking = False
        gathered, self._gathered = self._gathered, {}
        for model, calls in gathered.items():
            fitting = {name: each for name, each in calls.items() if self._host.purse.take(each.most)}
            if len(fitting) < len(calls):
                # The others wait for what these leave of their ceilings.
                self._gathered[model] = {name: each for name, each in calls.items() if name not in fitting}
            for part in parts({name: each.body for name, each in fitting.items()}):
                self._start(self._serve(model, {name: fitting[name] for name in part}))
        # This task itself is the one that is left when nothing is on its way.
        if any(self._gathered.values()) and len(self._tasks) == 1:
            self._host.stop(self._host.purse.spent_up())

    async def _serve(self, model: str, calls: dict[str, _Waiting]) -> None:
        """Submit one batch, collect it, and answer its calls; what is still without an answer is gathered again."""
        host, ledger = self._host, self._host.ledger
        bodies = {name: each.body for name, each in calls.items()}
        mark = name_of(bodies)
        sent = {}
        for name, each in calls.items():
            send = ledger.intend(each.row, each.tries, mark)
            sent[name] = Sent(model, send, each.row, limit_of(each.call), each.most, each.tries)
        host.tally.sent[model] += len(sent)
        await host.committed()
        asked = partial(submit, host.lines[model].endpoint, bodies, ledger.run, set(ledger.batches(model)))
        batch = await self._patiently(asked)
        ledger.note_batch(batch, model, "submitted", mark)
        read_as = await self._collected(model, batch, sent, {name: each.call for name, each in calls.items()})
        for name, each in calls.items():
            self._answer(name, each, read_as[name])
        self._look()

    def _answer(self, name: str, waiting: _Waiting, said: Reading) -> None:
        """Hand an answer over, or gather its call once more."""
        if isinstance(said, Halt):
            self._host.stop(StoppedError(f"Model {waiting.call.model}: {said.reason}. {said.detail}", AGAIN))
            return
        waiting.tries += 1
        if isinstance(said, Again):
            if waiting.tries < self._host.lines[waiting.call.model].model.limits.attempts:
                self._gathered.setdefault(waiting.call.model, {})[name] = waiting
                return
            said = Ended("failed", said.reason, f"{waiting.tries} attempts; {said.detail}")
        if not waiting.answer.done():
            waiting.answer.set_result(said)

    async def _collected(
        self, model: str, batch: str, sent: Mapping[str, Sent], calls: Mapping[str, Call]
    ) -> dict[str, Reading]:
        """Return how each request of a batch is read when the batch is over, all of it on disk in one commit."""
        line = self._host.lines[model]
        self._there[batch] = len(sent)
        try:
            state = await self._over(model, batch)
            asked = partial(collect, line.endpoint, batch, sent)
            replies = iter(()) if state.status == FAILED else await self._patiently(asked)
            # Of a request without a reply nothing was made and nothing is charged.
            missing = Again("provider-error", detail=f"batch {batch}: {state.problem or state.status}")
        except GoneError as gone:
            replies, missing = iter(()), Again("provider-error", charged=True, detail=gone.what)
        read_as: dict[str, Reading] = {}
        for name, reply in replies:
            said = read_as[name] = read(reply, calls.get(name, UNKNOWN), line.model.model, sent[name].tries + 1)
            self._host.book(sent[name], reply, said)
        for name in sent.keys() - read_as.keys():
            read_as[name] = missing
            self._host.book(sent[name], NO_REPLY, missing)
        await self._host.committed()
        del self._there[batch]
        return read_as

    async def _over(self, model: str, batch: str) -> State:
        """Return the state of a batch once it has ended."""
        pause, noted = FIRST_PAUSE, ""
        while True:
            state = await self._patiently(partial(poll, self._host.lines[model].endpoint, batch))
            if state.status != noted:
                noted = state.status
                self._host.ledger.note_batch(batch, model, noted)
            if state.finished:
                return state
            await self._host.rest(partial(asyncio.sleep, pause))
            pause = min(pause * LONGER, LAST_PAUSE)

    async def _patiently(self, ask: Callable[[], Awaitable[Waited]]) -> Waited:
        """Return what a provider answers, which may be away for a while."""
        pause = FIRST_PAUSE
        for _ in range(PATIENCE):
            try:
                return await ask()
            except PassingError:
                await self._host.rest(partial(asyncio.sleep, pause))
                pause = min(pause * LONGER, LAST_PAUSE)
        return await ask()

    async def _recover(self, model: str, left: Mapping[str, list[Open]]) -> None:
        """Settle what an earlier run submitted, or meant to."""
        host, line = self._host, self._host.lines[model]
        for batch, requests in left.items():
            known = host.ledger.batches(model)
            found = batch if batch in known else None
            if found is None:
                asked = partial(find, line.endpoint, host.ledger.run, batch, set(known))
                found = await self._patiently(asked)
                if found is not None:
                    host.ledger.note_batch(found, model, "found", batch)
            sent = {each.key.hex(): _sent(model, line, each) for each in requests}
            for each in sent.values():
                host.purse.reopen(each.most)
            if found is None:
                for each in sent.values():
                    host.book(each, NO_REPLY, Again("not-sent"))
                await host.committed()
            else:
                await self._collected(model, found, sent, {})
        self._recoveries[model].set_result(None)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do a piece of work; what goes wrong in it stops the run, or those who wait would wait for ever."""
        try:
            await work
        except Exception as error:  # noqa: BLE001  # shown by whoever held the conversations
            self._host.stop(error)


async def _itself(future: asyncio.Future[Waited]) -> Waited:
    return await future


def _sent(model: str, line: Line, request: Open) -> Sent:
    """Return a request of an earlier run; its ceiling is what the desk held as spent for it."""
    most = 0.0 if line.rate is None else line.rate.ceiling(request.size, request.most or 0)
    return Sent(model, request.send, request.call, request.most, most, request.attempt)
