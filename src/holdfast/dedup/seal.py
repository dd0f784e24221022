"""Seal: what leaves a held-out set. Hashes only: content digests, the n-gram index, and how it was made.

With the seal every later verb can find held-out text in prompts, outputs and mixtures, and can tell whether one
sealed record was edited; nobody can read the held-out text from it. It does not hide the evaluation file itself. A set
of another register sealed beside it (ood.*) is held out like it, and is no part of what a model is scored on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from holdfast.core.dataset import Dataset
from holdfast.core.errors import InputError, UsageError
from holdfast.core.reader import read
from holdfast.core.rundir import read_manifest, write_bytes
from holdfast.dedup.eval_index import EvalIndex

NAME = "holdfast.seal"
VERSION = 2
# The n-gram index of this version was another one; digests, proof and columns are still good. The index is made anew
# from the records, which the digests vouch for.
_INDEXED_ANEW = 1


@dataclass(frozen=True, slots=True)
class Seal:
    """Content digests of the sealed records by id, the n-gram index, and the proof of where they came from.

    `mapping` names the columns as they were read when sealed, so that they are read the same ever after. A seal of
    version 1 has no index that can be read.
    """

    digests: Mapping[str, str]
    index: EvalIndex | None
    proof: Mapping[str, Any] = field(default_factory=dict)
    mapping: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, held_out: Dataset, proof: Mapping[str, Any], mapping: Mapping[str, str] | None = None) -> "Seal":
        """Seal a held-out set."""
        digests = {record.id: record.digest for record in held_out.records()}
        return cls(digests, EvalIndex.of(held_out), proof, dict(mapping or {}))

    def broken(self, held_out: Dataset) -> tuple[str, ...]:
        """Say how `held_out` differs from what was sealed: one line per changed, missing or added record."""
        found = {record.id: record.digest for record in held_out.records()}
        sealed = Counter(self.digests.values())
        added = {name: digest for name, digest in found.items() if not sealed[digest]}
        missing = Counter(self.digests.values()) - Counter(found.values())
        lines = []
        for name, digest in self.digests.items():
            if missing[digest]:
                missing[digest] -= 1
                lines.append(f"record {name} was changed" if name in added else f"record {name} is missing")
                added.pop(name, None)
        return (*lines, *(f"record {name} was added" for name in added))

    def write(self, folder: Path) -> Path:
        """Write holdfast.seal into `folder`."""
        values = {
            "version": VERSION if self.index is not None else _INDEXED_ANEW,
            "digests": dict(self.digests),
            "index": None if self.index is None else self.index.to_dict(),
            "proof": dict(self.proof),
            "map": dict(self.mapping),
        }
        path = folder / NAME
        write_bytes(path, orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE))
        return path


def read_seal(path: Path) -> Seal:
    """Read a holdfast.seal. Raises `InputError` when it is not one."""
    try:
        values = orjson.loads(path.read_bytes())
        if values["version"] not in (_INDEXED_ANEW, VERSION):
            raise InputError(
                f"{path} is a seal of version {values['version']}.", f"This Holdfast reads version {VERSION} and older."
            )
        index = EvalIndex.from_dict(values["index"]) if values["version"] == VERSION else None
        return Seal(values["digests"], index, values["proof"], values["map"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a readable seal: {error}.", "Reserve again with holdfast reserve.") from error


@dataclass(frozen=True)
class HeldOut:
    """A held-out set: its records, its seal where it has one, and how the two differ.

    `data` has the records of the evaluation first, then `ood` of another register.
    """

    data: Dataset
    seal: Seal | None = None
    broken: tuple[str, ...] = ()
    ood: int = 0

    @property
    def scored(self) -> int:
        """How many records a model is scored on."""
        return self.data.rows - self.ood

    @cached_property
    def index(self) -> EvalIndex:
        """The n-gram index: the sealed one, or built from the records."""
        sealed = self.seal.index if self.seal is not None else None
        return sealed if sealed is not None else EvalIndex.of(self.data)


def open_held_out(paths: Sequence[Path], spool: Path) -> HeldOut:
    """Read a held-out set; a folder with a seal is read as sealed, and so is an eval file beside its seal."""
    sealed = [path for path in paths if (path / NAME).exists()]
    if sealed and len(paths) > 1:
        remedy = "Name it alone; run the verb again for another held-out set."
        raise UsageError(f"{sealed[0]} is a sealed set, and a seal stands for one set only.", remedy)
    first = paths[0]
    folder = first if first.is_dir() else first.parent
    other = first.is_file() and first.name.partition(".")[0] != "eval"
    if not other and not (folder / NAME).exists() and _was_sealed(folder):
        what = f"{folder} was sealed, and its {NAME} is not there."
        raise InputError(what, "Restore it: without, nobody can tell whether the set is the one that was sealed.")
    if other or not (folder / NAME).exists():
        return HeldOut(read(paths, spool=spool))
    seal = read_seal(folder / NAME)
    files = sorted(folder.glob("eval.*")) if first.is_dir() else list(paths)
    if not files:
        raise InputError(f"{folder} has a seal but no eval file.", "Restore the sealed eval file beside its seal.")
    beside = sorted(folder.glob("ood.*")) if "ood" in seal.proof else []
    data = read([*files, *beside], mapping=seal.mapping, spool=spool)
    ood = sum(one.records for one in data.inputs if Path(one.path) in beside)
    return HeldOut(data, seal, seal.broken(data), ood)


def _was_sealed(folder: Path) -> bool:
    """Whether a manifest beside a held-out set says that there was a seal."""
    try:
        manifest = read_manifest(folder)
    except InputError:  # a file of another tool, which is called as ours
        return False
    return manifest is not None and "seal" in manifest["files"]


def open_unbroken(paths: Sequence[Path], spool: Path) -> HeldOut:
    """Read a held-out set as `open_held_out` does.

    Raises `InputError` where it is not the one that was sealed, or holds no record: nothing would be kept out.
    """
    held_out = open_held_out(paths, spool)
    if not held_out.data.rows:
        raise InputError(f"The held-out set in {paths[0]} holds no record.", "Name one that does, or leave it out.")
    if held_out.broken:
        more = f" (and {len(held_out.broken) - 1} more)" if len(held_out.broken) > 1 else ""
        raise InputError(
            f"The held-out set in {paths[0]} is not the one that was sealed: {held_out.broken[0]}{more}.",
            "Restore the sealed file: what is kept out must be what is scored with.",
        )
    return held_out
