"""A desk: ledger, endpoints and dispatcher of one run behind plain calls, for code that knows nothing of event loops.

Ctrl-C once stops the run in good order: nothing more is sent, what is in flight comes home and is written down. Twice
ends it at once; what was in flight then stands in the ledger as unsettled.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from holdfast.core.settings import Settings
from holdfast.models.chat import Made
from holdfast.models.dispatch import Dispatcher, Held, Job
from holdfast.models.endpoint import Endpoint
from holdfast.models.gate import Gate
from holdfast.models.ledger import FILE, Ledger
from holdfast.models.line import Line, Tally
from holdfast.models.prices import Rate, rates
from holdfast.models.purse import Purse

Look = Callable[[Tally], None]


@dataclass(slots=True)
class Desk:
    """Holds conversations of jobs. `look` sees the tally while it does; `spent` is what others took of the budget."""

    settings: Settings
    ledger: Ledger
    names: Sequence[str]
    deadline: float | None = None
    look: Look | None = None
    spent: float = 0.0
    tally: Tally = field(default_factory=Tally)
    stopped: BaseException | None = None
    _runner: asyncio.Runner | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _lines: dict[str, Line] = field(default_factory=dict)
    _purse: Purse = field(default_factory=Purse)

    def hold(self, jobs: Sequence[Job[Made]]) -> list[Held[Made] | None]:
        """Return how each conversation ended, in the order given.

        Where the run was stopped meanwhile, `stopped` says why, and those that had not ended are None.
        """
        if self._runner is None:
            self._runner = asyncio.Runner(loop_factory=_fast_loop())
            self._runner.run(self._open())
        dispatcher = Dispatcher(self._lines, self.ledger, self._purse, self.deadline)
        dispatcher.tally, dispatcher.look = self.tally, self.look
        with _interrupts(self._runner.get_loop(), dispatcher):
            held = self._runner.run(dispatcher.hold(jobs))
        self.stopped = dispatcher.stopped
        return held

    def price(self, held: Held[Any]) -> float:
        """Return what the answers of a conversation cost at today's prices, whenever they were paid for."""
        costs = (self._lines[name].cost(answer.usage) for name, answer in held.answers)
        return float(sum(cost for cost in costs if cost is not None))

    async def _open(self) -> None:
        """Open every endpoint; keys are read from the environment now, so that a missing one is told at once."""
        found = rates(self.settings)
        self._purse = Purse(self.settings.budget.cost, self._spent(found))
        for name in self.names:
            model = self.settings.models[name]
            endpoint = await self._stack.enter_async_context(Endpoint(name, model))
            self._lines[name] = Line(model, endpoint, Gate(model.limits), found.get(name))

    def _spent(self, found: Mapping[str, Rate | None]) -> float:
        """Return what the run has cost so far; what was perhaps charged counts in full."""
        known = {name: rate for name, rate in found.items() if rate is not None}
        open_calls = [call for call in self.ledger.perhaps() if call[0] in known]
        perhaps = sum(known[name].ceiling(size, most or 0) for name, size, most in open_calls)
        return float(self.spent + perhaps + sum(entry["cost"] for entry in self.ledger.usage().values()))

    def close(self) -> None:
        """Let endpoints, loop and ledger go."""
        if self._runner is not None:
            self._runner.run(self._stack.aclose())
            self._runner.close()
        self.ledger.close()


@contextmanager
def open_desk(
    settings: Settings,
    out: Path,
    names: Sequence[str],
    deadline: float | None = None,
    look: Look | None = None,
    spent: float = 0.0,
) -> Iterator[Desk]:
    """Give a desk for the models called `names`, with the ledger in the folder `out`."""
    desk = Desk(settings, Ledger(out / FILE, settings.durability), names, deadline, look, spent)
    try:
        yield desk
    finally:
        desk.close()


@contextmanager
def _interrupts(loop: asyncio.AbstractEventLoop, dispatcher: Dispatcher) -> Iterator[None]:
    """Make Ctrl-C, and a request to end, stop the dispatcher in good order while the block runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(_number: int, _frame: FrameType | None) -> None:
        if dispatcher.stopped is not None:
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(dispatcher.stop, KeyboardInterrupt())

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the event loop of uvloop (extra [fast]) where it is installed, else None for Python's own."""
    try:
        import uvloop  # noqa: PLC0415  # optional extra [fast]
    except ImportError:
        return None
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make
