"""plan: what a build will do, checked and counted before anything is paid."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from holdfast.core.dataset import Dataset
from holdfast.core.errors import UsageError, nearest
from holdfast.core.reader import read
from holdfast.core.scratch import scratch
from holdfast.core.settings import NEARLY_NEW_EPOCHS, Settings
from holdfast.dedup.seal import NAME as SEAL
from holdfast.models.families import family
from holdfast.models.kinship import Kin
from holdfast.models.prices import remedy, unknown_price
from holdfast.rules import catalogue
from holdfast.stats import dose
from holdfast.stats.proportion import smallest_drop
from holdfast.workflows.audit import selected
from holdfast.workflows.forecast import NOTHING, Forecast, Line, Range, forecast
from holdfast.workflows.generate import deadline
from holdfast.workflows.judge_forecast import with_judges
from holdfast.workflows.materials import MOST, Materials
from holdfast.workflows.ood import asked_for, matching, rule_of
from holdfast.workflows.recipe import Recipe
from holdfast.workflows.reserve import asked, wanted
from holdfast.workflows.ruling import refuse_related
from holdfast.workflows.writers import WRITERS

# One family disagrees with itself too rarely: two to four share the work.
FEWEST_FAMILIES = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build will read, make and mix. Shares and counts are by records, before filters take their part.

    Calls, cost (in `currency`; None where a price is unknown) and seconds are estimates with a low and a high end
    (`workflows.forecast`); `generators` has them for each generator and model.
    """

    real: int
    held_out: int
    ood: int
    smallest_drop: float
    cells: int
    accepted: int
    calls: Range
    cost: Range | None
    currency: str
    seconds: Range
    generators: tuple[Line, ...]
    synthetic_share: float
    band: str
    n_eff: float
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the public JSON form."""
        return {"version": 2, **asdict(self)}


def plan(settings: Settings) -> Plan:
    """Check that a build can run with these settings, and count what it will do. Pays, sends and writes nothing."""
    refuse_unsupported(settings)
    _refuse_mistakes(settings)
    kin = refuse_related(settings)
    with scratch() as folder:
        paths = [settings.path(entry.path) for entry in settings.real]
        data = read(paths, mapping=settings.real[0].map, spool=folder, origin="real")
        recipe = Recipe.of(settings, _materials(settings, data)) if settings.generators else None
        ood = _ood(settings, data, folder / "ood")
        rows = data.rows - (ood if rule_of(asked_for(settings) or "") else 0)
    expected = forecast(recipe) if recipe else Forecast((), NOTHING, NOTHING, NOTHING, {})
    expected = with_judges(settings, expected, recipe.total if recipe else 0)
    reserved = settings.reserve
    held_out = wanted(asked(reserved.eval, reserved.detect, reserved.power), rows)
    accepted = recipe.total if recipe else 0
    share = mixed_share(rows - held_out, accepted, settings.mix.max_synthetic)
    return Plan(
        real=rows,
        held_out=held_out,
        ood=ood,
        smallest_drop=smallest_drop(held_out, reserved.power),
        cells=len(recipe.quotas) if recipe else 0,
        accepted=accepted,
        calls=expected.calls,
        cost=expected.cost,
        currency=settings.budget.currency,
        seconds=expected.seconds,
        generators=expected.lines,
        synthetic_share=share,
        band=dose.band(share),
        n_eff=dose.effective_share(1 - share),
        warnings=(*_warnings(settings), *(f"accepted risk: {each}" for each in kin), *_costs(settings, expected)),
    )


def _ood(settings: Settings, real: Dataset, folder: Path) -> int:
    """Return how many records of another register will be sealed beside the held-out set."""
    given = asked_for(settings)
    if given is None:
        return 0
    rule = rule_of(given)
    return read([given], spool=folder, origin="real").rows if rule is None else int(matching(real, rule).sum())


def _materials(settings: Settings, real: Dataset) -> Materials:
    """Return what writers work with; before the held-out set is sealed, the whole real data stands for its rest."""
    sealed = (settings.path(settings.reserve.out) / SEAL).exists()
    writes = any(entry.use in WRITERS for entry in settings.generators)
    return Materials(settings, unsealed=() if sealed or not writes else tuple(islice(real.records(), MOST)))


def refuse_unsupported(settings: Settings) -> None:
    """Raise `UsageError` for settings that this version reads but cannot build, so that none is silently ignored."""
    if not settings.real:
        raise UsageError("The settings name no real data.", "Add real: [{path: FILE}], the anchor of everything.")
    asked = {
        "real files with different maps": len({tuple(entry.map.items()) for entry in settings.real}) > 1,
    }
    missing = [name for name, wanted in asked.items() if wanted]
    if missing:
        raise UsageError(f"This version cannot build with {', '.join(missing)}.", "Take it out of the settings.")


def _refuse_mistakes(settings: Settings) -> None:
    """Raise `UsageError` for names and values that a build would stumble over later, when work has been done."""
    deadline(settings)
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
    if settings.mix.real_epochs > NEARLY_NEW_EPOCHS:
        often = settings.mix.real_epochs
        yield f"mix.real_epochs is {often}: beyond {NEARLY_NEW_EPOCHS} times real data are worth less than new ones"
    yield from _about_judges(settings)
    if settings.mix.max_synthetic > 0.5:
        yield f"the cap of {settings.mix.max_synthetic:.0%} synthetic is above the default of 50 %"


def _about_judges(settings: Settings) -> Iterator[str]:
    wanted = settings.filters.judge
    if wanted is None:
        return
    if wanted.labels is None or not settings.path(wanted.labels).exists():
        where = f" ({wanted.labels} is not there yet)" if wanted.labels else ""
        yield f"the judge has no labels{where}: it will reject nothing, and judge-uncalibrated will be a finding"
    for name in wanted.models:
        model = settings.models[name]
        if Kin(model.model, model.family).family is None:
            yield f"the family of judge {name} ({model.model}) is not known: declare it, or its kin goes unseen"


def _costs(settings: Settings, expected: Forecast) -> Iterator[str]:
    """Yield what is to be said about money and calls before the first is made."""
    for name in dict.fromkeys(line.model for line in expected.lines if line.cost is None):
        yield f"{unknown_price(settings, name)} {remedy(name)}"
    budget, cost = settings.budget.cost, expected.cost
    if budget is not None and cost is not None and budget < cost.value:
        yield f"the budget of {budget:g} {settings.budget.currency} is below the estimate of {cost.value:.2f}"
    for name, most in expected.short.items():
        yield f"the seeds or documents of {name} give at most {most:,} records: the quota may not be filled"


def _accepted(settings: Settings) -> set[str]:
    return {risk.rule for risk in settings.accepted_risks}
