"""Facts: what the files that ship beside a data set say of it, besides its manifest and its report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.report import numbers


@dataclass(frozen=True, slots=True)
class Facts:
    """Name, licences, files and counts of a data set, as its card and its Croissant description say them.

    `licences` are SPDX ids, and `unlicensed` counts the real records of which none is known. `files` are the data
    files, beside which the card lies. `made_of` counts `records`, `synthetic` ones (in whole or in part), `tokens` and
    `synthetic_tokens`, all of known origin. `checks` says in words what came of each check, `held_out` in a sentence
    what was reserved; `command` repeats the run.
    """

    name: str
    licences: tuple[str, ...] = ()
    unlicensed: int = 0
    languages: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    made_of: Mapping[str, int] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)
    held_out: str = ""
    command: str = "holdfast build"

    @property
    def records(self) -> int:
        """How many records there are."""
        return self.made_of.get("records", 0)

    @property
    def synthetic(self) -> int:
        """How many records are synthetic in whole or in part."""
        return self.made_of.get("synthetic", 0)

    @property
    def share(self) -> str:
        """The synthetic share by records and by tokens, in words."""
        if not self.records:
            return "not known"
        tokens = self.made_of.get("tokens", 0)
        by_records = numbers.percent(self.synthetic / self.records)
        by_tokens = numbers.percent(self.made_of.get("synthetic_tokens", 0) / tokens if tokens else 0.0)
        return f"{by_records} of the records, {by_tokens} of the tokens"

    @property
    def summary(self) -> str:
        """How much there is, how much of it is synthetic, and the licences where some are not known, in sentences."""
        silent = f" Licence: {self.licence}." if self.unlicensed else ""
        return f"{numbers.plural(self.records, 'training record')}. Synthetic: {self.share}.{silent}"

    @property
    def licence(self) -> str:
        """The licences, and of how many real records none is known where that is not all there is to say."""
        if not self.licences:
            return "not stated"
        real = self.records - self.synthetic
        silent = f"; {self.unlicensed:,} of {real:,} real records state none" if self.unlicensed else ""
        return ", ".join(self.licences) + silent
