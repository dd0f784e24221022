"""Object stores: inputs are fetched once, results are sent whole. An address is s3://BUCKET/KEY.

An object is there whole or not at all, and no rename is needed: the manifest of the older run is removed first, then
every file is put, the new manifest last, so that a folder with a manifest is always a finished run. Access is that of
the AWS tools: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_REGION; AWS_ENDPOINT_URL for other servers.
"""

import atexit
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pyarrow.fs as pafs

from holdfast.core.durable import about_to
from holdfast.core.errors import InputError, MachineError, UsageError
from holdfast.core.scratch import scratch

MANIFEST = "manifest.json"
# A Path of an address has one slash left after the colon.
REMOTE = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+):/{1,2}(?P<place>[^/].*)")
KNOWN = "s3"


def is_remote(path: str | Path) -> bool:
    """True for an address such as s3://BUCKET/KEY, also where it went through a Path."""
    return REMOTE.fullmatch(str(path)) is not None


def local(path: str | Path) -> Path:
    """Return the path itself, or where the object or all objects under an address lie now, fetched once a process."""
    return _fetched(_place(path)) if is_remote(path) else Path(path)


def named(path: Path) -> str:
    """Return how a file is called: its address where it was fetched or will be sent, else its path."""
    if not _rooms:
        return str(path)
    for kind in ("in", "out"):
        if path.is_relative_to(_room() / kind):
            return f"{KNOWN}://{path.relative_to(_room() / kind)}"
    return str(path)


@contextmanager
def sent(out: Path) -> Iterator[Path]:
    """Give a folder to write to; when the block ends without an error, all of it is put under the address `out`.

    A folder of this machine is given as it is. Hidden files are not sent.
    """
    if not is_remote(out):
        yield out
        return
    place = _place(out)
    folder = _room() / "out" / place
    yield folder
    _put_all(folder, place)


def _place(path: str | Path) -> str:
    match = REMOTE.fullmatch(str(path))
    if match is None or match["scheme"] != KNOWN:
        raise UsageError(f"{path} is in no store that is known here.", "Known: s3://BUCKET/KEY.")
    return match["place"].rstrip("/")


_rooms: list[Path] = []


def _room() -> Path:
    """Return a folder that is gone when this process ends."""
    if not _rooms:
        stack = ExitStack()
        atexit.register(stack.close)
        _rooms.append(stack.enter_context(scratch()))
    return _rooms[0]


def _store() -> Any:
    """Return the store as the environment describes it."""
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    options = {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme} if endpoint.netloc else {}
    return pafs.S3FileSystem(**options, **({"region": region} if region else {}))


@cache
def _fetched(place: str) -> Path:
    folder = _room() / "in"
    try:
        store = _store()
        info = store.get_file_info(place)
        if info.type == pafs.FileType.NotFound:
            raise InputError(f"{KNOWN}://{place}: there is no such object or folder.", "Check the address.")
        whole = info.type == pafs.FileType.File
        found = [info] if whole else store.get_file_info(pafs.FileSelector(place, recursive=True))
        for each in found:
            if each.type == pafs.FileType.File:
                (folder / each.path).parent.mkdir(parents=True, exist_ok=True)
                with store.open_input_stream(each.path) as source, (folder / each.path).open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
    except OSError as error:
        raise MachineError(f"{KNOWN}://{place} cannot be read: {_said(error)}", "Check address and access.") from error
    return folder / place


def _put_all(folder: Path, place: str) -> None:
    """Put every file of `folder` under `place`, the manifest last; what an older run left there is removed first."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path.relative_to(folder))]
    files.sort(key=lambda path: path.name == MANIFEST)
    try:
        store = _store()
        old = f"{place}/{MANIFEST}"
        if store.get_file_info(old).type == pafs.FileType.File:
            with store.open_input_stream(old) as file:
                older = orjson.loads(file.read()).get("files", {})
            about_to("remove", Path(old))
            store.delete_file(old)
            mine = {path.relative_to(folder).as_posix() for path in files}
            for name in set(older.values()) - mine:
                if store.get_file_info(f"{place}/{name}").type == pafs.FileType.File:
                    store.delete_file(f"{place}/{name}")
        for path in files:
            target = f"{place}/{path.relative_to(folder).as_posix()}"
            about_to("put", Path(target))
            pafs.copy_files(str(path), target, source_filesystem=pafs.LocalFileSystem(), destination_filesystem=store)
            if store.get_file_info(target).size != path.stat().st_size:
                raise MachineError(f"{KNOWN}://{target} is not as long as what was sent.", "Run the command again.")
    except OSError as error:
        what = f"{KNOWN}://{place} cannot be written: {_said(error)}"
        raise MachineError(what, "Check bucket and access, and run the command again.") from error


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _said(error: OSError) -> str:
    return str(error).splitlines()[0]
