"""XML check: the response is well-formed XML, with the root and the elements that its record names.

Entities of a document's own are refused, so that none can grow (billion laughs) or read a file; nothing is loaded from
outside. Validity against a DTD or an XML Schema is not judged.
"""

from collections.abc import Mapping
from xml.parsers import expat

from holdfast.core.record import Record
from holdfast.core.verdict import Verdict
from holdfast.verifiers.written import TextCheck, Unwritten, listed, wanted_format, written

VERSION = "1"
REASONS = (
    "well-formed", "no-answer", "not-unicode",
    "not-well-formed", "entities", "wrong-root", "missing-element", "too-deep",
    "too-large", "several-answers",  # decided
)  # fmt: skip

# Deeper than any document that people ask for; readers behind this one recurse.
DEEPEST = 200


def applies(record: Record) -> bool:
    """True when a record asks for XML by name, or names the root or the elements it wants."""
    fields = record.fields
    return wanted_format(fields) == "xml" or "xml_root" in fields or listed(fields, "xml_elements") is not None


def judge(record: Record) -> Verdict:
    """Pass a well-formed document; raises `Unwritten` with the reason for anything else."""
    document = _Document()
    document.read(written(record.response, ("xml", "html", "svg", "xhtml")))
    root = record.fields.get("xml_root")
    if isinstance(root, str) and document.root != root:
        raise Unwritten("wrong-root", f"<{document.root[:80]}> in place of <{root[:80]}>")
    missing = [name for name in listed(record.fields, "xml_elements") or () if name not in document.names]
    if missing:
        raise Unwritten("missing-element", ", ".join(missing)[:200])
    return Verdict(True, "well-formed", evidence={"root": document.root, "elements": document.elements})


check = TextCheck(judge, VERSION)


class _Document:
    """What a parse saw: the root, the names of all elements, how many and how deep."""

    def __init__(self) -> None:
        self.root = ""
        self.names: set[str] = set()
        self.elements = 0
        self.depth = 0

    def read(self, text: str) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = _refuse_entity
        # An entity that only an external DTD could declare, which nobody reads here.
        parser.SkippedEntityHandler = _refuse_entity
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        # Given as characters, so that an encoding named in the declaration, which a JSON string no longer has, is moot.
        data = text.strip().encode("utf-8", "surrogatepass")
        try:
            parser.Parse(_without_encoding(data), True)
        except expat.ExpatError as error:
            raise Unwritten(
                "not-well-formed", f"line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}"
            ) from None

    def _start(self, name: str, _: Mapping[str, str]) -> None:
        self.root = self.root or name
        self.names.add(name)
        self.elements += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unwritten("too-deep", f"more than {DEEPEST} levels")

    def _end(self, _: str) -> None:
        self.depth -= 1


def _refuse_entity(name: str, *_: object) -> None:
    raise Unwritten("entities", f"the entity {name[:80]!r}")


def _without_encoding(data: bytes) -> bytes:
    head, mark, rest = data.partition(b"?>")
    return b'<?xml version="1.0"?>' + rest if mark and head.startswith(b"<?xml ") and b"encoding" in head else data


_WANTED: Mapping[str, object] = {"output_format": "xml", "xml_root": "book", "xml_elements": ["title"]}


def _example(response: str) -> Record:
    return Record("example", "Describe a book in XML.", response, fields=_WANTED)


ACCEPTS = (
    _example("<book><title>Emma</title></book>"),
    _example('<?xml version="1.0" encoding="ISO-8859-1"?>\n<book><title lang="fr">Été &amp; hiver</title></book>'),
    _example("Here it is:\n```xml\n<book>\n  <title/>\n</book>\n```\n"),
)
REFUSES = {
    "element never closed": _example("<book><title>Emma</book>"),
    "two roots": _example("<book><title/></book><book/>"),
    "attribute without quotes": _example("<book><title lang=fr/></book>"),
    "another root": _example("<tome><title/></tome>"),
    "element missing": _example("<book><name>Emma</name></book>"),
    "prose": _example("The book is called Emma."),
    "prose around it": _example("Here: <book><title/></book>"),
    "empty": _example(""),
    "entities that grow": _example(
        '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><book><title>&b;</title></book>'
    ),
    "entity from a file": _example(
        '<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><book><title>&a;</title></book>'
    ),
    "two answers": _example("```xml\n<book><title/></book>\n```\n```xml\n<book><title/></book>\n```"),
}
