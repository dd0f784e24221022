"""Judging: a panel of judges asked about many records, through ledger, budget and gate, with canaries in every batch.

A judge that passes more than 1 % of its canaries is suspended: it is asked no more, and what it said counts for
nothing. Answers lie in the ledger, so that a killed run asks for none of them again; the batches and the canaries
follow from the records alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from typing import Any

from holdfast.core.engine import Progress
from holdfast.core.errors import InputError, StoppedError, UsageError
from holdfast.core.record import Record
from holdfast.core.settings import JudgeSettings, Settings
from holdfast.core.verdict import Verdict
from holdfast.models.chat import Conversation, NoRecord
from holdfast.models.desk import Desk
from holdfast.models.dispatch import Job
from holdfast.models.kinship import Kin, relation
from holdfast.privacy.outgoing import screen
from holdfast.stats.proportion import share
from holdfast.verifiers.judge import UNANSWERED, Judge, judging, panel
from holdfast.verifiers.probes import Probe, canaries
from holdfast.workflows.generate import PASSING, PROVIDER_FAULTS

# Records asked about before the canaries are counted: what a bad judge may cost. With them go one canary to 20.
BATCH, CANARIES, FEWEST_CANARIES, ONE_IN = 480, 24, 6, 4
# More passing than this suspends a judge (reliability: content-free keys pass some judges in up to 90 % of cases,
# arXiv:2507.08794). Of 24 canaries one is more.
MOST_PASSING = 0.01
SUSPENDED = "judge-suspended"
WAIVER = "judge-family"
Ask = Callable[[Judge, Record], Conversation[Verdict]]


@dataclass(frozen=True, slots=True)
class Panel:
    """The judges of the settings, with what they are asked."""

    settings: Settings
    wanted: JudgeSettings
    judges: tuple[Judge, ...]

    @classmethod
    def of(cls, settings: Settings) -> "Panel":
        """Read the rubric. Raises `UsageError` where the settings name no judge, `InputError` without a rubric."""
        wanted = settings.filters.judge
        if wanted is None:
            raise UsageError("The settings name no judge.", "Add filters: {judge: {model: NAME, rubric: FILE}}.")
        path = settings.path(wanted.rubric)
        try:
            rubric = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: the rubric cannot be read: {error}.", "Give a UTF-8 text file.") from None
        if not rubric.strip():
            raise InputError(f"{path}: the rubric is empty.", "Say in it what a good record is, for judge and people.")
        common = (rubric, wanted.mode, wanted.scale, wanted.pass_at, wanted.decoding)
        made = [Judge(name, *common, salt=f"{settings.seed}/{name}") for name in wanted.models]
        return cls(settings, wanted, tuple(made))

    @property
    def rubric(self) -> str:
        """A digest of the rubric, as cards and manifests name it."""
        return blake2b(self.judges[0].rubric.encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class Asked:
    """What came of asking: verdicts by judge and number of the record, canaries shown and passed, who is suspended."""

    verdicts: dict[str, dict[int, Verdict]] = field(default_factory=dict)
    shown: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    suspended: list[str] = field(default_factory=list)

    def together(self, number: int, panel_of: Panel) -> Verdict:
        """Return what the judges that are not suspended say of a record together."""
        weights = dict(
            zip(panel_of.wanted.models, panel_of.wanted.weights or [1.0] * len(panel_of.judges), strict=True)
        )
        left = [name for name in panel_of.wanted.models if name not in self.suspended]
        if not left:
            return Verdict(None, SUSPENDED)
        return panel([self.verdicts[name][number] for name in left], [weights[name] for name in left])

    def to_dict(self, panel_of: Panel) -> dict[str, Any]:
        """Return by judge: the model, its canaries with the interval of the share that passed, and its verdicts."""
        return {judge.model: self._judge(judge, panel_of.settings) for judge in panel_of.judges}

    def _judge(self, judge: Judge, settings: Settings) -> dict[str, Any]:
        model, said = settings.models[judge.model], list(self.verdicts.get(judge.model, {}).values())
        passing = share(self.passed[judge.model], self.shown[judge.model])
        return {
            "model": model.model,
            "family": Kin(model.model, model.family).family,
            "version": judge.version,
            "suspended": judge.model in self.suspended,
            "canaries": {
                "shown": self.shown[judge.model],
                "passed": self.passed[judge.model],
                "low": passing.low,
                "high": passing.high,
            },
            "verdicts": {
                "passed": sum(each.ok is True for each in said),
                "failed": sum(each.ok is False for each in said),
                "undecided": sum(each.ok is None for each in said),
            },
        }


def refuse_kin(settings: Settings, makers: Iterable[Kin]) -> list[str]:
    """Return in words which judges are related to which generators; none where the settings name no judge.

    Raises `UsageError` that names both, before any money is spent, unless the risk `judge-family` is accepted and
    its date has not passed.
    """
    wanted = settings.filters.judge
    judges = {name: settings.models[name] for name in wanted.models} if wanted else {}
    pairs = [(name, model, maker) for maker in dict.fromkeys(makers) for name, model in judges.items()]
    found = [
        f"judge {name} ({model.model}) {said}: generator {maker.name}"
        for name, model, maker in pairs
        if (said := relation(Kin(model.model, model.family), maker))
    ]
    today = datetime.now(UTC).date()
    if found and WAIVER not in {risk.rule for risk in settings.accepted_risks if risk.until >= today}:
        remedy = f"Take a judge of another family, or accept the risk {WAIVER} with reason, owner and date."
        raise UsageError(f"A judge would judge its own kin: {'; '.join(found)}.", remedy)
    return found


def makers_of(settings: Settings) -> list[Kin]:
    """Return the models that the settings let write, each once."""
    found: dict[Kin, None] = {}
    for entry in settings.generators:
        for name in filter(None, (entry.model, entry.against)):
            model = settings.models[name]
            found[Kin(model.model, (entry.family if name == entry.model else None) or model.family)] = None
    return list(found)


def ask_all(panel_of: Panel, records: Sequence[Record], desk: Desk, progress: Progress | None = None) -> Asked:
    """Ask every judge about every record, batch by batch with canaries, until it is suspended.

    Raises what stopped the desk (budget, provider, Ctrl-C); run again, nothing that was answered is asked again.
    """
    asked = Asked()
    for start in range(0, len(records), BATCH):
        batch = records[start : start + BATCH]
        if progress is not None:
            progress("judging", start, len(records))
        _ask_batch(panel_of, asked, (start, batch), desk)
    if progress is not None:
        progress("judging", len(records), len(records))
    said = [each.evidence.get("why") for own in asked.verdicts.values() for each in own.values()]
    if lost := sum(why in PASSING for why in said):
        raise StoppedError(f"{lost:,} of {len(said):,} calls of judges were not answered.", PROVIDER_FAULTS)
    return asked


def _ask_batch(panel_of: Panel, asked: Asked, batch: tuple[int, Sequence[Record]], desk: Desk) -> None:
    start, records = batch
    active = [judge for judge in panel_of.judges if judge.model not in asked.suspended]
    count = min(CANARIES, max(FEWEST_CANARIES, len(records) // ONE_IN))
    planted = canaries(records, count, panel_of.wanted.scale, f"{panel_of.settings.seed}/{start}")
    items: list[Probe | Record] = [*planted, *records]
    verdicts = ask(panel_of.settings, desk, [(judge, item_of(each)) for judge in active for each in items], judging)
    for place, judge in enumerate(active):
        said = verdicts[place * len(items) : (place + 1) * len(items)]
        own = asked.verdicts.setdefault(judge.model, {})
        own.update({start + number: each for number, each in enumerate(said[len(planted) :])})
        asked.shown[judge.model] += len(planted)
        asked.passed[judge.model] += sum(each.ok is True for each in said[: len(planted)])
        if asked.passed[judge.model] > MOST_PASSING * asked.shown[judge.model]:
            asked.suspended.append(judge.model)


def item_of(item: Probe | Record) -> Record:
    """Return the record that a judge sees."""
    return item.record if isinstance(item, Probe) else item


def ask(settings: Settings, desk: Desk, questions: Sequence[tuple[Judge, Record]], how: Ask) -> list[Verdict]:
    """Return the verdict to each question, in order. Raises what stopped the desk meanwhile."""
    jobs = [Job(judge.model, partial(_screened, settings, how, judge, record)) for judge, record in questions]
    held = desk.hold(jobs)
    if desk.stopped is not None:
        raise desk.stopped
    return [_verdict(each.made if each else None) for each in held]


def _verdict(made: Verdict | NoRecord | None) -> Verdict:
    if isinstance(made, Verdict):
        return made
    return Verdict(None, UNANSWERED, evidence={"why": made.reason, "detail": made.detail[:200]} if made else {})


def _screened(settings: Settings, how: Ask, judge: Judge, record: Record) -> Conversation[Verdict]:
    """Return the conversation with personal data taken out of what goes out, as the settings ask."""
    talk = how(judge, record)
    try:
        call = next(talk)
        while True:
            clean = screen(call.messages, settings.filters.privacy).messages
            try:
                answer = yield replace(call, messages=clean)
            except NoRecord as end:
                call = talk.throw(end)
            else:
                call = talk.send(answer)
    except StopIteration as done:
        made: Verdict = done.value
        return made


def as_check(settings: Settings, desk: Desk, judge: Judge) -> Callable[[Record], Verdict]:
    """Return a judge as a check, `Record -> Verdict`, with `batch` for many at once; canaries are not part of it."""

    def check(record: Record) -> Verdict:
        return ask(settings, desk, [(judge, record)], judging)[0]

    def batch(records: Sequence[Record]) -> list[Verdict]:
        return ask(settings, desk, [(judge, record) for record in records], judging)

    parts: Mapping[str, Any] = {"batch": batch, "version": judge.version}
    for name, value in parts.items():
        setattr(check, name, value)
    return check
