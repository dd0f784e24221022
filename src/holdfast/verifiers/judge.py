"""An LLM judge: what one model, or a panel of them, says of a record.

It proposes; whether it may reject is decided by `workflows.judging`, which holds it against people first.

Three ways of asking: a score by a rubric; two responses compared in both orders, a win only where both orders agree;
and for prompts that give instructions, yes/no questions about each demand. Each is a conversation, so that its calls
are paid once. What a model does not answer is undecided, never a fault of the record.
"""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

import orjson

from holdfast.core.record import Message, Record
from holdfast.core.verdict import Verdict
from holdfast.models.chat import Answer, Call, Conversation, NoRecord
from holdfast.verifiers.judge_prompt import (
    PAIR_SCHEMA,
    answer_messages,
    answer_schema,
    item_messages,
    item_schema,
    naive_messages,
    pair_messages,
    score_messages,
    score_schema,
)

Mode = Literal["score", "pairs", "items"]
# What follows from the answers, and from their absence.
BELOW, UNMET, WORSE, TIE, INCONSISTENT = "below-pass-mark", "demand-unmet", "worse", "tie", "inconsistent"
NO_PAIR, UNANSWERED, INJECTION, SPLIT = "no-pair", "judge-unanswered", "injection-suspected", "judges-disagree"
# The other side of a preference row, by the names that records of others use.
OTHER_SIDES = ("rejected", "response_rejected", "chosen_rejected", "response_2")
# Texts that speak to a judge and not about their task. A lint, not a proof: it hides no record from people, and sends
# those that would have passed to them.
_INJECTION = re.compile(
    r"(?i)\b(?:ignore|disregard|forget)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|rubric|instructions?)\b"
    r"|<\|?/?(?:im_start|im_end|system|assistant|user|endoftext|eot_id)\|?>|\[/?INST\]"
    r"|^#{2,} ?(?:system|instruction)s?:|[\"']?\bscore\b[\"']?\s*[:=]\s*[\"']?[0-9]"
    r"|\b(?:rate|grade|score|mark|rank) (?:this|it|me|the response|my answer)\b"
    r"|\b(?:full marks|highest (?:possible )?(?:score|grade|rating)|maximum score|perfect score)\b"
    r"|\b(?:as|dear|attention|note to|message (?:to|for)) (?:the |an? )?(?:judge|grader|evaluator|reviewer|rater)s?\b"
    r"|<<<DATA|\"better\"\s*:|\bthe (?:judge|grader|evaluator) (?:must|should|will|has)\b",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Judge:
    """How one model judges: its name in the settings, the rubric, the scale, and the lowest score that passes.

    `salt` goes into delimiters. `questions` are asked of every record in the mode `items`, besides those of its prompt.
    """

    model: str
    rubric: str
    mode: Mode = "score"
    scale: int = 5
    pass_at: int = 4
    decoding: Mapping[str, Any] = field(default_factory=dict)
    salt: str = ""

    @property
    def questions(self) -> tuple[str, ...]:
        """The lines of the rubric that are yes/no questions: those of a list that end in a question mark."""
        return tuple(re.findall(r"^\s*[-*] +(.+\?)\s*$", self.rubric, re.MULTILINE))

    @property
    def version(self) -> str:
        """A digest of everything but the model that changes its verdicts; verdicts of two versions are not compared."""
        parts = [self.rubric, self.mode, self.scale, self.pass_at, dict(self.decoding)]
        return blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()

    def call(self, messages: tuple[Message, ...], schema: Mapping[str, Any]) -> Call:
        """Return a call of this judge: cold, so that it is the same judge tomorrow, and with a bound for the budget."""
        decoding = {"temperature": 0.0, "seed": 0, "max_tokens": 512, **self.decoding}
        kept = {name: value for name, value in decoding.items() if value is not None}
        return Call(messages, self.model, kept, schema)


def judging(judge: Judge, record: Record) -> Conversation[Verdict]:
    """Return the conversation whose end is the verdict of one judge about one record."""
    return _guarded(_BY_MODE[judge.mode](judge, record))


def undefended(judge: Judge, record: Record) -> Conversation[Verdict]:
    """Return the conversation of a judge without defences; `judge probe` shows what they are worth."""
    return _guarded(_plain(judge, record))


def _guarded(talk: Conversation[Verdict]) -> Conversation[Verdict]:
    """Return the conversation, ended by an undecided verdict where a model did not answer in the form asked for."""
    try:
        return (yield from talk)
    except NoRecord as end:
        return Verdict(None, UNANSWERED, evidence={"why": end.reason, "detail": end.detail[:200]})


def _plain(judge: Judge, record: Record) -> Conversation[Verdict]:
    answer = yield judge.call(naive_messages(record, judge.rubric, judge.scale), score_schema(judge.scale))
    return _scored(judge, answer)


def _score(judge: Judge, record: Record) -> Conversation[Verdict]:
    messages = score_messages(record, judge.rubric, judge.scale, judge.salt)
    answer = yield judge.call(messages, score_schema(judge.scale))
    return _linted(_scored(judge, answer), record.response)


def _scored(judge: Judge, answer: Answer) -> Verdict:
    score = int(answer.value["score"])
    passed = score >= judge.pass_at
    evidence = {"scale": judge.scale, "pass_at": judge.pass_at}
    return Verdict(passed, "" if passed else BELOW, float(score), evidence)


def _items(judge: Judge, record: Record) -> Conversation[Verdict]:
    asked = yield judge.call(item_messages(record, judge.salt), item_schema())
    questions = tuple(dict.fromkeys((*judge.questions, *asked.value["items"])))
    answer = yield judge.call(answer_messages(record, questions, judge.salt), answer_schema(len(questions)))
    met = list(map(bool, answer.value["answers"]))
    items = [{"question": each, "met": ok} for each, ok in zip(questions, met, strict=True)]
    verdict = Verdict(all(met), "" if all(met) else UNMET, sum(met) / len(met), {"items": items})
    return _linted(verdict, record.response)


def _pairs(judge: Judge, record: Record) -> Conversation[Verdict]:
    other = other_side(record)
    if other is None:
        return Verdict(None, NO_PAIR)
    won = yield from comparing(judge, record.prompt, record.response, other)
    return _linted(won, record.response)


def comparing(judge: Judge, prompt: str, one: str, other: str) -> Generator[Call, Answer, Verdict]:
    """Return the conversation that compares two responses in both orders; True where `one` wins in both.

    The score is 1, 0.5 or 0 from the side of `one`, the mean of both orders; evidence holds what each order said.
    """
    outcomes: list[float] = []
    for first, second in ((one, other), (other, one)):
        answer = yield judge.call(pair_messages(prompt, first, second, judge.rubric, judge.salt), PAIR_SCHEMA)
        said = {"first": 1.0, "second": 0.0, "tie": 0.5}[answer.value["better"]]
        outcomes.append(said if not outcomes else 1.0 - said)
    forward, swapped = outcomes
    evidence = {"forward": forward, "swapped": swapped, "longer": len(one) - len(other)}
    score = (forward + swapped) / 2.0
    if forward != swapped:
        return Verdict(None, INCONSISTENT, score, evidence)
    ok, reason = {1.0: (True, ""), 0.0: (False, WORSE), 0.5: (None, TIE)}[forward]
    return Verdict(ok, reason, score, evidence)


_BY_MODE: Mapping[Mode, Callable[[Judge, Record], Conversation[Verdict]]] = {
    "score": _score,
    "pairs": _pairs,
    "items": _items,
}


def other_side(record: Record) -> str | None:
    """Return the rejected response of a preference row, as text; None where the row has none."""
    for name in OTHER_SIDES:
        found = record.fields.get(name)
        if isinstance(found, list) and found and isinstance(found[-1], dict):
            found = found[-1].get("content")
        if isinstance(found, str) and found.strip():
            return found
    return None


def speaks_to_judges(text: str) -> bool:
    """Tell whether a text holds what is written to a judge: scores, roles, or orders about the grading."""
    return _INJECTION.search(text) is not None


def _linted(verdict: Verdict, response: str) -> Verdict:
    """Return the verdict; a pass of a text that speaks to judges is for people to decide."""
    if verdict.ok and speaks_to_judges(response):
        return Verdict(None, INJECTION, verdict.score, verdict.evidence)
    return verdict


def panel(verdicts: Sequence[Verdict], weights: Sequence[float] = ()) -> Verdict:
    """Return what several judges say together: the side with more weight (one each without `weights`), None for a tie.

    Undecided ones have no vote. The score is the weighted mean of those who gave one; a panel of one is that judge.
    """
    if len(verdicts) == 1:
        return verdicts[0]
    votes = list(zip(verdicts, weights or [1.0] * len(verdicts), strict=True))
    lean = sum(weight * (1 if each.ok else -1) for each, weight in votes if each.ok is not None)
    scored = [(each.score, weight) for each, weight in votes if each.score is not None]
    total = sum(weight for _, weight in scored)
    score = sum(value * weight for value, weight in scored) / total if total else None
    reasons = [each.reason for each in verdicts if each.reason]
    if lean > 0:
        return Verdict(True, "", score)
    if lean < 0:
        return Verdict(False, next(each.reason for each in verdicts if each.ok is False), score)
    undecided = not any(each.ok is not None for each in verdicts)
    return Verdict(None, reasons[0] if undecided and reasons else SPLIT, score)
