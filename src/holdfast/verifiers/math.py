"""Math check: the final answer against a gold answer, and computed steps against themselves.

Plain numbers and simple LaTeX are compared exactly in this process. What these readers leave open (functions,
inequalities, unions) goes to math-verify in worker processes with a hard time limit (extra [verify]). Reasoning that
computes nothing is not judged.
"""

import atexit
from collections.abc import Sequence
from functools import cache

from holdfast.core.errors import MissingExtraError
from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers import latex
from holdfast.verifiers.answers import (
    DELIMITERS,
    LONGEST_ANSWER,
    Answer,
    final_answer,
    gold_answer,
    inner,
    is_formula,
    plain_number,
    same_number,
)
from holdfast.verifiers.math_pool import Compared, compare, math_pool
from holdfast.verifiers.steps import wrong_steps
from holdfast.verifiers.workers import Pool

VERSION = "2"
REASONS = (
    "correct", "wrong-answer", "no-answer", "wrong-step", "timeout", "memory",  # decided
    "no-gold", "missing-extra", "fault",  # undecided
)  # fmt: skip


class MathCheck:
    """The check as a callable, with its version and its form for many records at once."""

    version = VERSION

    def __call__(self, record: Record) -> Verdict:
        """Judge one record: right or wrong by its gold answer, undecided without one."""
        return batch([record])[0]

    def batch(self, records: Sequence[Record]) -> list[Verdict]:
        """Judge many records; verdicts in their order."""
        return batch(records)


check = MathCheck()


def applies(record: Record) -> bool:
    """True when a record is mathematics by its data.

    It has a gold answer that is a number or a formula, or any gold answer and marks its own as such (boxed, ####).
    """
    gold = gold_answer(record.fields, record.response)
    if gold is None:
        return False
    given = final_answer(record.response)
    return plain_number(gold) is not None or is_formula(gold) or (given is not None and given.place == "marker")


def batch(records: Sequence[Record]) -> list[Verdict]:
    """Judge many records; expressions are compared in parallel. Verdicts in the order of the records."""
    verdicts: dict[int, Verdict] = {}
    open_pairs: dict[int, tuple[str, str]] = {}
    for number, record in enumerate(records):
        decided = _decide(record)
        if isinstance(decided, Verdict):
            verdicts[number] = decided
        else:
            open_pairs[number] = decided
    for number, compared in zip(open_pairs, _compare(list(open_pairs.values())), strict=True):
        verdicts[number] = _verdict(compared, *open_pairs[number])
    return [verdicts[number] for number in range(len(records))]


def answer_only(record: Record) -> Verdict:
    """Judge the final answer alone, whatever the steps compute to."""
    gold = gold_answer(record.fields, record.response)
    if gold is None:
        return Verdict(None, "no-gold")
    decided = _by_answer(record, gold)
    return decided if isinstance(decided, Verdict) else _verdict(_compare([decided])[0], *decided)


def close() -> None:
    """End the worker processes; the next expression starts them again."""
    _pool().close()


def _decide(record: Record) -> Verdict | tuple[str, str]:
    """Return a verdict where plain reading gives one, else the (gold, given) pair to compare symbolically."""
    if wrong := next(wrong_steps(record.response), None):
        return Verdict(False, "wrong-step", evidence={"step": wrong.written, "computed": wrong.computed})
    gold = gold_answer(record.fields, record.response)
    return Verdict(None, "no-gold") if gold is None else _by_answer(record, gold)


def _by_answer(record: Record, gold: str) -> Verdict | tuple[str, str]:
    given = final_answer(record.response)
    if _folded(record.response) == _folded(gold):
        return _said(True, gold, Answer(gold, "whole"))
    if given is None:
        return Verdict(False, "no-answer", evidence={"gold": gold})
    if _folded(given.text) == _folded(gold):
        return _said(True, gold, given)
    gold_number, given_number = plain_number(gold), plain_number(given.text)
    if gold_number and given_number:
        return _said(same_number(gold_number, given_number), gold, given)
    decided = _exactly(gold, given, record.response)
    if decided is not None:
        return _said(decided, gold, given)
    return _delimited(gold[-LONGEST_ANSWER:]), _symbolic(record.response, given)


def _exactly(gold: str, given: Answer, response: str) -> bool | None:
    """Compare by exact algebra; None where one side is not simple or nothing is certain."""
    answer = inner(response) if given.place == "formula" else inner(given.text)
    one, other = latex.read(inner(gold) or ""), latex.read(answer or "")
    return None if one is None or other is None else latex.equal(one, other)


def _said(ok: bool, gold: str, given: Answer) -> Verdict:
    evidence = {"gold": gold, "answer": given.text, "found": given.place}
    return Verdict(ok, "correct" if ok else "wrong-answer", evidence=evidence)


def _folded(text: str) -> str:
    return " ".join(text.strip(" .$").casefold().split())


def _symbolic(response: str, given: Answer) -> str:
    """Return what the symbolic parser is to read: a marked answer alone, else the end of the response."""
    return _delimited(given.text) if given.place == "marker" else response[-LONGEST_ANSWER:]


def _delimited(text: str) -> str:
    """Set bare LaTeX between dollar signs, without which the parser sees prose."""
    return text if any(mark in text for mark in DELIMITERS) else f"${text}$"


def _compare(pairs: Sequence[tuple[str, str]]) -> list[Compared | None]:
    """Compare pairs in the workers; None for each where math-verify is not installed."""
    if not pairs:
        return []
    try:
        return list(compare(_pool(), pairs))
    except MissingExtraError:
        return [None] * len(pairs)


def _verdict(compared: Compared | None, gold: str, given: str) -> Verdict:
    evidence = {"gold": gold, "answer": given[-300:]}
    if compared is None:
        return Verdict(None, "missing-extra", evidence={**evidence, "supply": "pip install 'holdfast[verify]'"})
    if compared.fate == "unreadable-gold":
        return Verdict(None, "no-gold", evidence={**evidence, "note": "the gold answer is not mathematical"})
    if compared.fate in ("equal", "different"):
        ok = compared.fate == "equal"
        return Verdict(ok, "correct" if ok else "wrong-answer", evidence=evidence)
    if compared.by_gold or compared.fate == "fault":
        return Verdict(None, "fault", evidence={**evidence, "note": compared.detail or compared.fate})
    return Verdict(False, compared.fate, evidence=evidence)


@cache
def _pool() -> Pool:
    pool = math_pool()
    atexit.register(pool.close)
    return pool
