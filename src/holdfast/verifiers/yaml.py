"""YAML check: the response is one YAML document of plain data, and fits its record's JSON Schema where there is one.

Read by PyYAML's safe loader (YAML 1.1, where `no` is false). Tags that would make objects, duplicate keys and aliases
that grow are refused before anything is built.
"""

from typing import Any

import yaml

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers.schema import against, schema_of
from holdfast.verifiers.written import TextCheck, Unwritten, wanted_format, written

VERSION = "1"
REASONS = (
    "valid", "no-answer", "not-unicode",
    "not-yaml", "duplicate-key", "only-text", "mismatch", "aliases", "too-deep", "too-large",
    "several-answers",  # decided
    "invalid-schema", "unresolvable-ref", "timeout", "memory", "fault",  # undecided
)  # fmt: skip

DEEPEST = 100
# Values an answer may stand for with its aliases followed. Nine anchors of nine aliases each would make 387 million.
_MOST_VALUES = 100_000
# PyYAML in C reads about 5 MB/s; in Python a twentieth of it.
LONGEST = 200_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def applies(record: Record) -> bool:
    """True when a record asks for YAML by name."""
    return wanted_format(record.fields) in ("yaml", "yml")


def judge(record: Record) -> Verdict:
    """Pass plain data; raises `Unwritten` with the reason for anything else."""
    text = written(record.response, ("yaml", "yml"))
    if len(text) > LONGEST:
        raise Unwritten("too-large", f"{len(text):,} characters, at most {LONGEST:,} are read")
    try:
        _check_events(text)
        value = _loaded(text)
    except yaml.YAMLError as error:
        raise Unwritten("not-yaml", " ".join(str(error).split())[:200]) from None
    except (ValueError, RecursionError, TypeError, AttributeError, LookupError) as error:
        # A date such as 2023-02-30 and a key that is a list look right to the grammar.
        raise Unwritten("not-yaml", str(error)[:200]) from None
    if schema_of(record.fields) is not None:
        return against(record, value)
    if isinstance(value, str):
        raise Unwritten("only-text", "prose is YAML too, but no data")
    return Verdict(True, "valid")


check = TextCheck(judge, VERSION)


def _check_events(text: str) -> None:
    """Read the events alone: depth, documents, and how much the aliases stand for."""
    depth = total = 0
    sizes: dict[str, int] = {}
    open_anchors: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in (anchor for anchor, _ in open_anchors):
                raise Unwritten("aliases", f"{str(event.anchor)[:80]} holds itself")
            total += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.NodeEvent):
            total += 1
            if isinstance(event, yaml.ScalarEvent):
                sizes[event.anchor or ""] = 1
            else:
                depth += 1
                open_anchors.append((event.anchor, total))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            anchor, before = open_anchors.pop()
            sizes[anchor or ""] = total - before + 1
        if depth > DEEPEST:
            raise Unwritten("too-deep", f"more than {DEEPEST} levels")
        if total > _MOST_VALUES:
            raise Unwritten("aliases" if sizes else "too-large", f"stands for more than {_MOST_VALUES:,} values")


def _loaded(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        _check_keys(node)
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _check_keys(root: Any) -> None:
    """Refuse a mapping that says a key twice; the loader would keep the last one."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            keys = [(key.tag, key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(keys)) < len(keys):
                raise Unwritten("duplicate-key", next(str(key[1]) for key in keys if keys.count(key) > 1)[:80])
            waiting += [each for pair in node.value for each in pair]


def _example(response: str) -> Record:
    schema = {"type": "object", "required": ["name"], "properties": {"port": {"type": "integer"}}}
    return Record(
        "example", "Write the settings in YAML.", response, fields={"output_format": "yaml", "schema": schema}
    )


ACCEPTS = (
    _example("name: web\nport: 80\n"),
    _example("```yaml\n# settings\nname: web\nhosts: [a, b]\n```"),
    _example("base: &b {port: 80}\nname: web\nother: *b\n"),
)
REFUSES = {
    "bad indentation": _example("name: web\n  port: 80\n"),
    "tab": _example("name:\n\tport: 80\n"),
    "duplicate key": _example("name: web\nname: db\n"),
    "wrong type": _example("name: web\nport: eighty\n"),
    "required key missing": _example("port: 80\n"),
    "prose": _example("The name is web."),
    "empty": _example(" "),
    "two documents": _example("name: web\n---\nname: db\n"),
    "object of Python": _example("name: !!python/object/apply:os.system [ls]\n"),
    "aliases that grow": _example(
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)) + "name: x\n"
    ),
    "two answers": _example("```yaml\nname: a\n```\n```yaml\nname: b\n```"),
}
