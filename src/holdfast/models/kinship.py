"""Kinship: whether a model may judge what another wrote. One that shares its weights or its teacher's taste may not.

Preference leaks from a generator to a judge that is the same model, of its family, or a teacher or student of it (Li et
al., arXiv:2502.01534: 23.6 % for the same model, 19 to 22 % where one was distilled from the other, 9 % within one
series). A family that is not known is related to nobody: it must be declared to be seen.
"""

from dataclasses import dataclass

from holdfast.models.families import family, lineage, same_model


@dataclass(frozen=True, slots=True)
class Kin:
    """A model as far as descent goes: its name, and its family where somebody declared it."""

    name: str
    declared: str | None = None

    @property
    def family(self) -> str | None:
        """The family of its weights: as declared, else as the name tells; None where it is not known."""
        return self.declared or family(self.name)

    @property
    def descent(self) -> frozenset[str]:
        """All families it descends from: weights and, where published, teachers."""
        return lineage(self.name) | ({self.declared} if self.declared else frozenset())


def relation(judge: Kin, generator: Kin) -> str | None:
    """Return in words how the judge is related to the generator; None where no relation is known."""
    if same_model(judge.name, generator.name):
        return "is the same model"
    if judge.family is not None and judge.family == generator.family:
        return f"is of the same family, {judge.family}"
    if generator.family in judge.descent:
        return f"learned from the family {generator.family}"
    if judge.family in generator.descent:
        return f"taught it: the family {judge.family}"
    return None
