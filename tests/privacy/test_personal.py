"""Personal data: what is found, what only looks like it, and what redacting leaves."""

import gzip
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.record import Record
from holdfast.privacy.leaks import redact
from holdfast.privacy.personal import check, personal_data

REAL = [
    ("email", "write to Jana.Novak+x@posta.cz, please", "Jana.Novak+x@posta.cz"),
    ("email", "Straße: jürgen@müller.de.", "jürgen@müller.de"),
    ("card", "card 4485 6099 9203 8699 expires", "4485 6099 9203 8699"),
    ("card", "4485609992038699", "4485609992038699"),
    ("card", "amex 3714-496352-74012 ends", "3714-496352-74012"),
    ("iban", "pay DE89 3704 0044 0532 0130 00 THEN leave", "DE89 3704 0044 0532 0130 00"),
    ("iban", "gb50mvfc38361978683032", "gb50mvfc38361978683032"),
    ("us-ssn", "Here's my SSN: 378-07-9520", "378-07-9520"),
    ("us-ssn", "social security number is 378079520.", "378079520"),
    ("national-id", "DNI 48293761-V", "48293761-V"),
    ("national-id", "CPF 529.982.247-25", "529.982.247-25"),
    ("national-id", "codice RSSMRA85T10A562S!", "RSSMRA85T10A562S"),
    ("national-id", "id 11010519491231002X", "11010519491231002X"),
    ("national-id", "pnr 811218-9876", "811218-9876"),
    ("national-id", "PESEL: 44051401359", "44051401359"),
    ("national-id", "NIR 2 55 08 14 168 025 38", "2 55 08 14 168 025 38"),
    ("ip-address", "from 86.231.85.193, port 80", "86.231.85.193"),
    ("ip-address", "http://74.34.59.240/x", "74.34.59.240"),
    ("ip-address", "host 2a02:8071:82c0::4f1:9", "2a02:8071:82c0::4f1:9"),
    ("phone", "call +44 20 7946 1812 now", "+44 20 7946 1812"),
    ("phone", "(978) 645-9740 x11144", "(978) 645-9740 x11144"),
    ("phone", "they're not answering at 0348 2102744", "0348 2102744"),
    ("phone", "01 42 68 53 17", "01 42 68 53 17"),
    ("phone", "089 72 63 41 office", "089 72 63 41"),
    ("street-address", "Ship it to 4821 Maple Grove Road", "4821 Maple Grove Road"),
    ("street-address", "is 77 Oak Street, Springfield, IL 62704", "77 Oak Street, Springfield, IL 62704"),
]

HARMLESS = [
    "mail user@example.com or admin@test.example, your.name@gmail.com, git@github.com:a/b.git",
    "icon@2x.png and @decorator and a@b",
    "test cards 4242424242424242, 4111 1111 1111 1111 and 4485609992038698 (bad digit)",
    "serial 1234567890123456 and pi 3.14159265358979323846",
    "GB50MVFC38361978683033 has a wrong check digit; ZZ50MVFC38361978683032 no such country",
    "SSN 123-45-6789, 000-12-3456, 666-12-3456, 900-12-3456, 219-00-9999",
    "version 86.231.85.193, v1.2.3.4, section 4.3.2.1, 999.1.1.1, 8.8.8.8, 127.0.0.1, 192.168.0.14, 10.0.0.1",
    "doc 192.0.2.7 and 2001:db8::17, C++ std::vec ab::cd, time 12:30:45, mac 00:11:22:33:44:55",
    "1939-1945, 2001-09-11 08:46, call it 1914-1918; 05-12-2019; 10 000 000; 1,234,567,890",
    "(212) 555-0142 is fictional, 123-456-7890 is made up, 000-000-0000 too",
    "01 02 03 04 05 06 07 lottery; ISBN 978-3-16-148410-0",
    "He walked 20 miles down the road and 3 women way back. 12 Angry Men drive.",
    "call (555) 123-4567, (123) 456-7891 or +61 412 345 678; John.Doe@gmail.com; 123 Oak Street, Salem, OR 97301",
    "it prints 5.196152422706632 and 4471491125216; his phone can hold 10800-2500=8300",
    "DNI 48293761-A, CPF 529.982.247-26, 111.111.111-11",
]


@pytest.mark.parametrize(("kind", "text", "value"), REAL)
def test_each_kind_is_found_with_its_exact_span(kind: str, text: str, value: str) -> None:
    """One leak, of the right kind, exactly as long as the value."""
    assert [(kind, value)] == [(leak.kind, text[leak.start : leak.end]) for leak in personal_data(text)]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_personal_data_is_left(text: str) -> None:
    """Placeholders, wrong check digits, versions, dates and plain numbers are not personal data."""
    assert [] == [(leak.kind, text[leak.start : leak.end]) for leak in personal_data(text)]


@given(st.lists(st.sampled_from([text for _, text, _ in REAL] + HARMLESS), max_size=6), st.text(max_size=30))
def test_redacting_leaves_nothing_to_find(parts: list[str], noise: str) -> None:
    """After redaction the same recognisers find nothing, and text without leaks is untouched."""
    text = f" {noise} \n".join(parts)
    clean = redact(text, personal_data(text))
    assert [] == personal_data(clean)
    if not personal_data(text):
        assert text == clean


@given(st.text(alphabet="0123456789 .-+()@:/aAbBeE\n", max_size=200))
def test_leaks_are_ordered_and_apart(text: str) -> None:
    """Spans are inside the text, ordered and do not overlap."""
    leaks = personal_data(text)
    assert all(0 <= leak.start < leak.end <= len(text) for leak in leaks)
    assert all(one.end <= two.start for one, two in pairwise(leaks))


def test_check_masks_what_it_found() -> None:
    """The verdict names kinds and positions and never the value."""
    verdict = check(Record("a", "my card is 4485609992038699", "ok"))
    assert verdict.ok is False
    assert {"card": 1} == verdict.evidence["kinds"]
    assert "44***" == verdict.evidence["leaks"][0]["excerpt"]
    assert "8699" not in str(verdict)
    assert check(Record("b", "hello", "world")).ok is True


def test_recall_and_precision_on_labelled_text(shared_data: Path) -> None:
    """E-mail, card, IBAN, SSN and IP: recall >= .95 and precision >= .90 on 2,109 labelled sentences."""
    kinds = {
        "EMAIL_ADDRESS": "email",
        "CREDIT_CARD": "card",
        "IBAN_CODE": "iban",
        "US_SSN": "us-ssn",
        "IP_ADDRESS": "ip-address",
    }
    truth, found = set(), set()
    with gzip.open(shared_data / "pii/presidio_generated_large.jsonl.gz", "rt") as lines:
        for number, row in enumerate(map(json.loads, lines)):
            truth |= {(number, kinds[s["type"]], s["start"], s["end"]) for s in row["spans"] if s["type"] in kinds}
            found |= {(number, x.kind, x.start, x.end) for x in personal_data(row["text"]) if x.kind in kinds.values()}
    for kind in kinds.values():
        labelled = {item for item in truth if item[1] == kind}
        hits = {item for item in found if item[1] == kind}
        assert len(labelled & hits) >= 0.95 * len(labelled), kind
        assert len(labelled & hits) >= 0.90 * len(hits), kind
