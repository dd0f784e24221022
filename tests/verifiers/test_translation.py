"""Translation: named corruptions, real pairs against strangers, and a round trip by a real, independent translator."""

import gzip
import json
from collections import Counter
from pathlib import Path
from shutil import which

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import MachineError, UsageError
from holdfast.core.record import Provenance, Record
from holdfast.core.settings import Settings
from holdfast.models.apertium import Apertium
from holdfast.models.translator import Translator, independent, translator
from holdfast.testing import check_verifier
from holdfast.verifiers import translation
from holdfast.verifiers import translation_surface as surface
from holdfast.verifiers.translation import TranslationCheck, applies, check, on_surface, pair_of
from tests.conftest import missing

ENGLISH = "The old man bought three books and a red car. He lives in a small house near the river."
SPANISH = "El viejo compró tres libros y un coche rojo. Vive en una casa pequeña cerca del río."
WRONG = "La reunión de mañana empieza a las nueve. Puedes traer pan, queso y agua para todos los niños."


def pair(source: str, target: str, lang: str = "en-es", **made: str) -> Record:
    """A record with a source, a target and their languages."""
    origin = Provenance("synthetic", **made) if made else Provenance("real")
    return Record("a", "", "", origin, fields={"source": source, "target": target, "lang": lang})


@pytest.fixture(scope="module")
def apertium() -> Translator:
    """Apertium with English and Spanish, as CI installs it."""
    if which("apertium") is None or not Path("/usr/share/apertium/modes/spa-eng.mode").exists():
        missing("Apertium with apertium-eng-spa")
    return translator("apertium")


def test_it_accepts_its_gold_answers_and_refuses_its_corruptions() -> None:
    """The examples that the verifier ships with, each corruption for its own reason."""
    check_verifier(check, accepts=translation.ACCEPTS, refuses=translation.REFUSES)
    reasons = [check(record).reason for record in translation.REFUSES.values()]
    expected = ["copied-source", "empty-target", "number-changed", "not-aligned", "wrong-language", "length-ratio"]
    assert expected == reasons


def test_what_stays_untranslated_is_shown() -> None:
    """A run of words left in the source language is found; code and names between them are no words."""
    kept = "and the module reads every line of the file before it returns"
    verdict = check(pair(f"Open it, {kept} the list.", f"Ábrelo, {kept} la lista."))
    assert ("untranslated-span", "and the module reads every line of the") == (verdict.reason, verdict.evidence["span"])
    assert "copied-source" != check(pair("``a`` :func:`open`", "``a`` :func:`open`")).reason


def test_numbers_in_two_ways_of_writing_are_equal() -> None:
    """Thousands and decimals are written with points, commas and blanks."""
    assert ["1000000", "2.5", "3"] == surface.numbers("1,000,000 and 2.5 of 3")
    assert ["1000000", "2.5", "3"] == surface.numbers("1 000 000 et 2,5 sur 3")


def test_a_flood_fails_and_no_pair_is_undecided() -> None:
    """Too long is the candidate's failure; a record without a source is not."""
    assert "too-long" == check(pair(ENGLISH, "a" * 200_000)).reason
    assert (None, "no-pair") == (check(Record("a", "", "Hola")).ok, check(Record("a", "", "Hola")).reason)
    assert (
        "unsure"
        == check(
            pair("Good morning to you all", "\u304a\u306f\u3088\u3046\u3054\u3056\u3044\u307e\u3059", "en-ja")
        ).reason
    )


def test_pairs_as_people_have_them() -> None:
    """Columns with languages, a translation column, and prompt with response all give the same pair."""
    both = {"translation": {"en": "Hi", "es": "Hola"}}
    assert ("Hi", "Hola", "en", "es") == tuple_of(Record("a", "", "", fields=both))
    named = {"source": "Hi", "target": "Hola", "source_lang": "en_US", "target_lang": "ES"}
    assert ("Hi", "Hola", "en", "es") == tuple_of(Record("a", "", "", fields=named))
    assert ("Hi", "Hola", "", "") == tuple_of(Record("a", "Hi", "Hola"))
    assert applies(Record("a", "", "", fields=both))
    assert not applies(Record("a", "Hi", "Hola", fields={"source": "web", "target": "train"}))


def tuple_of(record: Record) -> tuple[str, str, str, str]:
    """The pair of a record, plain."""
    found = pair_of(record)
    assert found is not None
    return found.source, found.target, found.source_language, found.target_language


def test_real_pairs_against_strangers(shared_data: Path) -> None:
    """Without any translator: hardly a real pair is refused, hardly a stranger passes; n is every tenth pair."""
    with gzip.open(shared_data / "parallel/pydocs_en_fr.jsonl.gz", "rt") as lines:
        rows = [row for line in lines if not (row := json.loads(line))["outdated"]][::10]
    said = Counter(check(pair(row["source"], row["target"], "en-fr")).ok for row in rows)
    shifted = zip(rows, rows[500:] + rows[:500], strict=True)
    strange = Counter(check(pair(mine["source"], other["target"], "en-fr")).ok for mine, other in shifted)
    assert said[False] <= 0.005 * len(rows)
    assert said[True] >= 0.985 * len(rows)
    assert strange[False] >= 0.95 * len(rows)
    assert strange[True] <= 0.015 * len(rows)


@given(st.text(max_size=60), st.text(min_size=1, max_size=60))
def test_any_two_texts_have_a_verdict(source: str, target: str) -> None:
    """No text raises, and each reason is one of the list; a pair agrees with itself at least as with a stranger."""
    verdict = on_surface(translation.Pair(source, target))
    assert verdict.reason in translation.REASONS
    mine = surface.agreement(source, source)
    assert (0.0, 0.0, 1.0) == (mine.length, mine.marks, mine.colon)


def test_english_spanish_round_trip(apertium: Translator) -> None:
    """A real translation comes back as its source; another sentence does not; the evidence shows what came back."""
    judge = TranslationCheck(back=apertium)
    right, wrong = judge.batch([pair(ENGLISH, SPANISH), pair(ENGLISH, WRONG)])
    assert (True, "agrees") == (right.ok, right.reason)
    assert right.evidence["chrf"] >= translation.AGREES
    assert "three books" in right.evidence["returned"]
    assert (None, "unsure") == (wrong.ok, wrong.reason)
    assert "round-trip-differs" == judge(pair("Close the window.", "Tres gatos duermen.")).reason


def test_a_translator_does_not_judge_its_own_work(apertium: Translator) -> None:
    """The way back must be another model of another family: Apertium's own output is undecided, a model's is judged."""
    judge = TranslationCheck(back=apertium)
    assert "not-independent" == judge(pair(ENGLISH, SPANISH, generator="apertium")).reason
    assert "agrees" == judge(pair(ENGLISH, SPANISH, generator="mistral-7b")).reason
    unnamed = Record("a", "", "", Provenance("synthetic"), fields=pair(ENGLISH, SPANISH).fields)
    assert (None, "translator-unknown") == (judge(unnamed).ok, judge(unnamed).reason)


@pytest.mark.parametrize(
    ("back", "forward", "expected"),
    [
        ("qwen2.5-7b", "Qwen2.5-14B", False),
        ("gpt-4o", "vicuna-13b", False),  # a student of its teacher
        ("gpt-4o", "mistral-7b", True),
        ("my_mt:back", "mistral-7b", True),
    ],
)
def test_independence_is_told_by_family(back: str, forward: str, expected: bool) -> None:
    """Same family, or a teacher and its student, are not independent."""
    assert expected is independent(Translator(back, None, lambda texts, *_: list(texts)), forward)


def test_a_declared_family_counts() -> None:
    """A family that the settings or the provenance give is believed, whatever the names say."""
    own = Translator("my_mt:back", "nllb", lambda texts, *_: list(texts))
    assert not independent(own, "my-fine-tune", "NLLB")


def test_a_translator_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings name a function; what it cannot translate is undecided, and an unknown name is refused."""
    code = "def back(texts, source, target): return [None if 'x' in t else t for t in texts]\n"
    (tmp_path / "own_mt.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    values = {"translation": {"source": "en", "target": "es", "back": "own_mt:back", "back_family": "nllb"}}
    judge = check.with_settings(Settings.model_validate(values))
    assert ("own_mt:back", "nllb") == (judge.back and judge.back.name, judge.back and judge.back.family)
    assert "translator-failed" == judge(pair("Version information x", "Informaciones de version x")).reason
    with pytest.raises(UsageError, match="no translator 'google'"):
        translator("google")


def test_apertium_over_a_language_between_and_without(apertium: Translator, tmp_path: Path) -> None:
    """A pair that no package serves is said with those that are; special characters come back as they were."""
    call = apertium.call
    assert isinstance(call, Apertium)
    assert ["Hola [9] {8} \\ <7>"] == call(["Hello [9] {8} \\ <7>"], "en", "es")
    assert [" "] == call([" "], "en", "es")
    with pytest.raises(UsageError, match=r"Known: .*en-es"):
        call.route("en", "xx")
    with pytest.raises(UsageError):
        Apertium(tmp_path).route("en", "es")


def test_apertium_survives_a_dead_process(apertium: Translator) -> None:
    """A killed stage costs one text and not the run."""
    call = Apertium()
    call(["Hello"], "en", "es")
    call.running["eng-spa"].processes[3].kill()
    assert [None, "Hola"] == [call(["Hello"], "en", "es")[0], call(["Hello"], "en", "es")[0]]
    call.close()
    assert {} == call.running


def test_without_apertium_it_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """A translator that is not installed is a fault of ours; the verdict says what to install."""
    monkeypatch.setattr("holdfast.models.apertium.which", lambda _: None)
    verdict = TranslationCheck(back=translator("apertium"))(pair(ENGLISH, SPANISH))
    assert (None, "translator-failed") == (verdict.ok, verdict.reason)
    with pytest.raises(MachineError):
        Apertium().route("en", "es")
