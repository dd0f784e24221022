"""batch: each call is submitted once, whatever died in between, and put together with its own answer."""

import asyncio

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import StoppedError, UsageError
from holdfast.core.record import Message
from holdfast.core.settings import Model
from holdfast.models import batch
from holdfast.models.batch import GoneError, PassingError, collect, find, lines, name_of, parts, poll, submit
from holdfast.models.chat import Answer, Call
from holdfast.models.reply import Ended, read
from holdfast.models.request import body_of
from tests.models.batch_server import answered, expired, failed, providing

RUN = "run-1"
MODEL = Model(base_url="http://h/v1", model="m")


def call(number):
    """One call."""
    return Call((Message("user", f"say {number}, ünïcödé"),))


CALLS = {f"call-{number}": body_of(call(number), MODEL) for number in range(20)}


def scene(work, **more):
    """What `work(provider, endpoint)` returns."""

    async def inside():
        async with providing(**more) as (provider, endpoint):
            return await work(provider, endpoint)

    return asyncio.run(inside())


def texts(replies):
    """The texts of answers by their custom ids, as a reply is read."""
    read_as = {name: read(reply, call(0), "m", 1) for name, reply in replies}
    return {name: each.text for name, each in read_as.items() if isinstance(each, Answer)}


def test_a_line_holds_what_the_format_asks_for():
    """custom_id, method, url, and the body byte for byte as it would be sent alone."""
    first = orjson.loads(lines(CALLS).splitlines()[0])
    assert {"custom_id": "call-0", "method": "POST", "url": "/v1/chat/completions"} == {
        name: first[name] for name in ("custom_id", "method", "url")
    }
    assert all(body in line for line, body in zip(lines(CALLS).splitlines(), CALLS.values(), strict=True))


def test_answers_in_any_order_find_their_calls():
    """The file is shuffled; every call has its own answer, read as one over the wire is."""

    async def work(provider, endpoint):
        made = await submit(endpoint, CALLS, RUN)
        before = await poll(endpoint, made)
        provider.finish()
        after = await poll(endpoint, made)
        return before, after, list(await collect(endpoint, made, CALLS))

    before, after, replies = scene(work)
    assert (False, "validating", True, 20, 20) == (
        before.finished,
        before.status,
        after.finished,
        after.done,
        after.total,
    )
    assert [name for name, _ in replies] != sorted(name for name, _ in replies)
    assert {f"call-{n}": f"echo say {n}, ünïcödé" for n in range(20)} == texts(replies)


def test_what_has_no_answer_stays_pending():
    """Missing and expired lines give no reply; an error status gives one, whose meaning is read as ever."""

    def some(name, body):
        number = int(name.removeprefix("call-"))
        if number < 5:
            return None
        if number < 10:
            return expired(name)
        return failed(name, 400, "content_filter") if number == 10 else answered(name, body)

    async def work(provider, endpoint):
        made = await submit(endpoint, CALLS, RUN)
        provider.finish(status="expired", lines=some)
        return list(await collect(endpoint, made, CALLS))

    replies = dict(scene(work))
    assert {f"call-{n}" for n in range(10)} == set(CALLS) - set(replies)
    assert Ended("rejected", "content-filter", "400 it was content_filter") == read(replies["call-10"], call(0), "m", 1)
    assert 9 == len(texts(replies.items()))


def test_lines_that_cannot_be_meant_are_left_out():
    """Torn, foreign, repeated and shapeless lines neither stop the others nor answer twice."""

    async def work(provider, endpoint):
        made = await submit(endpoint, CALLS, RUN)
        provider.finish()
        file = provider.batches[0]["output_file_id"]
        whole = provider.files[file].splitlines(keepends=True)
        odd = b'[]\n{"custom_id": "call-3"}\n{"custom_id": "call-4", "response": {"status_code": "200"}}\n'
        odd += orjson.dumps(answered("somebody-else", {"messages": [{"content": "x"}], "model": "m"})) + b"\n"
        provider.files[file] = odd + b"".join([*whole[:-1], whole[0], whole[-1][:50]])
        return list(await collect(endpoint, made, CALLS))

    names = [name for name, _ in scene(work)]
    assert 19 == len(names) == len(set(names) & set(CALLS))


def test_a_batch_submitted_and_not_written_down_is_found_again():
    """Killed between submitting and writing down: the same set is not submitted twice, on whatever page it is."""

    async def work(provider, endpoint):
        first = await submit(endpoint, CALLS, RUN)
        for number in range(5):
            await submit(endpoint, {"other": body_of(call(number), MODEL)}, f"run of somebody {number}")
        return first, await submit(endpoint, dict(reversed(CALLS.items())), RUN), provider.batches

    first, again, batches = scene(work, page=2)
    assert first == again
    assert 6 == len(batches)


def test_a_lost_reply_does_not_submit_twice():
    """The batch was made and the connection died: the listing tells, without a second upload."""

    async def work(provider, endpoint):
        provider.lose = {"/v1/batches"}
        return await submit(endpoint, CALLS, RUN), provider.batches, provider.seen.count("POST /v1/files")

    made, batches, uploads = scene(work)
    assert ([made], 1) == ([each["id"] for each in batches], uploads)


def test_a_lost_upload_stops_and_makes_nothing():
    """Without a file there is no batch; running again makes exactly one."""

    async def work(provider, endpoint):
        provider.lose = {"/v1/files"}
        with pytest.raises(StoppedError, match="did not take a file"):
            await submit(endpoint, CALLS, RUN)
        assert [] == provider.batches
        provider.lose = set()
        return await submit(endpoint, CALLS, RUN), len(provider.batches)

    assert ("batch-0", 1) == scene(work)


def test_a_batch_that_ended_while_away_is_collected_without_asking_again():
    """Killed after submitting; it completed meanwhile. It is found by run and set, and no other run's or set's is."""

    async def work(provider, endpoint):
        await submit(endpoint, CALLS, RUN)
        provider.finish()
        left = await find(endpoint, RUN, name_of(CALLS), known=())
        others = [
            await find(endpoint, "another run", name_of(CALLS), ()),
            await find(endpoint, RUN, name_of({}), ()),
            await find(endpoint, RUN, name_of(CALLS), {left}),
        ]
        return left, others, texts(await collect(endpoint, left, CALLS)), len(provider.batches)

    left, others, found, batches = scene(work)
    assert ("batch-0", [None] * 3) == (left, others)
    assert (set(CALLS), 1) == (set(found), batches)


def test_what_passes_is_told_from_what_is_gone_and_what_is_refused():
    """A lost reply may come the next time; an unknown batch never will."""

    async def work(provider, endpoint):
        with pytest.raises(GoneError, match="batch-7"):
            await poll(endpoint, "batch-7")
        provider.lose = {"/v1/files"}
        with pytest.raises(PassingError, match="did not take a file"):
            await submit(endpoint, CALLS, RUN)

    scene(work)


def test_a_partly_expired_batch_is_repaid_for_the_rest_only():
    """What came is kept, what expired is submitted as a set of its own, and again where all of that expires too."""

    async def work(provider, endpoint):
        made = await submit(endpoint, CALLS, RUN)
        provider.finish(
            status="expired", lines=lambda name, body: answered(name, body) if name[-1] in "02468" else None
        )
        got = dict(await collect(endpoint, made, CALLS))
        rest = {name: body for name, body in CALLS.items() if name not in got}
        second = await submit(endpoint, rest, RUN, {made})
        provider.finish(status="expired", lines=lambda name, _: expired(name))
        assert [] == list(await collect(endpoint, second, rest))
        third = await submit(endpoint, rest, RUN, {made, second})
        provider.finish()
        got |= dict(await collect(endpoint, third, rest))
        return got, [len(provider.calls(each)) for each in provider.batches[::-1]]

    got, sizes = scene(work)
    assert set(CALLS) == set(got)
    assert [20, 10, 10] == sizes


def test_a_batch_that_is_not_over_is_not_collected():
    """Nothing is taken from a batch that runs: its files may grow."""

    async def work(provider, endpoint):
        made = await submit(endpoint, CALLS, RUN)
        provider.batches[0]["status"] = "in_progress"
        with pytest.raises(StoppedError, match="in_progress"):
            await collect(endpoint, made, CALLS)

    scene(work)


def test_a_refused_batch_says_why_and_is_not_found_again():
    """Validation failed: the provider's words are told, nothing was made, and the set may be submitted anew."""

    async def work(provider, endpoint):
        made = await submit(endpoint, CALLS, RUN)
        provider.batches[0] |= {"status": "failed", "errors": {"data": [{"line": 1, "message": "no such model"}]}}
        with pytest.raises(StoppedError, match="no such model"):
            await collect(endpoint, made, CALLS)
        return await find(endpoint, RUN, name_of(CALLS), ()), await submit(endpoint, CALLS, RUN)

    assert (None, "batch-1") == scene(work)


def test_an_endpoint_without_batches_is_a_mistake_of_the_settings():
    """404 on the listing: nothing is uploaded, and the remedy is told."""

    async def work(provider, endpoint):
        with pytest.raises(UsageError, match="batch: true"):
            await submit(endpoint, CALLS, RUN)
        return provider.files

    assert {} == scene(work, batchless=True)


def test_a_file_of_answers_may_be_larger_than_an_answer():
    """12 MB of answers arrive; the cap of a single answer does not cut them."""

    async def work(provider, endpoint):
        made = await submit(endpoint, CALLS, RUN)
        provider.finish(lines=lambda name, body: {**answered(name, body), "filler": "x" * 600_000})
        return list(await collect(endpoint, made, CALLS))

    assert 20 == len(scene(work))


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.binary(max_size=12), min_size=1, max_size=30))
def test_parts_are_the_whole_in_order(calls):
    """Whatever the sizes: every call in one part, none empty, none above a limit unless it is alone."""
    before = batch.MOST_CALLS, batch.MOST_BYTES
    batch.MOST_CALLS, batch.MOST_BYTES = 4, 20
    try:
        made = list(parts(calls))
    finally:
        batch.MOST_CALLS, batch.MOST_BYTES = before
    assert list(calls.items()) == [pair for part in made for pair in part.items()]
    assert all(len(part) <= 4 for part in made)
    assert all(len(part) == 1 or sum(map(len, part.values())) <= 20 for part in made)


def test_a_set_is_named_by_what_is_in_it():
    """Order does not matter, and every id and body does, also where they run into one another."""
    assert name_of(CALLS) == name_of(dict(reversed(CALLS.items())))
    sets = [{"a": b"bc"}, {"ab": b"c"}, {"a": b"b", "c": b""}, {"a": b"bd"}]
    assert 4 == len({name_of(each) for each in sets})
