"""verify-manifest: do the files of a run and its manifests still agree? One changed byte is enough to be told.

Looks at every manifest.json at or below a folder: its own digest, the conservation law, and the digest of each file it
lists. That shows damage and edits; it does not show who made them, and somebody who edits a file and all its digests
is not found out: keep the manifest's digest elsewhere for that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from holdfast.core.errors import ConservationError, InputError
from holdfast.core.files import digest_of
from holdfast.core.rundir import MANIFEST, OURS, Counts, manifest_digest


@dataclass(frozen=True, slots=True)
class Broken:
    """One disagreement: the file, what is wrong with it, and what was expected and found where these are digests."""

    file: str
    what: str
    expected: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at and what disagreed. `digests` maps each manifest to its digest, to be kept elsewhere."""

    digests: Mapping[str, str]
    files: int
    broken: tuple[Broken, ...]

    @property
    def ok(self) -> bool:
        """True when everything that was written is there as it was written."""
        return not self.broken

    def to_dict(self) -> dict[str, Any]:
        """Return the public JSON form."""
        return {"version": 1, "ok": self.ok, **asdict(self)}


def verify_manifest(folder: Path) -> Proof:
    """Check all manifests at or below `folder`. Raises `InputError` where there is none."""
    manifests = sorted(path for path in folder.rglob(MANIFEST) if path.is_file())
    if not manifests:
        raise InputError(f"There is no {MANIFEST} in {folder}.", "Name the folder that a verb or a build wrote.")
    digests: dict[str, str] = {}
    broken: list[Broken] = []
    files = 0
    for path in manifests:
        name = str(path.relative_to(folder))
        try:
            values = orjson.loads(path.read_bytes())
            found = list(_disagreements(path.parent, name, values))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            broken.append(Broken(name, f"is not a manifest: {error}"))
            continue
        digests[name] = values["digest"]
        files += len(values["digests"])
        broken += found
    return Proof(digests, files, tuple(broken))


def _disagreements(folder: Path, name: str, values: Mapping[str, Any]) -> Iterator[Broken]:
    if (now := manifest_digest(values)) != values["digest"]:
        yield Broken(name, "was changed", values["digest"], now)
    try:
        counts = dict(values["counts"])
        Counts(counts.pop("in"), **counts).check()
    except ConservationError as error:
        yield Broken(name, str(error).splitlines()[0])
    for each, expected in values["digests"].items():
        path = folder / each
        if not path.is_file():
            yield Broken(str(Path(name).parent / each), "is missing", expected)
        elif (now := digest_of(path)) != expected:
            yield Broken(str(Path(name).parent / each), "was changed", expected, now)
    for path in sorted(folder.iterdir()):
        ours = path.is_file() and path.name != MANIFEST and path.name.partition(".")[0] in OURS
        if ours and path.name not in values["digests"]:
            yield Broken(str(Path(name).parent / path.name), "is in no manifest")
