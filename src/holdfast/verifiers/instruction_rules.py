"""The public instruction ids of IFEval, one small rule each: did a response do what was asked, read literally.

Semantics of Zhou et al. 2023 (arXiv 2311.07911) and their published checks, written anew. Keywords are taken
literally and not as regular expressions, and a letter to count may be any character. Language and the French and
Spanish ids are in `instruction_languages`.
"""

import json
import re
from collections.abc import Callable, Mapping
from operator import ge, le, lt
from typing import Any

from holdfast.verifiers.instruction_text import capital_words, sentences, words

Rule = Callable[[str, Mapping[str, Any]], bool]

# How the public sets write their comparisons; the Spanish set says "at most" where the others say "less than".
RELATIONS: Mapping[str, Callable[[int, int], bool]] = {
    "less than": lt, "at least": ge, "at most": le, "moins de": lt, "au moins": ge, "al menos": ge, "como máximo": le,
}  # fmt: skip
ENGLISH_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_HIGHLIGHT, _BOLD = re.compile(r"\*([^\n*]*)\*"), re.compile(r"\*\*([^\n*]*)\*\*")
_PLACEHOLDER = re.compile(r"\[[^\]\n]*\]")
_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_FENCES = ("```json", "```Json", "```JSON", "```")
_POSTSCRIPTS = {"P.P.S": re.compile(r"p\.\s?p\.\s?s"), "P.S.": re.compile(r"p\.\s?s\.")}
_AFTER_WORD = frozenset(".,?!'\"")
_ENDS_WORD = re.compile(r"[.,?!'\"]")


def compared(count: int, relation: str, wanted: int) -> bool:
    """Compare a count as `relation` says; `KeyError` for a relation nobody publishes."""
    return RELATIONS[relation](count, int(wanted))


def _existence(text: str, given: Mapping[str, Any]) -> bool:
    text = text.lower()
    return all(keyword.lower() in text for keyword in given["keywords"])


def _frequency(text: str, given: Mapping[str, Any]) -> bool:
    count = text.lower().count(given["keyword"].strip().lower())
    return compared(count, given["relation"], given["frequency"])


def _forbidden(text: str, given: Mapping[str, Any]) -> bool:
    return not any(
        re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in given["forbidden_words"]
    )  # fmt: skip


def _letters(text: str, given: Mapping[str, Any]) -> bool:
    count = text.lower().count(given["letter"].strip().lower())
    return compared(count, given["let_relation"], given["let_frequency"])


def _number_sentences(text: str, given: Mapping[str, Any]) -> bool:
    return compared(sentences(text), given["relation"], given["num_sentences"])


def _number_words(text: str, given: Mapping[str, Any]) -> bool:
    return compared(words(text), given["relation"], given["num_words"])


def _paragraphs(text: str, given: Mapping[str, Any]) -> bool:
    """Paragraphs stand between `***`; an empty one counts against the response unless it is the first or last."""
    parts = _DIVIDER.split(text)
    inner_empty = any(not part.strip() for part in parts[1:-1])
    ends = [parts[0], parts[-1]] if len(parts) > 1 else parts
    count = len(parts) - sum(not part.strip() for part in ends)
    return not inner_empty and count == int(given["num_paragraphs"])


def _first_word(text: str, given: Mapping[str, Any]) -> bool:
    """Paragraphs stand between two line breaks; the nth begins with the word, whatever its case."""
    parts, nth = text.split("\n\n"), int(given["nth_paragraph"])
    count = sum(bool(part.strip()) for part in parts)
    if not 1 <= nth <= count or not (paragraph := parts[nth - 1].strip()):
        return False
    word = paragraph.split(maxsplit=1)[0].lstrip("'").lstrip('"')
    first = _ENDS_WORD.split(word, maxsplit=1)[0].lower()
    return count == int(given["num_paragraphs"]) and first == given["first_word"].lower()


def _placeholders(text: str, given: Mapping[str, Any]) -> bool:
    count = sum(len(_PLACEHOLDER.findall(line)) for line in text.split("\n") if "]" in line)
    return count >= int(given["num_placeholders"])


def _postscript(text: str, given: Mapping[str, Any]) -> bool:
    marker, text = given["postscript_marker"].strip(), text.lower()
    pattern = _POSTSCRIPTS.get(marker)
    return pattern.search(text) is not None if pattern else marker.lower() in text


def starred(text: str) -> int:
    """Return how many bullets begin with one asterisk. A bare asterisk takes the line after it as its own."""
    count, taken = 0, False
    lines = text.split("\n")
    for place, line in enumerate(lines):
        bullet = line.lstrip()
        if taken or not bullet.startswith("*"):
            taken = False
            continue
        taken = bullet == "*"
        count += bullet[1:2] != "*" and (not taken or place + 1 < len(lines))
    return count


def _bullets(text: str, given: Mapping[str, Any]) -> bool:
    dashed = sum(line.lstrip().startswith("-") for line in text.split("\n"))
    return starred(text) + dashed == int(given["num_bullets"])


def one_of(answers: tuple[str, ...]) -> Rule:
    """Return the rule that one of `answers` stands somewhere in the response."""
    return lambda text, _: any(answer in text for answer in answers)


def _highlights(text: str, given: Mapping[str, Any]) -> bool:
    """Count `*text*`, and `**text**` once more, as the published check does."""
    marked = [*_HIGHLIGHT.findall(text), *_BOLD.findall(text)] if "*" in text else []
    return sum(bool(inner.strip()) for inner in marked) >= int(given["num_highlights"])


def _sections(text: str, given: Mapping[str, Any]) -> bool:
    mark = re.compile(re.escape(given["section_spliter"].strip()) + r"\s?\d+")
    return len(mark.findall(text)) >= int(given["num_sections"])


def _json(text: str, _: Mapping[str, Any]) -> bool:
    text = text.strip()
    for fence in _FENCES:
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def between(opening: str, closing: str) -> Rule:
    """Return the rule that some line has a title between two marks of two characters each."""

    def rule(text: str, _: Mapping[str, Any]) -> bool:
        for line in text.split("\n"):
            start, end = line.find(opening), line.rfind(closing)
            if 0 <= start <= end - 3 and line[start : end + 2].lstrip(opening[0]).rstrip(closing[0]).strip():
                return True
        return False

    return rule


def _two_responses(text: str, _: Mapping[str, Any]) -> bool:
    parts = [part.strip() for part in text.split("******")]
    filled = [part for part in parts if part]
    return all(parts[1:-1]) and len(filled) == 2 and filled[0] != filled[1]


def _repeats(text: str, given: Mapping[str, Any]) -> bool:
    return text.strip().lower().startswith(given["prompt_to_repeat"].strip().lower())


def _ends_with(text: str, given: Mapping[str, Any]) -> bool:
    return text.strip().strip('"').lower().endswith(given["end_phrase"].strip().lower())


def _capital_words(text: str, given: Mapping[str, Any]) -> bool:
    return compared(capital_words(text), given["capital_relation"], given["capital_frequency"])


def wrapped(*pairs: str) -> Rule:
    """Return the rule that the response stands between one of the pairs of quotation marks."""

    def rule(text: str, _: Mapping[str, Any]) -> bool:
        text = text.strip()
        return len(text) > 1 and text[0] + text[-1] in pairs

    return rule


def no_comma(text: str, _: Mapping[str, Any]) -> bool:
    """The response has no comma."""
    return "," not in text


SHARED: Mapping[str, Rule] = {
    "keywords:existence": _existence,
    "keywords:frequency": _frequency,
    "keywords:forbidden_words": _forbidden,
    "keywords:letter_frequency": _letters,
    "length_constraints:number_sentences": _number_sentences,
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:number_words": _number_words,
    "length_constraints:nth_paragraph_first_word": _first_word,
    "detectable_content:number_placeholders": _placeholders,
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": one_of(ENGLISH_ANSWERS),
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": between("<<", ">>"),
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": _repeats,
    "startend:end_checker": _ends_with,
    "startend:quotation": wrapped('""'),
    "change_case:capital_word_frequency": _capital_words,
    "punctuation:no_comma": no_comma,
}
