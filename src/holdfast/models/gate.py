"""When a request may go to one model of one endpoint: places in flight, rates, pauses and outages.

A gate learns how many requests the endpoint takes at once, keeps requests and tokens a minute below what it allows,
sends nothing while it was asked to wait, and falls back to one probe at a time when nothing is answered any more.
Who waits holds no place. It belongs to one event loop, whose timers it uses; it decides nothing about an answer.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from random import Random
from typing import Literal, NamedTuple

from holdfast.core.settings import Limits
from holdfast.models.bucket import Bucket

# "none": a reply that says nothing about the endpoint, as when one prompt breaks it again and no other does.
Outcome = Literal["ok", "throttled", "fault", "none"]

# A lone 500 is mostly gone at once: 25 ms are waited on average before the second attempt. 30 s bounds the last ones.
BACKOFF_BASE = 0.05
BACKOFF_CAP = 30.0

# Places at the beginning and after an outage: an eighth of the most, at least four. Each success adds one, which
# doubles them with each round of replies, so that all are there after three.
START, STARTING = 4, 8
# One refusal in ten is endured, because endpoints refuse at random too. The sum of (1 if refused else 0, less 0.1) over
# the replies since it was last 0 must reach 8 before places are taken away: at 5 % of random refusals that happens
# once in a million replies, beyond capacity after nine refusals in a row (CUSUM, Page 1954, Biometrika 41).
ENDURED = 0.1
ALARM = 8.0
# Places kept after an alarm. Near the number that was too many, one more takes twenty rounds of successes and at least
# 120, since the about ten refusals of the next alarm are to stay few; a tenth above it without an alarm, that number
# is forgotten.
KEPT = 0.75
CAREFUL_ROUNDS = 20
CAREFUL = 120
NEAR = 0.9
FORGET = 1.1

# Faults in a row, with no success between, that mean an outage: at least these, and at least all places.
FAULTS = 8
# Refusals count as faults only when nothing has succeeded for this long: a full endpoint is not a dead one.
SILENCE = 1.0
# Seconds between probes: the first, doubled each time up to the last.
FIRST_PROBE = 1.0
LAST_PROBE = 60.0

# Timers of event loops have this resolution (uvloop: whole milliseconds); one that rings early is set again.
TICK = 0.001


class _Waiter(NamedTuple):
    admitted: asyncio.Future[None]
    tokens: int


class Gate:
    """Admission to one model of one endpoint. Every `enter` that returns is followed by exactly one `leave`."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._most = limits.concurrency
        self._buckets = [Bucket(limit) if limit else None for limit in (limits.rpm, limits.tpm)]
        self._width = self._start = float(min(max(START, self._most // STARTING), self._most))
        self._too_many = inf
        self._slow_start = True
        self._alarm = 0.0
        self._stale = 0
        self._inside = 0
        self._paused = 0.0
        self._faults = 0
        self._last_ok = -inf
        self._opened: float | None = None
        self._probing = False
        self._probe_at = 0.0
        self._interval = FIRST_PROBE
        self._old = 0
        self._later: list[tuple[float, int, _Waiter]] = []
        self._retries: deque[_Waiter] = deque()
        self._fresh: deque[_Waiter] = deque()
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None
        self.ever_ok = False

    @property
    def width(self) -> int:
        """Requests that may be in flight at once, as learned so far."""
        return int(self._width)

    @property
    def probing(self) -> bool:
        """True during an outage: what is sent now is a probe, and its failure counts against no request."""
        return self._opened is not None

    @property
    def outage(self) -> float:
        """Seconds since the endpoint was found to answer nothing any more; 0 while it answers."""
        return 0.0 if self._opened is None else self._clock() - self._opened

    async def enter(self, tokens: int, not_before: float = 0.0) -> None:
        """Return when a request of about `tokens` may be sent, no earlier than `not_before` on the gate's clock.

        A `not_before` above 0 says that this is a retry; retries that are due go first.
        """
        now = self._clock()
        if not_before <= now and not (self._retries or self._fresh) and self._delay(tokens, now) <= 0:
            self._admit(tokens, now)
            return
        waiter = _Waiter(asyncio.get_running_loop().create_future(), tokens)
        if not_before > now:
            self._number += 1
            heappush(self._later, (not_before, self._number, waiter))
        else:
            (self._retries if not_before > 0 else self._fresh).append(waiter)
        self._pump(now)
        await self._admitted(waiter)

    def leave(
        self, outcome: Outcome, after: float | None = None, tokens: int | None = None, asked: int | None = None
    ) -> None:
        """Give the place back and say what came of it.

        `after` are seconds in which nothing more may be sent. `tokens` were really used where `asked` were announced
        to `enter`; without both the announced number stands.
        """
        now = self._clock()
        self._inside -= 1
        if after is not None:
            self._paused = max(self._paused, now + after)
        if tokens is not None and asked is not None and (bucket := self._buckets[1]):
            bucket.take(tokens - asked, now)
        if outcome == "ok":
            self._succeeded(now)
        elif outcome != "none" or self._opened is not None:
            self._failed(outcome, now)
        if self._retries or self._fresh or self._later:
            self._pump(now)

    async def _admitted(self, waiter: _Waiter) -> None:
        try:
            await waiter.admitted
        except asyncio.CancelledError:
            if not waiter.admitted.cancelled():  # the place was given in the same moment: it goes to the next
                self._inside -= 1
                self._probing = False
                self._pump(self._clock())
            raise

    def _delay(self, tokens: int, now: float) -> float:
        """Return the seconds until a place may be free: 0 at once, infinite when somebody must leave first."""
        if self._opened is not None:
            return inf if self._probing else max(self._probe_at, self._paused) - now
        if self._inside >= int(self._width):
            return inf
        delay = self._paused - now
        for bucket, amount in zip(self._buckets, (1, tokens), strict=True):
            if bucket:
                delay = max(delay, bucket.delay(amount, now))
        return delay

    def _admit(self, tokens: int, now: float) -> None:
        self._inside += 1
        self._probing = self._opened is not None
        for bucket, amount in zip(self._buckets, (1, tokens), strict=True):
            if bucket:
                bucket.take(amount, now)

    def _pump(self, now: float) -> None:
        """Let in who may go, retries first, and set the timer for the next moment at which somebody may."""
        while self._later and self._later[0][0] <= now:
            self._retries.append(heappop(self._later)[2])
        delay = inf
        while queue := self._retries or self._fresh:
            waiter = queue[0]
            if not waiter.admitted.done():
                delay = self._delay(waiter.tokens, now)
                if delay > 0:
                    break
                self._admit(waiter.tokens, now)
                waiter.admitted.set_result(None)
            queue.popleft()
        else:
            delay = inf
        if self._later:
            delay = min(delay, self._later[0][0] - now)
        self._set_timer(delay)

    def _set_timer(self, delay: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if delay < inf:
            self._timer = asyncio.get_running_loop().call_later(max(delay, TICK), self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._pump(self._clock())

    def _succeeded(self, now: float) -> None:
        self.ever_ok = True
        self._last_ok = now
        self._faults = 0
        if self._opened is not None:
            self._close()
        self._alarm = max(0.0, self._alarm - ENDURED)
        self._stale = max(0, self._stale - 1)
        if self._width < self._most:
            self._widen()

    def _widen(self) -> None:
        if self._slow_start:
            step = 1.0
        elif self._width < min(NEAR * self._too_many, self._too_many - 1):
            step = 1.0 / self._width
        else:
            step = 1.0 / max(CAREFUL_ROUNDS * self._width, CAREFUL)
        self._width = min(self._width + step, float(self._most))
        if self._width > FORGET * self._too_many + 1:
            self._too_many = inf

    def _failed(self, outcome: Outcome, now: float) -> None:
        if outcome == "throttled":
            self._refused()
        self._stale = max(0, self._stale - 1)
        if outcome != "throttled" or now - self._last_ok > SILENCE:
            self._faults += 1
        if self._opened is not None:
            self._probe_failed(now)
        elif self._faults >= max(FAULTS, int(self._width)):
            self._opened = now
            self._interval = FIRST_PROBE
            self._probe_at = now + FIRST_PROBE
            self._old = self._inside

    def _refused(self) -> None:
        """Count a refusal; after an alarm, replies to what was in flight then say nothing new and are passed over."""
        if self._stale:
            return
        self._alarm += 1 - ENDURED
        if self._alarm >= ALARM:
            self._alarm = 0.0
            self._stale = self._inside + 1
            self._slow_start = False
            self._too_many = self._width
            self._width = max(1.0, self._width * KEPT)

    def _probe_failed(self, now: float) -> None:
        """Set the next probe twice as far away. What was in flight when the outage was found is no probe."""
        if self._old:
            self._old -= 1
            return
        self._probing = False
        self._interval = min(2 * self._interval, LAST_PROBE)
        self._probe_at = now + self._interval

    def _close(self) -> None:
        self._opened = None
        self._probing = False
        self._old = 0
        self._width = self._start
        self._slow_start = True
        self._too_many = inf


def backoff(attempt: int, random: Random) -> float:
    """Return the seconds before the attempt after `attempt` (1 is the first): uniform up to 0.05 s doubled each time.

    The whole span is drawn from, so that requests that failed together do not come back together; 30 s at most.
    """
    return random.uniform(0.0, min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(attempt - 1, 32)))
