"""Writes a file whole or not at all, and with the same bytes for the same content; the digest of a file."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import IO, BinaryIO, cast

import pyarrow as pa

from holdfast.core.durable import about_to, rename, sync
from holdfast.core.errors import MachineError, StoppedError, is_full

# The names of files before they take their own: .NAME.PROCESS-RANDOM. Two machines have processes of one number.
HALF_WRITTEN = ".*.[0-9]*"


@contextmanager
def whole_file(path: Path, codec: str = "plain") -> Iterator[BinaryIO]:
    """Give a file to write to; it takes the name `path`, on disk and whole, only when the block ends without an error.

    `codec` is 'plain', 'gzip' (no time or name inside, so that equal content gives equal bytes) or 'zstd'. Raises
    `StoppedError` when the disk is full and `MachineError` when it refuses; an old file then stands.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        about_to("write", path)
        with temporary.open("wb") as file:
            with _packed(file, codec) as packed:
                yield cast(BinaryIO, packed)
            sync(file, path)
        rename(temporary, path)
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror or error}."
        if is_full(error):
            raise StoppedError(what, "Free space and run the same command again.", "disk") from error
        raise MachineError(what, "Write to another folder.") from error
    finally:
        with suppress(OSError):
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


def digest_of(path: Path) -> str:
    """Return the BLAKE2b-128 digest of a file's bytes as they lie, 32 hex digits."""
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
