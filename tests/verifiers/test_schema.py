"""The schema check: the public suite, strict JSON, schemas that are none, and hostile ones in bounded time."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.record import Record
from holdfast.verifiers import schema
from holdfast.verifiers.dialect import compile_schema
from holdfast.verifiers.ecma import compiled
from holdfast.verifiers.formats import FORMATS
from holdfast.verifiers.judging import WorkerCheck
from holdfast.verifiers.strict_json import parse


def record(response: str, wanted: object, **fields: object) -> Record:
    """A record that answers with `response` and wants what the schema `wanted` allows."""
    return Record("r", "", response, fields={"schema": wanted, **fields})


def suite(path: Path) -> list[dict]:
    """All cases of the JSON Schema suite."""
    with gzip.open(path / "verify/json_schema_cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def verdicts(cases: list[dict], check: WorkerCheck) -> Counter:
    """How often each verdict met each label."""
    records = [record(json.dumps(case["data"]), case["schema"], draft=case["draft"]) for case in cases]
    return Counter((case["valid"], said.ok) for case, said in zip(cases, check.batch(records), strict=True))


def test_every_required_case_of_the_suite(shared_data: Path) -> None:
    """All 2,094 required cases that stand alone agree; the 102 that want a document of a server are undecided."""
    required = [case for case in suite(shared_data) if not case["optional"]]
    alone = [case for case in required if case["keyword"] != "refRemote"]
    assert {(True, True): 1187, (False, False): 907} == verdicts(alone, schema.check)
    remote = [case for case in required if case["keyword"] == "refRemote"]
    assert {None} == {ok for _, ok in verdicts(remote, schema.check)}


# Optional cases that are accepted wrongly, with the reason why nothing here can refuse them.
NOT_ASSERTED = {
    "optional/content": "content encodings are annotations",
    "optional/dependencies-compatibility": "a keyword of older drafts",
    "optional/format/hostname": "punycode is not decoded",
    "optional/format/idn-hostname": "international names are not known",
    "optional/format/uri": "an IPv4 address inside an IPv6 one inside a URI",
    "optional/format/uri-reference": "an IPv4 address inside an IPv6 one inside a URI",
}


def test_formats_of_the_suite(shared_data: Path) -> None:
    """With formats no optional case is refused wrongly, and what is accepted wrongly is known by name."""
    cases = [case for case in suite(shared_data) if case["optional"]]
    records = [record(json.dumps(case["data"]), case["schema"], draft=case["draft"]) for case in cases]
    pairs = list(zip(cases, schema.with_formats.batch(records), strict=True))
    assert [] == [case["id"] for case, said in pairs if case["valid"] and said.ok is False]
    assert set(NOT_ASSERTED) == {case["keyword"] for case, said in pairs if not case["valid"] and said.ok}
    assert {"optional/format-assertion"} == {case["keyword"] for case, said in pairs if said.ok is None}


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("[1, 2]", "valid"),
        ("\n ```json\n[1]\n```", "valid"),
        ("[1] and more", "trailing-text"),
        ("[1][2]", "trailing-text"),
        ('{"a": 1, "a": 1}', "duplicate-key"),
        ('[{"b": {"a": 1, "a": 2}}]', "duplicate-key"),
        ("[Infinity]", "not-a-number"),
        ("[01]", "not-json"),
        ("[1,]", "not-json"),
        ("['a']", "not-json"),
        ("\ufeff[1]", "not-json"),
        ("[1", "not-json"),
        ('["\n"]', "not-json"),
        ("[" * 101 + "]" * 101, "too-deep"),
        ("[" * 1_000_000, "too-deep"),
        ("9" * 5_000, "too-large"),
        ("1e99999999", "too-large"),
        ('"' + "x" * 1_000_000 + '"', "too-large"),
        (" \n ", "no-answer"),
        ('["\ud800"]', "not-unicode"),
        ('["\\ud800"]', "not-unicode"),
        ('["\\ud83d\\ude00"]', "valid"),
        ("```json\n[1]\n```\n```json\n[1]\n```", "several-answers"),
    ],
)
def test_json_is_strict(response: str, reason: str) -> None:
    """What a strict reader would refuse is wrong, each by its own reason."""
    verdict = schema.check(record(response, True))
    assert (reason == "valid", reason) == (verdict.ok, verdict.reason)


def test_a_hundred_megabytes_of_answer() -> None:
    """A response beyond all sense is wrong without being read."""
    assert "too-large" == schema.check(record('{"a": "' + "x" * 100_000_000 + '"}', {})).reason


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"type": "objekt"}, "invalid-schema"),
        ({"pattern": "["}, "invalid-schema"),
        ('{"type":', "invalid-schema"),
        ({"$ref": "#/$defs/missing"}, "unresolvable-ref"),
        ({"$ref": "https://example.com/schema.json"}, "unresolvable-ref"),
        ({"$schema": "https://example.com/dialect"}, "unresolvable-ref"),
        ({"$ref": "#"}, "invalid-schema"),
        ("CREATE TABLE t (a)", "no-schema"),
        ({"type": "text"}, "no-schema"),
    ],
)
def test_a_schema_that_is_none_is_undecided(wanted: object, reason: str) -> None:
    """What is wrong with the schema is not held against the answer."""
    said = schema.check(
        Record("r", "", '"x"', fields={"response_format" if wanted == {"type": "text"} else "schema": wanted})
    )
    assert (None, reason) == (said.ok, said.reason)


def doubling(levels: int) -> dict:
    """A schema whose references double at each level."""
    both = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**both, f"d{levels}": {}}, "$ref": "#/$defs/d0"}


def test_hostile_schemas_end_and_the_run_goes_on() -> None:
    """A pattern that explodes and references that double are undecided; the records around them are judged."""
    records = [
        record("{}", {}),
        record(json.dumps("a" * 40 + "!"), {"pattern": "^(a+)+$"}),
        record("{}", doubling(40)),
        record("1e308", {"multipleOf": 1e-300}),
        record(json.dumps([{"n": n} for n in range(20_000)]), {"uniqueItems": True}),
        record('"ab"', {"pattern": "^(a|b)+$"}),
    ]
    said = [(verdict.ok, verdict.reason) for verdict in schema.check.batch(records)]
    valid, late = (True, "valid"), (None, "timeout")
    assert [valid, late, late, valid, valid, valid] == said


@pytest.mark.parametrize(
    ("wanted", "light"),
    [
        ({"type": "object", "properties": {"a": {"pattern": "^[a-z]+$"}}}, True),
        ({"$defs": {"a": {"type": "string"}}, "items": {"$ref": "#/$defs/a"}}, True),
        ({"pattern": "(a+)+"}, False),
        ({"pattern": "a+b"}, False),
        ({"properties": {"next": {"$ref": "#"}}}, False),
        (doubling(20), False),
        ({"patternProperties": {"a": {}}}, False),
        ({"allOf": [{"$ref": "other.json"}]}, False),
    ],
)
def test_what_is_light(wanted: dict, light: bool) -> None:
    """Only a schema whose cost is bounded by its size judges outside a worker, and only answers that are short."""
    found = compile_schema(wanted)
    assert light is found.is_light(100)
    assert found.is_light(100_000_000) is False


def test_schemas_as_requests_wrap_them() -> None:
    """The wrapper of a chat request is opened; a schema with a property called schema is none."""
    inner = {"type": "array"}
    wrapped = [
        {"schema": inner},
        {"schema": json.dumps(inner)},
        {"json_schema": {"name": "x", "schema": inner}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": inner}}},
        {"response_format": {"type": "json_schema", "schema": inner}},
    ]
    assert [inner] * 5 == [json.loads(schema.schema_of(fields) or "null") for fields in wrapped]
    own = {"properties": {"schema": {}}, "schema": {}}
    assert own == json.loads(schema.schema_of({"schema": own}) or "null")
    assert {"type": "object"} == json.loads(schema.schema_of({"response_format": {"type": "json_object"}}) or "null")


def test_multiples_are_decimal() -> None:
    """19.99 is a multiple of 0.01 and 19.999 is not."""
    assert schema.check(record("19.99", {"multipleOf": 0.01})).ok is True
    assert schema.check(record("19.999", {"multipleOf": 0.01})).ok is False


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^a$", "a\n", False),
        ("\\d", "٣", False),
        ("[\\d]", "3", True),
        ("\\w", "é", False),
        ("[^\\s]", "\u00a0", False),
        ("\\p{L}", "é", True),
        ("^\\p{Lu}+$", "ÉA", True),
        ("^\\P{Letter}$", "3", True),
        ("[\\p{Nd}]", "٣", True),
        ("[$]", "$", True),
        ("\\/", "/", True),
        ("[[]", "[", True),
        ("(?<a>x)\\k<a>", "xx", True),
        ("(?<!x)y", "xy", False),
    ],
)
def test_patterns_are_those_of_javascript(pattern: str, text: str, matches: bool) -> None:
    """Digits are ASCII, the end is the end, categories are known."""
    assert matches is (compiled(pattern).search(text) is not None)


# One text each that has the format and one that has not, by the standard's own examples.
FORMAT_EXAMPLES = {
    "date": ("2024-02-29", "2023-02-29"),
    "time": ("23:59:60Z", "12:00:60Z"),
    "date-time": ("1990-12-31T15:59:60-08:00", "1990-12-31 15:59:59Z"),
    "duration": ("P3Y6M4DT12H30M5S", "P1D2H"),
    "email": ("joe.bloggs@example.com", "joe..bloggs@example.com"),
    "hostname": ("www.example.com", "-bad.example.com"),
    "ipv4": ("192.168.0.1", "087.10.0.1"),
    "ipv6": ("::ffff:192.168.0.1", "12345::"),
    "uri": ("http://user:pass@host:8080/a?b=c#d", "//host/path"),
    "uri-reference": ("../a?b#c", "1:2"),
    "uri-template": ("http://example.com/{term:1}/{?q*,lang}", "http://example.com/{term"),
    "uuid": ("2EB8AA08-AA98-11EA-B4AA-73B441D16380", "2eb8aa08aa9811eab4aa73b441d16380"),
    "json-pointer": ("/foo/~0~1", "/foo/~2"),
    "relative-json-pointer": ("1/foo", "01/foo"),
    "regex": ("^(a|b)$", "^(a"),
}


def test_every_format_tells_right_from_wrong() -> None:
    """Each known format accepts its example and refuses the other."""
    assert set(FORMATS) == set(FORMAT_EXAMPLES)
    assert [] == [
        name for name, (right, wrong) in FORMAT_EXAMPLES.items() if not FORMATS[name](right) or FORMATS[name](wrong)
    ]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_strict_reading_loses_nothing(value: object) -> None:
    """What is written as JSON is read back as it was, and is valid against its own constant and not against another."""
    text = json.dumps(value)
    assert value == parse(text)
    assert schema.check(record(text, {"const": value})).ok is True
    assert schema.check(record(text, {"not": {"const": value}})).ok is False


@given(st.text(alphabet='{}[]",:0123456789eE+-.ntrufals \\ud', max_size=40))
def test_any_text_is_judged_without_error(text: str) -> None:
    """No arrangement of the characters of JSON raises or is undecided."""
    assert schema.check(record(text, True)).ok is not None
