"""What judging will take: calls and tokens of each judge, before one is asked."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import ceil

from holdfast.core.settings import Settings
from holdfast.models.chat import Usage
from holdfast.models.prices import TOKENS_HIGH, TOKENS_LOW, Rate, estimate_tokens, rates
from holdfast.verifiers.judge_prompt import score_messages
from holdfast.verifiers.probes import probe_set
from holdfast.workflows.forecast import ANSWER_TOKENS, NOTHING, Forecast, Line, Range
from holdfast.workflows.judging import BATCH, CANARIES, FEWEST_CANARIES, ONE_IN, Panel

# Calls for one record: a score is one, a pair is asked in both orders, demands are listed and then answered.
CALLS = {"score": 1, "pairs": 2, "items": 2}
# Tokens that a judge writes for a record: {"score": 4}; a list of up to eight demands. A model that reasons writes a
# hundred times that; decoding.max_tokens bounds it.
WRITES = {"score": Range(8, 6, 512), "pairs": Range(16, 12, 1024), "items": Range(120, 40, 1024)}
# A prompt beside the answer that is judged: as long as the answer at most, a tenth of it at least.
PROMPT_TOKENS = Range(80, 10, 900)


def with_judges(settings: Settings, expected: Forecast, accepted: int) -> Forecast:
    """Return the forecast with a line for each judge of the settings and the sums that follow; time is not added.

    Raises `InputError` where the rubric cannot be read.
    """
    if settings.filters.judge is None:
        return expected
    lines = (*expected.lines, *_lines(settings, accepted))
    costs = [line.cost for line in lines]
    known = [cost for cost in costs if cost is not None]
    calls = sum((line.calls for line in lines), NOTHING)
    cost = sum(known, NOTHING) if len(known) == len(costs) else None
    return replace(expected, lines=lines, calls=calls, cost=cost)


def judged_records(accepted: int) -> int:
    """Return how many records and canaries a judge sees when `accepted` are made."""
    batches = [min(BATCH, accepted - start) for start in range(0, accepted, BATCH)]
    return accepted + sum(min(CANARIES, max(FEWEST_CANARIES, size // ONE_IN)) for size in batches)


def _lines(settings: Settings, accepted: int) -> Iterator[Line]:
    panel = Panel.of(settings)
    prices: Mapping[str, Rate | None] = rates(settings)
    shown = judged_records(accepted)
    records = Range(shown, 0 if not panel.wanted.verified and settings.checks else shown, shown)
    probe = next(probe for probe in probe_set(panel.wanted.scale) if probe.kind == "good").record
    for judge in panel.judges:
        frame = sum(estimate_tokens(each.content) for each in score_messages(probe, judge.rubric, judge.scale, ""))
        calls = CALLS[judge.mode]
        framed = Range(frame, frame * TOKENS_LOW, frame * TOKENS_HIGH) * Range(calls, calls, calls)
        read = records * (framed + (ANSWER_TOKENS + PROMPT_TOKENS) * Range(calls, 1, calls))
        written = records * WRITES[judge.mode]
        rate = prices.get(judge.model)
        cost = _priced(rate, read, written) if rate else None
        counted = _whole(records * Range(calls, calls, calls))
        yield Line("judge", judge.model, counted, _whole(read), _whole(written), cost, rate.source if rate else None)


def _priced(rate: Rate, read: Range, written: Range) -> Range:
    ends = zip((read.value, read.low, read.high), (written.value, written.low, written.high), strict=True)
    return Range(*(rate.cost(Usage(int(tokens), int(more))) for tokens, more in ends))


def _whole(given: Range) -> Range:
    return Range(*(ceil(each - 1e-9) for each in (given.value, given.low, given.high)))
