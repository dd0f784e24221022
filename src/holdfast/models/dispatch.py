"""Holds conversations: many at a time, each call answered once, paid for once, and written down before it is counted.

A call that the ledger has an answer to is not sent. Any other is intended in the ledger, sent through the gate of its
model, and settled; a retry waits outside the gate and takes no place from others. Stopping (budget, time, provider,
Ctrl-C) lets what is in flight come home first, so that nothing paid for is lost. Calls that go by provider batches are
the business of `batched.Counter`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from time import monotonic
from typing import Generic, TypeVar

from holdfast.core.errors import HoldfastError, StoppedError
from holdfast.models.batched import Counter
from holdfast.models.chat import Answer, Call, Conversation, Made, NoRecord
from holdfast.models.gate import Outcome, backoff
from holdfast.models.ledger import Asked, Charged, Ledger, Settled
from holdfast.models.line import Line, Sent, Tally, limit_of
from holdfast.models.purse import Purse
from holdfast.models.reply import NOTHING, Again, Ended, Halt, Reading, Reply, read
from holdfast.models.request import body_of

CHAT = "/chat/completions"
# Conversations begun at once, per place at the endpoint: enough that places stay taken while some wait to try again.
AHEAD = 2
# Requests that are to go out are committed together for so many seconds, and answers with the next of them; where none
# follows, after LINGER. So no request goes out before every answer received until then is on disk: what a kill loses
# was in flight together, and is never more than the places at the endpoint.
TOGETHER, LINGER = 0.002, 0.02
# How long an endpoint may be away before the run stops (and can be resumed): one that never answered is most likely
# a wrong address or a server not started; one that did is having an outage.
NEVER_SEEN, OUTAGE = 30.0, 7200.0
WATCH_EVERY = 0.5
# Statuses of an endpoint that lives and breaks on one prompt, as some do, and on no other: it sends nonsense, or this.
BROKEN = (200, 500)
# Refusals for want of room cost a call no attempt, up to this many times as many.
PATIENCE = 20
# The usual length of a token in English; only the gate's own limit on tokens a minute rests on it, until the answer
# says how many there were.
BYTES_PER_TOKEN = 4
RESUME = "Mend it and run the same command again: answers that are there are not asked for again."
TRUNCATED, MALFORMED = "truncated", "malformed"
Waited = TypeVar("Waited")


@dataclass(frozen=True, slots=True)
class Job(Generic[Made]):
    """One conversation to hold, begun when its turn comes, and the model whose places it takes.

    `screened` are the kinds of what was taken out of its prompts; `batch` says that its calls go by provider batches.
    """

    model: str
    begin: Callable[[], Conversation[Made]]
    screened: list[str] = field(default_factory=list)
    batch: bool = False


@dataclass(frozen=True, slots=True)
class Held(Generic[Made]):
    """How a conversation ended, and the answers it was given, in their order, each with the model it was asked of.

    `last` is the last call it made; None where it made none.
    """

    made: Made | NoRecord
    answers: tuple[tuple[str, Answer], ...]
    last: Call | None = None


class Dispatcher:
    """Answers calls over the `lines`, by the name of their model, until it is stopped."""

    def __init__(self, lines: Mapping[str, Line], ledger: Ledger, purse: Purse, deadline: float | None = None) -> None:
        self.lines = lines
        self.ledger = ledger
        self.purse = purse
        self.deadline = deadline
        self.tally = Tally()
        self.look: Callable[[Tally], None] | None = None
        self.stopped: BaseException | None = None
        self.counter = Counter(self)
        self._random = Random(0)
        self._open: dict[bytes, asyncio.Future[None]] = {}
        self._resting: set[asyncio.Task[None]] = set()
        self._waiting: list[asyncio.Future[None]] = []
        self._flush: asyncio.TimerHandle | None = None
        self._hurried = False
        self._loop: asyncio.AbstractEventLoop

    async def hold(self, jobs: Sequence[Job[Made]]) -> list[Held[Made] | None]:
        """Hold every conversation and return how each ended, in the order given.

        Where it is stopped, everything in flight is settled first, and those that had not ended are None.
        """
        self._loop = asyncio.get_running_loop()
        held: dict[int, Held[Made]] = {}
        self.tally.jobs, self.tally.ended = len(jobs), 0
        workers = []
        self.counter.expect(sum(job.batch for job in jobs))
        for name, batch in {(job.model, job.batch): None for job in jobs}:
            places = [place for place, job in enumerate(jobs) if (job.model, job.batch) == (name, batch)]
            mine = iter(places)
            # Conversations without a model make no calls: one worker holds them one after the other. Those that go by
            # batch are all begun at once, since one that is not begun has no call in the batch.
            width = AHEAD * self.lines[name].model.limits.concurrency if name in self.lines else 1
            width = len(places) if batch else min(width, len(places))
            workers += [asyncio.ensure_future(self._work(mine, jobs, held)) for _ in range(width)]
        watching = asyncio.ensure_future(self._watch())
        try:
            await asyncio.gather(*workers)
        finally:
            watching.cancel()
            await self.counter.close()
            self._commit()
        self.stopped = self.counter.told(self.stopped)
        return [held.get(place) for place in range(len(jobs))]

    def stop(self, why: BaseException) -> None:
        """Send nothing more. Whoever waits for a place gives up; what is in flight comes home."""
        if self.stopped is None:
            self.stopped = why
            for task in self._resting:
                task.cancel()

    async def _work(self, places: Iterator[int], jobs: Sequence[Job[Made]], held: dict[int, Held[Made]]) -> None:
        for place in places:
            if self.stopped is not None:
                return
            try:
                held[place] = await self._talk(jobs[place])
                self.tally.ended += 1
            except asyncio.CancelledError:
                if self.stopped is None:
                    raise
                return
            except HoldfastError as error:
                self.stop(error)
                return
            finally:
                if jobs[place].batch:
                    self.counter.left()

    async def _talk(self, job: Job[Made]) -> Held[Made]:
        """Hold one conversation to its end; what its own code does wrong is a fault, never a verdict."""
        answers: list[tuple[str, Answer]] = []
        call = None
        try:
            talk = job.begin()
            call = next(talk)
            while True:
                try:
                    answer = await self.ask(call, batch=job.batch)
                except NoRecord as end:
                    call = talk.throw(end)
                else:
                    answers.append((call.model, answer))
                    call = talk.send(answer)
        except StopIteration as done:
            return Held(done.value, tuple(answers), call)
        except NoRecord as end:
            return Held(end, tuple(answers), call)
        except HoldfastError:
            raise
        except Exception as error:  # noqa: BLE001  # code of a generator, perhaps a user's own
            return Held(NoRecord("failed", "fault", f"{type(error).__name__}: {error}"[:500]), tuple(answers), call)

    async def ask(self, call: Call, *, batch: bool = False) -> Answer:
        """Return the answer to a call, from the ledger where it has it. Raises `NoRecord` where there will be none."""
        line = self.lines[call.model]
        key, limit = line.key(call), limit_of(call)
        if batch:
            await self.counter.recovered(call.model)
        while (other := self._open.get(key)) is not None:
            await (self.counter.aside(asyncio.shield(other)) if batch else asyncio.shield(other))
        asked = self.ledger.find(key)
        if asked is not None and (said := _known(asked, call, line.model.model, limit)) is not None:
            self.tally.reused[call.model] += 1
            return _told(said)
        mine = self._open[key] = self._loop.create_future()
        try:
            body = body_of(call, line.model)
            row = asked.id if asked else self.ledger.ask(key, call.model, call.sample, body, limit)
            return _told(await (self.counter.ask(call, key, row, body) if batch else self._sent(line, call, row, body)))
        finally:
            del self._open[key]
            mine.set_result(None)

    async def _sent(self, line: Line, call: Call, row: int, body: bytes) -> Answer | Ended:
        """Send a call until somebody answers, its attempts are used up, or the run is stopped."""
        attempt, tries, due, limit = 0, 0, 0.0, limit_of(call)
        most, tokens = line.most(len(body), limit), len(body) // BYTES_PER_TOKEN + (limit or 0)
        while True:
            await self.rest(partial(line.gate.enter, tokens, due))
            if not self.purse.take(most):
                raise self._out(self.purse.spent_up())
            probing, send = line.gate.probing, self.ledger.intend(row, tries)
            self.tally.sent[call.model] += 1
            await self.committed()
            try:
                reply = await line.endpoint.post(CHAT, body)
                said = read(reply, call, line.model.model, tries + 1)
            except Exception as error:  # a place that is never given back would make the others wait for ever
                raise self._out(error) from error
            self._settle(line, Sent(call.model, send, row, limit, most, tries, tokens), reply, said)
            if isinstance(said, Answer | Ended):
                return said
            if isinstance(said, Halt):
                raise self._out(StoppedError(f"Model {call.model}: {said.reason}. {said.detail}", RESUME))
            # A refusal for want of room says nothing about this call, nor does a probe of a dead endpoint, unless it
            # lives and breaks on this call.
            tries += 1
            attempt += not said.throttled and (not probing or reply.status in BROKEN)
            if attempt >= line.model.limits.attempts or tries >= PATIENCE * line.model.limits.attempts:
                return Ended("failed", said.reason, f"{tries} attempts")
            due = monotonic() + backoff(tries, self._random)

    async def rest(self, wait: Callable[[], Awaitable[Waited]]) -> Waited:
        """Wait for a place, an answer or a time; a run that stops meanwhile ends the wait."""
        task = asyncio.current_task()
        if self.stopped is not None or task is None:
            raise asyncio.CancelledError
        self._resting.add(task)
        try:
            return await wait()
        finally:
            self._resting.discard(task)

    def _settle(self, line: Line, sent: Sent, reply: Reply, said: Reading) -> None:
        """Give the place back and write down what became of a request."""
        usage = NOTHING if isinstance(said, Halt) else said.usage
        line.gate.leave(*_outcome(said, again=sent.tries > 0), usage.input + usage.output or None, sent.tokens)
        self.book(sent, reply, said)

    def book(self, sent: Sent, reply: Reply, said: Reading) -> None:
        """Write down what became of a request, and what it cost."""
        usage, charged = NOTHING if isinstance(said, Halt) else said.usage, _charged(said)
        cost = self.lines[sent.model].cost(usage) if charged == "yes" else 0.0
        # What was perhaps charged is held against the budget in full, and shown apart from what is known.
        self.purse.settle(sent.most, sent.most if charged == "perhaps" else cost or 0.0)
        # An answer without its parts is asked for again when the run is; every other fate would come out the same.
        last = isinstance(said, Answer) or (isinstance(said, Ended) and said.reason != MALFORMED)
        self.ledger.settle(
            Settled(
                sent.send,
                sent.row,
                reply.status,
                _name(said),
                charged,
                said.served if isinstance(said, Answer | Ended) else "",
                (usage.input, usage.output, usage.reasoning),
                cost,
                reply.body if last else None,
                sent.limit,
            )
        )
        self.tally.add(sent.model, _name(said), cost, last=last)
        if self._flush is None:
            self._schedule(LINGER)

    def _out(self, why: Exception) -> BaseException:
        """Stop the run, and return what ends the conversation that noticed."""
        self.stop(why)
        return asyncio.CancelledError()

    def committed(self) -> asyncio.Future[None]:
        """Return what is done when everything given to the ledger so far is on disk, with what others gave it."""
        mine: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(mine)
        if not self._hurried:
            self._hurried = True
            self._schedule(TOGETHER)
        return mine

    def _schedule(self, seconds: float) -> None:
        if self._flush is not None:
            self._flush.cancel()
        self._flush = self._loop.call_later(seconds, self._commit)

    def _commit(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
        self._flush, self._hurried = None, False
        waiting, self._waiting = self._waiting, []
        try:
            self.ledger.commit()
        except Exception as error:  # noqa: BLE001  # whatever it was, nobody may wait for a commit that never comes
            self.stop(error)
            for each in waiting:
                each.cancel()
            return
        self.tally.commit()
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def _watch(self) -> None:
        """Stop the run when its time is over, or when an endpoint has been away for too long."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            if self.look is not None:
                try:
                    self.look(self.tally)
                except Exception:  # noqa: BLE001  # whoever looked is gone; time and outages are watched on
                    self.look = None
            if self.deadline is not None and monotonic() >= self.deadline:
                self.stop(StoppedError("The time of the budget is over.", RESUME, "budget"))
            for name, line in self.lines.items():
                if line.gate.outage > (OUTAGE if line.gate.ever_ok else NEVER_SEEN):
                    what = f"Model {name}: {line.model.base_url} has not answered for {line.gate.outage:.0f} s"
                    self.stop(StoppedError(f"{what} ({self.tally.last.get(name, 'no reply')}).", RESUME))


def _known(asked: Asked, call: Call, model: str, limit: int | None) -> Answer | Ended | None:
    """Return the answer that the ledger has, or None where it has none that holds under this call's limit of tokens."""
    if asked.answer is None:
        return None
    said = read(Reply(asked.status or 0, {}, asked.answer), call, model, 2)
    if isinstance(said, Answer):
        return said if limit is None or said.usage.output <= limit else None
    if not isinstance(said, Ended):
        return None
    longer = asked.most is not None and (limit is None or limit > asked.most)
    return None if said.reason == TRUNCATED and longer else said


def _told(said: Answer | Ended) -> Answer:
    if isinstance(said, Ended):
        raise NoRecord(said.fate, said.reason, said.detail)
    return said


def _outcome(said: Reading, *, again: bool) -> tuple[Outcome, float | None]:
    """Return what a reply means for the gate, and how long it asks to wait.

    Only the first fault of a call speaks against the endpoint: that it breaks on one prompt `again` is no news.
    """
    if isinstance(said, Again):
        broken: Outcome = "none" if again else "fault"
        return ("throttled" if said.throttled else broken), said.after
    return "ok", None


def _charged(said: Reading) -> Charged:
    if isinstance(said, Again):
        return "no" if not said.charged else "perhaps" if said.usage == NOTHING else "yes"
    return "no" if isinstance(said, Halt) else "yes"


def _name(said: Reading) -> str:
    return "answer" if isinstance(said, Answer) else said.reason
