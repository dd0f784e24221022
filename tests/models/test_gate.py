"""The gate in virtual time: full use under random faults, capacity learned, pauses, rates, outages, nobody lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.settings import Limits
from holdfast.models.gate import BACKOFF_CAP, FAULTS, LAST_PROBE, SILENCE, Gate, backoff
from tests.models.virtual_time import now, run

Serve = Callable[[], Awaitable[tuple[str, float | None]]]


def gate_of(**limits: float) -> Gate:
    """A gate on the clock of the running loop."""
    return Gate(Limits(**limits), clock=now)


class Crowd:
    """Workers that each carry jobs through a gate, again and again until each job is done, as a dispatcher does."""

    def __init__(self, gate: Gate, serve: Serve, jobs: int, seed: int = 1) -> None:
        self.gate, self.serve, self.left, self.random = gate, serve, jobs, Random(seed)
        self.sent: list[float] = []
        self.outcomes: Counter[str] = Counter()

    async def work(self, workers: int) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self.worker())

    async def worker(self) -> None:
        while self.left > 0:
            self.left -= 1
            await self.job()

    async def job(self) -> None:
        attempt, due, outcome = 1, 0.0, ""
        while outcome != "ok":
            await self.gate.enter(100, due)
            self.sent.append(now())
            outcome, after = await self.serve()
            self.outcomes[outcome] += 1
            self.gate.leave(outcome, after)
            due = now() + backoff(attempt, self.random)
            attempt = 1 if self.gate.probing else attempt + 1


def test_random_faults_leave_nine_tenths_of_the_ideal_rate() -> None:
    """64 in flight, 50 ms, 5 % 500 and 5 % 429 without Retry-After: at least 90 % of what the faults leave."""

    async def scene() -> float:
        random = Random(7)

        async def serve() -> tuple[str, float | None]:
            await asyncio.sleep(0.05)
            drawn = random.random()
            return ("fault" if drawn < 0.05 else "throttled" if drawn < 0.1 else "ok"), None

        crowd = Crowd(gate_of(concurrency=64), serve, 40_000)
        await crowd.work(3 * 64)
        return crowd.outcomes["ok"] / now()

    assert run(scene()) >= 0.9 * (64 / 0.05) * 0.9


def test_random_refusals_take_no_place_away() -> None:
    """After 20,000 replies with 5 % random refusals all 64 places are in use."""

    async def scene() -> int:
        random = Random(8)

        async def serve() -> tuple[str, float | None]:
            await asyncio.sleep(0.05)
            return ("throttled" if random.random() < 0.05 else "ok"), None

        crowd = Crowd(gate_of(concurrency=64), serve, 20_000)
        await crowd.work(128)
        return crowd.gate.width

    assert 64 == run(scene())


@pytest.mark.parametrize("capacity", [3, 8, 16, 48])
def test_capacity_is_found(capacity: int) -> None:
    """An endpoint that takes K at once and refuses the others at once: near K in flight, under 15 % refused."""

    async def scene() -> tuple[float, float]:
        inside = 0

        async def serve() -> tuple[str, float | None]:
            nonlocal inside
            if inside >= capacity:
                await asyncio.sleep(0.002)
                return "throttled", None
            inside += 1
            await asyncio.sleep(0.05)
            inside -= 1
            return "ok", None

        crowd = Crowd(gate_of(concurrency=64), serve, capacity * 1000)
        await crowd.work(128)
        done = crowd.outcomes["ok"]
        return crowd.outcomes["throttled"] / sum(crowd.outcomes.values()), done / now() / (capacity / 0.05)

    refused, used = run(scene())
    assert refused < 0.15
    assert used > 0.8


def test_refused_capacity_is_used_again_when_it_grows() -> None:
    """An endpoint that takes 4 for 30 s and then everything is used with all 32 places some 2,000 answers later."""

    async def scene() -> int:
        inside = 0

        async def serve() -> tuple[str, float | None]:
            nonlocal inside
            if inside >= 4 and now() < 30:
                await asyncio.sleep(0.002)
                return "throttled", None
            inside += 1
            await asyncio.sleep(0.05)
            inside -= 1
            return "ok", None

        crowd = Crowd(gate_of(concurrency=32), serve, 4500)
        await crowd.work(64)
        return crowd.gate.width

    assert 32 == run(scene())


def test_a_retry_after_stops_everything() -> None:
    """Nothing is sent inside a Retry-After window, whoever was refused, and work goes on at its end."""

    async def scene() -> list[float]:
        async def serve() -> tuple[str, float | None]:
            await asyncio.sleep(0.05)
            return ("throttled", 20.0) if 1.0 < now() < 1.2 else ("ok", None)

        crowd = Crowd(gate_of(concurrency=16), serve, 1000)
        await crowd.work(32)
        return crowd.sent

    sent = run(scene())
    assert [] == [at for at in sent if 1.11 < at < 20.99]
    assert len(sent) > 1000
    assert min(at for at in sent if at > 2) < 22.5


def test_a_longer_pause_wins_over_a_shorter() -> None:
    """Of several Retry-After windows the last to end counts, in whatever order they are told."""

    async def scene() -> float:
        gate = gate_of(concurrency=3)
        for _ in range(3):
            await gate.enter(1)
        for after in (5.0, 9.0, 2.0):
            gate.leave("throttled", after)
        await gate.enter(1)
        return now()

    assert 9.0 == pytest.approx(run(scene()), abs=0.01)


def outage(kind: str, start: float, end: float) -> Serve:
    async def serve() -> tuple[str, float | None]:
        await asyncio.sleep(0.05)
        return (kind if start < now() < end else "ok"), None

    return serve


@pytest.mark.parametrize(("kind", "found"), [("fault", 0.2), ("throttled", 4.0)])
def test_an_outage_of_half_an_hour_costs_probes_only(kind: str, found: float) -> None:
    """In 30 minutes of faults, or of 503 without a wait, one probe goes out per interval; every job is done at last."""

    async def scene() -> tuple[list[float], int, float]:
        gate = gate_of(concurrency=64)
        crowd = Crowd(gate, outage(kind, 10, 1810), 40_000)
        await crowd.work(128)
        return crowd.sent, crowd.outcomes["ok"], gate.outage

    sent, done, left = run(scene())
    during = [at for at in sent if 10 + found < at < 1810]
    assert 40_000 == done
    assert 0 == left
    assert 25 < len(during) < 40
    assert len([at for at in sent if 10 < at < 10 + found]) < (200 if kind == "fault" else 1000)
    gaps = [later - earlier for earlier, later in pairwise(during)]
    assert all(gap >= 1 for gap in gaps)
    assert LAST_PROBE == pytest.approx(gaps[-1], abs=0.1)
    assert min(at for at in sent if at > 1810) < 1810 + LAST_PROBE + 0.1


def test_an_outage_is_told_while_it_lasts() -> None:
    """`outage` counts from the moment it was found, `probing` is true until something succeeds, `ever_ok` stays."""

    async def scene() -> list[tuple[bool, bool, int]]:
        gate = gate_of(concurrency=2)
        seen = []
        for outcome in ["ok", *["fault"] * FAULTS, "fault", "fault", "ok"]:
            await gate.enter(1)
            gate.leave(outcome)
            seen.append((gate.ever_ok, gate.probing, round(gate.outage)))
        return seen

    told = run(scene())
    assert [(True, False, 0)] * FAULTS + [(True, True, 0), (True, True, 1), (True, True, 3), (True, False, 0)] == told


def test_refusals_alone_are_an_outage_after_a_second() -> None:
    """An endpoint that answers 503 to everything is found to be down, one that is merely full is not."""

    async def scene() -> tuple[bool, bool]:
        gate = gate_of(concurrency=1)
        for _ in range(FAULTS - 1):
            await gate.enter(1)
            gate.leave("fault")
        await gate.enter(1)
        gate.leave("ok")
        for _ in range(3 * FAULTS):
            await gate.enter(1)
            gate.leave("throttled")
        full = gate.probing
        await asyncio.sleep(SILENCE + 0.1)
        for _ in range(FAULTS):
            await gate.enter(1)
            gate.leave("throttled")
        return full, gate.probing

    assert (False, True) == run(scene())


def test_what_was_in_flight_at_the_beginning_of_an_outage_is_no_probe() -> None:
    """Old requests that fail late neither double the interval nor let a second probe out beside the first."""

    async def scene() -> tuple[list[float], bool]:
        gate = gate_of(concurrency=12)
        for _ in range(12):
            await gate.enter(1)
            gate.leave("ok")
        for _ in range(12):
            await gate.enter(1)
        for _ in range(11):
            gate.leave("fault")
        await asyncio.sleep(0)
        before = gate.probing
        for _ in range(1):
            await gate.enter(1)
        gate.leave("fault")
        found = now()
        await gate.enter(1)
        first = now() - found
        gate.leave("fault")
        second = asyncio.ensure_future(gate.enter(1))
        await asyncio.sleep(0.5)
        done = second.done()
        gate.leave("fault")
        await second
        return [first, now() - found], before or done

    waited, early = run(scene())
    assert [1.0, 3.5] == pytest.approx(waited, abs=0.01)
    assert not early


@settings(max_examples=40, deadline=None)
@given(
    rpm=st.integers(1, 400),
    tpm=st.integers(50, 20_000),
    asked=st.lists(st.integers(1, 100), min_size=1, max_size=20),
)
def test_no_minute_exceeds_its_limits(rpm: int, tpm: int, asked: list[int]) -> None:
    """In no 60 s go out more requests or tokens than allowed, save for single requests above half the tokens."""

    async def scene() -> list[tuple[float, int]]:
        gate, sent = gate_of(concurrency=50, rpm=rpm, tpm=tpm), []
        sizes = [min(size, tpm // 2) for size in asked]
        for number in range(120):
            await gate.enter(size := sizes[number % len(sizes)])
            sent.append((now(), size))
            gate.leave("ok", tokens=size, asked=size)
        return sent

    sent = run(scene())
    for start, _ in sent:
        window = [size for at, size in sent if start <= at < start + 59.99]
        assert len(window) <= rpm
        assert sum(window) <= tpm


def test_limits_are_used() -> None:
    """Over ten minutes at least 90 % of the requests allowed go out."""

    async def scene() -> float:
        gate = gate_of(concurrency=50, rpm=300)
        for _ in range(3000):
            await gate.enter(1)
            gate.leave("ok")
        return now()

    assert run(scene()) < 600 / 0.9


def test_used_tokens_correct_the_announced_ones() -> None:
    """Requests that use three times what they announced go out at a third of the rate."""

    async def scene(used: int) -> float:
        gate = gate_of(concurrency=1, tpm=6000)
        for _ in range(100):
            await gate.enter(100)
            gate.leave("ok", tokens=used, asked=100)
        return now()

    assert 3.0 == pytest.approx(run(scene(300)) / run(scene(100)), rel=0.1)


def test_a_request_above_the_limit_goes_and_is_paid_for() -> None:
    """One request of three times the tokens of a minute goes at once; the next waits until it is paid back."""

    async def scene() -> list[float]:
        gate, sent = gate_of(concurrency=2, tpm=1000), []
        for _ in range(2):
            await gate.enter(3000)
            sent.append(now())
            gate.leave("ok")
        return sent

    first, second = run(scene())
    assert 0 == first
    assert 180 < second < 400


def test_retries_wait_without_a_place_and_go_first() -> None:
    """With one place: a retry that is due overtakes new requests, and before it is due it keeps nobody out."""

    async def scene() -> list[str]:
        gate, order = gate_of(concurrency=1), []

        async def send(name: str, due: float = 0.0) -> None:
            await gate.enter(1, due)
            order.append(name)
            await asyncio.sleep(1)
            gate.leave("ok")

        async with asyncio.TaskGroup() as group:
            group.create_task(send("late retry", 1.5))
            group.create_task(send("early retry", 0.5))
            for number in range(3):
                group.create_task(send(f"new {number}"))
        return order

    assert ["new 0", "early retry", "late retry", "new 1", "new 2"] == run(scene())


def test_a_cancelled_waiter_leaves_its_place_to_others() -> None:
    """Cancelled while waiting, or in the very moment of admission: the next gets the place."""

    async def scene() -> bool:
        gate = gate_of(concurrency=1)
        await gate.enter(1)
        first, second, third = (asyncio.ensure_future(gate.enter(1)) for _ in range(3))
        await asyncio.sleep(0)
        first.cancel()
        gate.leave("ok")
        await asyncio.sleep(0)
        assert second.done()
        gate.leave("ok")
        third.cancel()
        await asyncio.gather(first, third, return_exceptions=True)
        await asyncio.wait_for(gate.enter(1), 1)
        return True

    assert run(scene())


def test_backoff_is_drawn_from_a_doubling_span() -> None:
    """Waits are below 0.05 s after the first attempt, double on average, and never exceed 30 s."""
    random = Random(3)
    means = [sum(backoff(attempt, random) for _ in range(2000)) / 2000 for attempt in (1, 2, 3)]
    assert [0.025, 0.05, 0.1] == pytest.approx(means, rel=0.1)
    assert max(backoff(10_000, random) for _ in range(1000)) <= BACKOFF_CAP
