"""Formats of JSON Schema that can be told from the text alone, each by the grammar of its own standard.

Known: date, time, date-time, duration (RFC 3339), email (RFC 5321), hostname (RFC 1123), ipv4, ipv6, uri, uri-reference
(RFC 3986), uri-template (RFC 6570), uuid (RFC 4122), json-pointer (RFC 6901), relative-json-pointer, regex. Names of
other formats, among them the international ones, say nothing here, as the specification allows.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date

from jsonschema import FormatChecker

from holdfast.verifiers.ecma import compiled

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:\.[0-9]+)?(?:[zZ]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_DURATION = re.compile(
    r"P(?:[0-9]+W|(?=[0-9T])(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)?"
    r"(?:T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S))?)"
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*|\"(?:[^\"\\\r\n]|\\.)*\"")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_POINTER = re.compile(r"(?:/(?:[^/~]|~[01])*)*")
_RELATIVE_POINTER = re.compile(r"(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^/~]|~[01])*)*)")
_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
_AUTHORITY = (
    r"//(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?"
    r"(?:\[[0-9A-Fa-f:.vV]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?(?=[/?#]|\Z)"
)
_TAIL = rf"{_CHARACTER}*(?:\?(?:{_CHARACTER}|\?)*)?(?:#(?:{_CHARACTER}|\?)*)?"
_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:(?:{_AUTHORITY}|(?!//)){_TAIL}")
# A relative reference has no colon in its first segment, or it would be a scheme.
_REFERENCE = re.compile(rf"(?:{_AUTHORITY}|(?!//)(?![^/?#]*:)){_TAIL}")
_NAME = r"[A-Za-z0-9_.%]+(?::[1-9][0-9]{0,3}|\*)?"
_TEMPLATE = re.compile(rf"(?:[^\x00-\x20\"'%<>\\^`{{|}}]|%[0-9A-Fa-f]{{2}}|\{{[+#./;?&=,!@|]?{_NAME}(?:,{_NAME})*\}})*")


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    match = _TIME.fullmatch(text)
    if not match or match[3] != "60":
        return match is not None
    # A leap second is the last of a day in UTC.
    shift = (60 * int(match[5]) + int(match[6])) * (-1 if match[4] == "+" else 1) if match[4] else 0
    return (60 * int(match[1]) + int(match[2]) + shift) % 1440 == 1439


def _is_date_time(text: str) -> bool:
    return text[10:11] in ("T", "t") and _is_date(text[:10]) and _is_time(text[11:])


def _is_address(kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address], text: str) -> bool:
    try:
        return text.isascii() and "%" not in text and bool(kind(text).packed)
    except ValueError:
        return False


def _is_hostname(text: str) -> bool:
    return len(text) <= 253 and _HOSTNAME.fullmatch(text) is not None


def _is_email(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    if not _LOCAL.fullmatch(local):
        return False
    if domain.startswith("[IPv6:") and domain.endswith("]"):
        return _is_address(ipaddress.IPv6Address, domain[6:-1])
    if domain.startswith("[") and domain.endswith("]"):
        return _is_address(ipaddress.IPv4Address, domain[1:-1])
    return _is_hostname(domain)


def _is_regex(text: str) -> bool:
    try:
        return bool(compiled(text))
    except (re.error, OverflowError, RecursionError):
        return False


def _whole(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date": _is_date,
    "time": _is_time,
    "date-time": _is_date_time,
    "duration": _whole(_DURATION),
    "email": _is_email,
    "hostname": _is_hostname,
    "ipv4": lambda text: _is_address(ipaddress.IPv4Address, text),
    "ipv6": lambda text: _is_address(ipaddress.IPv6Address, text),
    "uri": _whole(_URI),
    "uri-reference": lambda text: bool(_URI.fullmatch(text) or _REFERENCE.fullmatch(text)),
    "uri-template": _whole(_TEMPLATE),
    "uuid": _whole(_UUID),
    "json-pointer": _whole(_POINTER),
    "relative-json-pointer": _whole(_RELATIVE_POINTER),
    "regex": _is_regex,
}


def format_checker() -> FormatChecker:
    """Return a checker of exactly the known formats; a value that is no string has every format."""
    checker = FormatChecker(formats=())
    for name, known in FORMATS.items():
        checker.checks(name)(lambda value, known=known: not isinstance(value, str) or known(value))
    return checker
