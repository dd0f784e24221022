"""Which language a text is written in, and whether it could be a given one (py3langid, extra [lang]).

A closed set of 97 languages, told from byte n-grams by naive Bayes (Lui and Baldwin 2012, "langid.py"). Short texts
and texts of two languages are guesses; nothing is downloaded, the model is inside the package.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from holdfast.core.errors import MissingExtraError

# A language shows in its first pages; more text does not make the answer surer.
LONGEST = 4_000


@cache
def _identifier(languages: frozenset[str] | None = None) -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415  # optional extra
    except ImportError:
        raise MissingExtraError("py3langid", "lang") from None
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    if languages is not None:
        identifier.set_languages(sorted(languages & set(identifier.labels)))
    return identifier


def available() -> bool:
    """Return whether languages can be told here."""
    try:
        _identifier()
    except MissingExtraError:
        return False
    return True


def language_of(text: str, among: frozenset[str] | None = None) -> str:
    """Return the ISO 639-1 code of the likeliest language, of all known or of those in `among`.

    Raises `MissingExtraError` without the extra [lang].
    """
    return str(_identifier(among).classify(text[:LONGEST])[0])


def chances(text: str, languages: Iterable[str]) -> dict[str, float]:
    """Return the probability that `text` is in each of `languages`, out of all languages known; 0 for unknown codes."""
    ranked = dict(_identifier().rank(text[:LONGEST]))
    return {code: float(ranked.get(code, 0.0)) for code in languages}
