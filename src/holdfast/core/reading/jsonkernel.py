"""Structure of JSON text counted from its bytes, before any parser sees it.

Each function is plain Python over bytes; numba compiles it (cached) for large blocks and `.py_func` is the same
function uncompiled, so that small inputs do not pay for a compiler. Nothing here decides whether JSON is valid.
"""

from typing import Any

import numpy as np

from holdfast.core.compiled import Late

# Below this many bytes the uncompiled function is faster than loading the compiled one.
SMALL = 64 * 2**10

QUOTE, BACKSLASH, COLON, COMMA, NEWLINE = 34, 92, 58, 44, 10
OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET = 123, 125, 91, 93
ZERO, NINE, SPACE = 48, 57, 32

# Slots of the state that `split` carries from block to block.
DEPTH, IN_STRING, ESCAPED, BEGIN, CLOSED = 0, 1, 2, 3, 4


@Late
def _measure(data: Any, ends: Any, depths: Any, colons: Any, digits: Any) -> None:  # noqa: C901 one pass over the bytes, compiled whole
    start = 0
    for line in range(len(ends)):
        depth = deepest = colon = run = longest = 0
        in_string = False
        skip = False
        for position in range(start, ends[line]):
            byte = data[position]
            if in_string:
                if skip:
                    skip = False
                elif byte == BACKSLASH:
                    skip = True
                elif byte == QUOTE:
                    in_string = False
            elif ZERO <= byte <= NINE:
                run += 1
                longest = max(longest, run)
            else:
                run = 0
                if byte == QUOTE:
                    in_string = True
                elif byte == COLON:
                    colon += 1
                elif byte in (OPEN_BRACE, OPEN_BRACKET):
                    depth += 1
                    deepest = max(deepest, depth)
                elif byte in (CLOSE_BRACE, CLOSE_BRACKET):
                    depth -= 1
        depths[line] = deepest
        colons[line] = colon
        digits[line] = longest
        start = ends[line] + 1


@Late
def _split(data: Any, base: int, state: Any, starts: Any, ends: Any) -> int:  # noqa: C901 one pass over the bytes, compiled whole
    depth, in_string, skip, begin = state[DEPTH], state[IN_STRING], state[ESCAPED], state[BEGIN]
    found = 0
    for position in range(len(data)):
        byte = data[position]
        if in_string:
            if skip:
                skip = 0
            elif byte == BACKSLASH:
                skip = 1
            elif byte == QUOTE:
                in_string = 0
            continue
        outside = depth == base
        closing = byte in (CLOSE_BRACE, CLOSE_BRACKET)
        if outside and begin >= 0 and (byte == COMMA or byte <= SPACE or closing):
            starts[found], ends[found] = begin, position
            found += 1
            begin = -1
        if outside and byte == CLOSE_BRACKET and base > 0:
            state[CLOSED] = position + 1
            break
        if outside and begin < 0 and byte != COMMA and byte > SPACE:
            begin = position
        if byte == QUOTE:
            in_string = 1
        elif byte in (OPEN_BRACE, OPEN_BRACKET):
            depth += 1
        elif closing and not outside:
            depth -= 1
            if depth == base:
                starts[found], ends[found] = begin, position + 1
                found += 1
                begin = -1
    state[DEPTH], state[IN_STRING], state[ESCAPED], state[BEGIN] = depth, in_string, skip, begin
    return found


def measure(lines: list[bytes]) -> tuple[list[int], list[int], list[int]]:
    """Return, per line, the deepest nesting, the colons outside strings and the longest run of digits outside them."""
    count = len(lines)
    data = b"\n".join(lines)
    ends = np.cumsum([len(line) + 1 for line in lines]) - 1
    if len(data) <= SMALL:
        depths, colons, digits = [0] * count, [0] * count, [0] * count
        _measure.py_func(data, ends.tolist(), depths, colons, digits)
        return depths, colons, digits
    out = np.zeros((3, count), dtype=np.int64)
    _measure(np.frombuffer(data, dtype=np.uint8), ends, out[0], out[1], out[2])
    return out[0].tolist(), out[1].tolist(), out[2].tolist()


def split(data: bytes, base: int, state: np.ndarray) -> list[tuple[int, int]]:
    """Return the spans of the values that end in `data`, nested `base` deep in the file; `state` carries the rest.

    `state[BEGIN]` is where an unfinished value begins, or -1. `state[CLOSED]` is positive once the container of
    the values was closed: the position after its bracket.
    """
    room = len(data) + 1  # at most one value ends at a byte: of stray closing brackets each is one
    if len(data) <= SMALL:
        starts, ends = [0] * room, [0] * room
        carried = state.tolist()
        found = _split.py_func(data, base, carried, starts, ends)
        state[:] = carried
        return list(zip(starts[:found], ends[:found], strict=True))
    spans = np.zeros((2, room), dtype=np.int64)
    found = _split(np.frombuffer(data, dtype=np.uint8), base, state, spans[0], spans[1])
    return list(zip(spans[0, :found].tolist(), spans[1, :found].tolist(), strict=True))
