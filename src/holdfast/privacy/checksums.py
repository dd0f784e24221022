"""Check digits of card, account and identity numbers: what tells a real number from a row of digits."""

from datetime import date

# ISO 7812 issuer ranges in use: first digits, allowed lengths.
_ISSUERS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({16, 19})),
    (51, 55, frozenset({16})),
    (2221, 2720, frozenset({16})),
    (34, 34, frozenset({15})),
    (37, 37, frozenset({15})),
    (300, 305, frozenset({14, 16})),
    (36, 36, frozenset({14, 16})),
    (38, 39, frozenset({14, 16})),
    (3528, 3589, frozenset({16, 17, 18, 19})),
    (6011, 6011, frozenset({16, 17, 18, 19})),
    (644, 659, frozenset({16, 17, 18, 19})),
    (62, 62, frozenset({16, 17, 18, 19})),
    (50, 50, frozenset({16, 17, 18, 19})),
    (56, 58, frozenset({16, 17, 18, 19})),
)

# ISO 13616 lengths per country, from the public SWIFT registry.
_IBAN_LENGTHS: dict[str, int] = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip

_CN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CN_CHECK = "10X98765432"
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_PESEL_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
_FISCAL_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10,
    22, 25, 24, 23), strict=True))  # fmt: skip


def digits_of(value: str) -> str:
    """Return only the ASCII digits of `value`."""
    return "".join(c for c in value if c in "0123456789")


def luhn(digits: str) -> bool:
    """True when the last digit is the Luhn check digit of the others (ISO/IEC 7812-1 annex B)."""
    total = sum(int(d) for d in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])) % 10 == 0


def is_card(digits: str) -> bool:
    """True when the Luhn digit, the issuer and the length are those of a payment card."""
    known = any(
        low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths for low, high, lengths in _ISSUERS
    )
    return known and luhn(digits)


def iban_length(country: str) -> int:
    """Return the length of this country's account numbers, 0 where it has none."""
    return _IBAN_LENGTHS.get(country.upper(), 0)


def is_iban(compact: str) -> bool:
    """True when length and ISO 7064 MOD 97-10 check digits are right; `compact` has no separators."""
    if len(compact) != iban_length(compact[:2]):
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def is_us_ssn(digits: str) -> bool:
    """True for numbers the Social Security Administration can have issued since 2011; there is no check digit."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def is_spanish_id(value: str) -> bool:
    """True for a DNI or NIE whose letter is the number modulo 23."""
    compact = value.upper().replace("-", "")
    number = compact[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI_LETTERS[int(number) % 23] == compact[-1]


def is_italian_id(value: str) -> bool:
    """True for a codice fiscale whose last letter is its check character (decree of 23 December 1976)."""
    upper = value.upper()
    total = sum(_FISCAL_ODD[c] for c in upper[:15:2])
    total += sum(int(c) if c.isdigit() else ord(c) - 65 for c in upper[1:15:2])
    return chr(65 + total % 26) == upper[15]


def is_french_id(value: str) -> bool:
    """True for a social security number (NIR) whose key is 97 minus the number modulo 97."""
    compact = value.upper().replace(" ", "")
    number = compact[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(compact[13:])


def is_brazilian_id(value: str) -> bool:
    """True for a CPF with both check digits right and not one digit repeated."""
    digits = [int(d) for d in digits_of(value)]
    for n in (9, 10):
        rest = sum(d * (n + 1 - i) for i, d in enumerate(digits[:n])) * 10 % 11 % 10
        if rest != digits[n]:
            return False
    return len(set(digits)) > 1


def is_chinese_id(value: str) -> bool:
    """True for a resident number with a possible birth date and its ISO 7064 MOD 11-2 check character."""
    total = sum(int(d) * w for d, w in zip(value, _CN_WEIGHTS, strict=False))
    return _is_date(value[6:10], value[10:12], value[12:14]) and _CN_CHECK[total % 11] == value[17].upper()


def is_swedish_id(value: str) -> bool:
    """True for a personnummer (yymmdd-nnnn) with a possible birth date and its Luhn digit."""
    digits = digits_of(value)[-10:]
    return _is_date("2000", digits[2:4], digits[4:6]) and luhn(digits)


def is_polish_id(value: str) -> bool:
    """True for a PESEL with a possible birth date and its weighted check digit."""
    month = int(value[2:4]) % 20
    total = sum(int(d) * w for d, w in zip(value, _PESEL_WEIGHTS, strict=False))
    return _is_date("2000", str(month), value[4:6]) and (10 - total % 10) % 10 == int(value[10])


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        return 1900 <= date(int(year), int(month), int(day)).year <= 2099
    except ValueError:
        return False
