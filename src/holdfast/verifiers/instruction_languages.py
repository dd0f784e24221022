"""Instruction ids that depend on a language: what language a response is in, and the French and Spanish sets.

The French and Spanish ids are those of M-IFEval (Dussolle et al. 2025, arXiv 2502.04688), read as its documentation
says; ids shared with English keep the English rule except where a language writes differently (titles and quotation
marks in French, closed answers, sections, postscripts). The published Spanish checks count words and sentences with a
parser; here they are counted as in English.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from holdfast.models.language import language_of
from holdfast.verifiers.instruction_rules import SHARED, Rule, between, compared, one_of, starred, wrapped

# The languages that the published checks can tell apart; others cannot be the answer to them.
_KNOWN = (
    "af ar bg bn ca cs cy da de el en es et fa fi fr gu he hi hr hu id it ja kn ko lt lv mk ml mr ne nl no pa pl pt ro"
    " ru sk sl so sq sv sw ta te th tl tr uk ur vi zh"
)
DETECTED = frozenset(_KNOWN.split())
_TUTOIEMENT = re.compile(r"\b(?:tu|te|toi|ton|ta|tes)\b|\bt['\u2019]", re.IGNORECASE)
_TILDES = frozenset("áéíóúÁÉÍÓÚ")
_LIGATURES = {"œ": "oe", "æ": "ae"}
_SPANISH_POSTSCRIPT = re.compile(r"p\.\s?d\.")


def _is_in(text: str, language: str) -> bool:
    """Tell whether the text is in the language; a text without letters could be in any."""
    return not any(char.isalpha() for char in text) or language_of(text, DETECTED) == language


def _language(text: str, given: Mapping[str, Any]) -> bool:
    return _is_in(text, str(given["language"]))


def _all_capitals(language: str) -> Rule:
    return lambda text, _: text.isupper() and _is_in(text, language)


def _all_small(language: str) -> Rule:
    return lambda text, _: text.islower() and _is_in(text, language)


def _without(text: str, given: Mapping[str, Any]) -> bool:
    return str(given["forbidden_char"]).lower() not in text.lower()


def _bare(text: str) -> str:
    """Return the text without marks above and below its letters."""
    for joined, parted in _LIGATURES.items():
        text = text.replace(joined, parted)
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def _no_accents(text: str, _: Mapping[str, Any]) -> bool:
    return not any(unicodedata.combining(char) for char in unicodedata.normalize("NFD", text))


def _accents(text: str, given: Mapping[str, Any]) -> bool:
    """Every word of the list that occurs, with whatever accents, is spelt as the list says."""
    right: Mapping[str, str] = given["word_to_accentuate"]
    found = re.findall(r"\w+", text.lower())
    return all(word == right[bare] for word in found if (bare := _bare(word)) in right)


def _tutoiement(text: str, _: Mapping[str, Any]) -> bool:
    return _TUTOIEMENT.search(text) is not None


def _no_digits(text: str, _: Mapping[str, Any]) -> bool:
    return not any(char.isdecimal() for char in text)


def _with_letter(letter: str) -> Rule:
    def rule(text: str, given: Mapping[str, Any]) -> bool:
        return sum(letter in word for word in text.lower().split()) == int(given["let_frequency"])

    return rule


def _tildes(text: str, given: Mapping[str, Any]) -> bool:
    count = sum(not _TILDES.isdisjoint(word) for word in re.findall(r"\w+", text))
    return compared(count, given["relation"], given["num_words"])


def _has(opening: str, closing: str) -> Rule:
    """Return the rule that something stands between the two marks of a question or an exclamation."""

    def rule(text: str, _: Mapping[str, Any]) -> bool:
        parts = (part.partition(closing) for part in text.split(opening)[1:])
        return any(bool(mark) and bool(inside.strip()) for inside, mark, _ in parts)

    return rule


def _spanish_postscript(text: str, given: Mapping[str, Any]) -> bool:
    if given["postscript_marker"].strip() == "P.D.":
        return _SPANISH_POSTSCRIPT.search(text.lower()) is not None
    return SHARED["detectable_content:postscript"](text, given)


def _spanish_bullets(text: str, given: Mapping[str, Any]) -> bool:
    return starred(text) == int(given["num_bullets"])


ENGLISH: Mapping[str, Rule] = {
    **SHARED,
    "language:response_language": _language,
    "change_case:english_capital": _all_capitals("en"),
    "change_case:english_lowercase": _all_small("en"),
}
FRENCH: Mapping[str, Rule] = {
    **SHARED,
    "language:response_language": _language,
    "change_case:french_capital": _all_capitals("fr"),
    "change_case:french_lowercase": _all_small("fr"),
    "detectable_format:title": between("##", "##"),
    "detectable_format:constrained_response": one_of(("Oui.", "Non.", "Peut-être.")),
    "startend:quotation": wrapped('""', "''", "«»"),
    "special_character:ethel_or_cedilla": _without,
    "special_character:no_accents": _no_accents,
    "special_character:accents": _accents,
    "detectable_content:informal_address": _tutoiement,
    "detectable_content:no_digits": _no_digits,
}
SPANISH: Mapping[str, Rule] = {
    **SHARED,
    "language:response_language": _language,
    "change_case:spanish_capital": _all_capitals("es"),
    "change_case:spanish_lowercase": _all_small("es"),
    "detectable_format:constrained_response": one_of(("Sí.", "No.", "Quizás.")),
    "detectable_format:number_bullet_lists": _spanish_bullets,
    "detectable_content:postscript": _spanish_postscript,
    "punctuation:question_marks": _has("¿", "?"),
    "punctuation:exclamation_marks": _has("¡", "!"),
    "special_character:enie": _with_letter("ñ"),
    "special_character:dieresis": _with_letter("ü"),
    "special_character:tildes": _tildes,
}

# Ids as the public sets write them: bare in IFEval, with the language before them in M-IFEval.
RULES: Mapping[str, Rule] = {
    **ENGLISH,
    **{
        f"{language}:{name}": rule
        for language, rule_set in (("en", ENGLISH), ("fr", FRENCH), ("es", SPANISH))
        for name, rule in rule_set.items()
    },
}
