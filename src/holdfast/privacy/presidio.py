"""Persons, places and what else a model of language sees: an adapter to presidio-analyzer, if it is installed.

Not run in our own tests, because its models are large and come from elsewhere. It never fetches one: presidio would
download a missing spaCy model by itself, so that the adapter asks for an installed one first. As a check it is switched
on with `checks: ["holdfast.privacy.presidio:check"]`.
"""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

from holdfast.core.errors import MachineError, MissingExtraError
from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.privacy.leaks import Leak, verdict, without_overlaps
from holdfast.privacy.personal import RULE

LANGUAGE, MODEL = "en", "en_core_web_lg"
# Presidio's own patterns without a word beside them score 0.4 and less, its names of persons 0.85.
LOWEST = 0.5
# Its names for what we have names for already; others become small letters with hyphens.
KINDS: Mapping[str, str] = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "us-ssn",
    "IP_ADDRESS": "ip-address",
    "PHONE_NUMBER": "phone",
}
# It counts web addresses, dates and nationalities, which are no personal data by themselves.
LEFT_OUT = frozenset({"URL", "DATE_TIME", "NRP"})


def personal_data(text: str, language: str = LANGUAGE, model: str = MODEL) -> list[Leak]:
    """Return what presidio believes with a score of `LOWEST` or more, the surest first where two overlap.

    Raises `MissingExtraError` without presidio-analyzer, `MachineError` without the spaCy model.
    """
    found = _analyzer(language, model).analyze(text=text, language=language, score_threshold=LOWEST)
    ranked = sorted(found, key=lambda each: (-each.score, each.start))
    return without_overlaps(
        Leak(RULE, KINDS.get(each.entity_type, each.entity_type.lower().replace("_", "-")), each.start, each.end)
        for each in ranked
        if each.entity_type not in LEFT_OUT
    )


def check(record: Record) -> Verdict:
    """Refuse a record in whose prompt or response presidio finds personal data in English."""
    text = record.text
    return verdict(RULE, text, personal_data(text))


@cache
def _analyzer(language: str, model: str) -> Any:
    try:
        from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415  # optional extra [presidio]
        from presidio_analyzer.nlp_engine import NlpEngineProvider  # noqa: PLC0415  # the same
    except ImportError as error:
        raise MissingExtraError("presidio-analyzer", "presidio") from error
    if find_spec(model) is None:
        raise MachineError(
            f"The spaCy model {model} is not installed, and nothing is fetched.", f"Install it: spacy download {model}"
        )
    models = [{"lang_code": language, "model_name": model}]
    engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    return AnalyzerEngine(nlp_engine=engine, supported_languages=[language])
