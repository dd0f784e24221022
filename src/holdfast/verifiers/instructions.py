"""Instruction check: did the response do what its instruction ids ask, strictly, and loosely beside it.

Records carry `instruction_id_list` and `kwargs` as IFEval and M-IFEval write them; the ids in English, French and
Spanish are in `instruction_rules` and `instruction_languages`. An id that no rule knows is open: it is undecided here
and belongs to a judge. The check does not judge whether the response is any good.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

from holdfast.core.errors import MissingExtraError
from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers.instruction_languages import RULES
from holdfast.verifiers.instruction_rules import Rule
from holdfast.verifiers.instruction_text import variants

VERSION = "1"
IDS, ARGUMENTS = "instruction_id_list", "kwargs"
REASONS = (
    "followed", "not-followed", "empty-response", "too-long",  # decided
    "open-instruction", "bad-arguments", "no-instructions", "missing-extra",  # undecided
)  # fmt: skip
# Some 250 pages. Nobody asks for more, and a response without end must not stop a run.
LONGEST = 1_000_000

Said = Literal[True, False, "open-instruction", "bad-arguments", "missing-extra"]
# Of several faults of ours, the one said first.
_FAULTS = ("bad-arguments", "missing-extra", "open-instruction")


class InstructionCheck:
    """The check as a callable. With `loose`, the verdict is the loose one: any of the eight readings may follow."""

    version = VERSION

    def __init__(self, *, loose: bool = False) -> None:
        self.loose = loose

    def __call__(self, record: Record) -> Verdict:
        """Judge one record; the evidence names what was not followed, and whether it is loosely."""
        asked = instructions_of(record.fields)
        if asked is None:
            return Verdict(None, "bad-arguments" if IDS in record.fields else "no-instructions")
        if not asked:
            return Verdict(None, "no-instructions")
        if len(record.response) > LONGEST:
            return Verdict(False, "too-long", evidence={"characters": len(record.response), "most": LONGEST})
        if not record.response.strip():
            return Verdict(False, "empty-response")
        strict = [follows(record.response, name, given) for name, given in asked]
        loose = [_loosely(record.response, *each, said) for each, said in zip(asked, strict, strict=True)]
        return _verdict([name for name, _ in asked], strict, loose, by_loose=self.loose)


check = InstructionCheck()
loose = InstructionCheck(loose=True)


def applies(record: Record) -> bool:
    """True when a record carries instruction ids."""
    return bool(record.fields.get(IDS))


def instructions_of(fields: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]] | None:
    """Return (id, arguments) pairs; None where the two columns do not fit each other.

    Both may be lists or JSON text; arguments that are null count as absent, as tables with fixed columns write them.
    """
    names, given = _listed(fields.get(IDS)), _listed(fields.get(ARGUMENTS))
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    given = given or [{}] * len(names)
    if len(given) != len(names) or not all(isinstance(each, Mapping | None) for each in given):
        return None
    pairs = zip(names, given, strict=True)
    return [(name, {key: value for key, value in (each or {}).items() if value is not None}) for name, each in pairs]


def follows(text: str, name: str, given: Mapping[str, Any]) -> Said:
    """Say whether `text` follows one instruction, or why that is not known. Blank text follows nothing."""
    rule = RULES.get(name)
    return "open-instruction" if rule is None else _applied(rule, text, given)


def _applied(rule: Rule, text: str, given: Mapping[str, Any]) -> Said:
    try:
        return bool(text.strip()) and rule(text, given)
    except MissingExtraError:
        return "missing-extra"
    except (KeyError, TypeError, ValueError, AttributeError):
        return "bad-arguments"


def _loosely(text: str, name: str, given: Mapping[str, Any], strict: Said) -> Said:
    """Return the loose verdict; the text itself is one of the readings, so that what is followed strictly stays so."""
    if strict is not False:
        return strict
    return any(_applied(RULES[name], reading, given) is True for reading in variants(text)[1:])


def _listed(value: Any) -> list[Any] | None:
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return [value]
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else None


def _verdict(names: Sequence[str], strict: Sequence[Said], loose: Sequence[Said], *, by_loose: bool) -> Verdict:
    said = loose if by_loose else strict
    evidence: dict[str, Any] = {
        "strict": [each if isinstance(each, bool) else None for each in strict],
        "loose": [each if isinstance(each, bool) else None for each in loose],
    }
    if failed := [name for name, each in zip(names, said, strict=True) if each is False]:
        return Verdict(False, "not-followed", evidence={"failed": failed, **evidence})
    if fault := next((fault for fault in _FAULTS if fault in said), None):
        concerned = [name for name, each in zip(names, said, strict=True) if each == fault]
        return Verdict(None, fault, evidence={"undecided": concerned, **evidence})
    return Verdict(True, "followed", evidence=evidence)


def _asking(name: str, response: str, **given: Any) -> Record:
    return Record(name, "", response, fields={IDS: [name], ARGUMENTS: [given]})


ACCEPTS = (
    _asking("punctuation:no_comma", "Roses are red."),
    _asking("length_constraints:number_words", "one two three", relation="at least", num_words=3),
    _asking("en:keywords:frequency", "Red, red and red.", keyword="red", relation="at least", frequency=3),
    _asking("detectable_format:json_format", '```json\n{"a": [1, 2]}\n```'),
    _asking("fr:startend:quotation", "« Bonjour »"),
    _asking("es:punctuation:question_marks", "¿Qué hora es?"),
)
REFUSES = {
    "a comma": _asking("punctuation:no_comma", "Roses, red."),
    "one word too few": _asking("length_constraints:number_words", "one two", relation="at least", num_words=3),
    "the keyword once too few": _asking("keywords:frequency", "Red.", keyword="red", relation="at least", frequency=2),
    "a forbidden word": _asking("keywords:forbidden_words", "The Rock.", forbidden_words=["rock"]),
    "JSON cut off": _asking("detectable_format:json_format", '{"a": [1, 2'),
    "an empty response": _asking("punctuation:no_comma", " \n"),
    "one side of the quotation": _asking("fr:startend:quotation", "« Bonjour"),
    "no opening question mark": _asking("es:punctuation:question_marks", "Qué hora es?"),
}
