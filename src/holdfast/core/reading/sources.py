"""Bytes of one file, decompressed as they are read; tells what a file is from its first bytes.

Gzip and zstd are streamed with flat memory. A cut or damaged stream, or one that unpacks out of all proportion,
ends early and names its fault; what was unpacked before stays readable. Nothing here knows about rows.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self, cast

import pyarrow as pa

from holdfast.core.errors import InputError

Codec = Literal["plain", "gzip", "zstd"]

# Text of one kind packs 3:1 to 20:1; a gzip bomb 1000:1. A ratio counts only once there is something to exhaust.
BOMB_RATIO = 200
BOMB_FLOOR = 10 * 2**20

CHUNK = 64 * 2**10

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow-stream"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"%PDF", "a PDF"),
    (b"FEA1", "a Feather version 1 file"),
    (b"\x80\x02", "a pickle, which is never loaded"),
    (b"\x80\x03", "a pickle, which is never loaded"),
    (b"\x80\x04", "a pickle, which is never loaded"),
    (b"\x80\x05", "a pickle, which is never loaded"),
)


def kind_of(head: bytes) -> str:
    """Return the name of a magic number, 'utf-16' also without a mark, or 'text'."""
    for magic, name in MAGIC:
        if head.startswith(magic):
            return name
    # Mostly-ASCII text in UTF-16 has every second byte zero; one raw NUL in UTF-8 text does not look like that.
    if len(head) >= 4 and max(head[0::2].count(0), head[1::2].count(0)) > 0.6 * (len(head) // 2):
        return "utf-16"
    return "text"


def refuse_foreign(path: Path, head: bytes) -> None:
    """Raise `InputError` naming the kind of a file that holds no rows we read."""
    for magic, name in FOREIGN:
        if head.startswith(magic):
            raise InputError(
                f"{path} is {name}.",
                "Give JSONL (also .gz, .zst), JSON, Parquet, Arrow, CSV, TSV, plain text or a datasets folder.",
            )


@dataclass(slots=True)
class ByteSource:
    """Decompressed bytes of one file. After the end, `fault` says why it came too early, or is None."""

    file: BinaryIO
    codec: Codec
    fault: str | None = None
    produced: int = 0
    unpack: Callable[[int], bytes] | None = None

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, b'' at the end or at a fault."""
        if self.fault is not None or self.unpack is None:
            return b""
        data = self.unpack(size)
        self.produced += len(data)
        if self.produced > BOMB_FLOOR and self.codec != "plain" and self.produced > BOMB_RATIO * self.file.tell():
            self.fault = "decompression-bomb"
            return b""
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()


def open_source(path: Path) -> ByteSource:
    """Open a file and choose the codec by its first bytes. Raises `InputError` when it cannot be opened."""
    try:
        file = path.open("rb")
        head = file.read(4)
        file.seek(0)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the path and its rights."
        ) from None
    kind = kind_of(head)
    codec = cast(Codec, kind if kind in ("gzip", "zstd") else "plain")
    source = ByteSource(file, codec)
    if codec == "gzip":
        source.unpack = _Gzip(source).read
    elif codec == "zstd":
        source.unpack = _Zstd(source).read
    else:
        source.unpack = file.read
    return source


def head_of(path: Path, size: int = CHUNK) -> bytes:
    """Return the first decompressed bytes of a file."""
    with open_source(path) as source:
        parts, got = [], 0
        while got < size and (data := source.read(size - got)):
            parts.append(data)
            got += len(data)
    return b"".join(parts)


class _Gzip:
    """All members of a gzip file, with bounded output per call."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.member = zlib.decompressobj(wbits=31)
        self.waiting = b""
        self.started = False

    def read(self, size: int) -> bytes:
        while True:
            data = self.waiting or self.source.file.read(CHUNK)
            if not data:
                if self.started:
                    self.source.fault = "truncated-gzip"
                return b""
            if not self.started and not data.lstrip(b"\0"):
                continue
            out = self._unpack(data, size)
            if out or self.source.fault is not None:
                return out

    def _unpack(self, data: bytes, size: int) -> bytes:
        self.started = True
        before = self.member.copy()
        try:
            out = self.member.decompress(data, size)
        except zlib.error:
            self.source.fault = "broken-gzip"
            return _salvage(before, data)
        self.waiting = self.member.unconsumed_tail
        if self.member.eof:
            self.waiting = self.member.unused_data.lstrip(b"\0")
            self.member = zlib.decompressobj(wbits=31)
            self.started = False
        return out


def _salvage(member: "zlib._Decompress", data: bytes) -> bytes:
    """Unpack byte by byte up to the damage: one call loses everything that came before the fault in it."""
    parts: list[bytes] = []
    total = 0
    try:
        for position in range(len(data)):
            part = member.decompress(data[position : position + 1])
            parts.append(part)
            total += len(part)
            if total > BOMB_FLOOR:
                break
    except zlib.error:
        pass
    return b"".join(parts)


class _Zstd:
    """A zstd file through Arrow's codec, which names no bytes of a call that fails."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.stream = _zstd(source.file)

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        got = 0
        while got < size:
            try:
                part = self.stream.read(min(CHUNK, size - got))
            except OSError as error:
                self.source.fault = "truncated-zstd" if "truncat" in str(error).lower() else "broken-zstd"
                parts.append(self._salvage(self.source.produced + got))
                break
            if not part:
                break
            parts.append(part)
            got += len(part)
        return b"".join(parts)

    def _salvage(self, done: int) -> bytes:
        """Unpack again up to what was delivered, then byte by byte up to the fault."""
        self.source.file.seek(0)
        stream = _zstd(self.source.file)
        out = bytearray()
        try:
            while done:
                done -= len(stream.read(min(CHUNK, done)))
            while part := stream.read(1):
                out += part
        except OSError:
            pass
        return bytes(out)


def _zstd(file: BinaryIO) -> pa.CompressedInputStream:
    return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
