"""Phone numbers by the numbering plans of all countries: the extra `privacy` (phonenumbers, from Google's library).

Our own patterns (`privacy.personal`) need no plan and find invented numbers too; these know every country's, and find
a national number wherever they are told whose it may be. Both together find most (docs/privacy.md has the figures).
As a check it is switched on with `checks: ["holdfast.privacy.phones:check"]`.
"""

from collections.abc import Iterable
from typing import Any

from holdfast.core.errors import MissingExtraError, UsageError, nearest
from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.privacy.checksums import digits_of
from holdfast.privacy.leaks import Leak, verdict, without_overlaps
from holdfast.privacy.personal import RULE, is_fictional_phone

KIND = "phone"


def phone_numbers(text: str, regions: Iterable[str] = ()) -> list[Leak]:
    """Return the numbers that exist in a numbering plan, by position, without overlaps.

    Numbers with + and a country code are found for all countries, others for `regions` (ISO 3166: "DE", "US"); each
    costs one more pass, and what is a number in one plan may be an amount or a postcode elsewhere. Raises
    `MissingExtraError` without phonenumbers, `UsageError` for a region that has no plan.
    """
    library = _library()
    found = [
        Leak(RULE, KIND, match.start, match.end)
        for region in (None, *_known(library, regions))
        for match in library.PhoneNumberMatcher(text, region, leniency=library.Leniency.VALID)
        if not is_fictional_phone(digits_of(match.raw_string))
    ]
    return without_overlaps(found)


def check(record: Record) -> Verdict:
    """Refuse a record whose prompt or response holds a phone number with a country code."""
    text = record.text
    return verdict(RULE, text, phone_numbers(text))


def _known(library: Any, regions: Iterable[str]) -> list[str]:
    asked = [region.upper() for region in regions]
    for region in asked:
        if region not in library.SUPPORTED_REGIONS:
            raise UsageError(f"There is no numbering plan for {region!r}.", nearest(region, library.SUPPORTED_REGIONS))
    return asked


def _library() -> Any:
    try:
        import phonenumbers  # noqa: PLC0415  # optional extra [privacy]
    except ImportError as error:
        raise MissingExtraError("phonenumbers", "privacy") from error
    return phonenumbers
