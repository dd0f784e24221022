"""Files of a verb: atomic writes, the manifest with its conservation law, one writer at a time.

A manifest is written last, so that a folder with a manifest is complete. No clock time enters any of these
files: equal inputs and settings give equal bytes.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from glob import glob
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from holdfast import __version__
from holdfast.core.dataset import Input
from holdfast.core.errors import ConservationError, InputError, MachineError, UsageError
from holdfast.core.files import HALF_WRITTEN, digest_of, whole_file
from holdfast.core.objects import named

MANIFEST = "manifest.json"
# What the verbs call the files they write, up to the first dot.
OURS = {
    "kept",
    "rejected",
    "undecided",
    "failed",
    "quarantine",
    "verdicts",
    "novelty",
    "train",
    "eval",
    "ood",
    "holdfast",
    "manifest",
}


# A report says when it was made, so that equal runs differ in it.
TIMED = ("report",)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records came in and what became of each of them."""

    given: int
    kept: int = 0
    rejected: int = 0
    undecided: int = 0
    failed: int = 0
    pending: int = 0

    def check(self) -> None:
        """Raise `ConservationError` unless in = kept + rejected + undecided + failed + pending."""
        accounted = self.kept + self.rejected + self.undecided + self.failed + self.pending
        if accounted != self.given:
            raise ConservationError(
                f"{self.given} records came in but {accounted} are accounted for: {self.to_dict()}.",
                "This is a bug of Holdfast: please report it with the command and the manifest.",
            )

    def to_dict(self) -> dict[str, int]:
        """Return the counts under their public names; `given` is published as `in`."""
        values = asdict(self)
        return {"in": values.pop("given"), **values}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ran, on what, with what, and what came of it."""

    verb: str
    counts: Counts
    ok: bool = True
    reasons: Mapping[str, int] = field(default_factory=Counter)
    files: Mapping[str, str] = field(default_factory=dict)
    settings_digest: str | None = None
    inputs: tuple[Input, ...] = ()
    seeds: Mapping[str, int] = field(default_factory=dict)
    runner: str = "local"
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the public form; `more` holds what a single verb adds."""
        return {
            "version": 1,
            "verb": self.verb,
            "ok": self.ok,
            "counts": self.counts.to_dict(),
            "reasons": dict(sorted(self.reasons.items())),
            "files": dict(self.files),
            "settings_digest": self.settings_digest,
            "inputs": [asdict(item) for item in self.inputs],
            "code_version": __version__,
            "seeds": dict(self.seeds),
            "runner": self.runner,
            **self.more,
        }

    def write(self, folder: Path) -> None:
        """Check the conservation law, then write manifest.json into `folder` as its last file.

        What is written holds also the digest of each file, as far as equal runs write equal bytes, and its own.
        """
        self.counts.check()
        named = {name for role, name in self.files.items() if role not in TIMED and (folder / name).is_file()}
        sealed = self.to_dict() | {"digests": {name: digest_of(folder / name) for name in sorted(named)}}
        write_json(folder / MANIFEST, sealed | {"digest": manifest_digest(sealed)})


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: `path` is the old or the new file, never a part."""
    with whole_file(path) as file:
        file.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_bytes(path, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def manifest_digest(values: Mapping[str, Any]) -> str:
    """Return the BLAKE2b-128 digest of a manifest without its own `digest`, its keys in alphabetical order."""
    plain = {key: value for key, value in values.items() if key != "digest"}
    return blake2b(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a complete folder, or None where there is none. Raises `InputError` for another's."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        values = orjson.loads(path.read_bytes())
    except ValueError:
        values = None
    if not (isinstance(values, dict) and "verb" in values and isinstance(values.get("files"), dict)):
        raise InputError(f"{path} is not a manifest of Holdfast.", "Name another folder, or move the file away.")
    return values


@contextmanager
def only_writer(folder: Path) -> Iterator[Path]:
    """Lock the folder itself, so that no file tells of it; a second writer is refused.

    The lock falls with the process, however it ends. What a killed writer left half-written is removed first.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        what = f"{folder} cannot be used as the folder of a run: {error.strerror or error}."
        raise MachineError(what, "Choose another --out.") from error
    try:
        _lock(handle, folder)
        for path in folder.glob(HALF_WRITTEN):
            path.unlink(missing_ok=True)
        yield folder
    finally:
        os.close(handle)


def spare(folder: Path, paths: Iterable[str | Path]) -> None:
    """Raise `UsageError` when what a run reads is `folder` itself, or lies in it under a name that a verb writes.

    Raises `InputError` when the folder has another tool's manifest.json, which would be overwritten.

    `paths` are files, globs or folders: inputs, and what they are compared with, as a sealed set or the round before.
    """
    read_manifest(folder)
    own = Path(named(folder)).resolve()
    for path in (Path(name) for given in paths for name in glob(str(given)) or [str(given)]):  # noqa: PTH207 absolute patterns
        found = path.resolve()
        if found == own or (found.parent == own and path.name.partition(".")[0] in OURS):
            raise UsageError(f"{path} is an input and would be overwritten.", "Choose another --out.")


def begin(folder: Path, inputs: Iterable[Input]) -> None:
    """Make `folder` ready for a run over `inputs`: none is overwritten, and nothing of an earlier run stays.

    Called when all that may be refused has been looked at, so that a typing error costs no earlier result. Raises
    `UsageError` when an input lies in `folder` under a name that a verb writes.
    """
    spare(folder, (item.path for item in inputs))
    older = read_manifest(folder) or {}
    for name in older.get("files", {}).values():
        if Path(name).name == name and name.partition(".")[0] in OURS:
            (folder / name).unlink(missing_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        remedy = "Wait for it, or use another folder."
        raise UsageError(f"{folder} is being written by another run.", remedy) from None
