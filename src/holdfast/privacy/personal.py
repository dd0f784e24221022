"""Personal data in text: e-mail, phone, card, account, identity numbers, IP and street addresses.

Numbers with a check digit are believed only when it fits. Names of persons are not looked for: they need a model
(the `[presidio]` extra). Documented placeholders (example.com, 4111..., 123-45-6789, 555-01xx) are not personal data.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.privacy import checksums
from holdfast.privacy.leaks import Compiled, Leak, Recogniser, compiled, find, verdict

RULE = "personal-data"

# Letters of names in Latin, Greek, Cyrillic and the scripts up to Georgian; both regular-expression engines read it.
_LETTER = "A-Za-z\u00c0-\u10ff"
# Between groups of digits: space, no-break spaces, hyphens, dot.
_GAP = "[ \u00a0\u2009\u202f.\u2010\u2011-]"
_NOT_IN_NUMBER = r"(?<![\w.+/=%#$-])"
_NUMBER_ENDS = r"(?![\w%]|[.,/=-]?[0-9])"

# RFC 2606 and 6761 reserve these; the rest is what manuals and templates write where an address would stand.
_RESERVED_MAIL = re.compile(
    r"(?i)@(?:[^@]*\.)?(?:example|test|invalid|localhost|local)(?:\.[a-z.]+)?$"
    r"|@(?:my|your)?-?(?:domain|company|email|mail|website|site|organization|business|host|server)\.[a-z.]+$"
    r"|^(?:john|jane)[._-]?doe\w*@|^(?:(?:your|my)[._-]?\w*|git|noreply|no-reply|donotreply|user(?:name)?|xxx+|abc|name|someone|email)@"
)
_FILE_ENDINGS = frozenset({
    "png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "css", "js", "ts", "py", "rb", "go", "rs", "java",
    "json", "xml", "yml", "yaml", "html", "htm", "md", "txt", "csv", "pdf", "zip", "gz", "tar", "tgz", "so", "dll",
    "exe", "mp3", "mp4", "target", "service",
})  # fmt: skip
# Published test numbers of Stripe, PayPal, Adyen and the card brands.
_TEST_CARDS = frozenset({
    "4111111111111111", "4242424242424242", "4012888888881881", "4000056655665556", "4222222222222",
    "5555555555554444", "5105105105105100", "2223003122003222", "5200828282828210", "378282246310005",
    "371449635398431", "378734493671000", "6011111111111117", "6011000990139424", "30569309025904",
    "38520000023237", "36227206271667", "3530111333300000", "3566002020360505", "6200000000000005",
})  # fmt: skip
# Shown on sample cards and in advertisements, or written as the obvious placeholder.
_COUNTING = re.compile("012345|123456|234567|345678|456789|987654|876543")
_SAMPLE_STREET = re.compile(r"(?i)^(?:123|1234|12345) |\bmain st(?:reet)?\b|any ?town|\byour\b|sample|placeholder")
_TEST_SSNS = frozenset({"123456789", "078051120", "219099999", "111111111", "987654321"})
# Private default gateways and masks say nothing about a person; public resolvers belong to everybody.
_SHARED_ADDRESSES = frozenset({
    "8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220", "4.2.2.2", "1.2.3.4",
})  # fmt: skip
# Four small numbers with dots are a software version or a section far more often than an address.
_VERSION_LIKE = 32
_HOME_NETWORK = IPv4Network("192.168.0.0/16")


def _email(value: str) -> int:
    ending = value.rpartition(".")[2].lower()
    local = value.partition("@")[0]
    if ending in _FILE_ENDINGS or _RESERVED_MAIL.search(value) or ".." in value or local[0] in ".'":
        return 0
    return len(value)


def _card(value: str) -> int:
    """Digits in one run, or in groups of which the first has four, parted by the same character throughout."""
    groups = re.split("[^0-9]", value)
    digits = "".join(groups)
    printed = len(groups) == 1 or (len(groups[0]) == 4 and max(map(len, groups)) <= 7)
    same = len(set(value) - set("0123456789")) <= 1
    if not (printed and same) or digits in _TEST_CARDS or len(set(digits)) < 4:
        return 0
    return len(value) if checksums.is_card(digits) else 0


def _iban(value: str) -> int:
    """The longest run the country allows: a following word in capitals may have been matched with it."""
    wanted = checksums.iban_length(value[:2])
    places = [place for place, char in enumerate(value, start=1) if char.isalnum()][:wanted]
    end = places[-1] if places else 0
    seen = "".join(value[place - 1] for place in places)
    rest_is_apart = end == len(value) or not value[end].isalnum()
    return end if wanted and rest_is_apart and checksums.is_iban(seen) else 0


def _us_ssn(value: str) -> int:
    digits = checksums.digits_of(value)
    return len(value) if checksums.is_us_ssn(digits) and digits not in _TEST_SSNS else 0


def _ip(value: str) -> int:
    groups = value.split(":")
    if len(groups) > 1 and not (any(len(group) > 2 for group in groups) and any(c.isdigit() for c in value)):
        return 0
    try:
        address = ip_address(value)
    except ValueError:
        return 0
    return len(value) if value not in _SHARED_ADDRESSES and _points_at_someone(address) else 0


def _points_at_someone(address: IPv4Address | IPv6Address) -> bool:
    """False for loopback, link-local, multicast, unspecified, documentation and default home-network addresses."""
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if isinstance(address, IPv6Address):
        return address.packed[:4] != b"\x20\x01\x0d\xb8"  # 2001:db8::/32, RFC 3849
    octets = address.packed
    if max(octets) < _VERSION_LIKE:
        return False
    documentation = octets[:3] in (b"\xc0\x00\x02", b"\xc6\x33\x64", b"\xcb\x00\x71")  # RFC 5737
    gateway = octets[3] in (0, 1, 254, 255) and address.is_private
    reserved = octets[0] == 0 or octets[0] >= 240
    return not (documentation or gateway or reserved or address in _HOME_NETWORK)


def _street(value: str) -> int:
    return 0 if _SAMPLE_STREET.search(value) else len(value)


def is_fictional_phone(digits: str) -> bool:
    """True for the numbers that the North American numbering plan keeps for films and for directory assistance."""
    return "55501" in digits[-9:] or "5551212" in digits


def _phone(value: str) -> int:
    digits = checksums.digits_of(value)
    made_up = len(set(digits)) < 4 or _COUNTING.search(digits) or value.lstrip("+1 ").startswith(("555", "(555"))
    possible = 7 <= len(digits) <= 20 and not _YEARS_OR_DECIMAL.fullmatch(value)
    return len(value) if possible and not is_fictional_phone(digits) and not made_up else 0


def _long_phone(value: str) -> int:
    """National numbers without a cue: at least nine digits, so that dates do not count."""
    return _phone(value) if len(checksums.digits_of(value)) >= 9 else 0


def _when(check: Callable[[str], bool]) -> Callable[[str], int]:
    return lambda value: len(value) if check(value) else 0


_YEARS_OR_DECIMAL = re.compile(
    r"\(?(?:1[0-9]|20)[0-9]{2}\D{1,3}(?:1[0-9]|20)[0-9]{2}\)?|[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]+\.[0-9]+", re.ASCII
)

_PHONE_DIGITS = r"\(?\+?[0-9](?:[ ./()-]{0,2}[0-9]){6,14}(?:[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6})?"
_PHONE_CUE = r"(?i:\b(?:phone|telephone|tel|mobile|cell|fax|call|dial|whatsapp|reach|answering|sms)\b)"
_PHONES = (
    Recogniser(
        "phone", r"\+[1-9](?:[ .()/-]{0,3}[0-9]){7,14}", _phone, _NOT_IN_NUMBER, _NUMBER_ENDS, signs=(b"0" * 8,)
    ),
    Recogniser(
        "phone",
        r"(?:(?:\+?1|001)[ .-]?)?(?:\([0-9]{3}\)[ ]?|[0-9]{3}[.-])[0-9]{3}[.-][0-9]{4}"
        r"(?:[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6})?",
        _phone,
        _NOT_IN_NUMBER,
        _NUMBER_ENDS,
        signs=(b"0" * 10,),
    ),
    Recogniser(
        "phone",
        r"[2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4}",
        _phone,
        r"(?<![\w.,$-])(?<!\d )",
        r"(?! ?[\w%])",
        signs=(b"000 000 0000",),
    ),
    Recogniser(
        "phone",
        r"\(?0[1-9][0-9]{0,3}\)?[ -](?:[0-9]{6,8}|[0-9]{2,4}(?:[ -][0-9]{2,4}){1,4})",
        _long_phone,
        r"(?<![\w.,$:/+-])(?<!\d )",
        r"(?! ?[0-9%]|[.,/:=-][0-9])",
        signs=(b"0" * 9,),
    ),
    Recogniser(
        "phone",
        _PHONE_CUE + rf"[^0-9\n]{{0,24}}?({_PHONE_DIGITS})",
        _phone,
        after=_NUMBER_ENDS + "(?!=)",
        signs=(b"0" * 7,),
    ),
    Recogniser(
        "phone",
        rf"({_PHONE_DIGITS})[ -]{{0,2}}(?i:office|fax|mobile|cell|home|work)\b",
        _phone,
        _NOT_IN_NUMBER,
        signs=(b"0" * 7,),
    ),
)

_SUFFIX = (
    r"(?i:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|way|place|pl|square|sq|terrace|ter"
    r"|parkway|pkwy|highway|hwy|circle|cir|trail|trl|alley|loop|close|crescent|row|heights|plaza)\b\.?"
)
_WORDS = rf"(?: [{_LETTER}0-9][{_LETTER}0-9.'-]{{0,24}})"
_UNIT = r"(?i:\b(?:apt|apartment|suite|ste|unit|flat)\b\.?[ #]{0,2}[0-9]{1,5}[A-Za-z]?)"
_STATE_ZIP = r"\b[A-Z]{2},? [0-9]{5}(?:-[0-9]{4})?"
_HOME_CUE = (
    r"(?i:\baddress(?: is|:)?|\b(?:live|lives|living|reside|resides|residing) at"
    r"|\b(?:ship|shipped|mail|mailed|deliver|delivered|send|sent)(?: it| this| them)? to(?: me at)?)"
)
_HOME_SIGNS = (
    b"address0", b"addressis0", b"to0", b"tomeat0",
    b"liveat0", b"livesat0", b"livingat0", b"resideat0", b"residesat0", b"residingat0",
)  # fmt: skip
_MILITARY = r"(?:APO|DPO|FPO),? A[AEP] [0-9]{5}"
_CITY = rf"[{_LETTER}.'-]{{2,30}}(?: [{_LETTER}.'-]{{2,30}}){{0,3}}"
_NO_NUMBER_BEFORE = r"(?<![\w.,$-])"
_STREETS = (
    Recogniser(
        "street-address",
        rf"[0-9]{{1,6}}{_WORDS}{{1,5}}[,\n ]{{1,3}}{_UNIT}(?:[,\n ]{{1,3}}{_CITY}){{0,2}}(?:[,\n ]{{1,3}}[A-Z]{{2}})?"
        r"(?:[,\n ]{1,3}[0-9]{5})?",
        _street,
        before=_NO_NUMBER_BEFORE,
        hint=_UNIT,
        signs=(b"apt0", b"apartment0", b"suite0", b"ste0", b"unit0", b"flat0"),
    ),
    Recogniser(
        "street-address",
        rf"[0-9]{{1,6}}{_WORDS}{{0,4}} {_SUFFIX}[,\n ]{{1,3}}{_CITY}[,\n ]{{1,3}}{_STATE_ZIP}",
        _street,
        before=_NO_NUMBER_BEFORE,
        hint=_STATE_ZIP,
        signs=(b" 00000",),
    ),
    Recogniser(
        "street-address",
        rf"{_HOME_CUE}[:,\n ]{{1,3}}([0-9]{{1,6}}{_WORDS}{{0,4}} {_SUFFIX})",
        _street,
        hint=_HOME_CUE + r"[:,\n ]{1,3}[0-9]",
        signs=_HOME_SIGNS,
    ),
    Recogniser(
        "street-address",
        rf"[A-Z][A-Za-z0-9 ]{{2,30}}[,\n ]{{1,3}}{_MILITARY}",
        before=r"(?<![A-Za-z0-9])",
        hint=_MILITARY,
        signs=(b" 00000",),
    ),
)

_NATIONAL = (
    Recogniser(
        "national-id",
        r"[XYZ0-9][0-9]{7}-?[A-Z]",
        _when(checksums.is_spanish_id),
        _NOT_IN_NUMBER,
        r"(?![\w-])",
        signs=(b"0000000",),
    ),
    Recogniser(
        "national-id",
        r"[A-Z]{6}[0-9]{2}[ABCDEHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]",
        _when(checksums.is_italian_id),
        r"(?<!\w)",
        r"(?!\w)",
        signs=(b"AAAAAA99A99A999A",),
    ),
    Recogniser(
        "national-id",
        r"[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        _when(checksums.is_french_id),
        _NOT_IN_NUMBER,
        _NUMBER_ENDS,
        signs=(b"0" * 15, b"000000a00000000", b"000000b00000000"),
    ),
    Recogniser(
        "national-id",
        r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
        _when(checksums.is_brazilian_id),
        _NOT_IN_NUMBER,
        _NUMBER_ENDS,
        signs=(b"000.000.000-00",),
    ),
    Recogniser(
        "national-id",
        r"[1-9][0-9]{16}[0-9Xx]",
        _when(checksums.is_chinese_id),
        _NOT_IN_NUMBER,
        _NUMBER_ENDS,
        signs=(b"0" * 17,),
    ),
    Recogniser(
        "national-id",
        r"(?:19|20)?[0-9]{6}[-+][0-9]{4}",
        _when(checksums.is_swedish_id),
        _NOT_IN_NUMBER,
        _NUMBER_ENDS,
        signs=(b"000000-0000", b"000000+0000"),
    ),
    Recogniser(
        "national-id",
        r"(?i:\bpesel\b)[^0-9\n]{0,16}([0-9]{11})",
        _when(checksums.is_polish_id),
        after=_NUMBER_ENDS,
        signs=(b"pesel",),
    ),
    Recogniser(
        "national-id",
        r"(?i:\bnational insurance\b|\bnino\b|\bNI n(?:o|umber)\b)[^\n]{0,24}?"
        r"\b([A-CEGHJ-PR-TW-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D])\b",
        signs=(b"national insurance", b"nino", b"ni no", b"ni number"),
    ),
)

RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser(
        "email",
        rf"[{_LETTER}0-9._%+'-]{{1,64}}@(?:[{_LETTER}0-9][{_LETTER}0-9-]{{0,62}}\.){{1,8}}[{_LETTER}]{{2,24}}",
        _email,
        rf"(?<![{_LETTER}0-9._%+'-])",
        rf"(?![{_LETTER}0-9@-])",
        hint=r"[^\s@]@[^\s@.]{1,100}\.",
        signs=(b"@",),
    ),
    Recogniser(
        "iban",
        r"[A-Za-z]{2}[0-9]{2}(?:[A-Za-z0-9]{11,30}|(?:[ -][A-Za-z0-9]{4}){2,7}(?:[ -][A-Za-z0-9]{1,3})?)",
        _iban,
        r"(?<!\w)",
        signs=(b"AA99",),
    ),
    Recogniser(
        "card",
        rf"[0-9](?:{_GAP}?[0-9]){{12,18}}",
        _card,
        _NOT_IN_NUMBER,
        _NUMBER_ENDS,
        signs=(b"0" * 13,),
    ),
    Recogniser("us-ssn", r"[0-9]{3}-[0-9]{2}-[0-9]{4}", _us_ssn, _NOT_IN_NUMBER, _NUMBER_ENDS, signs=(b"000-00-0000",)),
    Recogniser(
        "us-ssn",
        r"(?i:\bssn\b|\bsocial security\b)[^0-9\n]{0,24}([0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4})",
        _us_ssn,
        after=_NUMBER_ENDS,
        signs=(b"ssn", b"social security"),
    ),
    *_NATIONAL,
    Recogniser(
        "ip-address",
        r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}",
        _ip,
        r"(?<![\w.+-])(?<!ersion )(?<!elease )(?<!ection )",
        r"(?![\w-]|\.[0-9]|/[0-9])",
        signs=(b".0.", b".00.", b".000."),
    ),
    Recogniser(
        "ip-address",
        r"(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{1,4}:){2,6}(?::[0-9A-Fa-f]{1,4}){1,5}",
        _ip,
        r"(?<![\w.:+-])",
        r"(?![\w:-]|\.[0-9]|/[0-9A-Fa-f])",
        signs=(b"::", b":H:", b":HH:", b":HHH:", b":HHHH:"),
    ),
    *_PHONES,
    *_STREETS,
)

_COMPILED: Compiled = compiled(RECOGNISERS)


def personal_data(text: str) -> list[Leak]:
    """Return every piece of personal data that the recognisers believe, by position, without overlaps."""
    return find(RULE, _COMPILED, text)


def check(record: Record) -> Verdict:
    """Refuse a record whose prompt or response holds personal data."""
    text = record.text
    return verdict(RULE, text, personal_data(text))
