"""An event loop in virtual time: when nothing is left to do, its clock jumps to the next timer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector:
    """Passes everything on to the real selector, but instead of waiting moves the clock of the loop."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.now = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits and no timer is set")
        self.now += max(timeout, 0.0)
        return self.real.select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` begins at 0 and passes only by timers."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Selector(self._selector)

    def time(self) -> float:
        return self._selector.now


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def now() -> float:
    """Return the virtual time of the running loop."""
    return asyncio.get_running_loop().time()
