"""What the schema check must accept, and named corruptions that it must refuse."""

from holdfast.core.record import Record

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "price": {"type": "number", "multipleOf": 0.01},
        "code": {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "kind": {"enum": ["a", "b"]},
        "parent": {"$ref": "#"},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


def _example(response: str, **fields: object) -> Record:
    return Record("example", "Describe a person as JSON.", response, fields={"schema": SCHEMA, **fields})


ACCEPTS = (
    _example('{"name": "Ann", "age": 31}'),
    _example('Of course:\n```json\n{"name": "Ann", "age": 31.0, "price": 19.99}\n```\nAnything else?'),
    _example('<think>an object</think>\n{"name": "\\u00c9va", "age": 0, "tags": [], "code": "AB1", "kind": "b"}'),
    _example('{"name": "Ann", "age": 31, "parent": {"name": "Bo", "age": 60, "parent": {"name": "Cy", "age": 90}}}'),
    Record("example", "", "[1, 2]", fields={"schema": '{"type": "array"}'}),
    Record("example", "", "{}", fields={"response_format": {"type": "json_object"}}),
    Record(
        "example",
        "",
        '{"name": "Ann", "age": 31}',
        fields={"response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}},
    ),
)
REFUSES = {
    "required key missing": _example('{"name": "Ann"}'),
    "wrong type": _example('{"name": "Ann", "age": "31"}'),
    "number as text of a number": _example('{"name": 5, "age": 31}'),
    "true is no number": _example('{"name": "Ann", "age": true}'),
    "out of range": _example('{"name": "Ann", "age": 151}'),
    "not a multiple": _example('{"name": "Ann", "age": 31, "price": 19.999}'),
    "unknown key": _example('{"name": "Ann", "age": 31, "born": 1990}'),
    "not one of the values": _example('{"name": "Ann", "age": 31, "kind": "c"}'),
    "pattern with a line break behind it": _example('{"name": "Ann", "age": 31, "code": "AB1\\n"}'),
    "element twice": _example('{"name": "Ann", "age": 31, "tags": ["x", "x"]}'),
    "fault three levels down": _example(
        '{"name": "Ann", "age": 31, "parent": {"name": "Bo", "age": 60, "parent": {"name": ""}}}'
    ),
    "array in place of an object": _example('[{"name": "Ann", "age": 31}]'),
    "key twice, the second wrong": _example('{"name": "Ann", "age": 31, "age": 32}'),
    "cut off": _example('{"name": "Ann", "age": 3'),
    "single quotes": _example("{'name': 'Ann', 'age': 31}"),
    "trailing comma": _example('{"name": "Ann", "age": 31,}'),
    "comment": _example('{"name": "Ann", /* years */ "age": 31}'),
    "not a number": _example('{"name": "Ann", "age": NaN}'),
    "text behind it": _example('{"name": "Ann", "age": 31} Anything else?'),
    "text before it": _example('Here it is: {"name": "Ann", "age": 31}'),
    "two answers": _example('```json\n{"name": "Ann", "age": 31}\n```\n```json\n{"name": "Bo", "age": 7}\n```'),
    "prose": _example("Ann is 31 years old."),
    "empty": _example(""),
    "nested without end": _example("[" * 100_000),
}
