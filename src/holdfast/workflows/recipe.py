"""The recipe of a generation: its settings with every name resolved, before anything is made or paid for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from pathlib import Path

from holdfast.core.errors import UsageError
from holdfast.core.settings import Settings
from holdfast.workflows.cells import Quota, quotas
from holdfast.workflows.checking import NamedCheck, find_checks
from holdfast.workflows.gaps import AXIS
from holdfast.workflows.materials import Materials
from holdfast.workflows.sources import Source, Streamed, sources

# Two to four generators of different families share the work (mission G4); fewer needs an accepted risk of this name.
FEWEST, WAIVER = 2, "generator-concentration"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings resolved: generators, cells with quotas, checks, and what writers work with."""

    settings: Settings
    sources: tuple[Source, ...]
    quotas: tuple[Quota, ...]
    checks: tuple[NamedCheck, ...]
    materials: Materials
    gaps: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, materials: Materials | None = None) -> "Recipe":
        """Resolve every name in the settings, so that a mistake is found before any work."""
        materials = materials or Materials(settings)
        found = sources(settings, materials)
        if len(found) < FEWEST and WAIVER not in {risk.rule for risk in settings.accepted_risks}:
            remedy = f"Add a generator, or accept the risk {WAIVER} with reason, owner and date."
            raise UsageError(f"One generator ({found[0].name}) would make the whole set.", remedy)
        return cls(
            settings,
            found,
            quotas(settings.cells, folder=settings.path(Path())),
            find_checks(settings.checks, settings),
            materials,
        )

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns of the real data, which the generated rows have too."""
        return self.settings.real[0].map if self.settings.real else {}

    @property
    def total(self) -> int:
        """Return how many accepted records are wanted in all."""
        return sum(quota.wanted for quota in self.quotas)

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models that are called, each once."""
        entries = [source.entry for source in self.sources if not isinstance(source, Streamed)]
        return tuple(dict.fromkeys(name for entry in entries for name in (entry.model, entry.against) if name))

    def serves(self, source: int, cell: int) -> bool:
        """Tell whether a generator may be asked for a cell at all: a gap is for those that start from seeds."""
        found = self.sources[source]
        return AXIS not in self.quotas[cell].cell or (not isinstance(found, Streamed) and found.uses_seeds)

    def limit(self, source: int) -> int:
        """Return how many accepted records a generator may have under its cap."""
        return floor(Fraction(str(self.sources[source].cap)) * self.total)
