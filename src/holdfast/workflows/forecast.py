"""Forecast: how many calls a generation makes, and what they cost and take, before one is paid for.

The first prompts of each generator are filled in as a run would, and measured; nobody is asked. What models will
answer is not known, so that everything else rests on the assumptions below, and each number has a low and a high one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from math import ceil
from typing import Any

from holdfast.core.errors import HoldfastError
from holdfast.core.settings import GeneratorSettings, Limits
from holdfast.models.chat import Call, Usage
from holdfast.models.prices import TOKENS_HIGH, TOKENS_LOW, Rate, estimate_tokens, rates
from holdfast.workflows.recipe import Recipe
from holdfast.workflows.sources import Source, Streamed
from holdfast.workflows.writers import Written

# Prompts that are filled in per generator; their mean length then lies within about a tenth of that of all.
SAMPLES = 24
# Tokens of a chat template around one message: three to eight with the common ones.
PER_MESSAGE = 5


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate, and what it is when all assumptions lie at their cheap or at their dear end."""

    value: float
    low: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        return Range(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, other: "Range") -> "Range":
        return Range(self.value * other.value, self.low * other.low, self.high * other.high)


NOTHING = Range(0, 0, 0)
# Records made for one that is accepted. Models met every instruction of IFEval in 0.67 of answers (17 models, 0.27 to
# 0.85), the facts of Natural Questions in 0.73 (5 systems), GSM8K in 0.53 (6 systems): all measured on ../shared/data.
MADE_PER_ACCEPTED = Range(1 / 0.65, 1 / 0.9, 1 / 0.3)
# Tokens of an answer: the means of 17 models on the prompts of IFEval have the median 342 and the maximum 865; worked
# solutions of GSM8K have 96. Reasoning models write many times that: set decoding.max_tokens, which is then the high.
ANSWER_TOKENS = Range(350, 100, 900)
# Tokens a second that one request receives, and seconds until the first: hosted models of middle size, a busy local
# server for the high end.
TOKENS_A_SECOND = Range(50, 100, 15)
FIRST_TOKEN = Range(0.5, 0.2, 3)
# What a provider's batch takes at most, in seconds: they promise a day.
BATCH_WINDOW = 86_400.0


@dataclass(frozen=True, slots=True)
class Line:
    """What one generator asks of one model. `cost` is None where the price is unknown, which is not zero."""

    generator: str
    model: str
    calls: Range
    input_tokens: Range
    output_tokens: Range
    cost: Range | None
    price_source: str | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """All lines, and their sums. `cost` is None where a price is unknown; `seconds` is the time of the slowest model.

    `short` names generators whose seeds or documents do not last, with how many records they make at most.
    """

    lines: tuple[Line, ...]
    calls: Range
    cost: Range | None
    seconds: Range
    short: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Step:
    """One call of a conversation: the model it goes to, tokens read and written."""

    model: str
    read: Range
    written: Range


def forecast(recipe: Recipe) -> Forecast:
    """Return what generating with these settings takes. Pays nothing and contacts nobody.

    Raises `UsageError` for a template that cannot be filled in, and for a budget with an unknown price.
    """
    prices = rates(recipe.settings)
    wanted = _shares(recipe)
    lines: list[Line] = []
    short: dict[str, int] = {}
    for source, accepted in zip(recipe.sources, wanted, strict=True):
        if isinstance(source, Streamed) or not source.model:
            continue
        made = Range(accepted, accepted, accepted) * MADE_PER_ACCEPTED
        if source.items is not None:
            most = len(source.items) * source.entry.passes * len(recipe.quotas)
            if most < made.value:
                short[source.name] = most
            made = Range(*(min(each, most) for each in (made.value, made.low, made.high)))
        lines += _lines(source, _steps(source, recipe), made, prices)
    return Forecast(tuple(lines), _sum(line.calls for line in lines), _cost(lines), _seconds(recipe, lines), short)


def _shares(recipe: Recipe) -> list[int]:
    """Return how many accepted records each generator is asked for: equal parts, under the caps."""
    limits = [min(recipe.limit(number), recipe.total) for number in range(len(recipe.sources))]
    shares = [0] * len(limits)
    left, open_ones = recipe.total, [number for number, limit in enumerate(limits) if limit]
    while left and open_ones:
        part = ceil(left / len(open_ones))
        for number in open_ones:
            taken = min(part, limits[number] - shares[number], left)
            shares[number] += taken
            left -= taken
        open_ones = [number for number in open_ones if shares[number] < limits[number]]
    return shares


def _steps(source: Written, recipe: Recipe) -> list[_Step]:
    """Return the calls that one record takes, with the length of the first as measured."""
    firsts = list(islice(_first_calls(source, recipe), SAMPLES))
    first = sum(map(_tokens, firsts)) / len(firsts) if firsts else 0.0
    read = Range(first, first * TOKENS_LOW, first * TOKENS_HIGH)
    answer = _answer(firsts, source.entry.decoding)
    return _STEPS.get(source.entry.use, _once)(source.entry, read, answer)


def _first_calls(source: Written, recipe: Recipe) -> Iterator[Call]:
    """Yield the first call of records of every cell in turn, as a run would send it; what it would not, is left out."""
    for number in range(SAMPLES):
        for quota in recipe.quotas[: ceil(SAMPLES / 2)]:
            for each in source.left(number, 1):
                if call := _first_call(source, quota.cell, each):
                    yield call


def _first_call(source: Written, cell: Mapping[str, str], number: int) -> Call | None:
    """Return the first call of one record, None where there is none: the run will write its fault down."""
    try:
        talk = source.job(cell, number).begin()
        call = next(talk)
        talk.close()
    except HoldfastError:
        raise
    except Exception:  # noqa: BLE001  # code of a generator, perhaps a user's own
        return None
    return call


def _tokens(call: Call) -> int:
    return sum(estimate_tokens(message.content) + PER_MESSAGE for message in call.messages)


def _answer(calls: Sequence[Call], decoding: Mapping[str, Any]) -> Range:
    """Return the tokens of an answer; the limit of the settings is the high end where there is one."""
    named = [name for name in ("max_tokens", "max_completion_tokens") if name in decoding]
    limits = [float(call.decoding[name]) for call in calls for name in named if name in call.decoding]
    if not limits:
        return ANSWER_TOKENS
    most = max(limits)
    return Range(min(ANSWER_TOKENS.value, most), min(ANSWER_TOKENS.low, most), most)


# The second and later calls of a conversation read what was answered before. Which model of the two a call goes to
# follows the generators.


def _once(entry: GeneratorSettings, first: Range, answer: Range) -> list[_Step]:
    return [_Step(entry.model or "", first, answer)]


def _task_then_answer(entry: GeneratorSettings, first: Range, answer: Range) -> list[_Step]:
    return [*_once(entry, first, answer), _Step(entry.model or "", answer, answer)]


def _evolved(entry: GeneratorSettings, first: Range, answer: Range) -> list[_Step]:
    word = Range(2, 1, 5)
    compared = _Step(entry.against or entry.model or "", first + answer, word)
    return [*_once(entry, first, answer), compared, _Step(entry.model or "", answer, answer)]


def _turns(entry: GeneratorSettings, first: Range, answer: Range) -> list[_Step]:
    steps, said = [], first
    for turn in range(entry.turns):
        if turn or not entry.seeds:
            steps.append(_Step(entry.against or entry.model or "", said, answer))
            said += answer
        steps.append(_Step(entry.model or "", said, answer))
        said += answer
    return steps


def _twice(entry: GeneratorSettings, first: Range, answer: Range) -> list[_Step]:
    return [*_once(entry, first, answer), _Step(entry.against or entry.model or "", first, answer)]


_STEPS: Mapping[str, Callable[[GeneratorSettings, Range, Range], list[_Step]]] = {
    "self_instruct": _task_then_answer,
    "evol": _evolved,
    "multi_turn": _turns,
    "preference": _twice,
    "back_translation": _twice,
}


def _lines(source: Source, steps: Sequence[_Step], made: Range, prices: Mapping[str, Rate | None]) -> Iterator[Line]:
    """Yield one line per model of a generator."""
    for model in dict.fromkeys(step.model for step in steps):
        own = [step for step in steps if step.model == model]
        count = Range(len(own), len(own), len(own))
        read, written = (
            _rounded(made * _sum(parts)) for parts in zip(*((s.read, s.written) for s in own), strict=True)
        )
        rate = prices.get(model)
        cost = _priced(rate, read, written) if rate else None
        yield Line(source.name, model, _rounded(made * count), read, written, cost, rate.source if rate else None)


def _priced(rate: Rate, read: Range, written: Range) -> Range:
    pairs = ((read.value, written.value), (read.low, written.low), (read.high, written.high))
    return Range(*(rate.cost(Usage(int(tokens), int(more))) for tokens, more in pairs))


def _seconds(recipe: Recipe, lines: Sequence[Line]) -> Range:
    """Return how long the slowest model takes; models work side by side."""
    batched = {source.model for source in recipe.sources if isinstance(source, Written) and source.entry.batch}
    times = [NOTHING]
    for name in dict.fromkeys(line.model for line in lines):
        own = [line for line in lines if line.model == name]
        calls, written = _sum(line.calls for line in own), _sum(line.output_tokens for line in own)
        tokens = written + _sum(line.input_tokens for line in own)
        limits = recipe.settings.models[name].limits
        ends = zip(_ends(calls), _ends(written), _ends(tokens), _ends(FIRST_TOKEN), _ends(TOKENS_A_SECOND), strict=True)
        took = Range(*(_time(limits, each) for each in ends))
        times.append(Range(took.value, took.low, max(took.high, BATCH_WINDOW)) if name in batched else took)
    return Range(*(max(each) for each in zip(*map(_ends, times), strict=True)))


def _time(limits: Limits, given: tuple[float, float, float, float, float]) -> float:
    """Return the seconds for calls under the limits of an endpoint: whichever of them is the slowest."""
    calls, written, tokens, first, speed = given
    answering = (calls * first + written / speed) / limits.concurrency
    return max(answering, 60 * calls / (limits.rpm or float("inf")), 60 * tokens / (limits.tpm or float("inf")))


def _ends(given: Range) -> tuple[float, float, float]:
    return given.value, given.low, given.high


def _cost(lines: Sequence[Line]) -> Range | None:
    costs = [line.cost for line in lines]
    return None if None in costs else _sum(cost for cost in costs if cost is not None)


def _sum(ranges: Iterable[Range]) -> Range:
    return reduce(lambda one, other: one + other, ranges, NOTHING)


def _rounded(given: Range) -> Range:
    return Range(*(ceil(each - 1e-9) for each in _ends(given)))
