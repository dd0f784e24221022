"""Compiled single passes over Arrow text buffers: word hashes and 128-bit digests.

Only this module and the join kernels of `dedup` need numba, and only large inputs import them (`core.text` decides).
Nothing here makes a Python object; `core.text` holds the numpy form of the same passes, equal to the last bit.
"""

from typing import Any

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
    SYMBOL,
    TAGS_END,
    TAGS_START,
    WORD,
)
from holdfast.core.compiled import kernel
from holdfast.core.hashing import BASE, LANE, MIX_1, MIX_2, STEP

_BASE = np.uint64(BASE)
_LANE = np.uint64(LANE)
_MIX_1 = np.uint64(MIX_1)
_MIX_2 = np.uint64(MIX_2)
_STEP = np.uint64(STEP)


@kernel
def mix(value: Any) -> Any:
    """Return what `hashing.mix` returns, for one value."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@kernel
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


@kernel
def scan_words(block: Any, table: Any, symbols: Any, out: Any, ends: Any, suspect: Any) -> None:
    """Write one hash per word to `out`, the running total per text to `ends`, and mark texts that may not be NFC.

    `block` is (bytes, offsets of the texts); with `symbols` each punctuation mark and symbol is a word too.
    """
    data, offsets = block
    alone = SYMBOL if symbols else SINGLE
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
                if kind in (SINGLE, alone):
                    out[written] = mix(np.uint64(entry & np.uint32(FOLD_MASK)))
                    written += 1
        if value != 0:
            out[written] = mix(value)
            written += 1
        ends[text] = written
        suspect[text] = flags >> np.uint32(SUSPECT_BIT)


@kernel
def _put(code: Any, buffer: Any, size: Any) -> Any:
    """Write the UTF-8 form of a character to `buffer` from `size` on; return where the next one begins."""
    if code < 0x80:
        buffer[size] = code
        return size + 1
    if code < 0x800:
        buffer[size] = 0xC0 | (code >> 6)
        buffer[size + 1] = 0x80 | (code & 0x3F)
        return size + 2
    if code < 0x10000:
        buffer[size] = 0xE0 | (code >> 12)
        buffer[size + 1] = 0x80 | ((code >> 6) & 0x3F)
        buffer[size + 2] = 0x80 | (code & 0x3F)
        return size + 3
    buffer[size] = 0xF0 | (code >> 18)
    buffer[size + 1] = 0x80 | ((code >> 12) & 0x3F)
    buffer[size + 2] = 0x80 | ((code >> 6) & 0x3F)
    buffer[size + 3] = 0x80 | (code & 0x3F)
    return size + 4


@kernel
def _normalise(data: Any, span: Any, tables: Any, buffer: Any) -> Any:
    """Write the normalised text data[span[0]:span[1]] to `buffer`; return (its bytes, entries beyond ASCII, or-ed).

    `tables` is (entries, uint8[128] of folded bytes, a space for each kind of white space). A space is written over by
    what follows it where another stands before it, without a branch: which bytes are spaces cannot be foreseen.
    """
    table, folded = tables
    i, stop = span
    size = 0
    flags = np.uint32(0)
    # As if a space stood before the text: one at its beginning is written over too.
    blank = 1
    while i < stop:
        if data[i] < 0x80:
            buffer[size] = folded[data[i]]
            space = 1 if buffer[size] == 0x20 else 0
            size += 1 - (space & blank)
            blank = space
            i += 1
            continue
        entry, i = _step(data, i, table)
        flags |= entry
        kind = (entry >> np.uint32(KIND_SHIFT)) & np.uint32(KIND_MASK)
        if kind == SPACE:
            buffer[size] = 0x20
            size += 1 - blank
            blank = 1
        elif kind != IGNORED:
            size = _put(entry & np.uint32(FOLD_MASK), buffer, size)
            blank = 0
    return (size - blank if size > 0 else 0), flags


@kernel
def scan_digests(block: Any, tables: Any, room: Any, out: Any, suspect: Any) -> None:
    """Write the two lanes of each text's normalised digest to `out`, and mark texts that may not be NFC.

    `block` is (bytes, offsets of the texts), `tables` as in `_normalise`. `room` holds the longest text, seen as
    bytes and as chunks of eight: half longer than it was, because folding can add that much, and eight bytes more.
    """
    data, offsets = block
    buffer, chunks = room
    for text in range(offsets.size - 1):
        length, flags = _normalise(data, (offsets[text], offsets[text + 1]), tables, buffer)
        for place in range(length, length + 8):
            buffer[place] = 0
        low, high = np.uint64(0), np.uint64(0)
        for place in range((length + 7) >> 3):
            mixed = mix(chunks[place] ^ (np.uint64(place + 1) * _STEP))
            low += mixed
            high += (mixed ^ (mixed >> np.uint64(29))) * _LANE
        out[text, 0] = mix(low ^ np.uint64(length))
        out[text, 1] = mix(high + np.uint64(length))
        suspect[text] = flags >> np.uint32(SUSPECT_BIT)
