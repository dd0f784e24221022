"""plan: what a build will do, checked and counted before anything is paid."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from holdfast.core.errors import UsageError, nearest
from holdfast.core.reader import read
from holdfast.core.scratch import scratch
from holdfast.core.settings import Settings
from holdfast.models.families import family
from holdfast.rules import catalogue
from holdfast.stats import dose
from holdfast.stats.proportion import smallest_drop
from holdfast.workflows.audit import selected
from holdfast.workflows.cells import quotas
from holdfast.workflows.generate import deadline
from holdfast.workflows.recipe import Recipe
from holdfast.workflows.reserve import asked, wanted

# One family disagrees with itself too rarely: two to four share the work.
FEWEST_FAMILIES = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build will read, make and mix. Shares and counts are by records, before filters take their part."""

    real: int
    held_out: int
    smallest_drop: float
    cells: int
    accepted: int
    calls: int
    cost: float
    synthetic_share: float
    band: str
    n_eff: float
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the public JSON form."""
        return {"version": 1, **asdict(self)}


def plan(settings: Settings) -> Plan:
    """Check that a build can run with these settings, and count what it will do. Pays and writes nothing."""
    refuse_unsupported(settings)
    _refuse_mistakes(settings)
    with scratch() as folder:
        paths = [settings.path(entry.path) for entry in settings.real]
        rows = read(paths, mapping=settings.real[0].map, spool=folder, origin="real").rows
    reserved = settings.reserve
    held_out = wanted(asked(reserved.eval, reserved.detect, reserved.power), rows)
    cells = quotas(settings.cells, folder=settings.path(Path())) if settings.generators else ()
    accepted = sum(cell.wanted for cell in cells)
    share = mixed_share(rows - held_out, accepted, settings.mix.max_synthetic)
    return Plan(
        real=rows,
        held_out=held_out,
        smallest_drop=smallest_drop(held_out, reserved.power),
        cells=len(cells),
        accepted=accepted,
        calls=0,
        cost=0.0,
        synthetic_share=share,
        band=dose.band(share),
        n_eff=dose.effective_share(1 - share),
        warnings=tuple(_warnings(settings)),
    )


def refuse_unsupported(settings: Settings) -> None:
    """Raise `UsageError` for settings that this version reads but cannot build, so that none is silently ignored."""
    if not settings.real:
        raise UsageError("The settings name no real data.", "Add real: [{path: FILE}], the anchor of everything.")
    asked = {
        "generators with a model": any(entry.model or entry.use == "prompt" for entry in settings.generators),
        "filters.judge": settings.filters.judge,
        "reserve.ood": settings.reserve.ood,
        "budget.cost": settings.budget.cost is not None,
        "a runner other than local": settings.runner != "local",
        "real files with different maps": len({tuple(entry.map.items()) for entry in settings.real}) > 1,
    }
    missing = [name for name, wanted in asked.items() if wanted]
    if missing:
        raise UsageError(f"This version cannot build with {', '.join(missing)}.", "Take it out of the settings.")


def _refuse_mistakes(settings: Settings) -> None:
    """Raise `UsageError` for names and values that a build would stumble over later, when work has been done."""
    deadline(settings)
    if settings.generators:
        Recipe.of(settings)
    known = {*selected(settings), *settings.audit.rules, *catalogue.SLUGS}
    for risk in settings.accepted_risks:
        if risk.rule not in known:
            raise UsageError(f"accepted_risks: there is no rule {risk.rule!r}.", nearest(risk.rule, known))


def mixed_share(real: int, synthetic: int, cap: float) -> float:
    """Return the synthetic share of the mixture: what is there, or the cap."""
    total = real + synthetic
    return min(synthetic / total if total else 0.0, cap)


def _warnings(settings: Settings) -> Iterator[str]:
    families = set()
    for generator in settings.generators:
        model = settings.models.get(generator.model or "")
        families.add((model.family or family(model.model)) if model else generator.family or generator.use)
        if model and settings.student and settings.student.name == model.model:
            yield f"generator {generator.model} is the student: its records will be findings (teacher-is-student)"
    if settings.generators and len(families) < FEWEST_FAMILIES and "family-concentration" not in _accepted(settings):
        yield f"all generators are of one family ({', '.join(map(str, families))}): add another, or accept the risk"
    reach = sum(entry.cap * max(1, len(entry.tasks)) for entry in settings.generators)
    if settings.generators and reach < 1:
        yield f"the caps of the generators add up to {reach:.0%}: the quota cannot be filled"
    if settings.mix.max_synthetic > 0.5:
        yield f"the cap of {settings.mix.max_synthetic:.0%} synthetic is above the default of 50 %"


def _accepted(settings: Settings) -> set[str]:
    return {risk.rule for risk in settings.accepted_risks}
