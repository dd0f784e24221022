"""Writers as sources: record n of a cell as a conversation, and the conversation's end as a record with provenance.

A call leaves with the decoding drawn for its record, a label that tells its sample apart, and its messages screened
for personal data. Label and randomness follow from what the record is made of (cell, seed or document, number), not
from its place in the run: another seed file repays what is new in it, another template everything it changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from random import Random
from typing import Any, Literal

from holdfast.core.errors import UsageError
from holdfast.core.plugins import load
from holdfast.core.record import Provenance, Record
from holdfast.core.settings import GeneratorSettings, Settings
from holdfast.generators import (
    back_translation,
    edit,
    evol,
    grounded,
    multi_turn,
    ngram,
    preference,
    prompt,
    self_instruct,
)
from holdfast.generators.writing import Brief, Draft, Material, Write, drawn
from holdfast.models.chat import Call, Conversation, NoRecord
from holdfast.models.dispatch import Held, Job
from holdfast.models.families import family, same_run
from holdfast.privacy.outgoing import screen
from holdfast.workflows.cells import cell_name
from holdfast.workflows.materials import Materials

Items = Literal["seeds", "documents"] | None
WRITERS: Mapping[str, tuple[Callable[[Material], Write], Callable[[GeneratorSettings], Items]]] = {
    name: (module.writer, module.items)
    for name, module in {
        "back_translation": back_translation,
        "edit": edit,
        "evol": evol,
        "grounded": grounded,
        "multi_turn": multi_turn,
        "ngram": ngram,
        "preference": preference,
        "prompt": prompt,
        "self_instruct": self_instruct,
    }.items()
}
# Under a budget every call needs an end, or nobody could say what it may cost at most. Long enough for nearly all
# answers without reasoning.
MOST_TOKENS = 4096
# Seeds of providers are 31-bit numbers.
SEED_BITS = 31


@dataclass(frozen=True)
class Written:
    """A generator that holds a conversation for each record. `generator` is how its records name it."""

    name: str
    generator: str
    cap: float
    entry: GeneratorSettings
    settings: Settings
    make: Callable[[Material], Write]
    material: Material
    kind: Items = None

    @property
    def uses_seeds(self) -> bool:
        """Whether its records start from seeds, or show some: then it can aim at a gap among the real ones."""
        return self.kind == "seeds" or (self.entry.shots > 0 and self.kind is None)

    def within(self, seeds: Mapping[str, Sequence[str]], gap: str) -> "Written":
        """Return this generator with the seeds of one gap only, given as digests."""
        chosen = set(seeds[gap])
        found = tuple(record for record in self.material.seeds if record.digest in chosen)
        return replace(self, material=replace(self.material, seeds=found))

    @cached_property
    def write(self) -> Write:
        """The function that writes."""
        return self.make(self.material)

    @property
    def items(self) -> Sequence[Record] | None:
        """What its records start from, each used `passes` times; None where its numbers have no end."""
        return {"seeds": self.material.seeds, "documents": self.material.documents, None: None}[self.kind]

    @property
    def model(self) -> str:
        """The name of its model in the settings; empty where it calls none."""
        return self.entry.model or ""

    def left(self, start: int, most: int) -> range:
        """Return the numbers of up to `most` records from `start` on."""
        if self.items is None:
            return range(start, start + most)
        return range(start, min(start + most, len(self.items) * self.entry.passes))

    def job(self, cell: Mapping[str, str], number: int) -> Job[Draft]:
        """Return the conversation of one record."""
        screened: list[str] = []

        def begin() -> Conversation[Draft]:
            screened.clear()
            item, label = self._start(cell, number)
            brief = Brief(cell, number, Random(f"{self.settings.seed}/{self.name}/{label}"), item)
            return _dressed(self.write(brief), _Dress(self, self._decoding(label), label, screened))

        return Job(self.model, begin, screened, self.entry.batch)

    def record(self, cell: Mapping[str, str], number: int, held: Held[Draft]) -> Record:
        """Return the record of a conversation's end; one without a draft shows the last prompt and answer."""
        item, label = self._start(cell, number)
        decoding = self._decoding(label)
        draft = held.made if isinstance(held.made, Draft) else _remains(held)
        asked, served = self._who(held)
        provenance = Provenance(
            origin=draft.origin,
            synthetic_fields=draft.synthetic_fields,
            source=item.provenance.source if item else None,
            licence=item.provenance.licence if item else None,
            generator=asked,
            family=self._family(asked),
            revision=served,
            parents=draft.parents,
            depth=1 + (item.provenance.depth or 0) if item else 1,
            seed=decoding.pop("seed", None),
            decoding=decoding or None,
            cell=dict(cell) or None,
        )
        place = "-".join(part for part in (self.name, "-".join(cell.values()), f"{number:06d}") if part)
        return Record(place, draft.prompt, draft.response, provenance, draft.messages, draft.fields)

    def _start(self, cell: Mapping[str, str], number: int) -> tuple[Record | None, str]:
        """Return the seed or document of one record, and the label of its sample."""
        item, what = None, str(number)
        if self.items is not None:
            item = self.items[number % len(self.items)]
            what = f"{item.digest}/{number // len(self.items)}"
        return item, f"{cell_name(cell)}/{what}"

    def _decoding(self, label: str) -> dict[str, Any]:
        """Return the decoding of one record: ranges drawn, a seed unless the settings say null, a limit of tokens."""
        # A source of its own, so that a template which draws once more does not change the temperature.
        key = f"{self.settings.seed}/{self.name}/decoding/{label}"
        decoding = drawn(self.entry.decoding, Random(key))
        if not self.model:
            return decoding
        number = int.from_bytes(blake2b(key.encode(), digest_size=4).digest(), "big") >> (32 - SEED_BITS)
        decoding = {"seed": number, **decoding}
        if self.settings.budget.cost is not None and not {"max_tokens", "max_completion_tokens"} & decoding.keys():
            decoding["max_tokens"] = MOST_TOKENS
        return {name: value for name, value in decoding.items() if value is not None}

    def _who(self, held: Held[Draft]) -> tuple[str, str | None]:
        """Return the model that the record names, and as what it answered.

        That is the one asked for; where the endpoint says that quite another model answered, it is that one.
        """
        mine = [answer.served for name, answer in held.answers if name == self.model and answer.served]
        asked, served = self.generator, mine[-1] if mine else None
        if served is None or served == asked:
            return asked, None
        return (asked, served) if same_run(asked, served) else (served, f"asked for {asked}")

    def _family(self, asked: str) -> str | None:
        if asked != self.generator:
            return family(asked)
        model = self.settings.models.get(self.model)
        return self.entry.family or (model.family if model else None) or family(asked)


def is_writer(entry: GeneratorSettings) -> bool:
    """Tell whether an entry of the settings is a writer: a kind of ours, or one's own function with a model."""
    return entry.use in WRITERS or (entry.model is not None and ":" in entry.use)


def written(entry: GeneratorSettings, settings: Settings, materials: Materials) -> Written:
    """Return the writer of an entry of the settings. Raises `UsageError` for what cannot work, before any call."""
    make, items_of = WRITERS.get(entry.use) or (_own(entry.use), _own_items)
    kind = items_of(entry)
    real_seeds = kind == "seeds" or entry.shots > 0 or entry.use in ("self_instruct", "ngram", "edit")
    material = materials.of(entry, real_seeds=real_seeds)
    model = settings.models.get(entry.model or "")
    name = model.model if model else f"{entry.use}@1"
    source = Written(entry.name or name, name, entry.cap, entry, settings, make, material, kind)
    # Made now, so that what cannot work is told before any call.
    _ = source.write
    return source


def _own(use: str) -> Callable[[Material], Write]:
    """Return a user's own "module:function" as a writer: a function of a brief that is a conversation."""
    write: Write = load(use)
    return lambda _material: write


def _own_items(entry: GeneratorSettings) -> Items:
    return "documents" if entry.documents else "seeds" if entry.seeds else None


@dataclass(frozen=True, slots=True)
class _Dress:
    """What every call of one conversation is given before it goes out."""

    source: Written
    decoding: Mapping[str, Any]
    label: str
    screened: list[str]

    def on(self, call: Call, step: int) -> Call:
        """Return the call with its model, its decoding and the label of its sample, its messages screened."""
        settings = self.source.settings
        looked = screen(call.messages, settings.filters.privacy)
        self.screened.extend(f"prompt: {kind}" for kind in looked.kinds)
        model = call.model or self.source.model
        if model not in settings.models:
            what = f"Generator {self.source.name} calls model {model!r}, which is not there."
            raise UsageError(what, "Add it to models.")
        decoding = {**self.decoding, **call.decoding}
        sample = call.sample or f"{self.label}/{step}"
        return replace(call, messages=looked.messages, model=model, decoding=decoding, sample=sample)


def _dressed(talk: Conversation[Draft], dress: _Dress) -> Conversation[Draft]:
    """Return the conversation with each call as it goes out."""
    step = 0
    try:
        call = next(talk)
        while True:
            try:
                given = yield dress.on(call, step)
            except NoRecord as end:
                call = talk.throw(end)
            else:
                call = talk.send(given)
            step += 1
    except StopIteration as done:
        return _whole(done.value)


def _whole(made: Any) -> Draft:
    """Return what a conversation made. Raises `TypeError` or `UnicodeError`, a fault of its code, for what is none."""
    if not isinstance(made, Draft):
        raise TypeError(f"the conversation returned {type(made).__name__}, not a Draft")
    for name, text in (("prompt", made.prompt), ("response", made.response)):
        if not isinstance(text, str):
            raise TypeError(f"the {name} of the Draft is {type(text).__name__}, not str")
        text.encode()
    return made


def _remains(held: Held[Draft]) -> Draft:
    """Return what a conversation without a record leaves to look at: the last thing asked, and the last answer."""
    asked = held.last.messages[-1].content if held.last else ""
    return Draft(asked, held.answers[-1][1].text if held.answers else "")
