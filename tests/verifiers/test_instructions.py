"""Instructions: each public id by a followed and a broken example, the recorded verdicts of 17 models, bad input."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import MissingExtraError
from holdfast.core.record import Record
from holdfast.testing import check_verifier
from holdfast.verifiers import instruction_languages, instructions
from holdfast.verifiers.instruction_languages import RULES
from holdfast.verifiers.instruction_text import capital_words, sentences, variants
from holdfast.verifiers.instructions import LONGEST, check, follows, loose

# One (id, arguments, followed, broken) per public id.
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("keywords:existence", {"keywords": ["c++", "mom"]}, "Mom knows C++.", "Mom knows C."),
    ("keywords:frequency", {"keyword": "war", "relation": "less than", "frequency": 2}, "War", "War, war"),
    ("keywords:forbidden_words", {"forbidden_words": ["rock"]}, "Rocks", "A Rock."),
    ("keywords:letter_frequency", {"letter": "!", "let_relation": "at least", "let_frequency": 2}, "Ah!!", "Ah!"),
    ("language:response_language", {"language": "de"}, "Das ist ein Satz auf Deutsch.", "This is an English one."),
    ("length_constraints:number_sentences", {"relation": "less than", "num_sentences": 2}, "One. ", "One. Two."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "One\n***\nTwo", "One\n\nTwo"),
    ("length_constraints:number_words", {"relation": "at least", "num_words": 3}, "a b-c", "a b"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Elm"},
        "One\n\n'Elm, he said", "One\n\nThe elm",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a] [b]", "[a] [b"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye\nP. P. S. Hi", "Bye\nP.S. Hi"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n - b", "* a\n** b"),
    ("detectable_format:constrained_response", {}, "My answer is no. Sorry", "No"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", "*a* and * *"),
    ("detectable_format:multiple_sections", {"section_spliter": "Part", "num_sections": 2}, "Part 1 Part2", "Part 1"),
    ("detectable_format:json_format", {}, "```JSON\n[1]\n```", "[1], [2]"),
    ("detectable_format:title", {}, "<<A title>>\nText", "<< >>\nText"),
    ("combination:two_responses", {}, "Yes ****** No", "Yes ****** Yes"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say hi."}, "say hi. Hi", "Hi. Say hi."),
    ("startend:end_checker", {"end_phrase": "The end."}, 'Once. the END."', "The end. Bye"),
    ("startend:quotation", {}, ' "Yes" ', '"Yes'),
    ("change_case:capital_word_frequency", {"capital_relation": "at least", "capital_frequency": 2}, "I AM", "I am"),
    ("change_case:english_capital", {}, "THIS IS A WHOLE ENGLISH SENTENCE", "THIS IS A Whole English SENTENCE"),
    ("change_case:english_lowercase", {}, "this is a whole english sentence", "das ist ein deutscher satz von mir"),
    ("punctuation:no_comma", {}, "No; none.", "One, two"),
    ("fr:detectable_format:title", {}, "##Hymne##\nTexte", "<<Hymne>>\nTexte"),
    ("fr:detectable_format:constrained_response", {}, "Peut-être.", "Bof."),
    ("fr:startend:quotation", {}, "«\u00a0Oui\u00a0»", "« Oui"),
    ("fr:special_character:ethel_or_cedilla", {"forbidden_char": "œ"}, "Un oeuf", "Un Œuf"),
    ("fr:special_character:no_accents", {}, "Un oeuf", "Un été"),
    ("fr:special_character:accents", {"word_to_accentuate": {"lecons": "leçons"}}, "Les Leçons", "Les lecons"),
    ("fr:detectable_content:informal_address", {}, "Je t'aime", "Je vous aime"),
    ("fr:detectable_content:no_digits", {}, "Deux", "2"),
    ("fr:change_case:french_capital", {}, "CECI EST UNE PHRASE BIEN FRANÇAISE", "CECI n'est PAS EN MAJUSCULES"),
    ("fr:change_case:french_lowercase", {}, "ceci est une phrase bien française", "this is an english sentence"),
    ("fr:length_constraints:number_words", {"relation": "moins de", "num_words": 3}, "un deux", "un deux trois"),
    ("es:length_constraints:number_words", {"relation": "como máximo", "num_words": 2}, "uno dos", "uno dos tres"),
    ("es:detectable_format:constrained_response", {}, "Quizás.", "Bueno"),
    ("es:detectable_format:number_bullet_lists", {"num_bullets": 1}, "* uno\n- dos", "- dos"),
    ("es:detectable_content:postscript", {"postscript_marker": "P.D."}, "Adiós\nP. D. Hola", "Adiós"),
    ("es:punctuation:question_marks", {}, "¿Qué?", "¿ ?"),
    ("es:punctuation:exclamation_marks", {}, "¡Hola!", "Hola!"),
    ("es:special_character:enie", {"let_frequency": 2}, "Un niño y una Ñapa", "Un niño"),
    ("es:special_character:dieresis", {"let_frequency": 1}, "La cigüeña", "La cigueña"),
    ("es:special_character:tildes", {"relation": "al menos", "num_words": 2}, "Así está", "Así esta"),
    ("es:change_case:spanish_capital", {}, "ESTA ES UNA FRASE ESCRITA EN ESPAÑOL", "Esta Es Una Frase"),
    ("es:change_case:spanish_lowercase", {}, "esta es una frase escrita en español", "ceci est une phrase en français"),
]  # fmt: skip


def asked(name: str, response: str, **given: Any) -> Record:
    """A record that asks one thing."""
    return Record("a", "", response, fields={"instruction_id_list": [name], "kwargs": [given]})


@pytest.mark.parametrize(("name", "given", "followed", "broken"), CASES, ids=[case[0] for case in CASES])
def test_each_id_is_followed_and_broken(name: str, given: dict[str, Any], followed: str, broken: str) -> None:
    """The followed example passes and the broken one fails, for the reason of the list."""
    assert (True, "followed") == (
        check(asked(name, followed, **given)).ok,
        check(asked(name, followed, **given)).reason,
    )
    assert (False, "not-followed") == (
        check(asked(name, broken, **given)).ok,
        check(asked(name, broken, **given)).reason,
    )


def test_every_public_id_has_a_case() -> None:
    """25 ids in English; French and Spanish have each what is their own; a bare id is the English one."""
    english = {name for name in RULES if name.count(":") == 1}
    assert 25 == len(english)
    assert {f"en:{name}" for name in english} == {name for name in RULES if name.startswith("en:")}
    own = {name for name in RULES if name.startswith(("fr:", "es:")) and name[3:] not in english}
    assert own <= {case[0] for case in CASES}
    assert english <= {case[0] for case in CASES}


def test_it_accepts_its_gold_answers_and_refuses_its_corruptions() -> None:
    """The examples that the verifier ships with."""
    check_verifier(check, accepts=instructions.ACCEPTS, refuses=instructions.REFUSES)


def test_strict_and_loose() -> None:
    """A preface breaks a strict instruction; the loose reading drops it, and the strict verdict says so."""
    record = asked("startend:quotation", 'Here it is:\n"Roses"')
    assert (False, [True]) == (check(record).ok, check(record).evidence["loose"])
    assert True is loose(record).ok
    assert ("a*b\nc*", "ab\nc", "c*", "c", "a*b", "ab", "", "") == tuple(
        variants("a*b\nc*")[at] for at in (0, 1, 4, 5, 2, 3, 6, 7)
    )


def test_an_open_instruction_is_undecided_unless_another_is_broken() -> None:
    """What no rule knows belongs to a judge; what is broken is broken whatever the judge will say."""
    fields = {"instruction_id_list": ["tone:friendly", "punctuation:no_comma"], "kwargs": [{}, {}]}
    assert (None, "open-instruction") == (check(Record("a", "", "Hi", fields=fields)).ok, "open-instruction")
    assert ["tone:friendly"] == check(Record("a", "", "Hi", fields=fields)).evidence["undecided"]
    assert False is check(Record("a", "", "Hi, you", fields=fields)).ok


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "no-instructions"),
        ({"instruction_id_list": []}, "no-instructions"),
        ({"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}, {}]}, "bad-arguments"),
        ({"instruction_id_list": [3], "kwargs": [{}]}, "bad-arguments"),
        ({"instruction_id_list": ["keywords:existence"], "kwargs": [{"keywords": None}]}, "bad-arguments"),
        ({"instruction_id_list": ["keywords:frequency"], "kwargs": [{"keyword": "a", "relation": "about"}]},
         "bad-arguments"),
    ],
)  # fmt: skip
def test_what_is_not_the_candidates_fault_is_undecided(fields: dict[str, Any], reason: str) -> None:
    """Missing or unusable arguments are a fault of the data set."""
    verdict = check(Record("a", "", "Hi", fields=fields))
    assert (None, reason) == (verdict.ok, verdict.reason)


def test_columns_as_tables_write_them() -> None:
    """JSON text and null arguments are read; no arguments at all are none."""
    fields = {"instruction_id_list": '["punctuation:no_comma"]', "kwargs": '[{"keywords": null}]'}
    assert True is check(Record("a", "", "Hi", fields=fields)).ok
    assert True is check(Record("a", "", "Hi", fields={"instruction_id_list": ["punctuation:no_comma"]})).ok


@pytest.mark.parametrize("piece", ["[", "*", "<<", "\n", "a.", "***", "¿", "Ab", "ü ", "{", "Section "])
def test_hostile_responses_are_judged_in_linear_time(piece: str) -> None:
    """A hundred thousand characters of one pattern, which no backtracking would survive, have a verdict."""
    text = piece * (100_000 // len(piece))
    for name, arguments, _, _ in CASES:
        assert follows(text, name, arguments) in (True, False)


def test_a_flood_and_blank_text_fail() -> None:
    """A response beyond any page count, and one that says nothing, are the candidate's failures."""
    assert (False, "too-long") == (
        check(asked("punctuation:no_comma", "a" * (LONGEST + 1))).ok,
        check(asked("punctuation:no_comma", "a" * (LONGEST + 1))).reason,
    )
    assert "empty-response" == check(asked("punctuation:no_comma", "\n\t ")).reason
    assert False is check(asked("detectable_format:json_format", "[" * 200_000)).ok


@given(st.text(max_size=200))
def test_the_loose_verdict_is_never_stricter(text: str) -> None:
    """Whatever the response: what is followed strictly is followed loosely, and no rule raises."""
    for name, arguments, _, _ in CASES:
        verdict = check(asked(name, text, **arguments))
        assert isinstance(verdict.ok, bool)
        assert not verdict.ok or loose(asked(name, text, **arguments)).ok


def test_without_the_extra_a_language_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without py3langid the lexical part still decides, and what it cannot is `missing-extra`."""

    def absent(*_: object) -> str:
        raise MissingExtraError("py3langid", "lang")

    monkeypatch.setattr(instruction_languages, "language_of", absent)
    assert "missing-extra" == check(asked("language:response_language", "Hallo du", language="de")).reason
    assert "not-followed" == check(asked("change_case:english_capital", "Hello")).reason


def test_sentences_and_capitals_as_the_published_tokenisers_count_them() -> None:
    """Abbreviations, initials, ellipses, closing quotes and list numbers, as Punkt reads them."""
    assert [2, 1, 1, 2, 2, 2, 0] == [
        sentences(text)
        for text in (
            "It works. Does it?",
            "Mr. Smith met J. Doe of the U.S. Army.", "Well... maybe so.", 'He said "Go!" She went.',
            "1. Buy milk", "What?! Really", " \n",
        )
    ]  # fmt: skip
    assert 4 == capital_words("I'M at NASA, A-B don't")


def test_agreement_with_the_published_verdicts(shared_data: Path) -> None:
    """Strict per instruction: 21 of 25 ids agree without exception; the others rest on an unseeded language detector.

    `letter_frequency` differs for "!", where the published code counts a letter that it draws at random.
    """
    with gzip.open(shared_data / "verify/ifeval_en_17models.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    apart: Counter[str] = Counter()
    loosely = 0
    for row in rows:
        verdict = check(Record(row["id"], row["prompt"], row["response"], fields=row))
        strict = verdict.evidence.get("strict", [False] * len(row["strict"]))
        for name, mine, published in zip(row["instruction_id_list"], strict, row["strict"], strict=True):
            apart[name] += mine != published
        loosely += all(verdict.evidence.get("loose", [False])) != row["loose_all"]
    assert {
        "en:change_case:english_capital": 21,
        "en:change_case:english_lowercase": 4,
        "en:keywords:letter_frequency": 4,
        "en:language:response_language": 9,
    } == dict(+apart)
    assert 26 == loosely
