"""The one definition of a word, and hashes of words, shingles and whole texts over Arrow buffers.

A word is a maximal run of letters, digits and combining marks (Unicode L*, N*, M*); each Han, Hiragana and Katakana
character is a word by itself; format characters (Cf: zero-width joiners, soft hyphens) and variation selectors are
ignored without breaking a word; everything else separates. Texts are brought to NFC first and folded to lower case
character by character. Numbers count as words, punctuation never does. Wherever Holdfast counts tokens, it counts
these words. Only who asks for the unit "symbol" gets each punctuation mark and symbol (P*, S*) as a word by itself:
for formulas and code, whose meaning hangs on them.

Large inputs go through compiled kernels (`core.kernels`, imported then), small ones through numpy with identical
results. No text is segmented into sentences, stemmed or translated here.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holdfast.core import codepoints
from holdfast.core.codepoints import FOLD_MASK, IGNORED, KIND_MASK, KIND_SHIFT, SINGLE, SPACE, SUSPECT_BIT, SYMBOL, WORD
from holdfast.core.hashing import BASE, LANE, STEP, Hashes, Offsets, mix, to_offsets, windows

Texts: TypeAlias = "pa.Array | pa.ChunkedArray"
Unit = Literal["word", "char", "symbol"]

# Bytes handled at once: small enough that a block's arrays stay in the cache of a core and no new pages are asked of
# the system for each, large enough to amortise calls.
BLOCK_BYTES = 1 << 19
# Below this much text numpy (20 to 40 MB/s) ends before numba is imported (0.4 s) and, once, its kernels compiled.
KERNEL_BYTES = 4 << 20
KERNELS = "holdfast.core.kernels"


class _Block(NamedTuple):
    """Some consecutive texts: their UTF-8 bytes and where each begins in them."""

    data: npt.NDArray[np.uint8]
    offsets: Offsets

    @property
    def size(self) -> int:
        return self.offsets.size - 1

    @property
    def is_ascii(self) -> bool:
        return not self.data.size or int(self.data.view(np.int8).min()) >= 0


def words(text: str, unit: Unit = "word") -> list[str]:
    """Return the folded words of one text, in order. For small uses; the array functions agree with it."""
    if unit == "word" and text.isascii():
        return re.findall("[a-z0-9]+", text.lower())
    return _word_pattern(symbols=unit == "symbol").findall(_folded(text))


def parted(text: str) -> tuple[list[str], list[str]]:
    """Return (words, gaps) of one folded text: what stands before each word, and last what stands behind them all."""
    folded = _folded(text)
    pattern = re.compile("[a-z0-9]+") if text.isascii() else _word_pattern(symbols=False)
    found, gaps, end = [], [], 0
    for match in pattern.finditer(folded):
        found.append(match[0])
        gaps.append(folded[end : match.start()])
        end = match.end()
    return found, [*gaps, folded[end:]]


def normalise(text: str) -> str:
    """Return NFC, folded to lower case, ignored characters dropped, runs of white space as one space, stripped."""
    return " ".join(_folded(text).split())


def word_counts(texts: Texts) -> npt.NDArray[np.int64]:
    """Return the number of words of each text, int64[n]. A null counts as an empty text."""
    return np.diff(word_hashes(texts)[1]) if _total_bytes(texts) < BLOCK_BYTES else _counts_by_block(texts)


def word_hashes(texts: Texts) -> tuple[Hashes, Offsets]:
    """Return (hashes, offsets): text d has the words hashes[offsets[d]:offsets[d + 1]], in order."""
    return _joined([_block_words(block, compiled) for block, compiled in _blocks(texts)])


def shingles(texts: Texts, n: int, unit: Unit = "word") -> tuple[Hashes, Offsets]:
    """Return (hashes, offsets) of all windows of `n` words (and symbols), or of `n` characters of the normalised text.

    A text shorter than `n` has one shingle, the whole; an empty one none. Repeated shingles are repeated here.
    """
    return _joined(list(iter_shingles(texts, n, unit)))


def iter_shingles(texts: Texts, n: int, unit: Unit = "word") -> Iterator[tuple[Hashes, Offsets]]:
    """Yield what `shingles` returns for one block of about 0.5 MB of text after the other, in order."""
    return (windows(items, offsets, n) for items, offsets in iter_items(texts, unit))


def iter_items(texts: Texts, unit: Unit = "word") -> Iterator[tuple[Hashes, Offsets]]:
    """Yield (items, offsets) block by block: word hashes, or the code points of the normalised texts."""
    for block, compiled in _blocks(texts):
        if unit != "char":
            yield _block_words(block, compiled, symbols=unit == "symbol")
        else:
            codes, offsets = _canonical(block)
            yield codes.astype(np.uint64), offsets


def digests(texts: Texts) -> Hashes:
    """Return uint64[n, 2]: a 128-bit digest of `normalise` of each text; punctuation counts. Not cryptographic."""
    parts = [_block_digests(block, compiled) for block, compiled in _blocks(texts)]
    return np.concatenate(parts) if parts else np.empty((0, 2), np.uint64)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text).translate(_fold_map())


@cache
def _fold_map() -> dict[int, int | None]:
    """Map of `str.translate` for the characters that folding changes (to their lower case) or drops."""
    table = codepoints.unicode_table()
    places = np.arange(table.size)
    codes = np.where(places < codepoints.LOW_END, places, places - codepoints.LOW_END + codepoints.TAGS_START)
    folded = table & FOLD_MASK
    dropped = (table >> KIND_SHIFT) & KIND_MASK == IGNORED
    changed = np.flatnonzero((folded != codes) | dropped).tolist()
    return {int(codes[i]): None if dropped[i] else int(folded[i]) for i in changed}


@cache
def _word_pattern(*, symbols: bool) -> re.Pattern[str]:
    kinds = (codepoints.unicode_table() >> KIND_SHIFT) & KIND_MASK
    return re.compile(f"[{_ranges(kinds == WORD)}]+|[{_ranges(_alone(kinds, symbols=symbols))}]")


def _alone(kinds: npt.NDArray[Any], *, symbols: bool) -> npt.NDArray[np.bool_]:
    """Return which characters are a word each."""
    single: npt.NDArray[np.bool_] = kinds == SINGLE
    return single | (kinds == SYMBOL) if symbols else single


def _ranges(member: npt.NDArray[np.bool_]) -> str:
    """Return the inside of a character class that holds the code points whose table entry is marked."""
    edges = np.flatnonzero(np.diff(member.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    shift = codepoints.TAGS_START - codepoints.LOW_END
    bounds = [(low, high - 1) for low, high in edges.tolist()]
    moved = [(low + shift, high + shift) if low >= codepoints.LOW_END else (low, high) for low, high in bounds]
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in moved)


def _total_bytes(texts: Texts) -> int:
    return int(texts.nbytes)


def _counts_by_block(texts: Texts) -> npt.NDArray[np.int64]:
    return np.concatenate([np.diff(_block_words(block, compiled)[1]) for block, compiled in _blocks(texts)])


def _joined(parts: list[tuple[Hashes, Offsets]]) -> tuple[Hashes, Offsets]:
    if not parts:
        return np.empty(0, np.uint64), np.zeros(1, np.int64)
    counts = np.concatenate([np.diff(offsets) for _, offsets in parts])
    return np.concatenate([hashes for hashes, _ in parts]), to_offsets(counts)


def _blocks(texts: Texts) -> Iterator[tuple[_Block, Any]]:
    """Yield (block, compiled kernels or None); the whole input decides which of the two forms is used."""
    compiled = import_module(KERNELS) if KERNELS in sys.modules or _total_bytes(texts) >= KERNEL_BYTES else None
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        if len(chunk):
            for block in _split(*_buffers(chunk)):
                yield block, compiled


def _buffers(chunk: pa.Array) -> tuple[npt.NDArray[np.uint8], Offsets]:
    """Return the bytes and int64 offsets of one Arrow string array without copying the bytes; nulls become empty."""
    wide = pa.types.is_large_string(chunk.type)
    if chunk.null_count or not (wide or pa.types.is_string(chunk.type)):
        chunk = chunk.cast(pa.large_string()).fill_null("")
        wide = True
    _, raw, data = chunk.buffers()
    offsets = np.frombuffer(raw, np.int64 if wide else np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8), offsets.astype(np.int64)


def _split(data: npt.NDArray[np.uint8], offsets: Offsets) -> Iterator[_Block]:
    first, last = 0, offsets.size - 1
    while first < last:
        end = int(np.searchsorted(offsets, offsets[first] + BLOCK_BYTES, "right")) - 1
        end = min(max(end, first + 1), last)
        start = offsets[first]
        yield _Block(data[start : offsets[end]], offsets[first : end + 1] - start)
        first = end


def _table(block: _Block) -> codepoints.Entries:
    return codepoints.ascii_table() if block.is_ascii else codepoints.unicode_table()


def _block_words(block: _Block, compiled: Any, *, symbols: bool = False) -> tuple[Hashes, Offsets]:
    if compiled is None:
        return _plain_words(block, symbols=symbols)
    # ASCII needs a separator between two words, so a text of b bytes has at most (b + 1) / 2; the rest has fewer. Of
    # symbols every byte can be one.
    out = np.empty(block.data.size if symbols else (block.data.size + block.size) // 2 + 1, np.uint64)
    ends = np.zeros(block.size + 1, np.int64)
    suspect = np.zeros(block.size, np.bool_)
    compiled.scan_words((block.data, block.offsets), _table(block), symbols, out, ends[1:], suspect)
    texts, composed = _composed(block, suspect)
    if not texts.size:
        return out[: ends[-1]], ends
    return _spliced((out, ends), texts, _block_words(composed, compiled, symbols=symbols))


def _spliced(old: tuple[Any, Offsets], texts: Offsets, new: tuple[Any, Offsets]) -> tuple[Any, Offsets]:
    """Return (items, offsets) with the items of `texts` replaced by those of `new`, which holds one text for each."""
    parts, after = [], 0
    for place, text in enumerate(texts.tolist()):
        parts += [old[0][old[1][after] : old[1][text]], new[0][new[1][place] : new[1][place + 1]]]
        after = text + 1
    parts.append(old[0][old[1][after] : old[1][-1]])
    counts = np.diff(old[1])
    counts[texts] = np.diff(new[1])
    return np.concatenate(parts), to_offsets(counts)


def _block_digests(block: _Block, compiled: Any) -> Hashes:
    if compiled is None:
        return _plain_digests(block)
    out = np.empty((block.size, 2), np.uint64)
    suspect = np.zeros(block.size, np.bool_)
    chunks = np.empty(int(np.diff(block.offsets).max(initial=0)) * 3 // 16 + 3, np.uint64)
    tables = (_table(block), codepoints.ascii_folded())
    compiled.scan_digests((block.data, block.offsets), tables, (chunks.view(np.uint8), chunks), out, suspect)
    texts, composed = _composed(block, suspect)
    if texts.size:
        out[texts] = _block_digests(composed, compiled)
    return out


def _composed(block: _Block, suspect: npt.NDArray[np.bool_]) -> tuple[Offsets, _Block]:
    """Return which suspect texts were not in NFC, and a block of their NFC forms."""
    changed: dict[int, bytes] = {}
    for text in np.flatnonzero(suspect).tolist():
        old = block.data[block.offsets[text] : block.offsets[text + 1]].tobytes().decode()
        new = unicodedata.normalize("NFC", old)
        if new != old:
            changed[text] = new.encode()
    data = np.frombuffer(b"".join(changed.values()), np.uint8)
    sizes = np.fromiter(map(len, changed.values()), np.int64, len(changed))
    return np.fromiter(changed, np.int64, len(changed)), _Block(data, to_offsets(sizes))


def _replaced(block: _Block, texts: Offsets, composed: _Block) -> _Block:
    """Return the block with `texts` replaced by the texts of `composed`."""
    data, offsets = _spliced((block.data, block.offsets), texts, (composed.data, composed.offsets))
    return _Block(data, offsets)


def _entries(block: _Block) -> tuple[codepoints.Entries, Offsets]:
    """Return the table entry of every character of a block, in NFC, and where each text begins among them."""
    if block.is_ascii:
        return codepoints.ascii_table()[block.data], block.offsets
    codes = np.frombuffer(block.data.tobytes().decode().encode("utf-32-le"), np.uint32)
    before = to_offsets((block.data & 0xC0 != 0x80).astype(np.int64))
    offsets = before[block.offsets]
    entries = codepoints.look_up(codes)
    suspect = np.zeros(block.size, np.bool_)
    suspect[np.searchsorted(offsets, np.flatnonzero(entries >> SUSPECT_BIT), "right") - 1] = True
    texts, composed = _composed(block, suspect)
    if texts.size:
        return _entries(_replaced(block, texts, composed))
    return entries, offsets


def _kept(entries: npt.NDArray[Any], offsets: Offsets, keep: npt.NDArray[np.bool_]) -> tuple[Any, Offsets]:
    return entries[keep], to_offsets(keep.astype(np.int64))[offsets]


def _plain_words(block: _Block, *, symbols: bool) -> tuple[Hashes, Offsets]:
    """The numpy form of `kernels.scan_words`: a word's hash is the sum of code point * BASE ** (place from its end)."""
    entries, offsets = _entries(block)
    kinds = (entries >> KIND_SHIFT) & KIND_MASK
    if (kinds == IGNORED).any():
        entries, offsets = _kept(entries, offsets, kinds != IGNORED)
        kinds = (entries >> KIND_SHIFT) & KIND_MASK
    inside = kinds == WORD
    first = np.zeros(entries.size + 1, np.bool_)
    first[:-1] = inside
    first[1:-1] &= ~inside[:-1]
    texts = offsets[:-1][np.diff(offsets) > 0]
    first[texts] |= inside[texts]
    first[:-1] |= _alone(kinds, symbols=symbols)
    starts = np.flatnonzero(first[:-1])
    return _hash_runs(entries, inside, starts), to_offsets(first[:-1].astype(np.int64))[offsets]


def _hash_runs(entries: codepoints.Entries, inside: npt.NDArray[np.bool_], starts: Offsets) -> Hashes:
    """Return the mixed polynomial hash of each run of word characters (or one single character) from `starts`."""
    if not starts.size:
        return np.empty(0, np.uint64)
    codes = np.where(inside, entries & FOLD_MASK, 0).astype(np.uint64)
    stops = np.flatnonzero(np.diff(inside, append=False) & inside) + 1
    ends = starts + 1
    runs = inside[starts]
    ends[runs] = stops[np.searchsorted(stops, starts[runs], "right")]
    # Where two texts touch, a run ends at the next start although the characters go on.
    ends = np.minimum(ends, np.append(starts[1:], entries.size))
    lengths = ends - starts
    out = np.zeros(starts.size, np.uint64)
    alive = np.arange(starts.size)
    values = (entries & FOLD_MASK).astype(np.uint64) if not runs.all() else codes
    place = 0
    while alive.size:
        out[alive] = out[alive] * np.uint64(BASE) + values[starts[alive] + place]
        place += 1
        alive = alive[lengths[alive] > place]
    return mix(out)


def _canonical(block: _Block) -> tuple[npt.NDArray[np.uint32], Offsets]:
    """Return the code points of the normalised texts (see `normalise`) and where each text begins among them."""
    entries, offsets = _entries(block)
    kinds = (entries >> KIND_SHIFT) & KIND_MASK
    if (kinds == IGNORED).any():
        entries, offsets = _kept(entries, offsets, kinds != IGNORED)
        kinds = (entries >> KIND_SHIFT) & KIND_MASK
    space = kinds == SPACE
    keep = ~space
    # A space stays, once, where a character of the same text follows it and another stands before the run.
    keep[:-1] |= space[:-1] & ~space[1:]
    lengths = np.diff(offsets)
    keep[offsets[1:][lengths > 0] - 1] &= ~space[offsets[1:][lengths > 0] - 1]
    codes, offsets = _kept(entries & FOLD_MASK, offsets, keep)
    blank, _ = _kept(space, np.zeros(1, np.int64), keep)
    codes = np.where(blank, np.uint32(0x20), codes)
    drop = np.ones(codes.size, np.bool_)
    heads = offsets[:-1][np.diff(offsets) > 0]
    drop[heads] = ~blank[heads]
    return _kept(codes, offsets, drop)


def _plain_digests(block: _Block) -> Hashes:
    """The numpy form of `kernels.scan_digests`: sums over the eight-byte chunks of the normalised UTF-8."""
    codes, offsets = _canonical(block)
    data = np.frombuffer(codes.astype("<u4").tobytes().decode("utf-32-le").encode(), np.uint8)
    widths = 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
    begins = to_offsets(widths)[offsets]
    lengths = np.diff(begins)
    chunk_counts = (lengths + 7) // 8
    chunk_offsets = to_offsets(chunk_counts)
    padded = np.zeros(int(chunk_offsets[-1]) * 8, np.uint8)
    padded[np.arange(data.size) + np.repeat(chunk_offsets[:-1] * 8 - begins[:-1], lengths)] = data
    position = np.arange(chunk_offsets[-1]) - np.repeat(chunk_offsets[:-1], chunk_counts) + 1
    mixed = mix(padded.view("<u8").astype(np.uint64) ^ (position.astype(np.uint64) * np.uint64(STEP)))
    low = to_offsets_wrapping(mixed)
    high = to_offsets_wrapping((mixed ^ (mixed >> np.uint64(29))) * np.uint64(LANE))
    size = lengths.astype(np.uint64)
    lanes = [np.diff(lane[chunk_offsets]) for lane in (low, high)]
    return np.stack([mix(lanes[0] ^ size), mix(lanes[1] + size)], axis=1)


def to_offsets_wrapping(values: Hashes) -> Hashes:
    """Return running totals modulo 2 ** 64 that begin with 0."""
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])
