"""Compiled single passes over Arrow text buffers: word hashes and 128-bit digests.

Only this module and the join kernels of `dedup` need numba, and only large inputs import them (`core.text` decides).
Nothing here makes a Python object; `core.text` holds the numpy form of the same passes, equal to the last bit.
"""

from typing import Any

import numba
import numpy as np

from holdfast.core.codepoints import (
    FOLD_MASK,
    IGNORED,
    KIND_MASK,
    KIND_SHIFT,
    LOW_END,
    SINGLE,
    SPACE,
    SUSPECT_BIT,
    TAGS_END,
    TAGS_START,
    WORD,
)
from holdfast.core.hashing import BASE, LANE, MIX_1, MIX_2, STEP

_BASE = np.uint64(BASE)
_LANE = np.uint64(LANE)
_MIX_1 = np.uint64(MIX_1)
_MIX_2 = np.uint64(MIX_2)
_STEP = np.uint64(STEP)


@numba.njit(cache=True, nogil=True)
def mix(value: Any) -> Any:
    """Return what `hashing.mix` returns, for one value."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def _step(data: Any, i: int, table: Any) -> Any:
    """Return the table entry of the character at byte `i` and where the next one begins (valid UTF-8 assumed)."""
    first = np.int64(data[i])
    if first < 0x80:
        return table[first], i + 1
    if first < 0xE0:
        return table[((first & 0x1F) << 6) | (data[i + 1] & 0x3F)], i + 2
    if first < 0xF0:
        code = ((first & 0x0F) << 12) | (np.int64(data[i + 1] & 0x3F) << 6) | (data[i + 2] & 0x3F)
        return table[code], i + 3
    code = ((first & 0x07) << 18) | (np.int64(data[i + 1] & 0x3F) << 12)
    code |= (np.int64(data[i + 2] & 0x3F) << 6) | (data[i + 3] & 0x3F)
    if TAGS_START <= code < TAGS_END:
        return table[code - TAGS_START + LOW_END], i + 4
    return (table[code] if code < LOW_END else np.uint32(code)), i + 4


@numba.njit(cache=True, nogil=True)
def scan_words(data: Any, offsets: Any, table: Any, out: Any, ends: Any, suspect: Any) -> None:
    """Write one hash per word to `out`, the running total per text to `ends`, and mark texts that may not be NFC."""
    written = 0
    for text in range(offsets.size - 1):
        i = offsets[text]
        stop = offsets[text + 1]
        value = np.uint64(0)
        flags = np.uint32(0)
        while i < stop:
            entry, i = _step(data, i, table)
            flags |= entry
            kind = (entry >> np.uint32(KIND_SHIFT)) & np.uint32(KIND_MASK)
            if kind == WORD:
                value = value * _BASE + np.uint64(entry & np.uint32(FOLD_MASK))
            elif kind != IGNORED:
                if value != 0:
                    out[written] = mix(value)
                    written += 1
                    value = np.uint64(0)
                if kind == SINGLE:
                    out[written] = mix(np.uint64(entry & np.uint32(FOLD_MASK)))
                    written += 1
        if value != 0:
            out[written] = mix(value)
            written += 1
        ends[text] = written
        suspect[text] = flags >> np.uint32(SUSPECT_BIT)


@numba.njit(cache=True, nogil=True)
def _push(state: Any, byte: Any) -> Any:
    """Add one byte to (low lane, high lane, unfinished eight bytes, bytes so far)."""
    low, high, chunk, length = state
    chunk |= byte << (np.uint64(8) * (length & np.uint64(7)))
    length += np.uint64(1)
    if length & np.uint64(7) == 0:
        mixed = mix(chunk ^ ((length >> np.uint64(3)) * _STEP))
        low += mixed
        high += (mixed ^ (mixed >> np.uint64(29))) * _LANE
        chunk = np.uint64(0)
    return low, high, chunk, length


@numba.njit(cache=True, nogil=True)
def _push_wide(state: Any, code: Any) -> Any:
    """Add the UTF-8 form of a character beyond ASCII."""
    tail = np.uint64(0x3F)
    more = np.uint64(0x80)
    if code < 0x800:
        return _push(_push(state, np.uint64(0xC0) | (code >> np.uint64(6))), more | (code & tail))
    if code < 0x10000:
        state = _push(state, np.uint64(0xE0) | (code >> np.uint64(12)))
    else:
        state = _push(state, np.uint64(0xF0) | (code >> np.uint64(18)))
        state = _push(state, more | ((code >> np.uint64(12)) & tail))
    state = _push(state, more | ((code >> np.uint64(6)) & tail))
    return _push(state, more | (code & tail))


@numba.njit(cache=True, nogil=True)
def scan_digests(data: Any, offsets: Any, table: Any, out: Any, suspect: Any) -> None:
    """Write the two lanes of each text's normalised digest to `out`, and mark texts that may not be NFC."""
    for text in range(offsets.size - 1):
        i = offsets[text]
        stop = offsets[text + 1]
        state = (np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0))
        flags = np.uint32(0)
        pending: Any = False
        while i < stop:
            entry, i = _step(data, i, table)
            flags |= entry
            kind = (entry >> np.uint32(KIND_SHIFT)) & np.uint32(KIND_MASK)
            if kind == SPACE:
                pending = state[3] > 0
            elif kind != IGNORED:
                if pending:
                    state = _push(state, np.uint64(0x20))
                    pending = False
                code = np.uint64(entry & np.uint32(FOLD_MASK))
                state = _push(state, code) if code < 0x80 else _push_wide(state, code)
        length = state[3]
        # The unfinished chunk is completed with zero bytes; the true length is mixed in below.
        while state[3] & np.uint64(7) != 0:
            state = _push(state, np.uint64(0))
        out[text, 0] = mix(state[0] ^ length)
        out[text, 1] = mix(state[1] + length)
        suspect[text] = flags >> np.uint32(SUSPECT_BIT)
