"""Tells: marks that generation leaves in answers and that no author meant to be there.

Refusals, talk about being a model, leaked prompts, unfilled templates, answers cut off, broken code fences, damaged
encodings, answers in another language than their prompt. Each tell is a defect of the record whoever wrote it; none
says by itself who did. Silence is preferred to a wrong answer: what a person may well have written is left.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.text import words
from holdfast.models import language
from holdfast.models.refusal import is_refusal

EXCERPT = 80
# Languages are told apart surely from so many letters on, and only by such a chance.
LEAST_LETTERS, SURE = 100, 0.999
# An answer that ends in one of these was cut off: no English sentence ends so. Short answers may be a phrase.
HANGING = frozenset(
    ("a", "an", "the", "of", "and", "or", "but", "with", "from", "into", "than", "which", "because", "if", "my", "your")
)
LEAST_WORDS = 40

SCHEMA = pa.schema([("index", pa.int64()), ("kind", pa.string()), ("excerpt", pa.string())])


class Tell(NamedTuple):
    """One kind: without a match of `prefilter` (RE2) in the answer there is none; `find` returns what gives it away."""

    kind: str
    prefilter: str
    find: Callable[[str, str], str | None]


_MODEL = re.compile(
    r"\bas an? (?:AI|artificial intelligence|large language|language)(?: language)? (?:model|assistant|system)\b"
    r"|\bI(?:'m| am) (?:just |only )?an? (?:AI|large language|language)(?: language)? (?:model|assistant)\b"
    r"|\bmy (?:knowledge|training) (?:cutoff|cut-off|data (?:only )?(?:goes|extends))\b",
    re.IGNORECASE,
)
_LEAK = re.compile(
    r"\byou are (?:a|an) (?:helpful|AI|expert|large)[\w ,]{0,40}\bassistant\b"
    r"|^\s*(?:###\s*(?:Instruction|Response|Input|System)\s*:|(?:Human|User|Assistant|System):\s)"
    r"|\b(?:the|this) (?:prompt|instruction) (?:above|asks|says|requires) (?:me|us|you|that)\b",
    re.IGNORECASE | re.MULTILINE,
)
_TEMPLATE = re.compile(
    r"\{\{\s*[a-z_][\w. ]*\}\}|\{%\s*(?:if|for|endif|endfor|set|else)\b[^%]*%\}"
    r"|\[(?:INSERT|Insert|TODO|YOUR|PLACEHOLDER)[ _][^\]\n]{1,40}\]|<(?:insert|placeholder)[ _][^>\n]{1,40}>"
)
_DAMAGE = re.compile(
    "\ufffd|\u00e2\u20ac[\u2122\u0153\u009d\u201c\u201d\u00a6\u02dc]|\u00c3[\u0080-\u00bf\u2030\u0153]|\u00c2[\u00a0\u00b0\u00a3\u00bb\u00ab]"
)
_FENCE = re.compile(r"^[ \t]*(```|~~~)", re.MULTILINE)


def tells(table: pa.Table) -> pa.Table:
    """Return one row per tell: local row `index`, kind, and what gives it away. A pure kernel."""
    prompts, answers = (table.column(name) for name in ("prompt", "response"))
    rows: list[tuple[int, str, str]] = []
    for tell in TELLS:
        hits = np.flatnonzero(pc.fill_null(pc.match_substring_regex(answers, tell.prefilter), False).to_numpy())
        for index in hits.tolist():
            found = tell.find(prompts[index].as_py() or "", answers[index].as_py())
            if found is not None:
                rows.append((index, tell.kind, " ".join(found.split())[:EXCERPT]))
    rows.sort()
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table(
        [pa.array(values, entry.type) for values, entry in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def other_language(prompt: str, answer: str) -> str | None:
    """Return the two languages where a long answer is surely not in the language of its long prompt, else None.

    Needs the extra [lang]. Whether the prompt asks for another language is for the caller to know.
    """
    if min(_letters(prompt), _letters(answer)) < LEAST_LETTERS:
        return None
    asked, said = language.language_of(prompt), language.language_of(answer)
    if asked == said:
        return None
    sure = (
        language.chances(answer, (asked, said))[said] >= SURE and language.chances(prompt, (asked, said))[asked] >= SURE
    )
    return f"asked in {asked}, answered in {said}" if sure else None


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)


def _match(pattern: re.Pattern[str]) -> Callable[[str, str], str | None]:
    """Return a finder of a pattern that the prompt does not hold: an answer may quote what it was asked about."""

    def find(prompt: str, answer: str) -> str | None:
        found = pattern.search(answer)
        return found.group() if found and not pattern.search(prompt) else None

    return find


def _refused(prompt: str, answer: str) -> str | None:
    if prompt and is_refusal(answer):
        return answer
    return _match(_MODEL)(prompt, answer)


def _cut(prompt: str, answer: str) -> str | None:
    """An answer to a prompt that ends within a sentence. Plain text is cut by whoever stored it, and is left."""
    end = answer.rstrip()
    if not prompt or not end or not (end[-1].isalpha() or end[-1] == ","):
        return None
    last = words(end[-200:])
    hanging = end[-1] == "," or (bool(last) and last[-1] in HANGING)
    return end[-EXCERPT:] if hanging and len(words(answer)) >= LEAST_WORDS else None


def _fence(prompt: str, answer: str) -> str | None:
    fences = _FENCE.findall(answer)
    return "a code fence is opened and not closed" if len(fences) % 2 and not _FENCE.findall(prompt) else None


TELLS = (
    Tell(
        "refusal",
        r"(?i)sorry|apolog|can ?no?t|can.t|won.t|unable|\bAI\b|language model|decline|cut-?off|training data",
        _refused,
    ),
    Tell(
        "prompt-leak",
        r"(?i)you are an? |###|(?:human|user|assistant|system):|(?:prompt|instruction) (?:above|asks|says|requires)",
        _match(_LEAK),
    ),
    Tell(
        "template-residue",
        r"\{\{|\{%|\[(?:INSERT|Insert|TODO|YOUR|PLACEHOLDER)|<(?:insert|placeholder)",
        _match(_TEMPLATE),
    ),
    Tell("cut-off", r"[\pL,]\s*$", _cut),
    Tell("broken-fence", r"```|~~~", _fence),
    Tell("damaged-encoding", "[\ufffd\u00e2\u00c3\u00c2]", _match(_DAMAGE)),
)
