"""croissant.json: what ships beside a data set for machines, as Croissant 1.1.

The files with their digests, the columns, and where the records come from in the terms of W3C PROV-O, as section
"Provenance Representation" of the specification (mlcommons/croissant, docs/croissant-spec-1.1.md) asks: for the whole
set what it was made of, by which activities and agents; for each record its `holdfast` column. It says what manifest,
card and report say and adds nothing: `url`, `creator` and `datePublished` belong to whoever publishes the set, and are
left to them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.core.reading.sources import head_of
from holdfast.report.facts import Facts
from holdfast.report.shown import encodable

VERSION = "http://mlcommons.org/croissant/1.1"
MEDIA = {
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
    ".parquet": "application/x-parquet",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
}
# The terms of appendix 1 of the specification, and those that mlcroissant 1.1 expects beside them.
_TERMS = """annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileObject
    fileProperty fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path readLines recordSet
    references regex repeated replace samplingRate sdVersion separator source subField transform unArchive value"""
_CONTEXT = {
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
_OWN = "holdfast"
# The nested column of a record: type, whether there are several, the term of PROV-O or schema.org that means the same.
_NESTED = {
    "origin": ("sc:Text", False, ""),
    "synthetic_fields": ("sc:Text", True, ""),
    "source": ("sc:Text", False, "prov:hadPrimarySource"),
    "licence": ("sc:Text", False, "sc:license"),
    "generator": ("sc:Text", False, "prov:wasAttributedTo"),
    "family": ("sc:Text", False, ""),
    "revision": ("sc:Text", False, "sc:version"),
    "parents": ("sc:Text", True, "prov:wasDerivedFrom"),
    "depth": ("sc:Integer", False, ""),
    "seed": ("sc:Integer", False, ""),
    "digest": ("sc:Text", False, "sc:identifier"),
}
# Rows of which the columns are read; a column that comes later is not described.
_SAMPLE = 1_000
# An SPDX id, to which the list of licences has a page.
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a data file: its type as schema.org names it, whether a cell holds several values, and their keys.

    `parts` names the keys of cells that are objects; a list of turns has `many`, and the parts role and content.
    """

    name: str
    kind: str = "sc:Text"
    many: bool = False
    parts: tuple[str, ...] = ()


def croissant(facts: Facts, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of the files named in `facts`, which must exist, and of what the manifest says of them.

    Columns are described of the first file that is JSONL, Parquet, CSV or TSV; of others the file itself is.
    """
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": re.sub(r"[^A-Za-z0-9_.-]+", "-", facts.name).strip("-") or "dataset",
        "description": facts.summary,
        "version": "1.0.0",
        **({"license": [_licence(name) for name in facts.licences]} if facts.licences else {}),
        **({"inLanguage": list(facts.languages)} if facts.languages else {}),
        "keywords": [*(["synthetic"] if facts.synthetic else []), _OWN],
        "distribution": [_file_object(path) for path in facts.files],
        **_provenance(facts, manifest),
    }
    records = [_record_set(found, path.name) for path in facts.files if (found := columns(path))]
    return {**described, **({"recordSet": records[:1]} if records else {})}


def columns(path: Path) -> tuple[Column, ...]:
    """Return the columns of a data file, by its schema or its first rows; none where the format has no columns."""
    if path.suffix == ".parquet":
        return tuple(Column(entry.name, *_of_arrow(entry.type)) for entry in pq.read_schema(path))
    if path.suffix == ".jsonl":
        rows = [orjson.loads(line) for line in head_of(path).splitlines()[:_SAMPLE] if _whole(line)]
        names = dict.fromkeys(name for row in rows for name in row)
        return tuple(Column(name, *_of_values([row.get(name) for row in rows])) for name in names)
    if path.suffix in {".csv", ".tsv"}:
        cells = head_of(path).split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
        return tuple(Column(name.strip('"')) for name in cells.split("\t" if path.suffix == ".tsv" else ","))
    return ()


def _whole(line: bytes) -> bool:
    """Whether a line of the head of a file is a whole row: the last one may be cut."""
    try:
        return isinstance(orjson.loads(line), dict)
    except ValueError:
        return False


def _of_arrow(kind: pa.DataType) -> tuple[str, bool, tuple[str, ...]]:
    many = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    kind = kind.value_type if many else kind
    parts = tuple(one.name for one in kind) if pa.types.is_struct(kind) else ()
    known = {"sc:Boolean": pa.types.is_boolean, "sc:Integer": pa.types.is_integer, "sc:Float": pa.types.is_floating}
    return next((name for name, holds in known.items() if holds(kind)), "sc:Text"), many, parts


def _of_values(values: Sequence[Any]) -> tuple[str, bool, tuple[str, ...]]:
    many = any(isinstance(value, list) for value in values)
    flat = [one for value in values for one in (value if isinstance(value, list) else [value]) if one is not None]
    parts = tuple(dict.fromkeys(key for one in flat if isinstance(one, dict) for key in one))
    kinds = {type(one) for one in flat}
    if kinds == {bool}:
        return "sc:Boolean", many, parts
    numbers = "sc:Integer" if kinds == {int} else "sc:Float" if kinds and kinds <= {int, float} else "sc:Text"
    return numbers, many, parts


def _licence(name: str) -> str:
    """The address of a known licence, as the specification recommends."""
    return f"https://spdx.org/licenses/{name}.html" if _SPDX.fullmatch(name) else name


def _file_object(path: Path) -> dict[str, Any]:
    """A data file with its digest."""
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    named = {"@type": "cr:FileObject", "@id": path.name, "name": path.name, "contentUrl": path.name}
    media = MEDIA.get(path.suffix, "application/octet-stream")
    size = {"contentSize": f"{path.stat().st_size} B"}
    return {**named, **size, "encodingFormat": media, "sha256": digest.hexdigest()}


def _record_set(found: Sequence[Column], file: str) -> dict[str, Any]:
    """The columns of a data file; the nested one, unless it is text in a CSV, with what it says of provenance."""
    fields = [_nested(file) if one.name == _OWN and one.parts else _field(one, file) for one in found]
    return {"@type": "cr:RecordSet", "@id": "records", "name": "records", "field": fields}


def _field(one: Column, file: str) -> dict[str, Any]:
    source = {"fileObject": {"@id": file}, "extract": {"column": encodable(one.name)}}
    if not one.parts:
        return {**_named(one.name, one.kind, many=one.many), "source": source}
    inner = [_part(one, key, source) for key in one.parts]
    name = encodable(one.name)
    return {"@type": "cr:Field", "@id": f"records/{quote(name)}", "name": name, "subField": inner}


def _part(one: Column, key: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under a key of a cell, or of each object in it."""
    place = ("[*]." if one.many else "") + (key if key.isidentifier() else json.dumps(encodable(key)))
    return {
        **_named(f"{one.name}/{key}", "sc:Text", many=one.many),
        "source": {**source, "transform": {"jsonPath": place}},
    }


def _nested(file: str) -> dict[str, Any]:
    parts = []
    for name, (kind, many, term) in _NESTED.items():
        source = {"fileObject": {"@id": file}, "extract": {"column": _OWN}, "transform": {"jsonPath": name}}
        same = {"equivalentProperty": term} if term else {}
        parts.append({**_named(f"{_OWN}/{name}", kind, many=many), **same, "source": source})
    said = "Where the record comes from: origin, generator, parents, synthetic generations, checks, digest of its text."
    return {"@type": "cr:Field", "@id": f"records/{_OWN}", "name": _OWN, "description": said, "subField": parts}


def _named(name: str, kind: str, *, many: bool) -> dict[str, Any]:
    """A field under an id of its own, with its type."""
    array = {"isArray": True, "arrayShape": "-1"} if many else {}
    return {
        "@type": "cr:Field",
        "@id": f"records/{quote(encodable(name))}",
        "name": encodable(name),
        "dataType": kind,
        **array,
    }


def _provenance(facts: Facts, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the set was derived from, the activities that made it, and the agents that wrote and judged it."""
    sources = {f"urn:blake2b:{one['digest']}": one for one in manifest.get("inputs", ())}
    entities = [
        {"@id": name, "@type": "prov:Entity", "prov:label": Path(one["path"]).name, "size": f"{one['records']} records"}
        for name, one in sorted(sources.items())
    ]
    agents = [_agent(part) for part in manifest.get("parts", ())]
    ran = f"holdfast {manifest['verb']} {manifest['code_version']}"
    run = {
        **_activity("run", ran, facts.command),
        "prov:used": [{"@id": name} for name in sorted(sources)],
        "prov:wasAssociatedWith": [{"@id": agent["@id"]} for agent in agents],
    }
    told = [_activity("held-out", "held-out set", facts.held_out)] if facts.held_out else []
    told += [_activity(f"check:{name}", f"check {name}", outcome) for name, outcome in sorted(facts.checks.items())]
    return {
        **({"prov:wasDerivedFrom": entities} if entities else {}),
        "prov:wasGeneratedBy": [run, *told],
        **({"prov:wasAttributedTo": agents} if agents else {}),
    }


def _agent(part: Mapping[str, Any]) -> dict[str, Any]:
    """A generator, judge or verifier; it is software."""
    family = f" of the family {part['family']}" if part.get("family") else ""
    records = f", {part['records']} records" if part.get("records") is not None else ""
    return {
        "@id": f"urn:holdfast:{part['role']}:{quote(encodable(part['name']))}@{quote(encodable(part['version']))}",
        "@type": "prov:SoftwareAgent",
        "prov:label": encodable(part["name"]),
        "version": encodable(part["version"]),
        "description": f"{part['role']}{family}{records}",
    }


def _activity(name: str, label: str, description: str) -> dict[str, Any]:
    return {
        "@id": f"urn:holdfast:activity:{quote(encodable(name))}",
        "@type": "prov:Activity",
        "prov:label": encodable(label),
        "description": encodable(description),
    }
