"""push: what of a finished data set would go to a hub, and whether it is fit to; nothing is sent from here.

Only the training files, the card, croissant.json and the data set's manifest go. Rejected and quarantined records,
reports and sealed sets stay, because a hub keeps a history: what was there once is there for good.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.engine import LocalRunner
from holdfast.core.errors import InputError
from holdfast.core.reader import read
from holdfast.core.rundir import MANIFEST, read_manifest
from holdfast.core.scratch import scratch
from holdfast.dedup.decontaminate import contaminated
from holdfast.dedup.seal import open_unbroken
from holdfast.workflows.publish import CARD, CROISSANT
from holdfast.workflows.verify_manifest import verify_manifest

LICENCE = re.compile(r"(?m)^license: *(?!unknown)\S|^license:\n- ")
# Beside the licences that are known stands `unknown` where some real records state none.
IN_PART = re.compile(r"(?m)^license:\n(?:- .*\n)*- unknown$")


@dataclass(frozen=True, slots=True)
class Parcel:
    """What would be sent: the folder, the names of its files with their bytes, and what speaks against it."""

    folder: Path
    files: tuple[tuple[str, int], ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when nothing speaks against sending it."""
        return not self.problems


def parcel(folder: Path, held_out: Sequence[str | Path] = ()) -> Parcel:
    """Return what of the product of build or mix in `folder` would go to a hub. Sends nothing, asks nobody.

    `held_out` are sealed folders or files of which no record may be in it. Raises `InputError` where there is no
    finished data set with a card.
    """
    place = folder / "dataset" if (folder / "dataset" / MANIFEST).exists() else folder
    manifest = read_manifest(place)
    if manifest is None or "train" not in manifest["files"] or not (place / CARD).exists():
        raise InputError(f"{folder} holds no finished data set with a card.", "Name what build or mix has written.")
    train = place / manifest["files"]["train"]
    names = [train.name, CARD, CROISSANT, MANIFEST]
    # People write into the card before they publish; everything else is as it was made.
    problems = [f"{each.file} {each.what}" for each in verify_manifest(folder).broken if Path(each.file).name != CARD]
    card = (place / CARD).read_text("utf-8")
    if IN_PART.search(card):
        problems.append(f"{CARD} names no licence for some of the real records: replace `unknown` in its license list")
    if not LICENCE.search(card):
        problems.append(f"{CARD} names no licence: write it there, or with the real data in the settings")
    problems += _sealed(train, held_out)
    sizes = tuple((name, (place / name).stat().st_size) for name in names if (place / name).exists())
    return Parcel(place, sizes, tuple(problems))


def _sealed(train: Path, held_out: Sequence[str | Path]) -> Iterator[str]:
    """How many training records hold something of the held-out sets."""
    if not held_out:
        return
    with scratch() as room:
        sealed = open_unbroken([Path(path) for path in held_out], room / "eval")
        hits = contaminated(read([train], spool=room / "data"), sealed.index, LocalRunner(), room / "stages")
        if found := len(set(hits.column("record").to_pylist())):
            yield f"{train.name} holds held-out text in {found:,} records"
