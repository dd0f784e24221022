"""Writes a file whole or not at all, and with the same bytes for the same content."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

import pyarrow as pa


@contextmanager
def whole_file(path: Path, codec: str = "plain") -> Iterator[BinaryIO]:
    """Give a file to write to; it takes the name `path` only when the block ends without an error.

    `codec` is 'plain', 'gzip' (no time or name inside, so that equal content gives equal bytes) or 'zstd'.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            with _packed(file, codec) as packed:
                yield cast(BinaryIO, packed)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def _packed(file: BinaryIO, codec: str) -> Iterator[IO[bytes]]:
    if codec == "gzip":
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
            yield cast(IO[bytes], packed)
    elif codec == "zstd":
        # Arrow closes what it writes to; the caller still has to flush the file to disk.
        copy = os.fdopen(os.dup(file.fileno()), "wb")
        with copy, pa.PythonFile(copy, mode="w") as sink, pa.CompressedOutputStream(sink, "zstd") as stream:
            yield stream
    else:
        yield file
