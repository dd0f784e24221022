"""Rounds: what was committed is what comes back, whatever its size, and clearing leaves a run that can go on."""

import os

from hypothesis import given
from hypothesis import strategies as st

from holdfast.workflows.rounds import FOLDER, NUMBERS, REPEATED, RESULTS, Line, Rounds, State, sections

WORDS = st.sampled_from(["kept", "rejected", "undecided", "failed"])
NUMBER = st.integers(0, 2**64 - 1)


@st.composite
def lines(draw):
    """A line with everything that a state takes note of."""
    fate = draw(WORDS)
    runs = tuple(draw(st.lists(NUMBER, max_size=3, unique=True)))
    return Line(
        source=draw(st.integers(0, 2)),
        cell=draw(st.integers(0, 2)),
        next=draw(st.integers(1, 1000)),
        fate=fate,
        reason="" if fate == "kept" else draw(st.sampled_from([REPEATED, "too-short", "held-out"])),
        row=b'{"id": %d}' % draw(st.integers(0, 99)),
        content=draw(st.none() | NUMBER),
        verdicts=tuple(b'{"check": "c"}' for _ in range(draw(st.integers(0, 2)))),
        grams=runs,
        cost=draw(st.floats(0, 10)),
        leaks=tuple(draw(st.lists(st.sampled_from(["email", "phone"]), max_size=2))),
        served=tuple(draw(st.lists(st.sampled_from(["m: a", "m: b"]), max_size=1))),
        runs=len(runs) + draw(st.integers(0, 3)),
    )


@st.composite
def histories(draw):
    """Rounds of lines, and which generators said after each that they have no more for a cell."""
    return draw(st.lists(st.tuples(st.lists(lines(), max_size=5), st.integers(0, 2)), max_size=4))


def committed(out, history):
    """Return the state after committing every round of a history."""
    rounds, state = Rounds(out), State()
    for made, source in history:
        for line in made:
            state.add(line)
        state.spent[source, 0] = "exhausted"
        rounds.commit(state, made)
    return state


@given(histories())
def test_what_comes_back_is_what_was_committed(tmp_path_factory, history):
    """The state read back is the state that was left, to its last counter, and so are the bytes of all results."""
    out = tmp_path_factory.mktemp("run")
    state, rounds = committed(out, history), Rounds(out)
    restored = rounds.restore()
    for name in State.__dataclass_fields__:
        left, found = getattr(state, name), getattr(restored, name)
        assert found == ({key: list(value) for key, value in left.items()} if name == "novelty" else left), name
    wanted = sections([line for made, _ in history for line in made])
    assert wanted == {name: b"".join(rounds.results(name, state.rounds)) for name in RESULTS}


@given(histories())
def test_a_state_survives_json(tmp_path_factory, history):
    """A state as plain values and back is the same but for the numbers, which the rounds keep as such."""
    state = committed(tmp_path_factory.mktemp("run"), history)
    again = State.from_dict(state.to_dict(), state.rounds)
    assert state.to_dict() == again.to_dict()
    assert (state.of_source, state.of_cell) == (+again.of_source, +again.of_cell)


def test_sections_hold_each_line_in_its_place(tmp_path):
    """Rows lie under their fate, verdicts apart, and contents and n-grams as 64-bit numbers, in the order made."""
    made = [
        Line(0, 0, 1, "kept", "", b"a", 5, (b"v1", b"v2"), (7, 2**63)),
        Line(0, 0, 2, "failed", "timeout", b"b"),
        Line(0, 1, 1, "kept", "", b"c", 6, (b"v3",)),
    ]
    committed(tmp_path, [(made, 0)])
    rounds = Rounds(tmp_path)
    assert [b"a\nc\n", b"", b"", b"b\n", b"v1\nv2\nv3\n"] == [rounds.section(0, name) for name in RESULTS]
    numbers = [rounds.section(0, name) for name in NUMBERS]
    assert [[5, 6], [7, 2**63]] == [list(memoryview(each).cast("Q")) for each in numbers]


def test_an_index_longer_than_a_block_is_read_whole(tmp_path):
    """A state of thousands of cells makes a last line of more than 64 KiB, and of more than 256: it comes back."""
    for number, cells in enumerate((5_000, 20_000)):
        out = tmp_path / str(number)
        made = [Line(0, cell, 1, "kept", "", b'{"id": "%d"}' % cell, cell) for cell in range(cells)]
        state = committed(out, [(made, 0)])
        path = Rounds(out).path(0)
        assert len(path.read_bytes().rstrip(b"\n").rpartition(b"\n")[2]) > 4 ** (number + 3) * 2**10
        assert state.to_dict() == Rounds(out).restore().to_dict()
        assert cells == Rounds(out).section(0, "kept").count(b"\n")


def test_half_written_rounds_are_removed_and_not_read(tmp_path):
    """What a killed writer left beside the rounds is gone after the next start, and says nothing."""
    state = committed(tmp_path, [([Line(0, 0, 1, "kept", "", b"a", 5)], 0)])
    half = tmp_path / FOLDER / f".000001.round.{os.getpid()}"
    half.write_bytes(b"half a rou")
    assert (state.to_dict(), 1) == (Rounds(tmp_path).restore().to_dict(), Rounds(tmp_path).restore().rounds)
    assert not half.exists()


def test_clearing_ends_at_the_beginning_and_is_a_run_at_every_moment(tmp_path, monkeypatch):
    """Rounds go the last one first: whenever clearing is broken off, what is left is the run as it was before."""
    history = [([Line(0, 0, number, "kept", "", b"%d" % number, number)], 0) for number in range(1, 4)]
    committed(tmp_path, history)
    left = []
    rounds = Rounds(tmp_path)
    monkeypatch.setattr("holdfast.core.durable.watch", lambda step, path: left.append(rounds.restore().rounds))
    rounds.clear()
    assert [3, 2, 1] == left
    assert State() == rounds.restore()
