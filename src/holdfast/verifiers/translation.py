"""Translation check: is the target a translation of the source, as far as that shows without reading either.

First what shows on the surface: copied or untranslated text, the wrong language, other numbers, and what the two texts
share (`translation_surface`). Where the settings name a translator for the way back, the round trip: it must be
independent of whoever made the translation, and its words must agree with the source (chrF, Popovic 2015). The check
sees neither style nor small errors of meaning: a fluent sentence with one "not" too many passes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from holdfast.core.errors import MachineError, MissingExtraError, UsageError
from holdfast.core.record import Record
from holdfast.core.settings import Settings
from holdfast.core.verdict import Verdict
from holdfast.models.language import chances
from holdfast.models.translator import Translator, independent, translator
from holdfast.verifiers import translation_surface as surface

VERSION = "1"
REASONS = (
    "agrees", "plausible",  # true: the round trip agrees; nothing on the surface speaks against it
    "empty-target", "too-long", "copied-source", "untranslated-span", "wrong-language", "length-ratio",
    "number-changed", "not-aligned", "round-trip-differs",  # false
    "no-pair", "unsure", "missing-extra", "not-independent", "translator-unknown", "translator-failed",  # undecided
)  # fmt: skip
LONGEST = 100_000
# What follows was measured on the pydocs pairs (English-French, half of them held out; `python -m bench.translation`).
# Below the first, 0.2 % of translations and 96 % of strangers; from the second on, 99 % and 1 %.
STRANGERS, ALIGNED = -2.0, 0.0
# chrF of the way back by Apertium: below the first 1 % of translations, from the second on 0.2 % of strangers.
DIFFERS, AGREES = 20.0, 30.0
# Running words, names and code left out, that both texts have in a row.
SPAN = 8
# Fewer words than this are too few to tell a language by; at 8 words no translation was taken for another language.
WORDS_TO_TELL, UNLIKELY = 8, 0.05
# A translation six times as long or short is none; the longest of the pydocs pairs of 40 characters or more is 3.5.
RATIO, CHARACTERS_TO_TELL = 6.0, 40
_ROLE = re.compile(r":[\w.+:-]+:(?=`)")
_WORD = re.compile(r"[^\W\d_]{2,}")
_LANGUAGE_COLUMNS = (
    ("source_lang", "target_lang"), ("src_lang", "tgt_lang"), ("source_language", "target_language"),
)  # fmt: skip
_PAIR = re.compile(r"([a-z]{2,3})(?:_[A-Z]{2})?(?:-|>|->|_)([a-z]{2,3})")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and their languages as ISO 639-1 codes; '' where nobody says."""

    source: str
    target: str
    source_language: str = ""
    target_language: str = ""


class TranslationCheck:
    """The check as a callable. `source` and `target` are the languages where a record does not say."""

    version = VERSION

    def __init__(self, source: str = "", target: str = "", back: Translator | None = None) -> None:
        self.source, self.target, self.back = source, target, back

    def with_settings(self, settings: Settings) -> "TranslationCheck":
        """Return the check as the settings want it. Raises `UsageError` for an unknown translator."""
        wanted = settings.translation
        if wanted is None:
            return self
        back = translator(wanted.back) if wanted.back else None
        if back is not None and wanted.back_family:
            back = replace(back, family=wanted.back_family)
        return TranslationCheck(wanted.source, wanted.target, back)

    def __call__(self, record: Record) -> Verdict:
        """Judge one pair."""
        return self.batch([record])[0]

    def batch(self, records: Sequence[Record]) -> list[Verdict]:
        """Judge many pairs; those that the surface does not refuse go back together."""
        pairs = [pair_of(record, self.source, self.target) for record in records]
        verdicts = [Verdict(None, "no-pair") if pair is None else on_surface(pair) for pair in pairs]
        return [
            verdict if pair is None or not _open(verdict) else self._there_and_back(record, pair, verdict)
            for record, pair, verdict in zip(records, pairs, verdicts, strict=True)
        ]

    def _there_and_back(self, record: Record, pair: Pair, shown: Verdict) -> Verdict:
        """Return the verdict with the round trip, or why there was none."""
        if self.back is None:
            return shown
        evidence, made = {**shown.evidence, "back": self.back.name}, record.provenance
        forward = made.generator or ""
        if not forward and made.is_synthetic:
            return replace(shown, ok=None, reason="translator-unknown", evidence=evidence)
        if forward and not independent(self.back, forward, made.family):
            return replace(shown, ok=None, reason="not-independent", evidence={**evidence, "forward": forward})
        try:
            text = self.back.call([pair.target], pair.target_language, pair.source_language)[0]
            score = None if text is None else chrf(text, pair.source)
        except MissingExtraError:
            return replace(shown, ok=None, reason="missing-extra", evidence={**evidence, **_SUPPLY})
        except (MachineError, UsageError) as error:
            return replace(shown, ok=None, reason="translator-failed", evidence={**evidence, "note": error.what})
        if text is None or score is None:
            return replace(shown, ok=None, reason="translator-failed", evidence=evidence)
        evidence |= {"returned": text[:300], "chrf": round(score, 1)}
        return _agreed(shown, score, evidence)


_SUPPLY = {"supply": "pip install 'holdfast[lang]'"}
check = TranslationCheck()


def applies(record: Record) -> bool:
    """True when a record says that it is a translation: a source, a target, and the languages of both."""
    found = pair_of(record)
    return found is not None and bool(found.source_language)


def pair_of(record: Record, source: str = "", target: str = "") -> Pair | None:
    """Return the pair of a record: columns `source` and `target`, a column `translation`, or prompt and response."""
    fields = record.fields
    both = fields.get("translation")
    if isinstance(both, Mapping) and len(both) == 2 and all(isinstance(text, str) for text in both.values()):
        first = source if source in both else next(iter(both))
        second = next(code for code in both if code != first)
        return Pair(both[first], both[second], first, second)
    mine, other = fields.get("source"), fields.get("target", record.response)
    if not (isinstance(mine, str) and isinstance(other, str)):
        mine, other = record.prompt, record.response
    said = languages_of(fields)
    return Pair(mine, other, said[0] or source, said[1] or target) if mine.strip() else None


def languages_of(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Return the two languages that the row's own columns name, '' where they do not."""
    for mine, other in _LANGUAGE_COLUMNS:
        if isinstance(fields.get(mine), str) and isinstance(fields.get(other), str):
            return fields[mine][:2].lower(), fields[other][:2].lower()
    for name in ("lang", "lang_pair", "language_pair"):
        if isinstance(fields.get(name), str) and (found := _PAIR.fullmatch(fields[name])):
            return found[1], found[2]
    return "", ""


def on_surface(pair: Pair) -> Verdict:
    """Return what the two texts show by themselves. The score is the log odds of a translation against strangers."""
    if len(pair.target) > LONGEST:
        return Verdict(False, "too-long", evidence={"characters": len(pair.target), "most": LONGEST})
    if not pair.target.strip():
        return Verdict(False, "empty-target")
    found = surface.agreement(pair.source, pair.target)
    odds = round(surface.log_odds(found), 2)
    evidence: dict[str, Any] = {name: round(getattr(found, name), 3) for name in surface.Agreement.__slots__}
    if fault := _fault(pair):
        return Verdict(None if fault[0] == "missing-extra" else False, fault[0], odds, {**evidence, **fault[1]})
    if not surface.same_script(pair.source, pair.target):
        return Verdict(None, "unsure", odds, {**evidence, "note": "different scripts share no words"})
    if odds < STRANGERS:
        return Verdict(False, "not-aligned", odds, evidence)
    return Verdict(True, "plausible", odds, evidence) if odds >= ALIGNED else Verdict(None, "unsure", odds, evidence)


@cache
def _chrf() -> Any:
    try:
        from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415  # optional extra
    except ImportError:
        raise MissingExtraError("sacrebleu", "lang") from None
    return CHRF()


def chrf(text: str, reference: str) -> float:
    """Return chrF2 of a text against a reference, 0 to 100 (Popovic 2015; sacrebleu's defaults)."""
    return float(_chrf().sentence_score(text, [reference]).score)


def _open(verdict: Verdict) -> bool:
    """Tell whether a round trip can still say something: nothing hard speaks against the pair."""
    return verdict.reason in ("plausible", "unsure", "not-aligned")


def _agreed(shown: Verdict, score: float, evidence: Mapping[str, Any]) -> Verdict:
    """Let the round trip decide; between its two thresholds nothing is sure, whatever the surface says."""
    if score >= AGREES:
        return replace(shown, ok=True, reason="agrees", evidence=evidence)
    if score < DIFFERS:
        return replace(shown, ok=False, reason="round-trip-differs", evidence=evidence)
    return replace(shown, ok=None, reason="unsure", evidence=evidence)


def _fault(pair: Pair) -> tuple[str, dict[str, Any]] | None:
    """Return the first thing that no translation does, and what shows it."""
    running, other = _running(pair.source), _running(pair.target)
    if len(running) >= SPAN // 2 and running == other:
        return "copied-source", {"words": len(running)}
    if span := _common_run(running, other):
        return "untranslated-span", {"span": span}
    if fault := _language_fault(pair, other):
        return fault
    lengths = sorted((len(pair.source), len(pair.target)))
    if lengths[1] >= CHARACTERS_TO_TELL and lengths[1] > RATIO * max(1, lengths[0]):
        return "length-ratio", {"ratio": round(len(pair.target) / max(1, len(pair.source)), 2)}
    mine, theirs = set(surface.numbers(pair.source)), set(surface.numbers(pair.target))
    # A number that is only missing may be written in words, or moved into an example.
    if mine - theirs and theirs - mine:
        return "number-changed", {"missing": sorted(mine - theirs)[:5], "added": sorted(theirs - mine)[:5]}
    return None


def _language_fault(pair: Pair, words: Sequence[str]) -> tuple[str, dict[str, Any]] | None:
    if not pair.target_language or len(words) < WORDS_TO_TELL:
        return None
    try:
        chance = chances(" ".join(words), [pair.target_language])[pair.target_language]
    except MissingExtraError:
        return "missing-extra", _SUPPLY
    if chance >= UNLIKELY:
        return None
    return "wrong-language", {"wanted": pair.target_language, "chance": round(chance, 4)}


def _running(text: str) -> list[str]:
    """Return the words that a translator has to translate: no code, no names, no numbers."""
    return _WORD.findall(surface.without_names(_ROLE.sub(" ", text[: surface.LONGEST])).lower())


def _common_run(words: Sequence[str], others: Sequence[str]) -> str:
    """Return the first run of `SPAN` words that both have, or ''."""
    runs = {tuple(words[at : at + SPAN]) for at in range(len(words) - SPAN + 1)}
    shared = (tuple(others[at : at + SPAN]) for at in range(len(others) - SPAN + 1))
    return " ".join(next((run for run in shared if run in runs), ()))


def _pair(name: str, source: str, target: str) -> Record:
    return Record(name, "", "", fields={"source": source, "target": target, "lang": "en-fr"})


_SENTENCE = "The module ``json`` reads 3 files and returns an exception object in Python when parsing fails."
ACCEPTS = (
    _pair(
        "plain", _SENTENCE, "Le module ``json`` lit 3 fichiers et renvoie un objet exception de Python en cas d'échec."
    ),
    _pair("short", "Version information", "Informations de version"),
)
REFUSES = {
    "the source itself": _pair("a", _SENTENCE, _SENTENCE),
    "nothing": _pair("b", _SENTENCE, " "),
    "another number": _pair("c", _SENTENCE, ACCEPTS[0].fields["target"].replace("3", "4")),
    "another sentence": _pair("d", _SENTENCE, "Vous pouvez choisir une couleur dans cette liste, puis la changer."),
    "the wrong language": _pair(
        "e", _SENTENCE, "El módulo ``json`` lee 3 ficheros y devuelve un objeto excepción de Python."
    ),
    "far too much": _pair("f", "Close the file.", "Fermer le fichier. " * 40),
}
